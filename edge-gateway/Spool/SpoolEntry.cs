using System.Globalization;

namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>One object that waits for one destination. The name of its file says all of it.</summary>
/// <remarks>Kept small: 200,000 of them are a normal backlog.</remarks>
internal sealed class SpoolEntry
{
    private readonly SpoolQueue queue;
    private readonly int hour;

    internal SpoolEntry(SpoolQueue queue, string study, int hour, long sequence, UInt128 checksum, long size, TimeSpan queuedAt, LinkCount? links)
    {
        (this.queue, Study, this.hour, Sequence, Checksum, Size, QueuedAt, Links) = (queue, study, hour, sequence, checksum, size, queuedAt, links);
    }

    /// <summary>Grows with every object; the order in which objects came.</summary>
    public long Sequence { get; }

    /// <summary>Study Instance UID.</summary>
    public string Study { get; }

    /// <summary>What is known of the object; null until somebody reads its file, where it was there before the start or came when very many waited.</summary>
    public ObjectDescription? Description { get; internal set; }

    /// <summary>XxHash128 of the whole file.</summary>
    public UInt128 Checksum { get; }

    /// <summary>Length of the file in bytes.</summary>
    public long Size { get; }

    /// <summary>The destination for which it waits.</summary>
    public string Destination => queue.Destination;

    /// <summary>The Part 10 file. Gone as soon as the destination has it: open it, and be ready for its absence.</summary>
    public string Path => System.IO.Path.Combine(Folder, SpoolName.FileName(Sequence, Checksum));

    /// <summary>Whether the spool itself is there: a volume that is not mounted has none of its files, and that says nothing about them.</summary>
    internal bool IsSpoolPresent => queue.IsSpoolPresent;

    /// <summary>Whether it is in the queue; guarded by that.</summary>
    internal bool IsQueued { get; set; }

    /// <summary>Whether a file that is not found means that a destination has the object by now, or that somebody removed it.</summary>
    internal bool MayHaveLeft => !IsQueued || IsSpoolPresent;

    /// <summary>Keeps what is known of the object, unless that is known of so many that it would take too much memory.</summary>
    internal void Describe(ObjectDescription description) => queue.Describe(this, description);

    internal string Folder => System.IO.Path.Combine(queue.Folder, hour.ToString("D10", CultureInfo.InvariantCulture), Study);

    /// <summary>On the spool's own clock (<see cref="Spool.Uptime"/>), negative for what was there before it.</summary>
    internal TimeSpan QueuedAt { get; }

    /// <summary>Shared by the entries of one object; null where there is only this one.</summary>
    internal LinkCount? Links { get; }
}

/// <summary>How many destinations still wait for an object, whose bytes are on the disk once.</summary>
internal sealed class LinkCount(int count)
{
    private int count = count;

    public void Add() => Interlocked.Increment(ref count);

    /// <summary>True for the last one.</summary>
    public bool Drop() => Interlocked.Decrement(ref count) == 0;
}
