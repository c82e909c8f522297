using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace DicomServerless.Dicom;

/// <summary>One value of DICOM JSON (PS3.18 F.2.3) as the bytes that it has in a data set of explicit VR little endian with UTF-8 texts.</summary>
internal static class JsonValue
{
    /// <summary>Appends the scalar at which the reader stands. False when a VR cannot have it.</summary>
    public static bool TryAppend(ref Utf8JsonReader reader, Vr vr, ArrayBufferWriter<byte> target)
    {
        switch (vr)
        {
            case Vr.US: return TryNumber(ref reader, out long us) && us is >= 0 and <= ushort.MaxValue
                && Append(target, (ushort)us, BinaryPrimitives.WriteUInt16LittleEndian, 2);
            case Vr.SS: return TryNumber(ref reader, out long ss) && ss is >= short.MinValue and <= short.MaxValue
                && Append(target, (short)ss, BinaryPrimitives.WriteInt16LittleEndian, 2);
            case Vr.UL: return TryNumber(ref reader, out long ul) && ul is >= 0 and <= uint.MaxValue
                && Append(target, (uint)ul, BinaryPrimitives.WriteUInt32LittleEndian, 4);
            case Vr.SL: return TryNumber(ref reader, out long sl) && sl is >= int.MinValue and <= int.MaxValue
                && Append(target, (int)sl, BinaryPrimitives.WriteInt32LittleEndian, 4);
            case Vr.SV: return TryNumber(ref reader, out long sv) && Append(target, sv, BinaryPrimitives.WriteInt64LittleEndian, 8);
            case Vr.UV: return TryNumber(ref reader, out ulong uv) && Append(target, uv, BinaryPrimitives.WriteUInt64LittleEndian, 8);
            case Vr.FL: return TryFloat(ref reader, out var fl) && Append(target, (float)fl, BinaryPrimitives.WriteSingleLittleEndian, 4);
            case Vr.FD: return TryFloat(ref reader, out var fd) && Append(target, fd, BinaryPrimitives.WriteDoubleLittleEndian, 8);
            case Vr.AT:
                if (reader.TokenType != JsonTokenType.String || !Tag.TryParse(reader.GetString(), out var tag)) return false;
                return Append(target, tag.Group, BinaryPrimitives.WriteUInt16LittleEndian, 2)
                    && Append(target, tag.Element, BinaryPrimitives.WriteUInt16LittleEndian, 2);
            case Vr.DS or Vr.IS when reader.TokenType == JsonTokenType.Number:
                target.Write(reader.ValueSpan);
                return true;
            default:
                return vr.IsText() && vr != Vr.PN && TryString(ref reader, vr, target);
        }
    }

    /// <summary>Appends a string; a backslash in it would be a delimiter, so only single texts may have one (PS3.5 6.2).</summary>
    public static bool TryString(ref Utf8JsonReader reader, Vr vr, ArrayBufferWriter<byte> target)
    {
        if (reader.TokenType != JsonTokenType.String) return false;
        var text = reader.GetString()!;
        if (!vr.IsSingleText() && text.Contains('\\', StringComparison.Ordinal)) return false;
        // Specific Character Set means nothing to the others (PS3.5 6.1.2.3), so what is read as Latin 1 there is written so.
        var isLatin1 = !vr.UsesCharacterSet() && !text.AsSpan().ContainsAnyExceptInRange('\0', '\xFF');
        (isLatin1 ? Encoding.Latin1 : Encoding.UTF8).GetBytes(text, target);
        return true;
    }

    private delegate void Write<T>(Span<byte> target, T value);

    private static bool Append<T>(ArrayBufferWriter<byte> target, T value, Write<T> write, int size)
    {
        write(target.GetSpan(size), value);
        target.Advance(size);
        return true;
    }

    private static bool TryNumber(ref Utf8JsonReader reader, out long value)
    {
        if (reader.TokenType == JsonTokenType.Number) return reader.TryGetInt64(out value);
        value = 0;
        return reader.TokenType == JsonTokenType.String
            && long.TryParse(reader.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
    }

    private static bool TryNumber(ref Utf8JsonReader reader, out ulong value)
    {
        if (reader.TokenType == JsonTokenType.Number) return reader.TryGetUInt64(out value);
        value = 0;
        return reader.TokenType == JsonTokenType.String && ulong.TryParse(reader.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }

    private static bool TryFloat(ref Utf8JsonReader reader, out double value)
    {
        if (reader.TokenType == JsonTokenType.Number) return reader.TryGetDouble(out value);
        value = 0;
        if (reader.TokenType != JsonTokenType.String) return false;
        switch (reader.GetString())
        {
            case "NaN": value = double.NaN; return true;
            case "Infinity" or "inf": value = double.PositiveInfinity; return true;
            case "-Infinity" or "-inf": value = double.NegativeInfinity; return true;
            case var text: return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
        }
    }
}
