using System.Buffers;
using System.Text;
using DicomServerless.Archive;
using DicomServerless.Dicom;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Triggers;
using DicomServerless.Shared;
using DicomServerless.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Functional.Host;

/// <summary>What a sweep takes up although something else is in its way.</summary>
public sealed class SweepJobsTests : IDisposable
{
    private static readonly InstanceKey Lost = new(Uid.Parse("1.7"), Uid.Parse("1.7.1"), Uid.Parse("1.7.1.1"));

    private readonly ManualTime clock = new(new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly Telemetry telemetry = new();
    private readonly MemoryWorld world;
    private readonly MemoryBlobs letters;
    private readonly ServiceProvider services = new ServiceCollection().BuildServiceProvider();
    private Func<string, Task> step = _ => Task.CompletedTask;

    public SweepJobsTests()
    {
        world = new MemoryWorld(clock);
        letters = new MemoryBlobs(new MemoryBlobState("dead-letter", clock), _ => Task.CompletedTask);
    }

    public void Dispose()
    {
        telemetry.Dispose();
        services.Dispose();
    }

    [Fact]
    public async Task A_job_that_fails_does_not_keep_dead_letters_from_being_taken_up()
    {
        await PutAsync("topic/1.json", await EventAsync());
        var (jobs, _) = Open();
        step = what => what.StartsWith("query journal", StringComparison.Ordinal) ? throw new StorageFault() : Task.CompletedTask;
        Assert.False(await jobs.RunAsync(default));
        Assert.Empty(await LettersAsync());
        Assert.Contains(world.Instances.Rows.Keys, row => row.Partition == Lost.Study.Value);
        step = _ => Task.CompletedTask;
        Assert.True(await jobs.RunAsync(default));
    }

    /// <summary>The Functions host ends the worker, with every request in it, whose function runs too long.</summary>
    [Fact]
    public async Task A_sweep_that_takes_too_long_ends_and_the_next_one_goes_on_behind_it()
    {
        await PutAsync("topic/1.json", await EventAsync());
        var (jobs, _) = Open();
        step = what =>
        {
            if (what.StartsWith("query journal", StringComparison.Ordinal)) clock.Advance(SweepJobs.Longest);
            return Task.CompletedTask;
        };
        Assert.True(await jobs.RunAsync(default));
        Assert.Single(await LettersAsync());
        Assert.True(await jobs.RunAsync(default));
        Assert.Empty(await LettersAsync());
    }

    [Fact]
    public async Task An_event_that_takes_too_long_fails_so_that_it_comes_again()
    {
        var message = await EventAsync();
        var functions = new EventFunctions(Intake(OpenArchive()), clock);
        step = what =>
        {
            if (what.StartsWith("read ", StringComparison.Ordinal)) clock.Advance(TimeSpan.FromMinutes(25));
            return Task.CompletedTask;
        };
        await Assert.ThrowsAsync<EventNotHandledException>(() => functions.QueueAsync(message, default));
        step = _ => Task.CompletedTask;
        await functions.QueueAsync(message, default);
        Assert.Contains(world.Instances.Rows.Keys, row => row.Partition == Lost.Study.Value);
    }

    [Fact]
    public async Task Dead_letters_that_cannot_be_handled_do_not_hide_those_behind_them()
    {
        for (var i = 0; i < 150; i++) await PutAsync($"a/{i:D3}.json", "{");
        await PutAsync("b.json", await EventAsync());
        var (jobs, recovery) = Open();
        await recovery.DrainDeadLettersAsync(default);
        Assert.Equal(151, (await LettersAsync()).Count); // the first hundred are tried
        await recovery.DrainDeadLettersAsync(default);
        Assert.DoesNotContain("b.json", await LettersAsync());
        Assert.Contains(world.Instances.Rows.Keys, row => row.Partition == Lost.Study.Value);

        // They are tried again after an hour, and not before: one that can be handled now goes.
        await PutAsync("a/000.json", await EventAsync());
        Assert.True(await jobs.RunAsync(default));
        Assert.Equal(150, (await LettersAsync()).Count);
        clock.Advance(TimeSpan.FromHours(1));
        Assert.True(await jobs.RunAsync(default));
        Assert.Equal(149, (await LettersAsync()).Count);
    }

    private (SweepJobs Jobs, EventRecovery Recovery) Open()
    {
        var archive = OpenArchive();
        var intake = Intake(archive);
        var recovery = new EventRecovery(new StorageConnection(world.Client(), null, letters), intake, clock, NullLogger<EventRecovery>.Instance);
        return (new SweepJobs(archive, recovery, new QueryTagJob(archive, telemetry), services, clock, NullLogger<SweepJobs>.Instance), recovery);
    }

    private DicomArchive OpenArchive() =>
        new(world.Client(what => step(what)), new ArchiveOptions(), clock, Guid.NewGuid, NullLogger<DicomArchive>.Instance);

    private EventIntake Intake(DicomArchive archive) => new(archive, telemetry, clock, NullLogger<EventIntake>.Instance);

    // An object whose event got lost, and the event.
    private async Task<string> EventAsync()
    {
        var file = TestObject.Of(Lost.Study.Value, Lost.Series.Value, Lost.Sop.Value).ToFile();
        await world.Client().Dicom.PutAsync(Layout.BlobName(Lost), new ReadOnlySequence<byte>(file), new BlobWrite(BlobCondition.None), default);
        return $$$"""
            [{"id":"1","topic":"/x","eventType":"Microsoft.Storage.BlobCreated","eventTime":"2026-01-01T00:00:00Z","dataVersion":"","metadataVersion":"1",
            "subject":"/blobServices/default/containers/dicom/blobs/{{{Layout.BlobName(Lost)}}}","data":{"api":"PutBlob"}}]
            """;
    }

    private Task PutAsync(string name, string text) =>
        letters.PutAsync(name, new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(text)), new BlobWrite(BlobCondition.None), default);

    private async Task<List<string>> LettersAsync()
    {
        var names = new List<string>();
        await foreach (var letter in letters.ListAsync("", default)) names.Add(letter.Name);
        return names;
    }
}
