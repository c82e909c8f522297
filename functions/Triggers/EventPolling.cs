using DicomServerless.Functions.Hosting;
using DicomServerless.Storage.Azure;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functions.Triggers;

/// <summary>
/// Reads the event queue outside the Functions host, as the host's queue trigger would: a few messages at a time, hidden as long as they are worked on, to the
/// poison queue after too many attempts. A message that takes long keeps its own place only.
/// </summary>
internal sealed class EventPolling(StorageConnection storage, EventIntake intake, Readiness readiness,
    Settings settings, TimeProvider clock, ILogger<EventPolling> log) : BackgroundService
{
    private const int AtOnce = 16;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30), Gather = TimeSpan.FromSeconds(1);

    private readonly EventQueue queue = storage.Events!;
    private readonly TimeSpan pause = TimeSpan.FromSeconds(settings.Events.PollSeconds), hidden = TimeSpan.FromSeconds(settings.Events.HideSeconds);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!await readiness.WaitAsync(pause, stoppingToken)) { }
        var handling = new List<Task>();
        try
        {
            while (true)
            {
                var received = 0;
                try
                {
                    var messages = await queue.ReceiveAsync(AtOnce - handling.Count, hidden, stoppingToken);
                    received = messages.Count;
                    handling.AddRange(messages.Select(message => HandleAsync(message, stoppingToken)));
                }
                catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
                {
                    HostingLog.QueueFailed(log, HostingLog.Reason(exception), pause.TotalSeconds);
                }
                if (received == 0) await Task.Delay(pause, clock, stoppingToken);
                do await WaitForRoomAsync(handling, stoppingToken);
                while (handling.Count == AtOnce);
            }
        }
        finally
        {
            await Task.WhenAll(handling);
        }
    }

    // Until half of the places are free, so that a queue of many short messages is received many at a time; or for a while, until any is free.
    private async Task WaitForRoomAsync(List<Task> handling, CancellationToken cancellationToken)
    {
        handling.RemoveAll(task => task.IsCompleted);
        if (handling.Count <= AtOnce / 2) return;
        using var isOver = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var longest = Task.Delay(Gather, clock, isOver.Token);
        while (handling.Count > AtOnce / 2 && !longest.IsCompleted)
        {
            await Task.WhenAny([longest, .. handling]);
            handling.RemoveAll(task => task.IsCompleted);
        }
        await isOver.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }

    private async Task HandleAsync(QueuedEvent message, CancellationToken cancellationToken)
    {
        try
        {
            var (outcome, held) = await HandleHiddenAsync(message, cancellationToken);
            if (outcome is null) await queue.HideAsync(held, TimeSpan.Zero, CancellationToken.None); // whoever comes next need not wait
            else if (outcome == IntakeOutcome.Done) await queue.DeleteAsync(held, cancellationToken);
            else if (held.DequeueCount < settings.Events.MaxDequeueCount) await queue.HideAsync(held, RetryAfter, cancellationToken);
            else
            {
                await queue.MoveToPoisonAsync(held, cancellationToken);
                HostingLog.Poisoned(log, held.DequeueCount);
            }
        }
        catch (Exception exception)
        {
            // Of this message alone: it comes again when its time is over.
            HostingLog.QueueFailed(log, HostingLog.Reason(exception), hidden.TotalSeconds);
        }
    }

    // What came of a message, null where the program ends before that; and the message with its newest receipt.
    private async Task<(IntakeOutcome? Outcome, QueuedEvent Held)> HandleHiddenAsync(QueuedEvent message, CancellationToken cancellationToken)
    {
        using var ended = new CancellationTokenSource();
        var keeping = KeepHiddenAsync(message, ended.Token);
        IntakeOutcome? outcome = null;
        try
        {
            outcome = await intake.HandleAsync(BinaryData.FromBytes(message.Body), cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Told by the outcome.
        }
        finally
        {
            await ended.CancelAsync();
        }
        return (outcome, await keeping);
    }

    // Seen again while it is worked on, a message would be worked on twice, and come nearer to the poison queue each time.
    private async Task<QueuedEvent> KeepHiddenAsync(QueuedEvent message, CancellationToken ended)
    {
        while (true)
        {
            try
            {
                await Task.Delay(hidden / 2, clock, ended);
                // Not to be cut off: with its answer the receipt would be lost.
                if (await queue.HideAsync(message, hidden, CancellationToken.None) is not { } kept) return message;
                message = kept;
            }
            catch (OperationCanceledException) when (ended.IsCancellationRequested)
            {
                return message;
            }
            catch (Exception exception)
            {
                HostingLog.QueueFailed(log, HostingLog.Reason(exception), hidden.TotalSeconds / 2);
            }
        }
    }
}
