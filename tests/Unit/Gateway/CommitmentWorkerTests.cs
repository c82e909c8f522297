using System.Collections.Concurrent;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Commitment;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Query;
using DicomServerless.EdgeGateway.Scp;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.EdgeGateway.Transactions;
using DicomServerless.Shared;
using DicomServerless.Unit.Network;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Unit.Gateway;

public sealed class CommitmentWorkerTests : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("commitment-").FullName;
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
    private readonly Looks looks = new();
    private Spool spool = null!;
    private WaitingObjects waiting = null!;
    private CommitmentCheck check = null!;
    private CommitmentStore store = null!;
    private CommitmentWorker worker = null!;

    public ValueTask InitializeAsync()
    {
        spool = Spool.Open(new SpoolOptions { Path = Path.Combine(folder, "spool"), MinFreeMiB = 0 }, time, NullLogger.Instance);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        worker.Dispose();
        check.Dispose();
        waiting.Dispose();
        await spool.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>The many looks of the first seconds are no reason to wait long afterwards.</summary>
    [Fact]
    public async Task After_the_hurried_looks_the_next_one_comes_after_RetrySeconds()
    {
        Make();
        await using var wire = new Wire(async association => await association.ReceiveAsync(default));
        await wire.AssociateAsync();
        var request = Request();
        Assert.True(worker.TryAccept(request));
        worker.Begin(request, new AssociationSession(wire.Association!, default!, time), null);
        const int Hurried = 31;
        var seconds = 0;
        for (; looks.Count <= Hurried && seconds < 600; seconds++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(5);
        }
        Assert.True(looks.Count > Hurried, $"{looks.Count} looks in {seconds} s");
    }

    /// <summary>A modality that hears no keeps its copy; one that hears nothing waits for ever.</summary>
    [Fact]
    public async Task What_an_archive_that_is_not_configured_any_more_cannot_decide_is_reported_as_failed_and_that_is_given_up_too()
    {
        Make("--Gateway:Commitment:GiveUpHours=2");
        var request = Request() with { CallingAe = "A\u001b[2J" };
        Assert.True(worker.TryAccept(request));
        worker.Begin(request, null, null);
        await UntilAsync(() => request.IsDecided, TimeSpan.FromHours(2), TimeSpan.FromHours(4));
        Assert.Equal((false, DimseStatus.ProcessingFailure), (request.Items[0].IsConfirmed, request.Items[0].Failure!.Value));
        // 15 s, 30 s … and not every 15 s, which would be 480 looks.
        Assert.InRange(looks.Of(5008), 8, 20);
        Assert.Equal(request.Decided, Assert.Single(store.Load()).Decided);
        // No remote AE has its title. The delivery has its own time.
        await UntilAsync(() => worker.Open.Count == 0, TimeSpan.FromHours(2), TimeSpan.FromHours(4));
        Assert.Equal((1, 1), (looks.Of(5017), looks.Of(5011)));
        Assert.InRange(looks.Of(5010), 8, 20);
        Assert.DoesNotContain(looks.Lines, line => line.Contains('\u001b', StringComparison.Ordinal)); // a terminal would obey it
        Assert.Empty(store.Load());
    }

    [Fact]
    public async Task A_report_for_which_certificate_files_are_bad_is_tried_less_and_less_often_and_given_up()
    {
        var bad = Path.Combine(folder, "bad.pem");
        File.WriteAllText(bad, "not yet");
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        Make("--Gateway:Commitment:GiveUpHours=1", "--Gateway:RemoteAes:A:Host=127.0.0.1", "--Gateway:RemoteAes:A:Tls=true",
            $"--Gateway:RemoteAes:A:Port={((System.Net.IPEndPoint)listener.LocalEndpoint).Port}", $"--Gateway:RemoteAes:A:AuthorityPath={bad}");
        var request = Request();
        request.Items[0].Failure = DimseStatus.NoSuchSopInstance;
        Assert.True(worker.TryAccept(request));
        worker.Begin(request, null, null);
        await UntilAsync(() => worker.Open.Count == 0, TimeSpan.FromHours(1), TimeSpan.FromHours(3));
        Assert.Equal((0, 1), (looks.Of(5012), looks.Of(5011)));
        Assert.InRange(looks.Of(5010), 6, 15);
        Assert.Contains(looks.Lines, line => line.Contains("certificate files", StringComparison.Ordinal));
    }

    [Fact]
    public void One_request_that_cannot_be_read_stops_no_other()
    {
        Make();
        store.Save(Request());
        var path = Path.Combine(folder, "commitment", "b.json");
        File.CreateSymbolicLink(path, path); // ELOOP, whoever opens it
        File.WriteAllText(Path.Combine(folder, "commitment", "c.json"), "{");
        Assert.Equal("a", Assert.Single(store.Load()).Id);
        Assert.True(new FileInfo(path).LinkTarget is not null);
        Assert.Equal(2, looks.Of(5018));
    }

    private void Make(params string[] settings)
    {
        List<string> problems = [];
        var configuration = GatewayConfiguration.Load(["--Gateway:Destinations:archive:Url=https://archive.example/dicomweb", .. settings], folder, problems);
        Assert.Empty(problems);
        waiting = new WaitingObjects(spool);
        check = new CommitmentCheck(new Archives(configuration!, time, NullLogger<Archives>.Instance), waiting, spool, Guid.NewGuid);
        store = new CommitmentStore(Path.Combine(folder, "commitment"), looks);
        store.Load();
        worker = new CommitmentWorker(store, check, new RemoteAes(configuration!, time), configuration!,
            new TransactionLog(folder, () => new TransactionOptions(), time, NullLogger<TransactionLog>.Instance), time, looks);
    }

    // Its archive is not configured, so that each look ends with a line in the log.
    private CommitmentRequest Request() => new()
    {
        Id = "a", Transaction = "1.2", CallingAe = "A", CalledAe = "B", Archive = "gone", Received = time.GetUtcNow(), Items = [new("1.2", "1.2.3")],
    };

    // The clock goes on in steps, and what waits for it gets its time in between.
    private async Task UntilAsync(Func<bool> condition, TimeSpan atLeast, TimeSpan atMost)
    {
        var began = time.GetUtcNow();
        while (!condition() && time.GetUtcNow() - began < atMost)
        {
            time.Advance(TimeSpan.FromSeconds(15));
            await Task.Delay(5);
        }
        Assert.InRange(time.GetUtcNow() - began, atLeast, atMost - TimeSpan.FromSeconds(15));
    }

    private sealed class Looks : ILogger<CommitmentWorker>, ILogger<CommitmentStore>
    {
        private readonly ConcurrentQueue<(int Id, string Line)> lines = [];

        public int Count => lines.Count;

        public IEnumerable<string> Lines => lines.Select(line => line.Line);

        public int Of(int id) => lines.Count(line => line.Id == id);

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue((eventId.Id, formatter(state, exception)));
    }
}
