using System.Buffers;
using DicomServerless.Dicom;
using Microsoft.Win32.SafeHandles;

namespace DicomServerless.Archive.Metadata;

/// <summary>A part of bulk data that was kept, or why it was not.</summary>
/// <param name="Part">The part; null if there was no room.</param>
/// <param name="IsTooLarge">Whether the room that all requests share would never do for this one, however often it is sent.</param>
internal readonly record struct SpooledPart(BulkPart? Part, bool IsTooLarge = false)
{
    public static readonly SpooledPart NoRoomNow = new(null), NeverFits = new(null, true);
}

/// <summary>
/// Bulk data of one request until objects are made of them: small ones in memory, up to 1 MiB together, the others in one file that nobody else can read and
/// that ends with the request. Disk is taken from what all requests share.
/// </summary>
internal sealed class BulkSpool(UploadMemory space, string? folder) : IDisposable
{
    private const int OwnBytes = 1024 * 1024, ChunkBytes = 128 * 1024;

    private FileStream? file;
    private long inMemory, onDisk, taken;

    /// <summary>Keeps one part, if there is disk for it.</summary>
    public async Task<SpooledPart> AddAsync(Stream content, string mediaType, Uid? transferSyntax, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            var count = await content.ReadAtLeastAsync(buffer.AsMemory(0, ChunkBytes), ChunkBytes, throwOnEndOfStream: false, cancellationToken);
            var head = buffer.AsSpan(0, Math.Min(count, BulkPart.HeadBytes)).ToArray();
            if (count < ChunkBytes && inMemory + count <= OwnBytes)
            {
                var bytes = buffer.AsSpan(0, count).ToArray();
                inMemory += count;
                return new SpooledPart(new BulkPart(mediaType, transferSyntax, count, head, () => new MemoryStream(bytes, writable: false)));
            }
            var (start, length) = (onDisk, 0L);
            for (; count > 0; count = await content.ReadAtLeastAsync(buffer.AsMemory(0, ChunkBytes), ChunkBytes, throwOnEndOfStream: false, cancellationToken))
            {
                if (taken + count > space.Capacity) return SpooledPart.NeverFits;
                if (!space.TryTake(count)) return SpooledPart.NoRoomNow;
                taken += count;
                if (!await WriteAsync(buffer.AsMemory(0, count), start + length, cancellationToken)) return SpooledPart.NoRoomNow;
                length += count;
            }
            onDisk += length;
            var handle = file!.SafeFileHandle;
            return new SpooledPart(new BulkPart(mediaType, transferSyntax, length, head, () => new FileRangeStream(handle, start, length)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        file?.Dispose();
        space.Return(taken);
        taken = 0;
    }

    // A full or missing disk is treated as no space left.
    private async Task<bool> WriteAsync(ReadOnlyMemory<byte> bytes, long at, CancellationToken cancellationToken)
    {
        try
        {
            file ??= Create();
            await RandomAccess.WriteAsync(file.SafeFileHandle, bytes, at, cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private FileStream Create()
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None,
            Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose, BufferSize = 0 };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(Path.Combine(folder ?? Path.GetTempPath(), "bulk-" + Path.GetRandomFileName()), options);
    }

    private sealed class FileRangeStream(SafeFileHandle handle, long start, long length) : ForwardStream
    {
        private long at;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await RandomAccess.ReadAsync(handle, buffer[..(int)Math.Min(buffer.Length, length - at)], start + at, cancellationToken);
            at += count;
            return count;
        }
    }
}
