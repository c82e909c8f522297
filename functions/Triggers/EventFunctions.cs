using DicomServerless.EventGridTrigger;
using Microsoft.Azure.Functions.Worker;

namespace DicomServerless.Functions.Triggers;

/// <summary>
/// What the Functions host calls for blob events: from the queue, or, where that is switched off and this on, by Event Grid itself. An exception makes the
/// message come again, and go to the poison queue in the end.
/// </summary>
/// <param name="intake">Where events go in.</param>
/// <param name="clock">The time.</param>
internal sealed class EventFunctions(EventIntake intake, TimeProvider clock)
{
    // Less than functionTimeout (host.json, 30 minutes): a function that runs into that costs the worker, with every request in it.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(25);

    /// <summary>The queue trigger.</summary>
    /// <param name="message">The message, decoded.</param>
    /// <param name="cancellationToken">Ends when the host ends.</param>
    [Function("eventsQueue")]
    public Task QueueAsync([QueueTrigger("%EVENTS_QUEUE%", Connection = "DataStorage")] string message, CancellationToken cancellationToken) =>
        HandleAsync(message, cancellationToken);

    /// <summary>The Event Grid trigger.</summary>
    /// <param name="message">The event as JSON.</param>
    /// <param name="cancellationToken">Ends when the host ends.</param>
    [Function("eventsGrid")]
    public Task EventGridAsync([EventGridTrigger] string message, CancellationToken cancellationToken) => HandleAsync(message, cancellationToken);

    private async Task HandleAsync(string message, CancellationToken cancellationToken)
    {
        var outcome = await WithinTimeAsync(message, cancellationToken);
        if (outcome != IntakeOutcome.Done) throw new EventNotHandledException(outcome == IntakeOutcome.NoEvent
            ? "The message is no storage event." : "The event could not be handled now.");
    }

    private async Task<IntakeOutcome> WithinTimeAsync(string message, CancellationToken cancellationToken)
    {
        using var time = new CancellationTokenSource(Longest, clock);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, time.Token);
        try
        {
            return await intake.HandleAsync(BinaryData.FromString(message), limited.Token);
        }
        catch (OperationCanceledException) when (time.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new EventNotHandledException($"The event was not handled within {Longest.TotalMinutes} minutes.");
        }
    }
}

/// <summary>A message of events was not handled; the log has the reason.</summary>
/// <param name="message">What was wrong, without patient data.</param>
internal sealed class EventNotHandledException(string message) : Exception(message);
