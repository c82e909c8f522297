using DicomServerless.Archive;

namespace DicomServerless.Shared;

/// <summary>The state of all stores of one archive, and clients of it.</summary>
public sealed class MemoryWorld
{
    public MemoryWorld(TimeProvider clock)
    {
        (Dicom, Derived, Inbox, Rejected) = (new("dicom", clock), new("derived", clock), new("inbox", clock), new("rejected", clock));
    }

    public MemoryBlobState Dicom { get; }
    public MemoryBlobState Derived { get; }
    public MemoryBlobState Inbox { get; }
    public MemoryBlobState Rejected { get; }
    public MemoryTableState Instances { get; } = new("instances");
    public MemoryTableState Studies { get; } = new("studies");
    public MemoryTableState Keys { get; } = new("keys");
    public MemoryTableState Uids { get; } = new("uids");
    public MemoryTableState Journal { get; } = new("journal");

    /// <summary>A client of the stores; <paramref name="step"/> is awaited around each of its operations.</summary>
    public ArchiveStores Client(Func<string, Task>? step = null, int pageSize = 1000)
    {
        step ??= _ => Task.CompletedTask;
        return new ArchiveStores(
            new MemoryBlobs(Dicom, step), new MemoryBlobs(Derived, step), new MemoryBlobs(Inbox, step), new MemoryBlobs(Rejected, step),
            new MemoryTable(Instances, step, pageSize), new MemoryTable(Studies, step, pageSize),
                new MemoryTable(Keys, step, pageSize), new MemoryTable(Uids, step, pageSize),
            new MemoryTable(Journal, step, pageSize));
    }
}
