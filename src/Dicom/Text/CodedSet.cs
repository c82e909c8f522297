namespace DicomServerless.Dicom;

/// <summary>A coded character set that a code element (G0 or G1) can hold (PS3.3 C.12.1.1.2).</summary>
internal enum CodedSet : byte
{
    /// <summary>Nothing designated.</summary>
    None,
    /// <summary>ISO-IR 6, ASCII; G0.</summary>
    Ascii,
    /// <summary>ISO-IR 14, the Latin half of JIS X 0201: yen sign and overline for backslash and tilde; G0.</summary>
    JisRoman,
    /// <summary>ISO-IR 13, half-width katakana of JIS X 0201; G1.</summary>
    Katakana,
    /// <summary>ISO-IR 100, Latin 1. This and the nine after it stand in the order of <see cref="CharacterTables.SingleByte"/>.</summary>
    Latin1,
    /// <summary>ISO-IR 101.</summary>
    Latin2,
    /// <summary>ISO-IR 109.</summary>
    Latin3,
    /// <summary>ISO-IR 110.</summary>
    Latin4,
    /// <summary>ISO-IR 144.</summary>
    Cyrillic,
    /// <summary>ISO-IR 127.</summary>
    Arabic,
    /// <summary>ISO-IR 126.</summary>
    Greek,
    /// <summary>ISO-IR 138.</summary>
    Hebrew,
    /// <summary>ISO-IR 148.</summary>
    Latin5,
    /// <summary>ISO-IR 203.</summary>
    Latin9,
    /// <summary>ISO-IR 166.</summary>
    Thai,
    /// <summary>ISO-IR 87, two bytes.</summary>
    Jis0208,
    /// <summary>ISO-IR 159, two bytes.</summary>
    Jis0212,
    /// <summary>ISO-IR 149, two bytes.</summary>
    Ksx1001,
    /// <summary>ISO-IR 58, two bytes.</summary>
    Gb2312,
    /// <summary>ISO_IR 192: no code element, the whole value is UTF-8.</summary>
    Utf8,
    /// <summary>GB18030 or GBK: the whole value.</summary>
    Gb18030,
}

internal static class CodedSets
{
    public const char Replacement = '\uFFFD';

    public static bool IsTwoBytes(this CodedSet set) => set is >= CodedSet.Jis0208 and <= CodedSet.Gb2312;

    /// <summary>True for what stands alone and knows no code extensions (PS3.3 C.12.1.1.2).</summary>
    public static bool StandsAlone(this CodedSet set) => set >= CodedSet.Utf8;

    /// <summary>One byte of 20 to 7F or A0 to FF, whichever half the set is in.</summary>
    public static char Single(this CodedSet set, byte value)
    {
        var low = value & 0x7F;
        switch (set)
        {
            case CodedSet.Ascii:
                return (char)low;
            case CodedSet.JisRoman:
                return low switch { 0x5C => '\u00A5', 0x7E => '\u203E', _ => (char)low };
            case CodedSet.Katakana:
                return low is >= 0x21 and <= 0x5F ? (char)(0xFF61 + low - 0x21) : Replacement;
            case >= CodedSet.Latin1 and <= CodedSet.Thai:
                return low < 0x20 ? Replacement : (char)CharacterTables.SingleByte[((set - CodedSet.Latin1) * 96) + low - 0x20];
            default:
                return Replacement;
        }
    }

    /// <summary>A character of a 94 by 94 set, row and cell counted from 0.</summary>
    public static char Double(this CodedSet set, int row, int cell)
    {
        if ((uint)row > 93 || (uint)cell > 93) return Replacement;
        return set switch
        {
            CodedSet.Jis0208 => (char)CharacterTables.Jis0208[(row * 94) + cell],
            CodedSet.Jis0212 => (char)CharacterTables.Jis0212[(row * 94) + cell],
            CodedSet.Ksx1001 => (char)CharacterTables.Ksx1001[(row * 94) + cell],
            // GB 2312 is the part A1A1-FEFE of GBK; user-defined points of GBK are none of GB 2312.
            CodedSet.Gb2312 => CharacterTables.Gbk[((row + 0x20) * 190) + cell + 0x60] is var c and not (>= 0xE000 and <= 0xF8FF) ? (char)c : Replacement,
            _ => Replacement,
        };
    }

    /// <summary>Reads one escape sequence at ESC (PS3.3 tables C.12-3 and C.12-4, and a few older ones that are met). 0 when it is none of them.</summary>
    public static int TryReadEscape(ReadOnlySpan<byte> text, out CodedSet set, out bool isG1)
    {
        (set, isG1) = (CodedSet.None, false);
        if (text.Length < 3) return 0;
        (set, isG1) = (text[1], text[2]) switch
        {
            ((byte)'(', (byte)'B') => (CodedSet.Ascii, false),
            ((byte)'(', (byte)'J') => (CodedSet.JisRoman, false),
            ((byte)')', (byte)'I') => (CodedSet.Katakana, true),
            ((byte)'(', (byte)'I') => (CodedSet.Katakana, false),
            ((byte)'-', (byte)'A') => (CodedSet.Latin1, true),
            ((byte)'-', (byte)'B') => (CodedSet.Latin2, true),
            ((byte)'-', (byte)'C') => (CodedSet.Latin3, true),
            ((byte)'-', (byte)'D') => (CodedSet.Latin4, true),
            ((byte)'-', (byte)'L') => (CodedSet.Cyrillic, true),
            ((byte)'-', (byte)'G') => (CodedSet.Arabic, true),
            ((byte)'-', (byte)'F') => (CodedSet.Greek, true),
            ((byte)'-', (byte)'H') => (CodedSet.Hebrew, true),
            ((byte)'-', (byte)'M') => (CodedSet.Latin5, true),
            ((byte)'-', (byte)'b') => (CodedSet.Latin9, true),
            ((byte)'-', (byte)'T') => (CodedSet.Thai, true),
            ((byte)'$', (byte)'B' or (byte)'@') => (CodedSet.Jis0208, false),
            ((byte)'$', (byte)'A') => (CodedSet.Gb2312, false),
            _ => (CodedSet.None, false),
        };
        if (set != CodedSet.None) return 3;
        if (text.Length < 4 || text[1] != '$') return 0;
        (set, isG1) = (text[2], text[3]) switch
        {
            ((byte)'(', (byte)'D') => (CodedSet.Jis0212, false),
            ((byte)'(', (byte)'B' or (byte)'@') => (CodedSet.Jis0208, false),
            ((byte)')', (byte)'B') => (CodedSet.Jis0208, true),
            ((byte)')', (byte)'C') => (CodedSet.Ksx1001, true),
            ((byte)'(', (byte)'C') => (CodedSet.Ksx1001, false),
            ((byte)')', (byte)'A') => (CodedSet.Gb2312, true),
            ((byte)'(', (byte)'A') => (CodedSet.Gb2312, false),
            _ => (CodedSet.None, false),
        };
        return set == CodedSet.None ? 0 : 4;
    }
}
