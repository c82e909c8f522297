using DicomServerless.Functions.Hosting;
using DicomServerless.Storage.Azure;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functions.Triggers;

/// <summary>
/// Reads the event queue outside the Functions host, as the host's queue trigger would: a few messages at a time, hidden while they are worked on, to the
/// poison queue after too many attempts.
/// </summary>
internal sealed class EventPolling(StorageConnection storage, EventIntake intake, Readiness readiness,
    Settings settings, TimeProvider clock, ILogger<EventPolling> log) : BackgroundService
{
    private const int BatchSize = 16;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30);

    private readonly EventQueue queue = storage.Events!;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = TimeSpan.FromSeconds(settings.Events.PollSeconds);
        while (!await readiness.WaitAsync(pause, stoppingToken)) { }
        while (true)
        {
            var received = 0;
            try
            {
                var messages = await queue.ReceiveAsync(BatchSize, TimeSpan.FromSeconds(settings.Events.HideSeconds), stoppingToken);
                received = messages.Count;
                await Task.WhenAll(messages.Select(message => HandleAsync(message, stoppingToken)));
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                HostingLog.QueueFailed(log, HostingLog.Reason(exception), pause.TotalSeconds);
                received = 0;
            }
            if (received == 0) await Task.Delay(pause, clock, stoppingToken);
        }
    }

    private async Task HandleAsync(QueuedEvent message, CancellationToken cancellationToken)
    {
        try
        {
            if (await intake.HandleAsync(BinaryData.FromBytes(message.Body), cancellationToken) == IntakeOutcome.Done)
                await queue.DeleteAsync(message, cancellationToken);
            else if (message.DequeueCount < settings.Events.MaxDequeueCount) await queue.HideAsync(message, RetryAfter, cancellationToken);
            else
            {
                await queue.MoveToPoisonAsync(message, cancellationToken);
                HostingLog.Poisoned(log, message.DequeueCount);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Whoever comes next need not wait until it would be seen again.
            await queue.HideAsync(message, TimeSpan.Zero, CancellationToken.None);
        }
        catch (Exception exception)
        {
            // Of this message alone: it comes again when its time is over.
            HostingLog.QueueFailed(log, HostingLog.Reason(exception), settings.Events.HideSeconds);
        }
    }
}
