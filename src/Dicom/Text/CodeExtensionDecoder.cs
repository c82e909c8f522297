namespace DicomServerless.Dicom;

/// <summary>
/// Reads text with the code extension techniques of ISO/IEC 2022 as DICOM confines them (PS3.5 6.1.2.5): a set in G0 for bytes 21 to 7E, one in G1 for A0 to
/// FF, changed by escape sequences and put back at control characters and delimiters.
/// </summary>
internal struct CodeExtensionDecoder
{
    private readonly SpecificCharacterSet start;
    private readonly bool splitsValues;
    private readonly bool splitsNames;
    private CodedSet g0;
    private CodedSet g1;

    public CodeExtensionDecoder(SpecificCharacterSet start, Vr vr)
    {
        this.start = start;
        (g0, g1) = (start.G0, start.G1);
        splitsValues = !vr.IsSingleText();
        splitsNames = vr == Vr.PN;
    }

    /// <summary>Decodes all of the value; the target holds at least as many characters as the value has bytes.</summary>
    public int Decode(ReadOnlySpan<byte> value, Span<char> target)
    {
        var (from, to) = (0, 0);
        while (from < value.Length)
        {
            var b = value[from];
            if (b == 0x1B)
            {
                var length = CodedSets.TryReadEscape(value[from..], out var set, out var isG1);
                if (length == 0)
                {
                    target[to++] = CodedSets.Replacement;
                    from++;
                    continue;
                }
                if (isG1) g1 = set;
                else g0 = set;
                from += length;
            }
            else if (b < 0x20 || b == 0x7F)
            {
                // PS3.5 6.1.2.5.3: before the end of a line or page and any other control character the sets of value 1 are active.
                Reset();
                target[to++] = (char)b;
                from++;
            }
            else if (b == 0x20)
            {
                target[to++] = ' ';
                from++;
            }
            else if (b < 0x80)
            {
                from += Left(value[from..], out target[to]);
                to++;
            }
            else
            {
                from += Right(value[from..], out target[to]);
                to++;
            }
        }
        return to;
    }

    private int Left(ReadOnlySpan<byte> rest, out char c)
    {
        var b = rest[0];
        if (g0.IsTwoBytes())
        {
            if (rest.Length < 2 || rest[1] is < 0x21 or > 0x7E)
            {
                c = CodedSets.Replacement;
                return 1;
            }
            c = g0.Double(b - 0x21, rest[1] - 0x21);
            return 2;
        }
        // PS3.5 6.1.2.5.3: and before each delimiter of values, components and groups. A byte 5C that separates values is that, whatever set is in G0.
        if ((b == '\\' && splitsValues) || (splitsNames && b is (byte)'^' or (byte)'='))
        {
            Reset();
            c = (char)b;
            return 1;
        }
        c = g0.Single(b);
        return 1;
    }

    private int Right(ReadOnlySpan<byte> rest, out char c)
    {
        var b = rest[0];
        if (g1.IsTwoBytes())
        {
            // FF is in no pair of A1 to FE: taking the byte after it, too, would shift every pair that follows.
            if (b is < 0xA1 or 0xFF || rest.Length < 2 || rest[1] is < 0xA1 or 0xFF)
            {
                c = CodedSets.Replacement;
                return 1;
            }
            c = g1.Double(b - 0xA1, rest[1] - 0xA1);
            return 2;
        }
        if (g1 == CodedSet.Katakana && b is (>= 0x81 and <= 0x9F) or (>= 0xE0 and <= 0xEF) && rest.Length > 1 && rest[1] is >= 0x40 and not 0x7F and <= 0xFC)
        {
            // Bytes that JIS X 0201 does not have: the writer used Shift JIS under the name ISO_IR 13.
            var row = ((b < 0xA0 ? b - 0x81 : b - 0xC1) * 2) + (rest[1] >= 0x9F ? 1 : 0);
            var cell = rest[1] >= 0x9F ? rest[1] - 0x9F : rest[1] - (rest[1] > 0x7F ? 0x41 : 0x40);
            c = CodedSet.Jis0208.Double(row, cell);
            return 2;
        }
        if (b < 0xA0)
        {
            // C1 control characters are none of DICOM's (PS3.5 6.1.3), but the single-byte sets have room for them: keep what was there.
            c = g1 is >= CodedSet.Latin1 and <= CodedSet.Thai ? (char)b : CodedSets.Replacement;
            return 1;
        }
        c = g1.Single(b);
        return 1;
    }

    private void Reset() => (g0, g1) = (start.G0, start.G1);
}
