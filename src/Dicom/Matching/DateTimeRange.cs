using System.Globalization;

namespace DicomServerless.Dicom.Matching;

/// <summary>
/// A range of dates, times or date-times, both ends included (PS3.4 C.2.2.2.5). An end stands for all of the time that it leaves open: <c>-2024</c> of a DT
/// ends with the last moment of 2024. Compared as digits <c>YYYYMMDDHHMMSSffffff</c>, in the zone of the query where both it and the object name one.
/// </summary>
public sealed class DateTimeRange
{
    private readonly Vr vr;
    private readonly string from;
    private readonly string to;

    private DateTimeRange(Vr vr, string from, string to, TimeSpan? zone, bool isInterval, Tag? timeTag = null) =>
        (this.vr, this.from, this.to, Zone, IsInterval, TimeTag) = (vr, from, to, zone, isInterval, timeTag);

    /// <summary>The time attribute that belongs to the date, where both were given and are one interval (PS3.18 8.3.4.1.1).</summary>
    public Tag? TimeTag { get; }

    /// <summary>The offset from UTC in which the range is meant; null if the query says none.</summary>
    public TimeSpan? Zone { get; }

    /// <summary>Whether it was given with a hyphen, as two ends.</summary>
    public bool IsInterval { get; }

    /// <summary>The first and last day as yyyymmdd, as an object may have them: with a zone, a day more on either side.</summary>
    public (string From, string To) Days => Zone is null ? (from[..8], to[..8]) : (ShiftDay(from[..8], -1), ShiftDay(to[..8], 1));

    /// <summary>Reads a value or a range <c>a-b</c>, <c>a-</c>, <c>-b</c>.</summary>
    public static bool TryParse(Vr vr, string text, out DateTimeRange? range) => TryParse(vr, text, null, out range);

    /// <summary>Reads a value or a range <c>a-b</c>, <c>a-</c>, <c>-b</c>, in a zone; an offset that a DT has itself comes before it.</summary>
    public static bool TryParse(Vr vr, string text, TimeSpan? zone, out DateTimeRange? range)
    {
        range = null;
        var dash = RangeDash(vr, text);
        var (first, last) = dash < 0 ? (text, text) : (text[..dash].Trim(), text[(dash + 1)..].Trim());
        if (dash >= 0 && first.Length == 0 && last.Length == 0) return false;
        if (!TryDigits(vr, first, '0', out var from) || !TryDigits(vr, last, '9', out var to)) return false;
        if (vr == Vr.DT)
        {
            var (fromZone, toZone) = (OffsetOf(first), OffsetOf(last));
            zone ??= fromZone ?? toZone;
            from = Shift(from, fromZone, zone, '0');
            to = Shift(to, toZone, zone, '9');
        }
        range = new DateTimeRange(vr, from, to, zone, dash >= 0);
        return true;
    }

    /// <summary>Whether a value is in the range.</summary>
    /// <param name="value">The value; null is in no range.</param>
    /// <param name="other">
    /// Of a date its time, of a time its date: the value of <see cref="TimeTag"/> or, where zones differ, of <see cref="TryPartner"/>.
    /// </param>
    /// <param name="zone">The object's offset from UTC, or null.</param>
    public bool Contains(string? value, string? other = null, TimeSpan? zone = null)
    {
        if (value is null) return false;
        string digits;
        if (vr == Vr.DT && TimeTag is null)
        {
            if (!TryDigits(Vr.DT, value, '0', out digits)) return false;
            digits = Shift(digits, OffsetOf(value) ?? zone, Zone, '0');
        }
        else if (vr == Vr.TM)
        {
            if (!TryDigits(Vr.TM, value, '0', out digits)) return false;
            var day = other is not null && TryDigits(Vr.DA, other, '0', out var date) ? date[..8] : "20000101";
            digits = "00000000" + Shift(day + digits[8..], zone, Zone, '0')[8..];
        }
        else
        {
            if (!TryDigits(Vr.DA, value, '0', out digits)) return false;
            // Without a time the date alone decides, in whatever zone.
            if (other is null || !TryDigits(Vr.TM, other, '0', out var time))
                return string.CompareOrdinal(digits[..8], from[..8]) >= 0 && string.CompareOrdinal(digits[..8], to[..8]) <= 0;
            digits = Shift(digits[..8] + time[8..], zone, Zone, '0');
        }
        return string.CompareOrdinal(digits, from) >= 0 && string.CompareOrdinal(digits, to) <= 0;
    }

