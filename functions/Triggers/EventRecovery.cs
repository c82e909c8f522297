using System.Text.Json;
using DicomServerless.Functions.Hosting;
using DicomServerless.Storage;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functions.Triggers;

/// <summary>
/// Takes up events that got lost on their way: messages in the poison queue, and blobs in the dead-letter container, where Event Grid leaves what it cannot deliver. Part of
/// every sweep, and so is the removal of uploads that nobody completed. What cannot be handled now stays and is tried again later; nothing is thrown away.
/// </summary>
internal sealed class EventRecovery(StorageConnection storage, EventIntake intake, TimeProvider clock, ILogger<EventRecovery> log)
{
    private const int MessagesPerSweep = 32, DeadLettersPerSweep = 100;
    private const long MaxDeadLetterBytes = 4 * 1024 * 1024;
    private static readonly TimeSpan PoisonRetry = TimeSpan.FromHours(1);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var recovered = await DrainPoisonAsync(cancellationToken) + await DrainDeadLettersAsync(cancellationToken);
        if (recovered > 0) HostingLog.Recovered(log, recovered);
        if (storage.Uploads is { } uploads) await uploads.SweepAsync(clock.GetUtcNow(), cancellationToken);
    }

    // A message is hidden while it is worked on, and that long again until it is tried anew if it fails.
    private async Task<int> DrainPoisonAsync(CancellationToken cancellationToken)
    {
        if (storage.Events is not { } queue) return 0;
        var recovered = 0;
        foreach (var message in await queue.ReceivePoisonAsync(MessagesPerSweep, PoisonRetry, cancellationToken))
        {
            if (await intake.HandleAsync(Invocation.ReadMessage(message.Body), cancellationToken) != IntakeOutcome.Done) continue;
            await queue.DeletePoisonAsync(message, cancellationToken);
            recovered++;
        }
        return recovered;
    }

    private async Task<int> DrainDeadLettersAsync(CancellationToken cancellationToken)
    {
        if (storage.DeadLetters is not { } container) return 0;
        var (seen, recovered) = (0, 0);
        await foreach (var blob in container.ListAsync("", cancellationToken))
        {
            if (++seen > DeadLettersPerSweep) break;
            if (blob.Length is 0 or > MaxDeadLetterBytes || await ReadAsync(container, blob, cancellationToken) is not { } events) continue;
            if (await intake.HandleAsync(events, cancellationToken) != IntakeOutcome.Done) continue;
            await container.DeleteAsync(blob.Name, blob.ETag, null, cancellationToken);
            recovered++;
        }
        return recovered;
    }

    // A JSON array of events, each with the reason why it was not delivered beside it.
    private static async Task<JsonElement?> ReadAsync(IBlobContainer container, BlobInfo blob, CancellationToken cancellationToken)
    {
        await using var read = await container.ReadAsync(blob.Name, 0, null, blob.ETag, cancellationToken);
        if (read.Status != StorageStatus.Ok) return null;
        try
        {
            using var document = await JsonDocument.ParseAsync(read.Content, cancellationToken: cancellationToken);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
