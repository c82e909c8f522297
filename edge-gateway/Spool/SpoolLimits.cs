namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>
/// How full the spool is: bytes stored, and bytes promised to objects that are still coming in, across all associations. Every counter is guarded by one lock.
/// </summary>
internal sealed class SpoolLimits(SpoolOptions options, TimeProvider time)
{
    private static readonly TimeSpan FreeSpaceKept = TimeSpan.FromMilliseconds(250);

    private readonly Lock gate = new();
    private readonly string path = Path.GetFullPath(options.Path);
    private long stored;    // by objects that wait and by quarantine, and what was promised
    private long unwritten; // promised and not on the disk yet
    private long free;
    private long measuredAt;
    private bool isMeasured;

    /// <summary>Bytes that wait, are promised or lie in quarantine.</summary>
    public long UsedBytes
    {
        get { lock (gate) return stored; }
    }

    /// <summary>Bytes that are promised to objects and not on the disk yet.</summary>
    public long PromisedBytes
    {
        get { lock (gate) return unwritten; }
    }

    /// <summary>Free bytes of the disk at the last look, at most a quarter of a second ago.</summary>
    public long FreeBytes
    {
        get { lock (gate) return Free(); }
    }

    /// <summary>Whether an object would be taken now.</summary>
    public bool HasRoom
    {
        get
        {
            lock (gate) return (options.MaxSizeMiB == 0 || stored < options.MaxSizeMiB << 20) && Free() - unwritten > options.MinFreeMiB << 20;
        }
    }

    /// <summary>Promises bytes to an object; false when the spool or the disk has no more.</summary>
    public bool TryReserve(long bytes)
    {
        lock (gate)
        {
            var (maximum, minimumFree) = (options.MaxSizeMiB << 20, options.MinFreeMiB << 20);
            if (maximum > 0 && stored + bytes > maximum) return false;
            if (Free() - unwritten - bytes < minimumFree) return false;
            stored += bytes;
            unwritten += bytes;
            return true;
        }
    }

    /// <summary>Promised bytes went to the disk.</summary>
    public void Written(long bytes)
    {
        lock (gate) unwritten -= bytes;
    }

    /// <summary>Promised bytes are not needed.</summary>
    public void GiveBack(long bytes)
    {
        lock (gate)
        {
            stored -= bytes;
            unwritten -= bytes;
        }
    }

    /// <summary>Bytes are on the disk that nobody reserved: what a restart finds.</summary>
    public void Found(long bytes)
    {
        lock (gate) stored += bytes;
    }

    /// <summary>Bytes left the disk.</summary>
    public void Removed(long bytes)
    {
        lock (gate) stored -= bytes;
    }

    private long Free()
    {
        var now = time.GetTimestamp();
        if (isMeasured && time.GetElapsedTime(measuredAt, now) < FreeSpaceKept) return free;
        try
        {
            free = new DriveInfo(path).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            free = long.MaxValue / 2; // The write that follows says what is wrong.
        }
        (isMeasured, measuredAt) = (true, now);
        return free;
    }
}
