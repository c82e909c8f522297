using System.Globalization;
using System.Text;
using Azure.Storage.Queues;
using DicomServerless.Archive;
using DicomServerless.Dicom;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Triggers;
using DicomServerless.Shared;
using DicomServerless.Storage;
using DicomServerless.Storage.Azure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Functional.Host;

/// <summary>The event queue as the program reads it on its own.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class EventPollingTests(AzuriteFixture azurite)
{
    private const int Slow = 1, Events = 50;

    [Fact]
    public async Task An_event_that_takes_long_holds_up_no_other_and_is_worked_on_once()
    {
        var queue = azurite.Account.EventQueue(AzuriteFixture.NewName());
        await queue.CreateIfAbsentAsync(default);
        var world = new MemoryWorld(TimeProvider.System);
        var (looks, goOn) = (0, new TaskCompletionSource());
        var stores = world.Client(what =>
        {
            if (what != "head " + Layout.BlobName(Key(Slow))) return Task.CompletedTask;
            Interlocked.Increment(ref looks);
            return goOn.Task;
        });
        for (var i = Slow; i <= Events; i++)
        {
            var file = TestObject.Of(Key(i).Study.Value, Key(i).Series.Value, Key(i).Sop.Value).ToFile();
            await world.Client().Dicom.PutAsync(Layout.BlobName(Key(i)), new(file), new BlobWrite(BlobCondition.None), default);
            await queue.SendAsync(Encoding.UTF8.GetBytes(Event(Layout.BlobName(Key(i)))), null, default);
        }

        await using var poller = await Poller.StartAsync(stores, queue);
        try
        {
            await UntilAsync(() => Task.FromResult(Studies(world) == Events - Slow));
            await Task.Delay(TimeSpan.FromSeconds(7)); // its first five seconds of being hidden are over
            Assert.Equal(1, looks);
            goOn.SetResult();
            var left = new QueueClient(azurite.ConnectionString, queue.Name);
            await UntilAsync(async () => (await left.GetPropertiesAsync()).Value.ApproximateMessagesCount == 0);
            Assert.Equal(Events, Studies(world));
        }
        finally
        {
            goOn.TrySetResult();
        }
    }

    /// <summary>A message that is cut off is seen at once by whoever comes next, also when its receipt is not the first any more.</summary>
    [Fact]
    public async Task A_message_that_is_worked_on_at_the_end_is_seen_again_at_once()
    {
        var queue = azurite.Account.EventQueue(AzuriteFixture.NewName());
        await queue.CreateIfAbsentAsync(default);
        await queue.SendAsync(Encoding.UTF8.GetBytes(Event(Layout.BlobName(Key(Slow)))), null, default);
        var world = new MemoryWorld(TimeProvider.System);
        using var stop = new CancellationTokenSource();
        var isWorking = new TaskCompletionSource();
        var stores = world.Client(async what =>
        {
            if (what != "head " + Layout.BlobName(Key(Slow))) return;
            isWorking.TrySetResult();
            await Task.Delay(Timeout.Infinite, stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        var poller = await Poller.StartAsync(stores, queue);
        await isWorking.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await Task.Delay(TimeSpan.FromSeconds(3)); // its hiding has been renewed once
        var stopping = poller.DisposeAsync();
        await stop.CancelAsync();
        await stopping;
        Assert.Single(await queue.ReceiveAsync(1, TimeSpan.FromMinutes(1), default));
    }

    private sealed class Poller(Telemetry telemetry, Readiness readiness, EventPolling polling) : IAsyncDisposable
    {
        public static async Task<Poller> StartAsync(ArchiveStores stores, EventQueue queue)
        {
            var configuration = new ConfigurationBuilder()
                .AddInMemoryCollection(new Dictionary<string, string?> { ["Events:PollSeconds"] = "0.2", ["Events:HideSeconds"] = "5" }).Build();
            var telemetry = new Telemetry();
            var archive = new DicomArchive(stores, new ArchiveOptions(), TimeProvider.System, Guid.NewGuid, NullLogger<DicomArchive>.Instance);
            var readiness = new Readiness(stores, _ => Task.CompletedTask, TimeProvider.System, NullLogger<Readiness>.Instance);
            var polling = new EventPolling(new StorageConnection(stores, queue),
                new EventIntake(archive, telemetry, TimeProvider.System, NullLogger<EventIntake>.Instance), readiness,
                Settings.Read(configuration, isUnderHost: false, []), TimeProvider.System, NullLogger<EventPolling>.Instance);
            await readiness.StartAsync(default);
            await polling.StartAsync(default);
            return new Poller(telemetry, readiness, polling);
        }

        public async ValueTask DisposeAsync()
        {
            await polling.StopAsync(default);
            await readiness.StopAsync(default);
            polling.Dispose();
            readiness.Dispose();
            telemetry.Dispose();
        }
    }

    private static InstanceKey Key(int number)
    {
        var study = string.Create(CultureInfo.InvariantCulture, $"1.4.{number}");
        return new InstanceKey(Uid.Parse(study), Uid.Parse(study + ".1"), Uid.Parse(study + ".1.1"));
    }

    private static string Event(string name) => $$$"""
        {"id":"1","topic":"/x","eventType":"Microsoft.Storage.BlobCreated","eventTime":"2026-01-01T00:00:00Z","dataVersion":"","metadataVersion":"1",
        "subject":"/blobServices/default/containers/dicom/blobs/{{{name}}}","data":{"api":"PutBlob"}}
        """;

    private static int Studies(MemoryWorld world)
    {
        lock (world.Studies) return world.Studies.Rows.Count;
    }

    private static async Task UntilAsync(Func<Task<bool>> isTrue)
    {
        for (var i = 0; i < 150 && !await isTrue(); i++) await Task.Delay(200);
        Assert.True(await isTrue());
    }
}
