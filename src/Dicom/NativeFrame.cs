using System.Buffers.Binary;

namespace DicomServerless.Dicom;

/// <summary>Makes a native frame as it is delivered (little endian, from its first bit) from the bytes that a <see cref="FrameTable"/> names.</summary>
public static class NativeFrame
{
    /// <summary>Extracts a frame in place.</summary>
    /// <param name="table">The table of a native object.</param>
    /// <param name="number">The frame, from 1.</param>
    /// <param name="stored">The bytes of <see cref="FrameTable.Frame"/>; they are changed.</param>
    /// <returns>The part of <paramref name="stored"/> that is the frame now.</returns>
    public static Span<byte> Extract(FrameTable table, int number, Span<byte> stored)
    {
        SwapWords(stored, table.WordSize);
        var bitOffset = table.BitOffset(number);
        var frame = stored.Slice(bitOffset / 8, (int)Math.Min(table.FrameBytes + 1, stored.Length - bitOffset / 8));
        var shift = bitOffset % 8;
        if (shift != 0)
        {
            // PS3.5 8.1.1: bits fill a byte from the lowest; a frame may begin inside one.
            for (var i = 0; i < frame.Length; i++)
                frame[i] = (byte)((frame[i] >> shift) | (i + 1 < frame.Length ? frame[i + 1] << (8 - shift) : 0));
        }
        frame = frame[..(int)Math.Min(table.FrameBytes, frame.Length)];
        var lastBits = (int)(table.FrameBits % 8);
        if (lastBits != 0 && frame.Length == table.FrameBytes) frame[^1] &= (byte)((1 << lastBits) - 1); // the next frame's bits
        return frame;
    }

    /// <summary>Turns the bytes of each word around. What is left of a word at the end stays.</summary>
    public static void SwapWords(Span<byte> bytes, int wordSize)
    {
        switch (wordSize)
        {
            case 2:
                var words = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ushort>(bytes);
                BinaryPrimitives.ReverseEndianness(words, words);
                break;
            case 4:
                var longs = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, uint>(bytes);
                BinaryPrimitives.ReverseEndianness(longs, longs);
                break;
            case 8:
                var veryLongs = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(bytes);
                BinaryPrimitives.ReverseEndianness(veryLongs, veryLongs);
                break;
        }
    }
}
