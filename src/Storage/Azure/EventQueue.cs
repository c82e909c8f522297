using System.Buffers.Text;
using Azure;
using Azure.Storage.Queues;

namespace DicomServerless.Storage.Azure;

/// <summary>A message that was received and is hidden from others until its visibility timeout ends.</summary>
/// <param name="Id">The message's id.</param>
/// <param name="Receipt">Proof of this receipt; changes with each <see cref="EventQueue.HideAsync"/>.</param>
/// <param name="Body">The content, decoded.</param>
/// <param name="DequeueCount">How often it has been received, this time included.</param>
/// <param name="InsertedAt">When it was put into the queue.</param>
/// <param name="ExpiresAt">When the queue throws it away.</param>
/// <param name="Text">The content as it came.</param>
public sealed record QueuedEvent(string Id, string Receipt, ReadOnlyMemory<byte> Body, long DequeueCount, DateTimeOffset? InsertedAt,
    DateTimeOffset? ExpiresAt, string Text);

/// <summary>
/// A storage queue that carries events, at least once and in no order, with <c>NAME-poison</c> for what keeps failing: the names and the encoding of the
/// Functions host.
/// </summary>
public sealed class EventQueue
{
    private readonly QueueClient queue;
    private readonly QueueClient poison;

    internal EventQueue(QueueClient queue, QueueClient poison)
    {
        this.queue = queue;
        this.poison = poison;
    }

    /// <summary>The queue's name.</summary>
    public string Name => queue.Name;

    /// <summary>Makes the queue and its poison queue if they are not there.</summary>
    public async Task CreateIfAbsentAsync(CancellationToken cancellationToken)
    {
        await queue.CreateIfNotExistsAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        await poison.CreateIfNotExistsAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Puts an event into the queue as base64; at most 48 KiB.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> body, TimeSpan? visibleAfter, CancellationToken cancellationToken) =>
        await queue.SendMessageAsync(Convert.ToBase64String(body.Span), visibleAfter, cancellationToken: cancellationToken).ConfigureAwait(false);

    /// <summary>
    /// Receives up to <paramref name="count"/> (1 to 32) events; empty when there is none. Those not deleted come back after <paramref name="hidden"/>.
    /// </summary>
    public Task<IReadOnlyList<QueuedEvent>> ReceiveAsync(int count, TimeSpan hidden, CancellationToken cancellationToken) =>
        ReceiveAsync(queue, count, hidden, cancellationToken);

    /// <summary>Receives events from the poison queue, in the same way.</summary>
    public Task<IReadOnlyList<QueuedEvent>> ReceivePoisonAsync(int count, TimeSpan hidden, CancellationToken cancellationToken) =>
        ReceiveAsync(poison, count, hidden, cancellationToken);

    /// <summary>Removes an event: Ok, or NotFound if it is gone or another receiver has it now.</summary>
    public Task<StorageStatus> DeleteAsync(QueuedEvent message, CancellationToken cancellationToken) => DeleteAsync(queue, message, cancellationToken);

    /// <summary>Removes an event from the poison queue, in the same way.</summary>
    public Task<StorageStatus> DeletePoisonAsync(QueuedEvent message, CancellationToken cancellationToken) => DeleteAsync(poison, message, cancellationToken);

    /// <summary>
    /// Hides an event for another while, counted from now (zero: it is visible at once). The new receipt, or null if it is gone or another receiver has it
    /// now.
    /// </summary>
    public Task<QueuedEvent?> HideAsync(QueuedEvent message, TimeSpan hidden, CancellationToken cancellationToken) =>
        HideInAsync(queue, message, hidden, cancellationToken);

    /// <summary>Hides an event of the poison queue, in the same way.</summary>
    public Task<QueuedEvent?> HidePoisonAsync(QueuedEvent message, TimeSpan hidden, CancellationToken cancellationToken) =>
        HideInAsync(poison, message, hidden, cancellationToken);

    /// <summary>
    /// Puts an event of the poison queue there anew if it would expire: the Functions host gives its messages a week. It is seen again after a while.
    /// </summary>
    public async Task KeepPoisonAsync(QueuedEvent message, TimeSpan hidden, CancellationToken cancellationToken)
    {
        if (message.ExpiresAt is not { Year: < 9999 }) return;
        await poison.SendMessageAsync(message.Text, hidden, TimeSpan.FromSeconds(-1), cancellationToken).ConfigureAwait(false);
        await DeleteAsync(poison, message, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Copies an event to the poison queue, where it does not expire, then removes it here. A crash in between leaves it in both: events are at-least-once
    /// anyway.
    /// </summary>
    public async Task<StorageStatus> MoveToPoisonAsync(QueuedEvent message, CancellationToken cancellationToken)
    {
        var text = message.Text; // as it came: encoded once more, a large one would not fit
        var forever = TimeSpan.FromSeconds(-1);
        try
        {
            await poison.SendMessageAsync(text, timeToLive: forever, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch (RequestFailedException e) when (e is { Status: 404, ErrorCode: "QueueNotFound" })
        {
            await poison.CreateIfNotExistsAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
            await poison.SendMessageAsync(text, timeToLive: forever, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        return await DeleteAsync(queue, message, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<IReadOnlyList<QueuedEvent>> ReceiveAsync(QueueClient from, int count, TimeSpan hidden, CancellationToken cancellationToken)
    {
        var received = (await from.ReceiveMessagesAsync(count, hidden, cancellationToken).ConfigureAwait(false)).Value;
        return Array.ConvertAll(received, m => new QueuedEvent(m.MessageId, m.PopReceipt, Decode(m.Body), m.DequeueCount, m.InsertedOn, m.ExpiresOn,
            m.Body.ToString()));
    }

    private static async Task<QueuedEvent?> HideInAsync(QueueClient from, QueuedEvent message, TimeSpan hidden, CancellationToken cancellationToken)
    {
        try
        {
            var done = await from.UpdateMessageAsync(message.Id, message.Receipt, (string?)null, hidden, cancellationToken).ConfigureAwait(false);
            return message with { Receipt = done.Value.PopReceipt };
        }
        catch (RequestFailedException e) when (IsGone(e))
        {
            return null;
        }
    }

    private static async Task<StorageStatus> DeleteAsync(QueueClient from, QueuedEvent message, CancellationToken cancellationToken)
    {
        try
        {
            await from.DeleteMessageAsync(message.Id, message.Receipt, cancellationToken).ConfigureAwait(false);
            return StorageStatus.Ok;
        }
        catch (RequestFailedException e) when (IsGone(e))
        {
            return StorageStatus.NotFound;
        }
    }

    // PopReceiptMismatch is 400: it was received again since.
    private static bool IsGone(RequestFailedException e) => e.ErrorCode is "MessageNotFound" or "PopReceiptMismatch";

    // Event Grid and the Functions host write base64; people and scripts write plain text, which starts with a brace and so is never base64.
    private static ReadOnlyMemory<byte> Decode(BinaryData text)
    {
        var raw = text.ToMemory();
        if (!Base64.IsValid(raw.Span, out var length)) return raw;
        var decoded = new byte[length];
        Base64.DecodeFromUtf8(raw.Span, decoded, out _, out var written);
        return decoded.AsMemory(0, written);
    }
}
