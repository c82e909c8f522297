using Azure.Storage.Queues;

namespace DicomServerless.Shared;

/// <summary>Puts blob events where Event Grid puts them, and tells when all of them are worked off.</summary>
public sealed class EventsOnQueue(string connectionString)
{
    private readonly QueueClient queue = new(connectionString, "dicom-events", new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 });

    /// <summary>Puts an event on the queue; it is seen after a while.</summary>
    public Task SendAsync(ReadOnlyMemory<byte> blobEvent, TimeSpan visibleAfter, CancellationToken cancellationToken) =>
        queue.SendMessageAsync(BinaryData.FromBytes(blobEvent), visibleAfter, null, cancellationToken);

    /// <summary>How many are on the queue, hidden ones too.</summary>
    public async Task<int> CountAsync() => (await queue.GetPropertiesAsync()).Value.ApproximateMessagesCount;

    /// <summary>Waits until there is none.</summary>
    public async Task EmptyAsync()
    {
        for (var end = DateTime.UtcNow.AddMinutes(2); await CountAsync() > 0; await Task.Delay(50))
            if (DateTime.UtcNow > end) throw new TimeoutException("The queue did not become empty.");
    }
}
