using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Flags = DicomServerless.Dicom.DataSetStore.EntryFlags;

namespace DicomServerless.Dicom;

/// <summary>One element that is no sequence, as JSON (PS3.18 F.2).</summary>
internal static class ElementJson
{
    // 2^53: up to here every reader that makes doubles of numbers keeps integers whole.
    private const long LargestExactInteger = 1L << 53;

    private static readonly SearchValues<byte> NotPlain =
        SearchValues.Create([.. Enumerable.Range(0, 256).Where(b => b is < 0x20 or '"' or '\\' or '~' or > 0x7E).Select(b => (byte)b)]);

    public static void Write(ref JsonOutput json, DataSetStore store, int index, SpecificCharacterSet set, DicomJsonOptions options)
    {
        ref readonly var entry = ref store.Entries[index];
        var vr = (entry.Flags & Flags.SignDependent) == 0 ? entry.Vr : store.VrOf(index);
        json.WriteElementStart(entry.Tag, vr.IsKnown() ? vr : Vr.UN);
        if ((entry.Flags & Flags.Bulk) != 0)
        {
            json.Write(",\"BulkDataURI\":\""u8);
            json.Write(options.BulkDataUriPrefix.Span);
            WritePath(ref json, store, index);
            json.Write("\"}"u8);
            return;
        }
        if (entry.ValueStart >= 0 && entry.Kept > 0)
        {
            var value = store.Values.AsSpan(entry.ValueStart, entry.Kept);
            var bigEndian = (entry.Flags & Flags.BigEndian) != 0;
            switch (vr)
            {
                case Vr.CS when entry.Tag == Tags.SpecificCharacterSet.Value:
                    // What is only padding names no set (PS3.18 F.2: the JSON text is UTF-8).
                    if (value.ContainsAnyExcept((byte)' ', (byte)0)) json.Write(",\"Value\":[\"ISO_IR 192\"]"u8);
                    break;
                case Vr.PN:
                    WriteNames(ref json, value, set);
                    break;
                case Vr.DS or Vr.IS:
                    WriteDecimals(ref json, value);
                    break;
                case Vr.US or Vr.SS or Vr.UL or Vr.SL or Vr.FL or Vr.FD or Vr.AT or Vr.UV or Vr.SV:
                    WriteNumbers(ref json, value, vr, bigEndian);
                    break;
                default:
                    if (vr.IsText()) WriteTexts(ref json, value, vr, set);
                    else
                    {
                        json.Write(",\"InlineBinary\":"u8);
                        json.WriteBase64(value, bigEndian ? vr.WordSize() : 1);
                    }
                    break;
            }
        }
        json.Write((byte)'}');
    }

    private static void WritePath(ref JsonOutput json, DataSetStore store, int index)
    {
        Span<byte> tag = stackalloc byte[8];
        if (store.Entries[index].Parent >= 0)
        {
            json.Write(Encoding.ASCII.GetBytes(store.PathOf(index)));
            return;
        }
        store.Entries[index].Tag.TryFormat(tag, out _, "X8", CultureInfo.InvariantCulture);
        json.Write(tag);
    }

