using System.Buffers;
using System.IO.Hashing;
using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>What a look at a file of the spool found.</summary>
internal enum FileState
{
    /// <summary>The file can be read, and where its checksum was asked for, that is right.</summary>
    Intact,
    /// <summary>Its bytes are not those that were stored.</summary>
    Damaged,
    /// <summary>Somebody removed it.</summary>
    Gone,
    /// <summary>
    /// It cannot be read now: no permission, no more file handles, a failing disk, a volume that is not mounted. That says nothing about its bytes.
    /// </summary>
    Unreadable,
}

/// <summary>What the forwarder needs to know of a file before it sends it.</summary>
/// <param name="State">Whether it could be read.</param>
/// <param name="Sop">Media Storage SOP Instance UID; null where the file does not say.</param>
/// <param name="SopClass">Media Storage SOP Class UID.</param>
/// <param name="CalledAe">Receiving Application Entity Title: the local AE that took it.</param>
internal sealed record SpoolHead(FileState State, string? Sop = null, string? SopClass = null, string? CalledAe = null)
{
    private const int HeadBytes = 4 * 1024, BlockBytes = 64 * 1024;

    /// <summary>Reads group 0002. A file without it has no UIDs; whether it is damaged is what <see cref="CheckAsync"/> finds.</summary>
    public static SpoolHead Read(SpoolEntry entry)
    {
        Span<byte> start = stackalloc byte[HeadBytes];
        try
        {
            using var file = File.OpenHandle(entry.Path);
            start = start[..RandomAccess.Read(file, start, 0)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new SpoolHead(StateOf(e, entry));
        }
        using var scanner = new InstanceScanner(new ScanOptions { ComputeHash = false });
        scanner.Push(start);
        return scanner.FileMeta is { } meta
            ? new SpoolHead(FileState.Intact, meta.MediaStorageSopInstance?.Value, meta.MediaStorageSopClass?.Value, meta.ReceivingApplicationEntityTitle)
            : new SpoolHead(FileState.Intact);
    }

    /// <summary>Whether the file's bytes are those that were stored.</summary>
    public static async Task<FileState> CheckAsync(SpoolEntry entry, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            using var file = File.OpenHandle(entry.Path, options: FileOptions.SequentialScan);
            var hash = new XxHash128();
            long offset = 0;
            for (int count; (count = await RandomAccess.ReadAsync(file, buffer.AsMemory(0, BlockBytes), offset, cancellationToken)) > 0; offset += count)
                hash.Append(buffer.AsSpan(0, count));
            return hash.GetCurrentHashAsUInt128() == entry.Checksum ? FileState.Intact : FileState.Damaged;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return StateOf(e, entry);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    // A file is gone only where its spool is there: a volume that is not mounted has none of its files.
    private static FileState StateOf(Exception exception, SpoolEntry entry) =>
        exception is FileNotFoundException or DirectoryNotFoundException && entry.IsSpoolPresent ? FileState.Gone : FileState.Unreadable;
}
