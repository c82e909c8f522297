namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>When the spool is flushed to the disk.</summary>
internal enum FsyncPolicy
{
    /// <summary>Before Success of each object: file, then folders. A power cut loses nothing that was acknowledged.</summary>
    Object,
    /// <summary>
    /// The whole file system when an association ends (before its release is answered), after 256 objects and after 5 seconds, whichever comes first. A power
    /// cut loses at most what was acknowledged since; a killed process loses nothing.
    /// </summary>
    Association,
    /// <summary>Never: the kernel writes when it likes. A killed process loses nothing, a power cut about the last 30 seconds.</summary>
    None,
}

/// <summary>The spool on disk: where it is, how safe, how large.</summary>
internal sealed class SpoolOptions
{
    /// <summary>The folder of the spool. Default <c>spool</c> beside the program. Changing it needs a restart.</summary>
    public string Path { get; set; } = "spool";

    /// <summary>When files are flushed. Default <see cref="FsyncPolicy.Object"/>. Changing it needs a restart.</summary>
    public FsyncPolicy Fsync { get; set; } = FsyncPolicy.Object;

    /// <summary>What may wait, be received and lie in quarantine together, MiB; more is refused with 0xA700. Default 0: only the disk is the limit.</summary>
    public long MaxSizeMiB { get; set; }

    /// <summary>Objects are refused with 0xA700 when less than this would stay free on the disk. MiB. Default 2,048.</summary>
    public long MinFreeMiB { get; set; } = 2_048;

    /// <summary>How long objects are kept after every destination's answer, in the folder <c>sent</c>. Hours. Default 0: not at all.</summary>
    public int RetentionHours { get; set; }

    /// <summary>The most that is kept in <c>sent</c>, MiB; the oldest go first. Default 10,240.</summary>
    public long RetentionMaxMiB { get; set; } = 10_240;

    /// <summary>The same again, for who changes them.</summary>
    public SpoolOptions Copy() => (SpoolOptions)MemberwiseClone();

    /// <summary>Everything that is wrong, each with key, value and what to do; empty if nothing is.</summary>
    /// <param name="section">Where these options stand, such as <c>Gateway:Spool</c>.</param>
    public IEnumerable<string> Problems(string section)
    {
        if (string.IsNullOrWhiteSpace(Path)) yield return $"{section}:Path is empty. Name a folder on a disk that survives a restart.";
        if (!Enum.IsDefined(Fsync)) yield return $"{section}:Fsync is {(int)Fsync}. Say object, association or none.";
        if (MaxSizeMiB is < 0 or > 1L << 40) yield return $"{section}:MaxSizeMiB is {MaxSizeMiB}. Use 0 for no limit, or a number of MiB.";
        if (MinFreeMiB is < 0 or > 1L << 40) yield return $"{section}:MinFreeMiB is {MinFreeMiB}. Use 0 or more, 2048 if unsure.";
        if (RetentionHours is < 0 or > 100_000) yield return $"{section}:RetentionHours is {RetentionHours}. Use 0 (keep nothing) to 100000.";
        if (RetentionMaxMiB is < 0 or > 1L << 40) yield return $"{section}:RetentionMaxMiB is {RetentionMaxMiB}. Use 0 or more.";
    }
}
