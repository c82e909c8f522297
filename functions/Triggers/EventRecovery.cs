using DicomServerless.Functions.Hosting;
using DicomServerless.Storage;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functions.Triggers;

/// <summary>
/// Takes up events that got lost on their way: messages in the poison queue, and blobs in the dead-letter container, where Event Grid leaves what it cannot
/// deliver. Part of every sweep. What cannot be handled now stays and is tried again later; nothing is thrown away.
/// </summary>
internal sealed class EventRecovery(StorageConnection storage, EventIntake intake, TimeProvider clock, ILogger<EventRecovery> log)
{
    private const int MessagesPerSweep = 32, DeadLettersPerSweep = 100, MaxPutOff = 10_000;
    private const long MaxDeadLetterBytes = 4 * 1024 * 1024;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromHours(1);

    // Dead letters that could not be handled, and when each is due again: the listing begins with the same ones every time, and they must not hide what comes
    // after them.
    private readonly Dictionary<string, DateTimeOffset> putOff = new(StringComparer.Ordinal);

    /// <summary>
    /// Handles messages of the poison queue. A message is hidden while it is worked on, and that long again until it is tried anew if it fails.
    /// </summary>
    public async Task DrainPoisonAsync(CancellationToken cancellationToken)
    {
        if (storage.Events is not { } queue) return;
        var recovered = 0;
        foreach (var message in await queue.ReceivePoisonAsync(MessagesPerSweep, RetryAfter, cancellationToken))
        {
            try
            {
                if (await intake.HandleAsync(BinaryData.FromBytes(message.Body), cancellationToken) == IntakeOutcome.Done)
                {
                    await queue.DeletePoisonAsync(message, cancellationToken);
                    recovered++;
                }
                else await queue.KeepPoisonAsync(message, RetryAfter, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                // Hidden for an hour it would wait for no reason.
                await queue.HidePoisonAsync(message, TimeSpan.Zero, CancellationToken.None);
                throw;
            }
        }
        if (recovered > 0) HostingLog.Recovered(log, recovered);
    }

    /// <summary>Handles blobs of the dead-letter container. One that cannot be handled is left alone for an hour.</summary>
    public async Task DrainDeadLettersAsync(CancellationToken cancellationToken)
    {
        if (storage.DeadLetters is not { } container) return;
        var (tried, recovered, now) = (0, 0, clock.GetUtcNow());
        await foreach (var blob in container.ListAsync("", cancellationToken))
        {
            if (putOff.TryGetValue(blob.Name, out var due) && due > now) continue;
            if (++tried > DeadLettersPerSweep) break;
            if (await TryHandleAsync(container, blob, cancellationToken))
            {
                await container.DeleteAsync(blob.Name, blob.ETag, null, cancellationToken);
                putOff.Remove(blob.Name);
                recovered++;
            }
            else if (putOff.Count < MaxPutOff) putOff[blob.Name] = now + RetryAfter;
        }
        if (recovered > 0) HostingLog.Recovered(log, recovered);
    }

    private async Task<bool> TryHandleAsync(IBlobContainer container, BlobInfo blob, CancellationToken cancellationToken) =>
        blob.Length is > 0 and <= MaxDeadLetterBytes && await ReadAsync(container, blob, cancellationToken) is { } events
        && await intake.HandleAsync(events, cancellationToken) == IntakeOutcome.Done;

    // A JSON array of events, each with the reason why it was not delivered beside it.
    private static async Task<BinaryData?> ReadAsync(IBlobContainer container, BlobInfo blob, CancellationToken cancellationToken)
    {
        await using var read = await container.ReadAsync(blob.Name, 0, null, blob.ETag, cancellationToken);
        return read.Status == StorageStatus.Ok ? await BinaryData.FromStreamAsync(read.Content!, cancellationToken) : null;
    }
}
