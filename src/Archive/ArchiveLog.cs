using Microsoft.Extensions.Logging;

namespace DicomServerless.Archive;

/// <summary>The archive's log events, 1000 to 1999. No patient data, no UIDs, no names of blobs or rows.</summary>
internal static partial class ArchiveLog
{
    [LoggerMessage(1001, LogLevel.Warning, "A journal row could not be removed; the sweep will look at its study again")]
    public static partial void JournalNotRemoved(ILogger log, Exception exception);

    [LoggerMessage(1020, LogLevel.Error, "A study could not be looked at for the configured query attributes; the build goes over it again")]
    public static partial void QueryTagsNotBuilt(ILogger log, Exception exception);

    [LoggerMessage(1002, LogLevel.Error, "A study could not be settled; its journal row stays and the sweep tries again")]
    public static partial void NotSettled(ILogger log, Exception exception);

    [LoggerMessage(1003, LogLevel.Debug, "Settled {Changes} instances of a study in {Attempts} attempts")]
    public static partial void Settled(ILogger log, int changes, int attempts);

    [LoggerMessage(1004, LogLevel.Warning, "The journal rows of a study could not be worked off (attempt {Attempt}); tried again in {Seconds} s")]
    public static partial void SweepFailed(ILogger log, Exception exception, long attempt, double seconds);

    [LoggerMessage(1005, LogLevel.Information, "Sweep: {Done} journal rows worked off, {Failed} failed")]
    public static partial void Swept(ILogger log, int done, int failed);

    [LoggerMessage(1006, LogLevel.Warning, "A blob put in from outside was rejected: {Reason}")]
    public static partial void Rejected(ILogger log, string reason);

    [LoggerMessage(1010, LogLevel.Error, "A stored object is not understood any more (stricter Archive:Limits?); it stays where it is, and is not found")]
    public static partial void NotUnderstood(ILogger log);

    [LoggerMessage(1011, LogLevel.Error, "Bulk data could not be kept: the folder Archive:BulkSpoolPath (or the system's temporary one) cannot be used")]
    public static partial void SpoolBroken(ILogger log, Exception exception);

    [LoggerMessage(1007, LogLevel.Information, "Rebuild: prefixes from {Prefix} on done, {Studies} studies, {Changed} instances changed")]
    public static partial void Rebuilt(ILogger log, string prefix, int studies, int changed);

    [LoggerMessage(1009, LogLevel.Error, "Rebuild: a study, a blob or its search rows could not be brought in line; the rebuild goes on")]
    public static partial void NotRebuilt(ILogger log, Exception exception);

    [LoggerMessage(1008, LogLevel.Error, "An object could not be stored; its sender is told to send it again")]
    public static partial void NotStored(ILogger log, Exception exception);
}
