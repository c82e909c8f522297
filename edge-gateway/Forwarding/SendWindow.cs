using System.Globalization;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>The hours in which sending may begin; over midnight where the end is before the start.</summary>
internal sealed record SendWindow(TimeOnly From, TimeOnly To, TimeZoneInfo Zone)
{
    /// <summary>Reads <c>HH:mm-HH:mm</c>; null for an empty text, which means always.</summary>
    public static bool TryParse(string text, string zone, out SendWindow? window)
    {
        window = null;
        var found = TimeZoneInfo.Local;
        if (zone.Length > 0 && !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out found)) return false;
        if (text.Length == 0) return true;
        if (text.Split('-') is not [var from, var to]
            || !TimeOnly.TryParseExact(from.Trim(), "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var start)
            || !TimeOnly.TryParseExact(to.Trim(), "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var end)
            || start == end) return false;
        window = new SendWindow(start, end, found);
        return true;
    }

    /// <summary>Whether sending may begin now.</summary>
    public bool IsOpen(DateTimeOffset now) => TimeOnly.FromTimeSpan(TimeZoneInfo.ConvertTime(now, Zone).TimeOfDay).IsBetween(From, To);
}
