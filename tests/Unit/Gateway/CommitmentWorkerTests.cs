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

public sealed class CommitmentWorkerTests
{
    /// <summary>The many looks of the first seconds are no reason to wait long afterwards.</summary>
    [Fact]
    public async Task After_the_hurried_looks_the_next_one_comes_after_RetrySeconds()
    {
        var folder = Directory.CreateTempSubdirectory("commitment-").FullName;
        try
        {
            var time = new ManualTime(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
            var configuration = GatewayConfiguration.Load(["--Gateway:Destinations:archive:Url=https://archive.example/dicomweb"], folder, [])!;
            await using var spool = Spool.Open(new SpoolOptions { Path = Path.Combine(folder, "spool"), MinFreeMiB = 0 }, time, NullLogger.Instance);
            using var waiting = new WaitingObjects(spool);
            using var check = new CommitmentCheck(new Archives(configuration, time, NullLogger<Archives>.Instance), waiting, spool, Guid.NewGuid);
            var store = new CommitmentStore(Path.Combine(folder, "commitment"));
            store.Load();
            var looks = new Looks();
            using var worker = new CommitmentWorker(store, check, new RemoteAes(configuration, time), configuration,
                new TransactionLog(folder, () => new TransactionOptions(), time, NullLogger<TransactionLog>.Instance), time, looks);
            await using var wire = new Wire(async association => await association.ReceiveAsync(default));
            await wire.AssociateAsync();
            // Its archive is not configured, so that each look ends with a line in the log.
            var request = new CommitmentRequest
            {
                Id = "a", Transaction = "1.2", CallingAe = "A", CalledAe = "B", Archive = "gone", Received = time.GetUtcNow(), Items = [new("1.2", "1.2.3")],
            };
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
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed class Looks : ILogger<CommitmentWorker>
    {
        private int count;

        public int Count => Volatile.Read(ref count);

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Interlocked.Increment(ref count);
    }
}
