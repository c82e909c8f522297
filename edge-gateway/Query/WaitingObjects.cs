using System.Buffers;
using System.Collections.Concurrent;
using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>What queries and retrieves need of an object that still waits in the spool.</summary>
/// <param name="Entry">Where it waits.</param>
/// <param name="Key">Its UIDs.</param>
/// <param name="SopClass">SOP Class UID.</param>
/// <param name="TransferSyntax">That of its data set.</param>
/// <param name="Modality">Modality (0008,0060), or empty.</param>
internal sealed record WaitingInstance(SpoolEntry Entry, InstanceKey Key, Uid SopClass, Uid TransferSyntax, string Modality);

/// <summary>
/// Reads the headers of objects that wait: an object that was just acknowledged is found and retrieved, whether the archive has it yet or not. What was read of a file is
/// kept while memory allows; after a restart nothing is read before somebody asks.
/// </summary>
internal sealed class WaitingObjects(Spool spool)
{
    private const int MaxKept = 20_000, BlockSize = 64 * 1024;

    private readonly ConcurrentDictionary<long, WaitingInstance> kept = new();

    /// <summary>The studies of which something waits, the oldest first.</summary>
    public IReadOnlyList<string> Studies(string destination) => spool.WaitingStudies(destination);

    /// <summary>How many objects of a study wait.</summary>
    public int Count(string destination, string study) => spool.Waiting(destination, study).Count;

    /// <summary>The instances of a study that wait, each once: the latest of those with the same UID.</summary>
    /// <param name="destination">The destination.</param>
    /// <param name="study">Study Instance UID.</param>
    /// <param name="failure">Why some are missing; null if none are.</param>
    public List<WaitingInstance> OfStudy(string destination, string study, out ArchiveException? failure)
    {
        failure = null;
        var bySop = new Dictionary<InstanceKey, WaitingInstance>();
        foreach (var entry in spool.Waiting(destination, study))
        {
            if (kept.TryGetValue(entry.Sequence, out var known)) known = known with { Entry = entry };
            else
            {
                try
                {
                    if (Describe(entry) is not { } read) continue; // sent in between
                    known = read;
                }
                catch (ArchiveException unreadable)
                {
                    failure = unreadable;
                    continue;
                }
                if (kept.Count >= MaxKept) kept.Clear();
                kept[entry.Sequence] = known;
            }
            bySop[known.Key] = known;
        }
        return [.. bySop.Values];
    }

    /// <summary>The header of an object; null if it is no longer there.</summary>
    /// <exception cref="ArchiveException">The file cannot be read now.</exception>
    public static InstanceScan? Scan(SpoolEntry entry)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BlockSize);
        using var scanner = new InstanceScanner(new ScanOptions { ComputeHash = false });
        try
        {
            using var file = File.OpenHandle(entry.Path);
            for (long offset = 0; ;)
            {
                var count = RandomAccess.Read(file, buffer.AsSpan(0, BlockSize), offset);
                if (count == 0) break;
                offset += count;
                if (scanner.Push(buffer.AsSpan(0, count)) == ScanStatus.Refused) return null; // found and quarantined by the forwarder
            }
            return scanner.Complete() == ScanStatus.Complete ? scanner.Result : null;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // No permission, no file handles, a failing disk: the object is there all the same, and an answer without it must say so.
            throw new ArchiveException("Files of the gateway's spool cannot be read.", null, exception);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    private static WaitingInstance? Describe(SpoolEntry entry)
    {
        if (Scan(entry) is not { } scan) return null;
        var uids = InstanceUids.Read(scan.DataSet);
        return new WaitingInstance(entry, uids.Key, scan.Uids.SopClass, scan.TransferSyntax.Uid, scan.DataSet.GetString(Tags.Modality) ?? "");
    }
}
