using System.Buffers.Binary;
using System.Text;

namespace DicomServerless.Shared;

/// <summary>Makes small Part 10 files (explicit VR little endian), byte by byte, so that tests do not lean on the writer that they test.</summary>
public sealed class TestObject
{
    private readonly SortedDictionary<uint, byte[]> elements = [];

    public string TransferSyntax { get; init; } = "1.2.840.10008.1.2.1";

    public static TestObject Of(string study, string series, string sop) => new TestObject()
        .Add(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7").Add(0x00080018, "UI", sop).Add(0x0020000D, "UI", study).Add(0x0020000E, "UI", series);

    public TestObject Add(uint tag, string vr, string value) => Add(tag, vr, Encoding.UTF8.GetBytes(value));

    public TestObject Add(uint tag, string vr, byte[] value)
    {
        var padded = value.Length % 2 == 0 ? value : [.. value, vr is "UI" or "OB" or "UN" ? (byte)0 : (byte)' '];
        var isLong = vr is "OB" or "OW" or "OF" or "OD" or "OL" or "OV" or "SQ" or "UC" or "UN" or "UR" or "UT" or "SV" or "UV";
        var bytes = new byte[(isLong ? 12 : 8) + padded.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)(tag >> 16));
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2), (ushort)tag);
        Encoding.ASCII.GetBytes(vr, bytes.AsSpan(4));
        if (isLong) BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), (uint)padded.Length);
        else BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(6), (ushort)padded.Length);
        padded.CopyTo(bytes.AsSpan(isLong ? 12 : 8));
        elements[tag] = bytes;
        return this;
    }

    public byte[] DataSet() => [.. elements.Values.SelectMany(bytes => bytes)];

    public byte[] ToFile(string implementation = "2.25.1")
    {
        var sop = Value(0x00080018);
        var meta = new TestObject().Add(0x00020001, "OB", [0, 1]).Add(0x00020002, "UI", Value(0x00080016)).Add(0x00020003, "UI", sop)
            .Add(0x00020010, "UI", TransferSyntax).Add(0x00020012, "UI", implementation).DataSet();
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, meta.Length);
        return [.. new byte[128], .. "DICM"u8, .. new TestObject().Add(0x00020000, "UL", length).DataSet(), .. meta, .. DataSet()];
    }

    private string Value(uint tag) => elements.TryGetValue(tag, out var bytes) ? Encoding.ASCII.GetString(bytes.AsSpan(8)).TrimEnd('\0', ' ') : "";
}
