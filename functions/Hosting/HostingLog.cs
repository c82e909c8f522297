using Microsoft.Extensions.Logging;

namespace DicomServerless.Functions.Hosting;

/// <summary>The application's log events, 3000 to 3999. No patient data, no UIDs, no query strings.</summary>
internal static partial class HostingLog
{
    /// <summary>Why storage failed, in a few words: the clients' own messages run over pages, and one event is one line.</summary>
    public static string Reason(Exception exception) => Last(exception).GetBaseException() switch
    {
        Azure.RequestFailedException { Status: > 0 } failed => $"{failed.Status} {failed.ErrorCode}",
        var inner => $"{inner.GetType().Name}: {inner.Message.Split('\n')[0]}",
    };

    // After its last try a client gives all of them, and the last one counts.
    internal static Exception Last(Exception exception) => exception is AggregateException { InnerExceptions: [.., var last] } ? last : exception;

    [LoggerMessage(3001, LogLevel.Information, "{Method} {Route} {Status} in {Milliseconds:F1} ms, trace {TraceId}")]
    public static partial void Answered(ILogger log, string method, string route, int status, double milliseconds, string traceId);

    [LoggerMessage(3002, LogLevel.Error, "A request failed, trace {TraceId}")]
    public static partial void Failed(ILogger log, Exception exception, string traceId);

    [LoggerMessage(3003, LogLevel.Debug, "The client left, trace {TraceId}")]
    public static partial void ClientLeft(ILogger log, string traceId);

    [LoggerMessage(3004, LogLevel.Warning, "Storage could not be reached: {Reason}; trace {TraceId}")]
    public static partial void StorageFailed(ILogger log, string reason, string traceId);

    [LoggerMessage(3005, LogLevel.Information, "Store: part {Part} refused, {Outcome}: {Reason}; trace {TraceId}")]
    public static partial void PartRefused(ILogger log, int part, string outcome, string reason, string traceId);

    [LoggerMessage(3018, LogLevel.Information, "Store: {Count} more parts refused; trace {TraceId}")]
    public static partial void MorePartsRefused(ILogger log, int count, string traceId);

    [LoggerMessage(3006, LogLevel.Information, "Stores are there")]
    public static partial void StoresReady(ILogger log);

    [LoggerMessage(3007, LogLevel.Warning, "The stores could not be made or reached (attempt {Attempt}): {Reason}; tried again in {Seconds} s")]
    public static partial void StoresNotReady(ILogger log, string reason, int attempt, double seconds);

    [LoggerMessage(3008, LogLevel.Information, "Listening at {Url}{Mode}")]
    public static partial void Listening(ILogger log, string url, string mode);

    [LoggerMessage(3010, LogLevel.Warning, "A trigger message is no storage event: {Reason}")]
    public static partial void NoEvent(ILogger log, string reason);

    [LoggerMessage(3011, LogLevel.Error, "A trigger failed and its message comes again")]
    public static partial void TriggerFailed(ILogger log, Exception exception);

    [LoggerMessage(3012, LogLevel.Warning, "The event queue could not be read: {Reason}; tried again in {Seconds} s")]
    public static partial void QueueFailed(ILogger log, string reason, double seconds);

    [LoggerMessage(3013, LogLevel.Warning, "The sweep of {Job} failed; it runs again at its next time")]
    public static partial void SweepFailed(ILogger log, Exception exception, string job);

    [LoggerMessage(3017, LogLevel.Warning, "The sweep was at {Job} when its {Minutes} minutes were over; it goes on behind that at its next time")]
    public static partial void SweepCutOff(ILogger log, string job, double minutes);

    [LoggerMessage(3014, LogLevel.Warning, "An event message went to the poison queue after {Attempts} attempts")]
    public static partial void Poisoned(ILogger log, long attempts);

    [LoggerMessage(3016, LogLevel.Information, "{Count} messages from the poison queue and the dead-letter container were handled after all")]
    public static partial void Recovered(ILogger log, int count);

    [LoggerMessage(3015, LogLevel.Warning, "Journal rows could not be closed at the end; the sweep does it")]
    public static partial void NotClosed(ILogger log, Exception exception);
}
