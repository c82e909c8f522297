namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>What the forwarder logs. Event ids 3201 to 3299.</summary>
internal static partial class ForwarderLog
{
    [LoggerMessage(3201, LogLevel.Warning, "{Destination}: {Left} of {Count} objects were not taken ({Outcome}, status {Status}); waiting {Seconds:0.0} s")]
    public static partial void NotDone(ILogger log, string destination, int left, int count, BatchOutcome outcome, int status, double seconds);

    [LoggerMessage(3202, LogLevel.Error, "{Destination}: forwarding failed and is tried again: {Error}")]
    public static partial void WorkerFailed(ILogger log, string destination, string error);

    [LoggerMessage(3203, LogLevel.Error, "Object {Sequence} for {Destination} is no longer in the spool: somebody removed its file")]
    public static partial void FileGone(ILogger log, long sequence, string destination);

    [LoggerMessage(3204, LogLevel.Error, "The file of object {Sequence} for {Destination} cannot be read now; it stays in the queue and is looked at again")]
    public static partial void Unreadable(ILogger log, long sequence, string destination);
}
