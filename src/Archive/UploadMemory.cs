namespace DicomServerless.Archive;

/// <summary>
/// The memory that uploads share. An upload always has its first pieces; for more it asks here, and when there is none left it writes what it has as a staged
/// block instead, so nobody ever waits for another upload to end.
/// </summary>
internal sealed class UploadMemory(long bytes)
{
    private long free = bytes;

    /// <summary>All that there is when nobody has any.</summary>
    public long Capacity { get; } = bytes;

    public bool TryTake(long count)
    {
        if (Interlocked.Add(ref free, -count) >= 0) return true;
        Interlocked.Add(ref free, count);
        return false;
    }

    public void Return(long count) => Interlocked.Add(ref free, count);
}
