using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace DicomServerless.Dicom;

/// <summary>
/// Specific Character Set (0008,0005), PS3.3 C.12.1.1.2: what the bytes of a text mean. Decoding never fails: what is no character becomes U+FFFD. Misspelled
/// terms as real files have them are understood. Where the term is absent, empty or not known, or declares only ASCII, bytes above ASCII are read as UTF-8 if
/// they are valid UTF-8, else as the fallback (Latin 1 unless another is given), which keeps every byte recognisable.
/// </summary>
public sealed class SpecificCharacterSet
{
    private const int StackChars = 256;

    private readonly CodedSet first;
    private readonly bool sniffsUtf8;
    private SpecificCharacterSet? sniffing;

    private SpecificCharacterSet(CodedSet first, CodedSet g0, CodedSet g1, bool sniffsUtf8)
    {
        (this.first, G0, G1, this.sniffsUtf8) = (first, g0, g1, sniffsUtf8);
    }

    /// <summary>The default repertoire, ISO_IR 6, with the default fallback for bytes above it.</summary>
    public static SpecificCharacterSet Default { get; } = new(CodedSet.Ascii, CodedSet.Ascii, CodedSet.Latin1, sniffsUtf8: true);

    /// <summary>ISO_IR 192.</summary>
    public static SpecificCharacterSet Utf8 { get; } = new(CodedSet.Utf8, CodedSet.None, CodedSet.None, sniffsUtf8: false);

    /// <summary>ISO_IR 100.</summary>
    public static SpecificCharacterSet Latin1 { get; } = new(CodedSet.Latin1, CodedSet.Ascii, CodedSet.Latin1, sniffsUtf8: false);

    /// <summary>What stands in G0 at the start of a value and after each delimiter.</summary>
    internal CodedSet G0 { get; }

    /// <summary>What stands in G1 at the start of a value and after each delimiter.</summary>
    internal CodedSet G1 { get; }

    /// <summary>
    /// This set where it is only a fallback: bytes above ASCII that are valid UTF-8 are UTF-8 all the same, since text in another set is hardly ever valid by
    /// chance.
    /// </summary>
    private SpecificCharacterSet AsFallback => sniffsUtf8 || IsUtf8 ? this : sniffing ??= new SpecificCharacterSet(first, G0, G1, sniffsUtf8: true);

    /// <summary>Whether the bytes are UTF-8 already.</summary>
    public bool IsUtf8 => first == CodedSet.Utf8;

    /// <summary>
    /// Whether every value of (0008,0005) is a term that is known (PS3.3 C.12.1.1.2), such as <c>ISO_IR 100</c> or <c>ISO 2022 IR 6\ISO 2022 IR 87</c>.
    /// </summary>
    public static bool IsDefined(string terms)
    {
        var bytes = Encoding.ASCII.GetBytes(terms);
        foreach (var range in bytes.AsSpan().Split((byte)'\\'))
            if (!TryReadTerm(bytes.AsSpan()[range], out _)) return false;
        return true;
    }

    /// <summary>Reads the value of (0008,0005).</summary>
    /// <param name="rawElementValue">The value's bytes; empty when the element is absent or empty.</param>
    /// <param name="fallback">
    /// What to read bytes above ASCII with when the element is absent, empty or not known, or declares only ASCII, and they are not valid UTF-8; null for Latin
    /// 1.
    /// </param>
    public static SpecificCharacterSet Parse(ReadOnlySpan<byte> rawElementValue, SpecificCharacterSet? fallback = null)
    {
        var value = rawElementValue.Trim(" \0"u8);
        var undeclared = fallback?.AsFallback ?? Default;
        if (value.IsEmpty) return undeclared;
        if (value.SequenceEqual("ISO_IR 100"u8)) return Latin1;
        if (value.SequenceEqual("ISO_IR 192"u8)) return Utf8;

        var (index, first, other, unknown) = (0, CodedSet.None, CodedSet.None, false);
        foreach (var range in rawElementValue.Split((byte)'\\'))
        {
            var known = TryReadTerm(rawElementValue[range], out var set);
            unknown |= !known;
            if (index++ == 0) first = set;
            // A byte above ASCII without an escape sequence before it: the first declared set that has any (writers forget the sequence).
            else if (other == CodedSet.None && set is not (CodedSet.None or CodedSet.Ascii or CodedSet.Jis0208 or CodedSet.Jis0212)) other = set;
        }
        if (first.StandsAlone()) return Alone(first);
        // "\ISO_IR 192" is wrong but clear: ASCII is part of it. After a first value that is not ASCII, what stands alone is ignored.
        if (other.StandsAlone())
        {
            if (first is CodedSet.None or CodedSet.Ascii) return Alone(other);
            other = CodedSet.None;
        }
        if (unknown && first == CodedSet.None && other == CodedSet.None) return undeclared;

        var g0 = first == CodedSet.Katakana ? CodedSet.JisRoman : CodedSet.Ascii;
        var g1 = first switch
        {
            CodedSet.None or CodedSet.Ascii or CodedSet.Jis0208 or CodedSet.Jis0212 => other,
            _ => first,
        };
        if (first == CodedSet.None) first = CodedSet.Ascii;
        if (g1 != CodedSet.None) return new SpecificCharacterSet(first, g0, g1, sniffsUtf8: false);

        // Only sets of G0 are declared: bytes above ASCII are the fallback's, beside the escape sequences.
        if (first == CodedSet.Ascii && index == 1) return undeclared;
        return new SpecificCharacterSet(first, g0, undeclared.first.StandsAlone() ? CodedSet.Latin1 : undeclared.G1, sniffsUtf8: true);
    }

