using System.IO.Compression;

namespace DicomServerless.Dicom;

/// <summary>Inflates bytes that are pushed (PS3.5 A.5, RFC 1951), within limits.</summary>
internal sealed class Inflater(DicomLimits limits) : IDisposable
{
    private const int RatioStep = 64 * 1024;

    private readonly FeedStream feed = new();
    private DeflateStream? stream;

    private long allowed;
    private long taken;
    private long given;

    /// <summary>Gives the next piece of input and returns how much of it was taken; read until 0 before the next.</summary>
    public int Feed(ReadOnlySpan<byte> input)
    {
        // Steps end at multiples of 64 KiB of input, so that the verdict does not depend on the pieces.
        var count = (int)Math.Min(input.Length, RatioStep - taken % RatioStep);
        feed.Set(input[..count]);
        taken += count;
        var steps = (taken + RatioStep - 1) / RatioStep;
        allowed = Math.Min(limits.MaxInflatedBytes, steps * RatioStep * limits.MaxInflateRatio);
        return count;
    }

    /// <summary>Reads inflated bytes: 0 where more input is needed, or the stream is over.</summary>
    public int Read(Span<byte> output, out DicomError? error)
    {
        error = null;
        try
        {
            stream ??= new DeflateStream(feed, CompressionMode.Decompress);
            var count = stream.Read(output);
            given += count;
            if (given > allowed) error = new DicomError(DicomErrorKind.InflatesTooFar, "", allowed, "The deflated data set inflates to more than allowed");
            return count;
        }
        catch (InvalidDataException)
        {
            error = new DicomError(DicomErrorKind.BadDeflate, "", 0, "The data set is not a deflate stream");
            return 0;
        }
    }

    public void Dispose()
    {
        stream?.Dispose();
        feed.Dispose();
    }

    /// <summary>Hands DeflateStream what was pushed. It takes 0 for "nothing now" and asks again at the next read.</summary>
    private sealed class FeedStream : Stream
    {
        private byte[] buffer = [];
        private int start;
        private int end;

        public void Set(ReadOnlySpan<byte> input)
        {
            var kept = end - start; // normally 0: the reader drains
            if (buffer.Length < kept + input.Length) Array.Resize(ref buffer, kept + input.Length);
            buffer.AsSpan(start, kept).CopyTo(buffer);
            input.CopyTo(buffer.AsSpan(kept));
            (start, end) = (0, kept + input.Length);
        }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(Span<byte> output)
        {
            var count = Math.Min(output.Length, end - start);
            buffer.AsSpan(start, count).CopyTo(output);
            start += count;
            return count;
        }

        public override int Read(byte[] output, int offset, int count) => Read(output.AsSpan(offset, count));
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] input, int offset, int count) => throw new NotSupportedException();
    }
}
