using System.Buffers;
using System.IO.Hashing;
using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>What the forwarder needs to know of a file before it sends it.</summary>
/// <param name="Sop">Media Storage SOP Instance UID; null where the file does not say.</param>
/// <param name="SopClass">Media Storage SOP Class UID.</param>
/// <param name="CalledAe">Receiving Application Entity Title: the AE of ours that took it.</param>
internal sealed record SpoolHead(string? Sop, string? SopClass, string? CalledAe)
{
    private const int HeadBytes = 4 * 1024, BlockBytes = 64 * 1024;

    /// <summary>Reads group 0002. A file that cannot be read has no head; the check of its checksum says the rest.</summary>
    public static SpoolHead Read(SpoolEntry entry)
    {
        Span<byte> start = stackalloc byte[HeadBytes];
        try
        {
            using var file = File.OpenHandle(entry.Path);
            start = start[..RandomAccess.Read(file, start, 0)];
        }
        catch (IOException)
        {
            return new SpoolHead(null, null, null);
        }
        using var scanner = new InstanceScanner(new ScanOptions { ComputeHash = false });
        scanner.Push(start);
        return scanner.FileMeta is { } meta
            ? new SpoolHead(meta.MediaStorageSopInstance?.Value, meta.MediaStorageSopClass?.Value, meta.ReceivingApplicationEntityTitle)
            : new SpoolHead(null, null, null);
    }

    /// <summary>Whether the file's bytes are those that were stored. Null: it could not be read, or is gone.</summary>
    public static async Task<bool?> IsIntactAsync(SpoolEntry entry, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            using var file = File.OpenHandle(entry.Path, options: FileOptions.SequentialScan);
            var hash = new XxHash128();
            long offset = 0;
            for (int count; (count = await RandomAccess.ReadAsync(file, buffer.AsMemory(0, BlockBytes), offset, cancellationToken)) > 0; offset += count) hash.Append(buffer.AsSpan(0, count));
            return hash.GetCurrentHashAsUInt128() == entry.Checksum;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }
}
