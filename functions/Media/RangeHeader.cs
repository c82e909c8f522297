using System.Globalization;

namespace DicomServerless.Functions.Media;

/// <summary>What a Range header asks of a payload (RFC 9110 14).</summary>
/// <param name="Kind">Whether there is a range to send.</param>
/// <param name="Offset">Its first byte.</param>
/// <param name="Length">Its bytes.</param>
internal readonly record struct RangeHeader(RangeKind Kind, long Offset, long Length)
{
    /// <summary>Reads the header for a payload of this length. What is not understood, or asks for several ranges, is as if it were not there (14.2).</summary>
    public static RangeHeader Read(string? header, long total)
    {
        var whole = new RangeHeader(RangeKind.Whole, 0, total);
        if (header is null || !header.StartsWith("bytes=", StringComparison.OrdinalIgnoreCase)) return whole;
        var text = header.AsSpan(6).Trim();
        var dash = text.IndexOf('-');
        if (dash < 0 || text.Contains(',')) return whole;
        var from = text[..dash].Trim();
        var to = text[(dash + 1)..].Trim();
        long first, last;
        if (from.IsEmpty)
        {
            if (!TryNumber(to, out var suffix)) return whole;
            if (suffix == 0 || total == 0) return new RangeHeader(RangeKind.Unsatisfiable, 0, 0);
            first = Math.Max(0, total - suffix);
            last = total - 1;
        }
        else
        {
            if (!TryNumber(from, out first)) return whole;
            if (to.IsEmpty) last = long.MaxValue;
            else if (!TryNumber(to, out last) || last < first) return whole;
            if (first >= total) return new RangeHeader(RangeKind.Unsatisfiable, 0, 0);
            last = Math.Min(last, total - 1);
        }
        return new RangeHeader(RangeKind.Part, first, last - first + 1);
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out long value) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}

/// <summary>What a Range header comes to.</summary>
internal enum RangeKind
{
    /// <summary>No range: 200.</summary>
    Whole,
    /// <summary>One range: 206.</summary>
    Part,
    /// <summary>The range begins behind the end: 416.</summary>
    Unsatisfiable,
}
