using System.Buffers;
using System.Buffers.Binary;

namespace DicomServerless.Dicom.Network;

/// <summary>Reads and writes the bytes of a command set: implicit VR little endian, group 0000 only (PS3.7 6.3.1).</summary>
public static class CommandSet
{
    /// <summary>The longest command set that is read, in bytes.</summary>
    public const int MaxLength = 64 * 1024;

    /// <summary>The most elements that are read; PS3.7 E.1 has fewer than 40, retired ones included.</summary>
    public const int MaxElements = 256;

    /// <summary>Reads a whole command set; false with the offset where it stops being one.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out DimseCommand? command, out int badOffset)
    {
        command = null;
        var elements = new SortedList<ushort, byte[]>(16);
        for (badOffset = 0; badOffset < bytes.Length;)
        {
            var rest = bytes[badOffset..];
            if (rest.Length < 8 || elements.Count == MaxElements || BinaryPrimitives.ReadUInt16LittleEndian(rest) != 0) return false;
            var element = BinaryPrimitives.ReadUInt16LittleEndian(rest[2..]);
            var length = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
            if (length > rest.Length - 8) return false;
            // The group length is not believed; the first of two elements wins.
            if (element != CommandElement.GroupLength) elements.TryAdd(element, rest.Slice(8, (int)length).ToArray());
            badOffset += 8 + (int)length;
        }
        command = new DimseCommand(elements);
        return command.Field != CommandField.None;
    }

    /// <summary>Writes a command set with its group length and what it says about a data set.</summary>
    public static void Write(DimseCommand command, bool hasDataSet, IBufferWriter<byte> output)
    {
        var length = 10;
        foreach (var (element, value) in command.Elements)
            if (element != CommandElement.CommandDataSetType) length += 8 + value.Length;
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(number, (uint)length);
        WriteElement(output, CommandElement.GroupLength, number);
        BinaryPrimitives.WriteUInt16LittleEndian(number, hasDataSet ? (ushort)0 : DimseCommand.NoDataSet);
        var said = false;
        foreach (var (element, value) in command.Elements)
        {
            if (element == CommandElement.CommandDataSetType) continue;
            if (!said && element > CommandElement.CommandDataSetType)
            {
                WriteElement(output, CommandElement.CommandDataSetType, number[..2]);
                said = true;
            }
            WriteElement(output, element, value);
        }
        if (!said) WriteElement(output, CommandElement.CommandDataSetType, number[..2]);
    }

    private static void WriteElement(IBufferWriter<byte> output, ushort element, ReadOnlySpan<byte> value)
    {
        var span = output.GetSpan(8 + value.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(span, 0);
        BinaryPrimitives.WriteUInt16LittleEndian(span[2..], element);
        BinaryPrimitives.WriteUInt32LittleEndian(span[4..], (uint)value.Length);
        value.CopyTo(span[8..]);
        output.Advance(8 + value.Length);
    }
}