    /// <summary>Where ranges of a date and of its time are both given, makes one interval of them (8.3.4.1.1).</summary>
    public static IReadOnlyList<AttributeMatch> Combine(IReadOnlyList<AttributeMatch> matches)
    {
        var combined = matches.ToList();
        foreach (var date in matches)
        {
            if (date is not { Vr: Vr.DA, Range: { IsInterval: true, TimeTag: null } days } || !TryPartner(date.Path[^1], out var timeTag)) continue;
            Tag[] timePath = [.. date.Path.SkipLast(1), timeTag];
            if (combined.Find(match => match.Path.SequenceEqual(timePath)) is not { Range: { IsInterval: true } times } time) continue;
            combined.Remove(time);
            combined[combined.IndexOf(date)] = new AttributeMatch([.. date.Path],
                new DateTimeRange(Vr.DA, days.from[..8] + End(times.from), days.to[..8] + End(times.to), days.Zone, true, timeTag));
        }
        return combined;

        static string End(string digits) => digits[8..];
    }

    /// <summary>The time attribute of a date, or the date attribute of a time, by their keywords: Study Date and Study Time.</summary>
    public static bool TryPartner(Tag tag, out Tag partner)
    {
        partner = default;
        if (!DicomDictionary.TryFind(tag, out var entry)) return false;
        var keyword = entry.Keyword;
        if (keyword.EndsWith("Date", StringComparison.Ordinal))
            return DicomDictionary.TryFindKeyword(keyword[..^4] + "Time", out partner) && DicomDictionary.VrOf(partner) == Vr.TM;
        if (keyword.EndsWith("Time", StringComparison.Ordinal))
            return DicomDictionary.TryFindKeyword(keyword[..^4] + "Date", out partner) && DicomDictionary.VrOf(partner) == Vr.DA;
        return false;
    }

    /// <summary>An object's Timezone Offset From UTC (0008,0201), or null.</summary>
    public static TimeSpan? ZoneOf(System.Text.Json.JsonElement attributes) =>
        attributes.ValueKind == System.Text.Json.JsonValueKind.Object && attributes.TryGetProperty("00080201", out var attribute)
            && AttributeJson.FirstText(System.Text.Encoding.UTF8.GetBytes(attribute.GetRawText())) is { } text && TryZone(text, out var zone) ? zone : null;

    /// <summary>Reads an offset from UTC, <c>+0100</c> or <c>-0330</c> (PS3.3 C.12.1.1.8).</summary>
    public static bool TryZone(string text, out TimeSpan zone)
    {
        zone = default;
        text = text.Trim(' ', '\0');
        if (text.Length != 5 || text[0] is not ('+' or '-') || text.AsSpan(1).IndexOfAnyExceptInRange('0', '9') >= 0) return false;
        var number = int.Parse(text.AsSpan(1), CultureInfo.InvariantCulture);
        if (number > 1400 || number % 100 > 59) return false;
        zone = new TimeSpan(number / 100, number % 100, 0) * (text[0] == '-' ? -1 : 1);
        return true;
    }

    // The offset at the end of a DT value.
    private static TimeSpan? OffsetOf(string text) => text.Trim() is { Length: > 5 } trimmed && TryZone(trimmed[^5..], out var zone) ? zone : null;

    // To another zone; what is no whole point in time (an open end, a year alone, a leap second) stays as it is, and so does what has no zone.
    private static string Shift(string digits, TimeSpan? fromZone, TimeSpan? toZone, char open)
    {
        if (fromZone is not { } known || toZone is not { } wanted || known == wanted) return digits;
        var isOpen = open == '9' && digits.AsSpan(8).IndexOfAnyExcept('9') < 0;
        var text = isOpen ? string.Concat(digits.AsSpan(0, 8), "235959") : digits[..14];
        if (!DateTime.TryParseExact(text, "yyyyMMddHHmmss", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)) return digits;
        if (time.Year is 1 or 9999) return digits;
        return (time + (wanted - known)).ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture) + (isOpen ? "999999" : digits[14..]);
    }

    private static string ShiftDay(string day, int days) =>
        DateTime.TryParseExact(day, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            && date.Year is > 1 and < 9999 ? date.AddDays(days).ToString("yyyyMMdd", CultureInfo.InvariantCulture) : day;

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
        var isOffset = dash + 5 <= text.Length && text.AsSpan(dash + 1, 4).IndexOfAnyExceptInRange('0', '9') < 0
            && (dash + 5 == text.Length || text[dash + 5] == '-') && int.Parse(text.AsSpan(dash + 1, 4), CultureInfo.InvariantCulture) <= 1200;
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
            if (c is '+' or '-' && vr == Vr.DT) break; // the offset from UTC
            if (c is ':' or '.') continue;
            if (!char.IsAsciiDigit(c) || position == 20) return false;
            target[position++] = c;
        }
        digits = target.ToString();
        return true;
    }
}
