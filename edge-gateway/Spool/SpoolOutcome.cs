namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>How writing to the spool ended.</summary>
internal enum SpoolOutcome
{
    /// <summary>Done; after a commit: as durable as <see cref="SpoolOptions.Fsync"/> promises.</summary>
    Ok,
    /// <summary>The limit of the spool, the low-water mark or the disk itself is reached: 0xA700.</summary>
    OutOfResources,
    /// <summary>The disk is read-only, or failed: 0x0110. Not retried on the same file.</summary>
    Failed,
}
