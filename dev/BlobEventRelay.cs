using System.Threading.Channels;
using Azure;
using DicomServerless.Storage.Azure;

namespace DicomServerless.Dev;

/// <summary>
/// Makes of every committed write and delete of a blob the event that Event Grid would send, and puts it on the queue that Event Grid would put it on. So the
/// event path is the same code as in Azure.
/// </summary>
internal sealed class BlobEventRelay(EventQueue queue)
{
    private const int Concurrent = 4;
    private static readonly string[] Containers = ["dicom", "inbox"];

    private readonly Channel<byte[]> events = Channel.CreateUnbounded<byte[]>();
    private long sequence;

    /// <summary>Takes a line of Azurite's access log.</summary>
    public void OnLine(string line)
    {
        if (AzuriteAccessLog.Read(line) is { } access && Containers.Contains(access.Container))
            events.Writer.TryWrite(GridEvents.Of(access, Interlocked.Increment(ref sequence)));
    }

    /// <summary>Works until it is cancelled. The queue must be there.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(Enumerable.Range(0, Concurrent).Select(_ => DeliverAsync(cancellationToken)));

    private async Task DeliverAsync(CancellationToken cancellationToken)
    {
        await foreach (var blobEvent in events.Reader.ReadAllAsync(cancellationToken))
        {
            try
            {
                await queue.SendAsync(blobEvent, null, cancellationToken);
            }
            catch (RequestFailedException exception)
            {
                await Console.Error.WriteLineAsync($"A blob event could not be put on the queue: {exception.ErrorCode ?? exception.Message}");
            }
        }
    }
}