    private static void WriteTexts(ref JsonOutput json, ReadOnlySpan<byte> value, Vr vr, SpecificCharacterSet set)
    {
        value = value.TrimEnd(" \0"u8);
        if (value.IsEmpty) return;
        json.Write(",\"Value\":["u8);
        if (!value.ContainsAny(NotPlain)) json.WriteString(Trim(value, vr));
        else if (!vr.UsesCharacterSet() ? Ascii.IsValid(value) : set.IsPlain(value, vr))
        {
            if (vr.IsSingleText()) json.WriteString(value);
            else
            {
                var first = true;
                foreach (var range in value.Split((byte)'\\'))
                {
                    if (!first) json.Write((byte)',');
                    first = false;
                    var part = Trim(value[range], vr);
                    if (part.IsEmpty) json.Write("null"u8);
                    else json.WriteString(part);
                }
            }
        }
        else
        {
            var first = true;
            foreach (var text in set.DecodeValues(value, vr))
            {
                if (!first) json.Write((byte)',');
                first = false;
                if (text.Length == 0) json.Write("null"u8);
                else json.WriteString(text);
            }
        }
        json.Write((byte)']');
    }

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text, Vr vr) => vr is Vr.UC || vr.IsSingleText() ? text.TrimEnd(" \0"u8) : text.Trim(" \0"u8);

    private static void WriteNames(ref JsonOutput json, ReadOnlySpan<byte> value, SpecificCharacterSet set)
    {
        value = value.Trim(" \0"u8);
        if (value.IsEmpty) return;
        json.Write(",\"Value\":["u8);
        if (!value.ContainsAny(NotPlain) && !value.Contains((byte)'='))
        {
            json.Write("{\"Alphabetic\":"u8);
            json.WriteString(value);
            json.Write((byte)'}');
        }
        else
        {
            var first = true;
            foreach (var text in set.DecodeValues(value, Vr.PN))
            {
                if (!first) json.Write((byte)',');
                first = false;
                WriteName(ref json, PersonName.Parse(text));
            }
        }
        json.Write((byte)']');
    }

    // PS3.18 F.2.3 and F.2.5: only the groups that are there; nothing at all is null.
    private static void WriteName(ref JsonOutput json, PersonName name)
    {
        if (name.IsEmpty)
        {
            json.Write("null"u8);
            return;
        }
        var separator = (byte)'{';
        WriteGroup(ref json, ref separator, "\"Alphabetic\":"u8, name.Alphabetic);
        WriteGroup(ref json, ref separator, "\"Ideographic\":"u8, name.Ideographic);
        WriteGroup(ref json, ref separator, "\"Phonetic\":"u8, name.Phonetic);
        json.Write((byte)'}');
    }

    private static void WriteGroup(ref JsonOutput json, ref byte separator, ReadOnlySpan<byte> member, string group)
    {
        if (group.Length == 0) return;
        json.Write(separator);
        separator = (byte)',';
        json.Write(member);
        json.WriteString(group);
    }

    private static void WriteDecimals(ref JsonOutput json, ReadOnlySpan<byte> value)
    {
        value = value.TrimEnd(" \0"u8);
        if (value.IsEmpty) return;
        json.Write(",\"Value\":["u8);
        Span<byte> number = stackalloc byte[128];
        while (true)
        {
            var end = value.IndexOf((byte)'\\');
            var text = (end < 0 ? value : value[..end]).Trim(" \0"u8);
            if (text.IsEmpty) json.Write("null"u8);
            else if (text.Length < number.Length - 2 && DecimalText.TryNormalise(text, number, out var length)) json.Write(number[..length]);
            else json.WriteString(Ascii.IsValid(text) ? text : Encoding.UTF8.GetBytes(Encoding.Latin1.GetString(text)));
            if (end < 0) break;
            json.Write((byte)',');
            value = value[(end + 1)..];
        }
        json.Write((byte)']');
    }

    private static void WriteNumbers(ref JsonOutput json, ReadOnlySpan<byte> value, Vr vr, bool bigEndian)
    {
        var size = vr == Vr.AT ? 4 : vr.WordSize();
        // Bytes that make no whole number cannot be shown as one.
        if (value.Length < size) return;
        json.Write(",\"Value\":["u8);
        for (var at = 0; at + size <= value.Length; at += size)
        {
            if (at > 0) json.Write((byte)',');
            var bytes = value.Slice(at, size);
            switch (vr)
            {
                case Vr.US: json.WriteNumber((ulong)UInt16(bytes, bigEndian)); break;
                case Vr.SS: json.WriteNumber((long)(short)UInt16(bytes, bigEndian)); break;
                case Vr.UL: json.WriteNumber((ulong)UInt32(bytes, bigEndian)); break;
                case Vr.SL: json.WriteNumber((long)(int)UInt32(bytes, bigEndian)); break;
                case Vr.FL: json.WriteNumber(BitConverter.UInt32BitsToSingle(UInt32(bytes, bigEndian))); break;
                case Vr.FD: json.WriteNumber(BitConverter.UInt64BitsToDouble(UInt64(bytes, bigEndian))); break;
                case Vr.AT: json.WriteTag(new Tag(UInt16(bytes, bigEndian), UInt16(bytes[2..], bigEndian))); break;
                case Vr.UV: WriteLarge(ref json, UInt64(bytes, bigEndian)); break;
                default: WriteLarge(ref json, (long)UInt64(bytes, bigEndian)); break;
            }
        }
        json.Write((byte)']');
    }

    private static void WriteLarge(ref JsonOutput json, ulong value)
    {
        var quoted = value > LargestExactInteger;
        if (quoted) json.Write((byte)'"');
        json.WriteNumber(value);
        if (quoted) json.Write((byte)'"');
    }

    private static void WriteLarge(ref JsonOutput json, long value)
    {
        var quoted = value is > LargestExactInteger or < -LargestExactInteger;
        if (quoted) json.Write((byte)'"');
        json.WriteNumber(value);
        if (quoted) json.Write((byte)'"');
    }

    private static ushort UInt16(ReadOnlySpan<byte> bytes, bool bigEndian) => bigEndian
        ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private static uint UInt32(ReadOnlySpan<byte> bytes, bool bigEndian) => bigEndian
        ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private static ulong UInt64(ReadOnlySpan<byte> bytes, bool bigEndian) => bigEndian
        ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : BinaryPrimitives.ReadUInt64LittleEndian(bytes);
}
