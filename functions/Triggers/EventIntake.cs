using DicomServerless.Archive;
using DicomServerless.Functions.Hosting;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functions.Triggers;

/// <summary>How a message of events came out.</summary>
internal enum IntakeOutcome
{
    /// <summary>All its events are done.</summary>
    Done,
    /// <summary>
    /// It is no storage event. It counts as failed, so that it ends in the poison queue, where an operator sees it and can send it again when what made it is
    /// put right.
    /// </summary>
    NoEvent,
    /// <summary>An event could not be handled now; the message must come again.</summary>
    Failed,
}

/// <summary>Where events go in, whichever way they come: queue trigger, Event Grid trigger, or our own reading of the queue.</summary>
internal sealed class EventIntake(DicomArchive archive, Telemetry telemetry, TimeProvider clock, ILogger<EventIntake> log)
{
    /// <summary>Handles the events of one message.</summary>
    public async Task<IntakeOutcome> HandleAsync(BinaryData message, CancellationToken cancellationToken)
    {
        var outcome = await RunAsync(message, cancellationToken);
        telemetry.Events.Add(1, new KeyValuePair<string, object?>("result", outcome.ToString()));
        return outcome;
    }

    private async Task<IntakeOutcome> RunAsync(BinaryData message, CancellationToken cancellationToken)
    {
        if (StorageEvents.Read(message, clock.GetUtcNow(), out var problem) is not { } events)
        {
            HostingLog.NoEvent(log, problem!);
            return IntakeOutcome.NoEvent;
        }
        try
        {
            foreach (var blobEvent in events) await archive.Events.HandleAsync(blobEvent, cancellationToken);
            return IntakeOutcome.Done;
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            HostingLog.TriggerFailed(log, exception);
            return IntakeOutcome.Failed;
        }
    }
}
