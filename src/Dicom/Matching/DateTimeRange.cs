using System.Globalization;

namespace DicomServerless.Dicom.Matching;

/// <summary>
/// A range of dates, times or date-times, both ends included (PS3.4 C.2.2.2.5). An end stands for all of the time that it leaves open: <c>-2024</c> of a DT ends with the
/// last moment of 2024. Compared as digits <c>YYYYMMDDHHMMSSffffff</c>.
/// </summary>
public sealed class DateTimeRange
{
    private readonly Vr vr;
    private readonly string from;
    private readonly string to;

    private DateTimeRange(Vr vr, string from, string to, Tag? timeTag = null) => (this.vr, this.from, this.to, TimeTag) = (vr, from, to, timeTag);

    /// <summary>The time attribute that belongs to the date, where both were given and are one interval (PS3.18 8.3.4.1.1).</summary>
    public Tag? TimeTag { get; }

    /// <summary>The first and last day as yyyymmdd.</summary>
    public (string From, string To) Days => (from[..8], to[..8]);

    /// <summary>Reads a value or a range <c>a-b</c>, <c>a-</c>, <c>-b</c>.</summary>
    public static bool TryParse(Vr vr, string text, out DateTimeRange? range)
    {
        range = null;
        var dash = RangeDash(vr, text);
        var (first, last) = dash < 0 ? (text, text) : (text[..dash].Trim(), text[(dash + 1)..].Trim());
        if (dash >= 0 && first.Length == 0 && last.Length == 0) return false;
        if (!TryDigits(vr, first, '0', out var from) || !TryDigits(vr, last, '9', out var to)) return false;
        range = new DateTimeRange(vr, from, to);
        return true;
    }

    /// <summary>Whether a value is in the range.</summary>
    /// <param name="value">The value; null is in no range.</param>
    /// <param name="time">The value of <see cref="TimeTag"/>.</param>
    public bool Contains(string? value, string? time)
    {
        if (value is null || !TryDigits(vr == Vr.TM ? Vr.TM : vr == Vr.DT && TimeTag is null ? Vr.DT : Vr.DA, value, '0', out var digits)) return false;
        if (TimeTag is not null)
        {
            // Without a time the date alone decides.
            if (time is null || !TryDigits(Vr.TM, time, '0', out var timeDigits)) return string.CompareOrdinal(digits[..8], from[..8]) >= 0 && string.CompareOrdinal(digits[..8], to[..8]) <= 0;
            digits = digits[..8] + timeDigits[8..];
        }
        return string.CompareOrdinal(digits, from) >= 0 && string.CompareOrdinal(digits, to) <= 0;
    }

    /// <summary>Where a date and its time are both given and one of them is a range, makes one interval of them (8.3.4.1.1).</summary>
    public static IReadOnlyList<AttributeMatch> Combine(List<AttributeMatch> matches)
    {
        foreach (var (dateTag, timeTag) in new[] { (Tags.StudyDate, Tags.StudyTime), (Tags.PerformedProcedureStepStartDate, Tags.PerformedProcedureStepStartTime), (Tags.SeriesDate, Tags.SeriesTime) })
        {
            var date = matches.Find(match => match.Path is [var tag] && tag == dateTag)?.Range;
            var time = matches.Find(match => match.Path is [var tag] && tag == timeTag)?.Range;
            if (date is null || time is null) continue;
            var both = new DateTimeRange(Vr.DT, date.from[..8] + time.from[8..], date.to[..8] + time.to[8..], timeTag);
            matches = [.. matches.Where(match => match.Path is not [var tag] || (tag != dateTag && tag != timeTag)), new AttributeMatch([dateTag], both)];
        }
        return matches;
    }

    /// <summary>Reads a usable date, <c>YYYYMMDD</c> or <c>YYYY.MM.DD</c> as ACR-NEMA wrote it, as the number yyyymmdd.</summary>
    public static bool TryDate(string? text, out int day)
    {
        day = 0;
        if (text is null) return false;
        var trimmed = text.Trim(' ', '\0');
        if (trimmed.Length == 10 && trimmed[4] == '.' && trimmed[7] == '.') trimmed = trimmed.Replace(".", "", StringComparison.Ordinal);
        return trimmed.Length == 8 && int.TryParse(trimmed, NumberStyles.None, CultureInfo.InvariantCulture, out day)
            && day / 10000 >= 1 && day / 100 % 100 is >= 1 and <= 12 && day % 100 is >= 1 and <= 31;
    }

    // The hyphen of a range, not that of a negative offset from UTC (which follows a time and has four digits behind it at the end of a date-time).
    private static int RangeDash(Vr vr, string text)
    {
        if (vr != Vr.DT) return IsDashedDate(text) ? -1 : text.IndexOf('-', StringComparison.Ordinal);
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        if (dash <= 0) return dash;
        var isOffset = dash + 5 <= text.Length && text.AsSpan(dash + 1, 4).IndexOfAnyExceptInRange('0', '9') < 0 && (dash + 5 == text.Length || text[dash + 5] == '-') && int.Parse(text.AsSpan(dash + 1, 4), CultureInfo.InvariantCulture) <= 1200;
        return !isOffset ? dash : dash + 5 < text.Length ? dash + 5 : -1;
    }

    private static bool IsDashedDate(string text) => text.Length == 10 && text[4] == '-' && text[7] == '-';

    private static bool TryDigits(Vr vr, string text, char open, out string digits)
    {
        digits = new string(open, 20);
        if (vr == Vr.TM) digits = "00000000" + digits[8..];
        if (text.Length == 0) return true;
        if (vr == Vr.DA)
        {
            if (!TryDate(text, out var day)) return false;
            digits = day.ToString("D8", CultureInfo.InvariantCulture) + new string(open, 12);
            return true;
        }
        Span<char> target = stackalloc char[20];
        digits.CopyTo(target);
        var position = vr == Vr.TM ? 8 : 0;
        foreach (var c in text.AsSpan().TrimEnd())
        {
            if (c is '+' or '-' && vr == Vr.DT) break; // the offset from UTC is not reckoned with
            if (c is ':' or '.') continue;
            if (!char.IsAsciiDigit(c) || position == 20) return false;
            target[position++] = c;
        }
        digits = target.ToString();
        return true;
    }
}
