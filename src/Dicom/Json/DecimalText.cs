using System.Globalization;

namespace DicomServerless.Dicom;

/// <summary>DS and IS texts (PS3.5 6.2) as JSON numbers (RFC 8259 6) without a detour over double: "0.10" stays 0.10.</summary>
internal static class DecimalText
{
    /// <summary>
    /// Writes the text as a JSON number with the same digits: a leading plus and leading zeros go, a missing digit before or after the point becomes 0.
    /// False when it is no number or none that a double can come near to.
    /// </summary>
    public static bool TryNormalise(ReadOnlySpan<byte> text, Span<byte> target, out int written)
    {
        written = 0;
        var at = 0;
        if (at < text.Length && text[at] is (byte)'-' or (byte)'+')
        {
            if (text[at] == '-') target[written++] = (byte)'-';
            at++;
        }
        var digits = Digits(text[at..]);
        var leadingZeros = 0;
        while (leadingZeros < digits - 1 && text[at + leadingZeros] == '0') leadingZeros++;
        if (digits == 0) target[written++] = (byte)'0';
        text.Slice(at + leadingZeros, digits - leadingZeros).CopyTo(target[written..]);
        written += digits - leadingZeros;
        at += digits;
        var fraction = 0;
        if (at < text.Length && text[at] == '.')
        {
            fraction = Digits(text[(at + 1)..]);
            if (fraction > 0)
            {
                text.Slice(at, fraction + 1).CopyTo(target[written..]);
                written += fraction + 1;
            }
            at += fraction + 1;
        }
        if (digits + fraction == 0) return false;
        if (at == text.Length) return true;

        if (text[at] is not ((byte)'e' or (byte)'E')) return false;
        var exponent = at + 1;
        if (exponent < text.Length && text[exponent] is (byte)'-' or (byte)'+') exponent++;
        if (exponent == text.Length || Digits(text[exponent..]) != text.Length - exponent) return false;
        text[at..].CopyTo(target[written..]);
        written += text.Length - at;
        // 1E400 is a number of JSON, but most readers make Infinity of it.
        return double.TryParse(target[..written], NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value);
    }

    private static int Digits(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        return end < 0 ? text.Length : end;
    }
}
