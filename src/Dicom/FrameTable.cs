namespace DicomServerless.Dicom;

/// <summary>A stretch of bytes of a data set.</summary>
/// <param name="Offset">The first byte, counted from the start of the data set.</param>
/// <param name="Length">How many bytes.</param>
public readonly record struct ByteRange(long Offset, long Length);

/// <summary>Where each frame of the Pixel Data is. Native frames are computed; encapsulated ones are lists of fragments.</summary>
public sealed class FrameTable
{
    private const byte Version = 1;
    private const byte NativeKind = 1;
    private const byte EncapsulatedKind = 2;

    private readonly long offset;
    private readonly long length;
    private readonly ByteRange[] fragments = [];
    private readonly int[]? firstFragments; // of frame i and, last, the count; null where each fragment is a frame

    private FrameTable(long offset, long length, long frameBits, int count, int wordSize)
    {
        (this.offset, this.length, FrameBits, Count, WordSize) = (offset, length, frameBits, count, wordSize);
    }

    private FrameTable(ByteRange[] fragments, int[]? firstFragments)
    {
        (this.fragments, this.firstFragments) = (fragments, firstFragments);
        Count = firstFragments is null ? fragments.Length : firstFragments.Length - 1;
        IsEncapsulated = true;
        WordSize = 1;
    }

    /// <summary>How many frames can be addressed: those that are there, whatever Number of Frames says.</summary>
    public int Count { get; }

    /// <summary>Whether frames are made of fragments (PS3.5 A.4).</summary>
    public bool IsEncapsulated { get; }

    /// <summary>Bits of a native frame; 0 for encapsulated ones.</summary>
    public long FrameBits { get; }

    /// <summary>Bytes of a native frame as it is delivered; 0 for encapsulated ones.</summary>
    public long FrameBytes => (FrameBits + 7) / 8;

    /// <summary>How many bytes are turned around together to get little endian: 1 where nothing is.</summary>
    public int WordSize { get; }

    /// <summary>All fragments after the Basic Offset Table: the bulk value of encapsulated Pixel Data.</summary>
    public ReadOnlyMemory<ByteRange> Fragments => fragments;

    internal static FrameTable Native(long offset, long length, long frameBits, int count, int wordSize) => new(offset, length, frameBits, count, wordSize);

    /// <param name="fragments">All of them, ascending.</param>
    /// <param name="firstFragments">Index of each frame's first fragment, ascending from 0, and the count of fragments; null where each is a frame.</param>
    internal static FrameTable Encapsulated(ByteRange[] fragments, int[]? firstFragments) => new(fragments, firstFragments);

    /// <summary>The bytes that hold a frame. Of a native one more than the frame where it begins or ends inside a byte or a word.</summary>
    /// <param name="number">From 1, as in PS3.18 10.4.</param>
    public ReadOnlyMemory<ByteRange> Frame(int number)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(number, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, Count);
        if (IsEncapsulated)
        {
            if (firstFragments is null) return fragments.AsMemory(number - 1, 1);
            return fragments.AsMemory(firstFragments[number - 1]..firstFragments[number]);
        }
        var startBit = (number - 1) * FrameBits;
        var first = startBit / 8 / WordSize * WordSize;
        var end = (startBit + FrameBits + 7) / 8;
        end = Math.Min((end + WordSize - 1) / WordSize * WordSize, length);
        return new[] { new ByteRange(offset + first, end - first) };
    }

    /// <summary>Where a native frame begins in the bytes that <see cref="Frame"/> names, after words were turned around. Bits.</summary>
    public int BitOffset(int number)
    {
        var startBit = (number - 1) * FrameBits; // 0 where it is encapsulated
        return (int)(startBit - startBit / 8 / WordSize * WordSize * 8);
    }

    /// <summary>A compact form for storage; <see cref="TryParse"/> reads it.</summary>
    public byte[] ToBytes()
    {
        var writer = new VarintWriter(IsEncapsulated ? 16 + fragments.Length * 5 : 32);
        writer.Write(Version);
        if (!IsEncapsulated)
        {
            writer.Write(NativeKind);
            writer.Write(offset);
            writer.Write(length);
            writer.Write(FrameBits);
            writer.Write(Count);
            writer.Write(WordSize);
            return writer.ToArray();
        }
        writer.Write(EncapsulatedKind);
        writer.Write(fragments.Length);
        long position = 0;
        foreach (var fragment in fragments)
        {
            writer.Write(fragment.Offset - position); // 8 from one fragment to the next: the item header
            writer.Write(fragment.Length);
            position = fragment.Offset + fragment.Length;
        }
        if (firstFragments is null) writer.Write(0);
        else
        {
            writer.Write(firstFragments.Length); // frames + 1, so never 0
            for (var i = 1; i < firstFragments.Length; i++) writer.Write(firstFragments[i] - firstFragments[i - 1]);
        }
        return writer.ToArray();
    }

    /// <summary>Reads what <see cref="ToBytes"/> made.</summary>
    /// <exception cref="FormatException">It is something else.</exception>
    public static FrameTable Parse(ReadOnlySpan<byte> bytes) => TryParse(bytes, out var table) ? table! : throw new FormatException("Not a frame table.");

    /// <summary>Reads what <see cref="ToBytes"/> made; false for anything else. Allocates no more than a small multiple of the input.</summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out FrameTable? table)
    {
        table = null;
        var reader = new VarintReader(bytes);
        if (!reader.TryRead(out var version) || version != Version || !reader.TryRead(out var kind)) return false;
        table = kind switch
        {
            NativeKind => ParseNative(ref reader),
            EncapsulatedKind => ParseEncapsulated(ref reader),
            _ => null,
        };
        if (!reader.IsAtEnd) table = null;
        return table is not null;
    }

    private static FrameTable? ParseNative(ref VarintReader reader)
    {
        if (!reader.TryRead(out var offset) || !reader.TryRead(out var length)
            || !reader.TryRead(out var frameBits) || !reader.TryRead(out var count) || !reader.TryRead(out var wordSize))
            return null;
        // Frames are counted in bits, which must not overflow either.
        if (length > long.MaxValue / 8 || offset > long.MaxValue - length || wordSize is not (1 or 2 or 4 or 8) || count > int.MaxValue) return null;
        if (count > 0 && (frameBits == 0 || (Int128)count * frameBits > (Int128)length * 8)) return null;
        return new FrameTable(offset, length, frameBits, (int)count, (int)wordSize);
    }

    private static FrameTable? ParseEncapsulated(ref VarintReader reader)
    {
        if (!reader.TryRead(out var count) || count > reader.Remaining / 2) return null; // two bytes at least each
        var fragments = new ByteRange[count];
        long position = 0;
        for (var i = 0; i < fragments.Length; i++)
        {
            if (!reader.TryRead(out var gap) || !reader.TryRead(out var length) || gap > long.MaxValue - position || length > long.MaxValue - position - gap)
                return null;
            fragments[i] = new ByteRange(position + gap, length);
            position += gap + length;
        }
        if (!reader.TryRead(out var ends) || ends > reader.Remaining + 1L || ends > count + 1) return null;
        if (ends == 0) return new FrameTable(fragments, null);
        var firstFragments = new int[ends];
        long sum = 0;
        for (var i = 1; i < firstFragments.Length; i++)
        {
            if (!reader.TryRead(out var step) || step == 0 || (sum += step) > count) return null;
            firstFragments[i] = (int)sum;
        }
        return new FrameTable(fragments, firstFragments);
    }
}
