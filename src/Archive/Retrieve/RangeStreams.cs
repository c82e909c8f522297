using System.Buffers;
using System.IO.Compression;
using DicomServerless.Dicom;

namespace DicomServerless.Archive.Retrieve;

/// <summary>Gives some ranges of another stream, ascending, and passes over what lies between them (item headers between fragments).</summary>
internal sealed class RangesStream(Stream source, long position, ReadOnlyMemory<ByteRange> ranges) : ForwardStream
{
    private readonly byte[] skipBuffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
    private int next;
    private long left;
    private bool isDisposed;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (left == 0)
        {
            if (next == ranges.Length) return 0;
            var range = ranges.Span[next++];
            await SkipAsync(range.Offset - position, cancellationToken);
            position = range.Offset;
            left = range.Length;
        }
        var count = await source.ReadAsync(buffer[..(int)Math.Min(buffer.Length, left)], cancellationToken);
        if (count == 0 && buffer.Length > 0) throw new EndOfStreamException("The stored object ends before its value does.");
        position += count;
        left -= count;
        return count;
    }

    public override async ValueTask DisposeAsync()
    {
        if (isDisposed) return;
        isDisposed = true;
        ArrayPool<byte>.Shared.Return(skipBuffer, clearArray: true);
        await source.DisposeAsync();
        await base.DisposeAsync();
    }

    private async Task SkipAsync(long count, CancellationToken cancellationToken)
    {
        while (count > 0)
        {
            var read = await source.ReadAsync(skipBuffer.AsMemory(0, (int)Math.Min(skipBuffer.Length, count)), cancellationToken);
            if (read == 0) throw new EndOfStreamException("The stored object ends before its value does.");
            count -= read;
        }
    }
}

/// <summary>Turns the bytes of each word around: big endian values are delivered little endian.</summary>
internal sealed class SwappedStream(Stream source, int wordSize) : ForwardStream
{
    private readonly byte[] rest = new byte[8];
    private int restStart, restEnd;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (restStart == restEnd && buffer.Length >= wordSize)
        {
            var whole = buffer[..(buffer.Length / wordSize * wordSize)];
            var count = await source.ReadAtLeastAsync(whole, wordSize, throwOnEndOfStream: false, cancellationToken);
            if (count % wordSize != 0) count += await source.ReadAtLeastAsync(whole.Slice(count, wordSize - (count % wordSize)),
                wordSize - (count % wordSize), throwOnEndOfStream: false, cancellationToken);
            NativeFrame.SwapWords(whole.Span[..count], wordSize);
            return count;
        }
        // A caller's buffer smaller than a word.
        if (restStart == restEnd)
        {
            restStart = 0;
            restEnd = await source.ReadAtLeastAsync(rest.AsMemory(0, wordSize), wordSize, throwOnEndOfStream: false, cancellationToken);
            NativeFrame.SwapWords(rest.AsSpan(0, restEnd), wordSize);
        }
        var copied = Math.Min(buffer.Length, restEnd - restStart);
        rest.AsMemory(restStart, copied).CopyTo(buffer);
        restStart += copied;
        return copied;
    }

    public override async ValueTask DisposeAsync()
    {
        await source.DisposeAsync();
        await base.DisposeAsync();
    }
}

/// <summary>The inflated bytes of a deflated data set.</summary>
internal static class InflatedDataSet
{
    public static Stream Open(Stream deflated) => new DeflateStream(deflated, CompressionMode.Decompress);
}
