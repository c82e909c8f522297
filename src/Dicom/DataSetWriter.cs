using System.Buffers;
using System.Buffers.Binary;

namespace DicomServerless.Dicom;

/// <summary>Writes elements, sequences and items in one encoding. Sequences and items get undefined lengths, so nothing has to be known ahead.</summary>
public sealed class DataSetWriter(IBufferWriter<byte> output, DicomEncoding encoding)
{
    private const uint Undefined = 0xFFFFFFFF;

    private bool IsBigEndian => (encoding & DicomEncoding.BigEndian) != 0;

    /// <summary>Writes an element. An odd value is padded (PS3.5 7.1.1); numbers are turned around where the byte orders differ.</summary>
    public void Write(Tag tag, Vr vr, ReadOnlySpan<byte> value, bool valueIsBigEndian = false)
    {
        WriteHeader(tag, vr, value.Length);
        WriteValue(value, valueIsBigEndian == IsWrittenBigEndian(vr, value.Length) ? 1 : vr.WordSize());
        WritePadding(vr, value.Length);
    }

    /// <summary>Writes a whole data set, element by element. Values that are not kept cannot be written.</summary>
    /// <exception cref="InvalidOperationException">The data set has bulk values.</exception>
    public void Write(DataSet dataSet) => dataSet.WriteTo(this);

    /// <summary>Writes one element of a data set, a sequence with all that it holds.</summary>
    /// <exception cref="InvalidOperationException">It has, or holds, bulk values.</exception>
    public void Write(in DataElement element) => element.ToDataSet().WriteTo(this);

    /// <summary>Opens a sequence.</summary>
    public void BeginSequence(Tag tag) => WriteElementHeader(tag, Vr.SQ, Undefined);

    /// <summary>Closes a sequence.</summary>
    public void EndSequence() => WriteDelimiter(Tags.SequenceDelimitationItem, 0);

    /// <summary>Opens an item.</summary>
    public void BeginItem() => WriteDelimiter(Tags.Item, Undefined);

    /// <summary>Closes an item.</summary>
    public void EndItem() => WriteDelimiter(Tags.ItemDelimitationItem, 0);

    /// <summary>Opens encapsulated data (PS3.5 A.4).</summary>
    internal void BeginFragments(Tag tag) => WriteElementHeader(tag, Vr.OB, Undefined);

    /// <summary>The header of a fragment, whose bytes follow.</summary>
    internal void WriteFragmentHeader(long length) => WriteDelimiter(Tags.Item, checked((uint)length));

    /// <summary>The byte order in which a value must be written: that of the encoding, but little endian for what becomes UN (PS3.5 6.2.2).</summary>
    internal bool IsWrittenBigEndian(Vr vr, long length) => IsBigEndian && !IsUnknownFor(vr, length);

    /// <summary>The header of an element whose value and padding follow.</summary>
    internal void WriteHeader(Tag tag, Vr vr, long length) => WriteElementHeader(tag, vr, checked((uint)(length + (length & 1))));

    /// <summary>Part of a value, whole words only; each is turned around.</summary>
    internal void WriteValue(ReadOnlySpan<byte> value, int wordSize)
    {
        if (wordSize == 1)
        {
            output.Write(value);
            return;
        }
        var span = output.GetSpan(value.Length)[..value.Length];
        value.CopyTo(span);
        NativeFrame.SwapWords(span, wordSize);
        output.Advance(value.Length);
    }

    /// <summary>What makes the length of a value even: a space for text, NUL for UI and for binary values (PS3.5 6.2).</summary>
    internal void WritePadding(Vr vr, long length)
    {
        if ((length & 1) == 0) return;
        output.GetSpan(1)[0] = vr.IsText() && vr != Vr.UI ? (byte)' ' : (byte)0;
        output.Advance(1);
    }

    private void WriteElementHeader(Tag tag, Vr vr, uint length)
    {
        var span = output.GetSpan(12);
        WriteTag(span, tag);
        if ((encoding & DicomEncoding.ExplicitLittleEndian) == 0)
        {
            WriteUInt32(span[4..], length);
            output.Advance(8);
            return;
        }
        if (vr == Vr.None) vr = Vr.UN;
        if (IsUnknownFor(vr, length)) vr = Vr.UN;
        span[4] = (byte)((ushort)vr >> 8);
        span[5] = (byte)vr;
        if (vr.HasLongLength())
        {
            span[6] = span[7] = 0;
            WriteUInt32(span[8..], length);
            output.Advance(12);
            return;
        }
        if (IsBigEndian) BinaryPrimitives.WriteUInt16BigEndian(span[6..], (ushort)length);
        else BinaryPrimitives.WriteUInt16LittleEndian(span[6..], (ushort)length);
        output.Advance(8);
    }

    // PS3.5 6.2.2: a value that does not fit in 16 bits of length is UN in explicit VR.
    private static bool IsUnknownFor(Vr vr, long length) => !vr.HasLongLength() && length + (length & 1) > ushort.MaxValue;

    private void WriteDelimiter(Tag tag, uint length)
    {
        var span = output.GetSpan(8);
        WriteTag(span, tag);
        WriteUInt32(span[4..], length);
        output.Advance(8);
    }

    private void WriteTag(Span<byte> span, Tag tag)
    {
        if (IsBigEndian) BinaryPrimitives.WriteUInt32BigEndian(span, tag.Value);
        else BinaryPrimitives.WriteUInt32LittleEndian(span, (tag.Value << 16) | (tag.Value >> 16));
    }

    private void WriteUInt32(Span<byte> span, uint value)
    {
        if (IsBigEndian) BinaryPrimitives.WriteUInt32BigEndian(span, value);
        else BinaryPrimitives.WriteUInt32LittleEndian(span, value);
    }
}
