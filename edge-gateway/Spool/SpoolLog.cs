namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>What the spool logs. Event ids 3101 to 3199.</summary>
internal static partial class SpoolLog
{
    [LoggerMessage(3101, LogLevel.Information,
        "Spool opened in {Milliseconds} ms: {Waiting} objects wait, {Bytes} bytes; {Dropped} unfinished ones were dropped")]
    public static partial void Opened(ILogger log, long milliseconds, int waiting, long bytes, int dropped);

    [LoggerMessage(3102, LogLevel.Error, "Spool: {Step} failed with error number {Error}; the object was refused")]
    public static partial void WriteFailed(ILogger log, string step, int error);

    [LoggerMessage(3103, LogLevel.Warning, "Spool: {Count} files or folders whose names are not the spool's were left alone, the first of them below {Folder}")]
    public static partial void ForeignNames(ILogger log, int count, string folder);

    [LoggerMessage(3104, LogLevel.Error,
        "Spool: object {Sequence} for {Destination} could not be removed (error number {Error}); it would be sent again after a restart")]
    public static partial void RemoveFailed(ILogger log, long sequence, string destination, int error);

    [LoggerMessage(3105, LogLevel.Error,
        "Spool: object {Sequence} for {Destination} could not be put into quarantine (error number {Error}); it stays in the queue")]
    public static partial void QuarantineFailed(ILogger log, long sequence, string destination, int error);

    [LoggerMessage(3106, LogLevel.Warning, "Object {Sequence} for {Destination} was put into quarantine: {Reason}")]
    public static partial void Quarantined(ILogger log, long sequence, string destination, string reason);

    [LoggerMessage(3107, LogLevel.Error, "Spool: tidying up failed: {Error}")]
    public static partial void TidyFailed(ILogger log, string error);

    [LoggerMessage(3108, LogLevel.Warning,
        "Spool: object {Sequence} for {Destination} could not be kept after it was sent (error number {Error}); it is removed instead")]
    public static partial void KeepFailed(ILogger log, long sequence, string destination, int error);
}
