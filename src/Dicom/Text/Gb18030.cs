namespace DicomServerless.Dicom;

/// <summary>GB18030 (with GBK and GB 2312 in it) as PS3.3 C.12.1.1.2 allows it: without code extensions.</summary>
internal static class Gb18030
{
    /// <summary>Decodes all of the value; the target holds at least as many characters as the value has bytes.</summary>
    public static int Decode(ReadOnlySpan<byte> value, Span<char> target)
    {
        var (from, to) = (0, 0);
        while (from < value.Length)
        {
            var b = value[from];
            if (b < 0x80)
            {
                target[to++] = (char)b;
                from++;
            }
            else if (b is 0x80 or 0xFF || from + 1 == value.Length)
            {
                target[to++] = CodedSets.Replacement;
                from++;
            }
            else if (value[from + 1] is >= 0x40 and not 0x7F and not 0xFF and var trail)
            {
                target[to++] = (char)CharacterTables.Gbk[((b - 0x81) * 190) + trail - (trail > 0x7F ? 0x41 : 0x40)];
                from += 2;
            }
            else if (from + 3 < value.Length && value[from + 1] is >= 0x30 and <= 0x39
                && value[from + 2] is >= 0x81 and <= 0xFE && value[from + 3] is >= 0x30 and <= 0x39)
            {
                to += FourBytes(((((((b - 0x81) * 10) + value[from + 1] - 0x30) * 126) + value[from + 2] - 0x81) * 10) + value[from + 3] - 0x30, target[to..]);
                from += 4;
            }
            else
            {
                target[to++] = CodedSets.Replacement;
                from++;
            }
        }
        return to;
    }

    private static int FourBytes(int number, Span<char> target)
    {
        if (number < 39420)
        {
            var run = CharacterTables.FourByteStarts.BinarySearch((ushort)number);
            if (run < 0) run = ~run - 1;
            target[0] = (char)(CharacterTables.FourBytePoints[run] + number - CharacterTables.FourByteStarts[run]);
            return 1;
        }
        // 90308130 is U+10000.
        var supplementary = number - 189000;
        if (supplementary is < 0 or > 0xFFFFF)
        {
            target[0] = CodedSets.Replacement;
            return 1;
        }
        target[0] = (char)(0xD800 + (supplementary >> 10));
        target[1] = (char)(0xDC00 + (supplementary & 0x3FF));
        return 2;
    }
}
