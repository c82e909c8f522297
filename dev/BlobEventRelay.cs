using System.Threading.Channels;

namespace DicomServerless.Dev;

/// <summary>
/// Makes of every committed write and delete of a blob the event that Event Grid would send, and hands it to the service as the Functions host hands over a
/// queue message; and calls the sweep as the host's timer does. So the event path is the same code as in Azure.
/// </summary>
internal sealed class BlobEventRelay(DevOptions options, HttpClient http)
{
    private const int Attempts = 5, Concurrent = 8;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1), SweepEvery = TimeSpan.FromSeconds(10);
    private static readonly string[] Containers = ["dicom", "inbox"];

    private readonly Channel<string> events = Channel.CreateUnbounded<string>();
    private long sequence;

    /// <summary>Takes a line of Azurite's access log.</summary>
    public void OnLine(string line)
    {
        if (AzuriteAccessLog.Read(line) is { } access && Containers.Contains(access.Container))
            events.Writer.TryWrite(HostInvocation.ToEvent(access, Interlocked.Increment(ref sequence)));
    }

    public Task RunAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, Concurrent).Select(_ => DeliverAsync(cancellationToken)).Append(SweepAsync(cancellationToken)));

    private async Task DeliverAsync(CancellationToken cancellationToken)
    {
        await foreach (var blobEvent in events.Reader.ReadAllAsync(cancellationToken))
        {
            for (var attempt = 1; !await HostInvocation.SendEventAsync(http, options.ServiceUrl, blobEvent, cancellationToken); attempt++)
            {
                if (attempt == Attempts)
                {
                    Console.Error.WriteLine("A blob event could not be handled; the service's log has the reason.");
                    break;
                }
                await Task.Delay(RetryAfter, cancellationToken);
            }
        }
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(SweepEvery);
        while (await timer.WaitForNextTickAsync(cancellationToken)) await HostInvocation.SweepAsync(http, options.ServiceUrl, cancellationToken);
    }
}
