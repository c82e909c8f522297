using System.Buffers;
using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Spooling;
using Microsoft.Extensions.Caching.Memory;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>An object that still waits in the spool.</summary>
/// <param name="Entry">Where it waits.</param>
/// <param name="Description">What is known of it.</param>
internal sealed record WaitingInstance(SpoolEntry Entry, ObjectDescription Description)
{
    /// <summary>Its UIDs.</summary>
    public InstanceKey Key => Description.Key;
}

/// <summary>
/// The objects that wait, for queries and retrieves: one that was just acknowledged is found and retrieved, whether the archive has it yet or not. What is
/// known of an object is kept with its entry from the commit on; files are opened for objects of which nothing is kept (those from before the start once each,
/// those beyond what the queue keeps each time), and for headers that keys are compared with, up to their pixels.
/// </summary>
internal sealed class WaitingObjects(Spool spool) : IDisposable
{
    private const int BlockSize = 64 * 1024;

    // Headers of objects that stand for their study or series: the same ones are compared in every query.
    private const long MaxHeaderBytes = 32 * 1024 * 1024;

    private readonly MemoryCache headers = new(new MemoryCacheOptions { SizeLimit = MaxHeaderBytes });

    /// <summary>The studies of which something waits, the oldest first.</summary>
    public IReadOnlyList<string> Studies(string destination) => spool.WaitingStudies(destination);

    /// <summary>How many objects of a study wait.</summary>
    public int Count(string destination, string study) => spool.Waiting(destination, study).Count;

    /// <summary>The instances of a study that wait, each once: the latest of those with the same UID.</summary>
    /// <param name="destination">The destination.</param>
    /// <param name="study">Study Instance UID.</param>
    /// <param name="failure">Why some are missing; null if none are.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public List<WaitingInstance> OfStudy(string destination, string study, out ArchiveException? failure, CancellationToken cancellationToken)
    {
        failure = null;
        var bySop = new Dictionary<InstanceKey, WaitingInstance>();
        foreach (var entry in spool.Waiting(destination, study))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var description = entry.Description;
            if (description is null)
            {
                try
                {
                    if (Read(entry) is not { } header) continue; // sent in between
                    description = ObjectDescription.Of(header);
                }
                catch (ArchiveException unreadable)
                {
                    failure = unreadable;
                    continue;
                }
                entry.Describe(description);
            }
            bySop[description.Key] = new WaitingInstance(entry, description);
        }
        return [.. bySop.Values];
    }

    /// <summary>Which of some SOP Instance UIDs wait for a destination.</summary>
    /// <param name="destination">The destination.</param>
    /// <param name="sops">The UIDs that are asked for.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Those that wait, and the studies with waiting objects whose UIDs cannot be read now.</returns>
    public (HashSet<string> Sops, HashSet<string> UnknownStudies) Among(string destination, IReadOnlySet<string> sops, CancellationToken cancellationToken)
    {
        var (found, unknown) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        foreach (var study in Studies(destination))
        {
            foreach (var entry in spool.Waiting(destination, study))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if ((entry.Description ?? Describe(entry)) is { } description)
                {
                    if (sops.Contains(description.Key.Sop.Value)) found.Add(description.Key.Sop.Value);
                }
                else if (entry.IsQueued) unknown.Add(study); // else sent in between
            }
        }
        return (found, unknown);
    }

    // Null where the file is gone, damaged or cannot be read.
    private static ObjectDescription? Describe(SpoolEntry entry)
    {
        try
        {
            if (Read(entry) is not { } header) return null;
            var description = ObjectDescription.Of(header);
            entry.Describe(description);
            return description;
        }
        catch (ArchiveException)
        {
            return null;
        }
    }

    /// <summary>The header of an object, up to its pixels; null if it is no longer there.</summary>
    /// <exception cref="ArchiveException">The file cannot be read now.</exception>
    public DataSet? HeaderOf(SpoolEntry entry)
    {
        if (headers.TryGetValue(entry.Sequence, out DataSet? known)) return known;
        if (Read(entry) is not { DataSet: var header }) return null;
        headers.Set(entry.Sequence, header, new MemoryCacheEntryOptions { Size = header.MemoryUsed });
        return header;
    }

    public void Dispose() => headers.Dispose();

    private static InstanceScan? Read(SpoolEntry entry)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BlockSize);
        using var scanner = new InstanceScanner(new ScanOptions { ComputeHash = false });
        try
        {
            using var file = File.OpenHandle(entry.Path);
            for (long offset = 0; !scanner.HasHeader;)
            {
                var count = RandomAccess.Read(file, buffer.AsSpan(0, BlockSize), offset);
                if (count == 0) break;
                offset += count;
                if (scanner.Push(buffer.AsSpan(0, count)) == ScanStatus.Refused) return null; // found and quarantined by the forwarder
            }
            return scanner.Header();
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException && entry.MayHaveLeft)
        {
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // No permission, no file handles, a failing disk, a volume that is not mounted: the object is there all the same, and an answer without it must
            // say so.
            throw new ArchiveException("Files of the gateway's spool cannot be read.", null, exception);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }
}
