using System.Diagnostics;
using System.IO.Hashing;
using DicomServerless.Dicom;
using Microsoft.Win32.SafeHandles;

namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>What a commit gives.</summary>
/// <param name="Outcome">Whether the object is safe.</param>
/// <param name="Sequence">The number under which it waits.</param>
/// <param name="Bytes">The length of the file.</param>
internal readonly record struct CommitResult(SpoolOutcome Outcome, long Sequence, long Bytes);

/// <summary>One object on its way into the spool. Not for use by two threads at a time.</summary>
internal sealed class SpoolWriter : IAsyncDisposable
{
    // A CT image of 525 KB takes three writes: few system calls, and the disk works while the next bytes arrive.
    internal const int BufferSize = 256 * 1024;
    private const long FirstReservation = 1 << 20, LargestStep = 64 << 20;

    private readonly Spool spool;
    private readonly XxHash128 hash = new();
    private readonly byte[] buffer;
    private int buffered;
    private SafeFileHandle? file;
    private long reserved, written;
    private SpoolOutcome outcome;
    private bool isCommitted, isDisposed;

    private SpoolWriter(Spool spool, IReadOnlyList<string> destinations, long reserved)
    {
        (this.spool, Destinations, this.reserved) = (spool, destinations, reserved);
        Sequence = spool.NextSequence();
        PartPath = Path.Combine(spool.IncomingFolder, SpoolName.PartName(Sequence));
        buffer = spool.Buffers.Rent();
    }

    internal IReadOnlyList<string> Destinations { get; }
    internal string PartPath { get; }
    internal UInt128 Checksum { get; private set; }

    /// <summary>The number of the object.</summary>
    public long Sequence { get; internal set; }

    /// <summary>Bytes taken so far.</summary>
    public long Length => written + buffered;

    internal static SpoolWriter? TryBegin(Spool spool, IReadOnlyList<string> destinations) =>
        spool.Limits.TryReserve(FirstReservation) ? new SpoolWriter(spool, destinations, FirstReservation) : null;

    /// <summary>
    /// Takes the next bytes of the file: preamble, group 0002 and data set. After anything but Ok every further call gives the same: the object cannot be kept,
    /// and the sender's remaining bytes are to be read and dropped. Writes go to the page cache, on the caller's thread: two changes of thread for each would
    /// cost more than the write (bench/README.md).
    /// </summary>
    public SpoolOutcome Append(ReadOnlySpan<byte> bytes)
    {
        ObjectDisposedException.ThrowIf(isDisposed || isCommitted, this);
        while (bytes.Length > 0 && outcome == SpoolOutcome.Ok)
        {
            if (Length + bytes.Length > reserved && !Reserve(bytes.Length))
            {
                spool.MakeRoom(Length + bytes.Length);
                return outcome = SpoolOutcome.OutOfResources;
            }
            var taken = Math.Min(bytes.Length, buffer.Length - buffered);
            bytes[..taken].CopyTo(buffer.AsSpan(buffered));
            hash.Append(bytes[..taken]);
            buffered += taken;
            bytes = bytes[taken..];
            if (buffered == buffer.Length) outcome = WriteBuffer();
        }
        return outcome;
    }

    /// <summary>
    /// Makes the object safe and queues it: write, flush of the file, links and rename, flush of the folders. Once begun it is not cancelled, because nobody
    /// could know the outcome.
    /// </summary>
    /// <param name="study">Study Instance UID.</param>
    /// <param name="description">What is known of the object; null for nothing.</param>
    public async Task<CommitResult> CommitAsync(Uid study, ObjectDescription? description = null)
    {
        ObjectDisposedException.ThrowIf(isDisposed || isCommitted, this);
        if (study.IsEmpty) throw new ArgumentException("An object without a study has no place.", nameof(study));
        if (outcome != SpoolOutcome.Ok) return new CommitResult(outcome, Sequence, 0);
        Checksum = hash.GetCurrentHashAsUInt128();
        outcome = await spool.Commit.RunAsync(this, study.Value, description);
        if (outcome != SpoolOutcome.Ok) return new CommitResult(outcome, Sequence, 0);
        isCommitted = true;
        spool.Limits.GiveBack(reserved - written);
        return new CommitResult(SpoolOutcome.Ok, Sequence, written);
    }

    /// <summary>Without a commit the object is gone, and what was reserved for it is given back.</summary>
    public async ValueTask DisposeAsync()
    {
        if (isDisposed) return;
        isDisposed = true;
        spool.Buffers.Return(buffer);
        if (isCommitted)
        {
            file!.Dispose();
            return;
        }
        spool.Limits.GiveBack(reserved - written);
        spool.Limits.Removed(written);
        if (file is null) return;
        await spool.Threads.Run(() =>
        {
            file.Dispose();
            return Posix.Remove(PartPath);
        });
    }

    /// <summary>The rest of the bytes, then the flush. On a thread of the spool.</summary>
    internal SpoolOutcome Finish(bool isFlushed)
    {
        var ended = WriteBuffer();
        if (ended != SpoolOutcome.Ok || !isFlushed) return ended;
        var error = Posix.Flush(file!);
        return error == 0 ? SpoolOutcome.Ok : spool.Failed("flush", error);
    }

    private SpoolOutcome WriteBuffer()
    {
        var error = 0;
        if (file is null)
        {
            error = Posix.CreateFile(PartPath, out var created);
            if (error != 0)
            {
                created.Dispose();
                return spool.Failed("create", error);
            }
            file = created;
        }
        error = Posix.WriteAll(file, buffer.AsSpan(0, buffered));
        if (error != 0)
        {
            var failed = spool.Failed("write", error);
            if (failed == SpoolOutcome.OutOfResources) spool.MakeRoom(Length);
            return failed;
        }
        spool.Limits.Written(buffered);
        written += buffered;
        buffered = 0;
        return SpoolOutcome.Ok;
    }

    // The size is unknown at the start, so promises grow with the object: as much again as it has, in steps of at most 64 MiB.
    private bool Reserve(int bytes)
    {
        var missing = Length + bytes - reserved;
        Debug.Assert(missing > 0, "there is room");
        var step = Math.Max(missing, Math.Min(reserved, LargestStep));
        if (!spool.Limits.TryReserve(step))
        {
            step = missing;
            if (!spool.Limits.TryReserve(step)) return false;
        }
        reserved += step;
        return true;
    }
}
