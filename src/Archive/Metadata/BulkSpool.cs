using System.Buffers;
using DicomServerless.Dicom;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace DicomServerless.Archive.Metadata;

/// <summary>A part of bulk data that was kept, or why it was not.</summary>
/// <param name="Part">The part; null if there was no room.</param>
/// <param name="IsTooLarge">Whether the room that all requests share would never do for this one, however often it is sent.</param>
/// <param name="IsBroken">Whether the folder cannot be written to at all: somebody has to see to that.</param>
internal readonly record struct SpooledPart(BulkPart? Part, bool IsTooLarge = false, bool IsBroken = false)
{
    public static readonly SpooledPart NoRoomNow = new(null), NeverFits = new(null, IsTooLarge: true), Broken = new(null, IsBroken: true);
}

/// <summary>
/// Bulk data of one request until objects are made of them: small ones in memory, up to 1 MiB together, the others in one file that nobody else can read and
/// that ends with the request. Disk is taken from what all requests share.
/// </summary>
internal sealed class BulkSpool(UploadMemory space, string? folder, ILogger log) : IDisposable
{
    private const int OwnBytes = 1024 * 1024, ChunkBytes = 128 * 1024;

    // What says that a disk, or the share of it that we may use, is full: ENOSPC; EDQUOT of Linux and of macOS; three errors of Windows.
    private static readonly int[] Full = [28, 122, 69, unchecked((int)0x80070027), unchecked((int)0x80070070), unchecked((int)0x8007050F)];

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
                if (await WriteAsync(buffer.AsMemory(0, count), start + length, cancellationToken) is { } why) return why;
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

    /// <summary>Whether an exception says that there is no room left, and not that the folder is wrong.</summary>
    internal static bool IsFull(Exception exception) => exception is IOException && Full.Contains(exception.HResult);

    // Null, or why nothing could be written. Room comes back by itself; a folder that is missing or not ours does not.
    private async Task<SpooledPart?> WriteAsync(ReadOnlyMemory<byte> bytes, long at, CancellationToken cancellationToken)
    {
        try
        {
            file ??= Create();
            await RandomAccess.WriteAsync(file.SafeFileHandle, bytes, at, cancellationToken);
            return null;
        }
        catch (Exception exception) when (IsFull(exception))
        {
            return SpooledPart.NoRoomNow;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            ArchiveLog.SpoolBroken(log, exception);
            return SpooledPart.Broken;
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
