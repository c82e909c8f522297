namespace DicomServerless.EdgeGateway.Forwarding;

internal static partial class ForwarderLog
{
    [LoggerMessage(3201, LogLevel.Warning, "{Destination}: {Left} of {Count} objects were not taken ({Outcome}, status {Status}); waiting {Seconds:0.0} s")]
    public static partial void NotDone(ILogger log, string destination, int left, int count, string outcome, int status, double seconds);

    [LoggerMessage(3202, LogLevel.Error, "{Destination}: forwarding failed; it is tried again")]
    public static partial void WorkerFailed(ILogger log, string destination, Exception exception);

    [LoggerMessage(3203, LogLevel.Error, "Object {Sequence} for {Destination} is not in the spool any more: someone removed its file")]
    public static partial void FileGone(ILogger log, long sequence, string destination);
}