    /// <summary>The characters of a value, without trailing padding. Nothing is split. Bytes that are no characters become U+FFFD.</summary>
    public string Decode(ReadOnlySpan<byte> value, Vr vr)
    {
        value = value.TrimEnd(" \0"u8);
        if (value.IsEmpty) return "";
        if (IsPlain(value, vr)) return Encoding.ASCII.GetString(value);
        if (IsUtf8Text(value)) return Encoding.UTF8.GetString(value);

        // No set makes more UTF-16 units of a value than it has bytes.
        char[]? rented = null;
        var chars = value.Length <= StackChars ? stackalloc char[StackChars] : rented = ArrayPool<char>.Shared.Rent(value.Length);
        try
        {
            var count = first == CodedSet.Gb18030 ? Gb18030.Decode(value, chars) : new CodeExtensionDecoder(this, vr).Decode(value, chars);
            return new string(chars[..count]);
        }
        finally
        {
            if (rented is not null) ArrayPool<char>.Shared.Return(rented, clearArray: true);
        }
    }

    /// <summary>
    /// The values of an element (PS3.5 6.4): decoded first and split after, because the second byte of a character may look like a backslash; each without the
    /// padding that its VR calls not significant (PS3.5 6.2). LT, ST, UR and UT are one value. An empty value field has no values.
    /// </summary>
    public string[] DecodeValues(ReadOnlySpan<byte> value, Vr vr)
    {
        var text = vr.UsesCharacterSet() ? Decode(value, vr) : Encoding.Latin1.GetString(value.TrimEnd(" \0"u8));
        if (text.Length == 0) return [];
        if (vr.IsSingleText()) return [text];
        if (!text.Contains('\\', StringComparison.Ordinal)) return [Trim(text, vr)];
        var values = text.Split('\\');
        for (var i = 0; i < values.Length; i++) values[i] = Trim(values[i], vr);
        return values;
    }

    /// <summary>Whether no byte means anything but its ASCII character.</summary>
    internal bool IsPlain(ReadOnlySpan<byte> value, Vr vr) =>
        Ascii.IsValid(value) && (first >= CodedSet.Utf8 || !value.Contains((byte)0x1B))
            && (G0 != CodedSet.JisRoman || !value.ContainsAny((byte)'~', (byte)'\\') || (!vr.IsSingleText() && !value.Contains((byte)'~')));

    /// <summary>Whether the bytes are to be read as UTF-8: declared so, or not declared otherwise and valid.</summary>
    internal bool IsUtf8Text(ReadOnlySpan<byte> value) => first == CodedSet.Utf8
        || (sniffsUtf8 && !value.Contains((byte)0x1B) && System.Text.Unicode.Utf8.IsValid(value));

    // PS3.5 table 6.2-1: leading and trailing spaces mean nothing in these; UC keeps the leading ones. NULs pad by mistake everywhere.
    private static string Trim(string text, Vr vr) => vr is Vr.UC ? text.TrimEnd(' ', '\0') : text.Trim(' ', '\0');

    private static SpecificCharacterSet Alone(CodedSet set) => set == CodedSet.Utf8 ? Utf8 : new(set, CodedSet.None, CodedSet.None, sniffsUtf8: false);

    private static bool TryReadTerm(ReadOnlySpan<byte> term, out CodedSet set)
    {
        // ISO_IR 100, ISO-IR 100, ISO IR 100, iso_ir_100 and ISO 2022 IR 100 all mean the same: only letters and digits count.
        Span<byte> letters = stackalloc byte[24];
        var count = 0;
        foreach (var b in term)
        {
            if (!char.IsAsciiLetterOrDigit((char)b)) continue;
            if (count == letters.Length)
            {
                set = CodedSet.None;
                return false;
            }
            letters[count++] = (byte)char.ToUpperInvariant((char)b);
        }
        ReadOnlySpan<byte> name = letters[..count];
        if (name.StartsWith("ISO2022"u8)) name = name[7..];
        else if (name.StartsWith("ISO"u8) && !name.StartsWith("ISO8859"u8)) name = name[3..];
        if (name.StartsWith("IR"u8)) name = name[2..];
        CodedSet? found = Encoding.ASCII.GetString(name) switch
        {
            "" => CodedSet.None,
            "6" or "646" or "ASCII" or "USASCII" => CodedSet.Ascii,
            // ISO-IR 14 is the G0 half of the term ISO_IR 13 (PS3.3 table C.12-2), and in G1 it would make letters of katakana.
            "13" or "14" => CodedSet.Katakana,
            "100" or "LATIN1" or "ISO88591" => CodedSet.Latin1,
            "101" or "LATIN2" or "ISO88592" => CodedSet.Latin2,
            "109" or "ISO88593" => CodedSet.Latin3,
            "110" or "ISO88594" => CodedSet.Latin4,
            "144" or "ISO88595" => CodedSet.Cyrillic,
            "127" or "ISO88596" => CodedSet.Arabic,
            "126" or "ISO88597" => CodedSet.Greek,
            "138" or "ISO88598" => CodedSet.Hebrew,
            "148" or "ISO88599" => CodedSet.Latin5,
            "203" or "ISO885915" => CodedSet.Latin9,
            "166" or "TIS620" or "ISO885911" => CodedSet.Thai,
            "87" => CodedSet.Jis0208,
            "159" => CodedSet.Jis0212,
            "149" or "EUCKR" or "KSC5601" or "KSX1001" => CodedSet.Ksx1001,
            "58" => CodedSet.Gb2312,
            "192" or "UTF8" => CodedSet.Utf8,
            "GB18030" or "18030" or "GBK" or "GB2312" => CodedSet.Gb18030,
            _ => null,
        };
        set = found ?? CodedSet.None;
        return found is not null;
    }
}
