namespace DicomServerless.Dicom;

/// <summary>Writes non-negative numbers in seven bits per byte, lowest first.</summary>
internal struct VarintWriter(int capacity)
{
    private byte[] bytes = new byte[Math.Max(capacity, 16)];
    private int used;

    public void Write(long value)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value);
        if (used + 9 > bytes.Length) Array.Resize(ref bytes, bytes.Length * 2);
        for (; value >= 0x80; value >>= 7) bytes[used++] = (byte)(value | 0x80);
        bytes[used++] = (byte)value;
    }

    public readonly byte[] ToArray() => bytes.AsSpan(0, used).ToArray();
}

/// <summary>Reads what <see cref="VarintWriter"/> wrote; false at the end, and for numbers of more than 63 bits.</summary>
internal ref struct VarintReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> rest = bytes;

    public readonly int Remaining => rest.Length;
    public readonly bool IsAtEnd => rest.IsEmpty;

    public bool TryRead(out long value)
    {
        value = 0;
        for (var i = 0; i < 9 && i < rest.Length; i++)
        {
            value |= (long)(rest[i] & 0x7F) << (7 * i);
            if ((rest[i] & 0x80) != 0) continue;
            rest = rest[(i + 1)..];
            return true;
        }
        return false;
    }
}
