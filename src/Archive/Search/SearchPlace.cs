using System.Globalization;
using DicomServerless.Dicom;

namespace DicomServerless.Archive.Search;

/// <summary>A number and a UID: the order of series in a study, and of instances in a series.</summary>
/// <param name="Number">Series or Instance Number; the largest where there is none.</param>
/// <param name="Uid">The UID.</param>
public readonly record struct NumberedUid(long Number, Uid Uid)
{
    /// <summary>The order: by number, then by UID.</summary>
    public int CompareTo(NumberedUid other) => Number.CompareTo(other.Number) is var order and not 0 ? order : Uid.CompareTo(other.Uid);
}

/// <summary>
/// A place in the order of answers: behind a result, or behind a whole study. It holds a date and UIDs, so it never leaves the process unencrypted.
/// </summary>
/// <param name="NewestFirst">The study's date and time, inverted.</param>
/// <param name="Study">The study.</param>
/// <param name="Series">The series in it; null for a place behind the whole study.</param>
/// <param name="Instance">The instance in that series; null for a place behind the whole series.</param>
/// <param name="Skip">Results that are still to be passed over, where a search with an offset was stopped before it.</param>
public sealed record SearchPlace(string NewestFirst, Uid Study, NumberedUid? Series = null, NumberedUid? Instance = null, int Skip = 0)
{
    /// <summary>Whether a study comes behind the place, or goes on behind it.</summary>
    public bool IsBefore(string newestFirst, Uid study)
    {
        var order = string.CompareOrdinal(newestFirst, NewestFirst);
        if (order == 0) order = study.CompareTo(Study);
        return order > 0 || (order == 0 && Series is not null);
    }

    /// <summary>The place as text.</summary>
    public override string ToString() =>
        string.Join(' ', [NewestFirst, Skip.ToString(CultureInfo.InvariantCulture), Study.Value, .. Text(Series), .. Text(Instance)]);

    /// <summary>Reads a place.</summary>
    public static bool TryParse(string text, out SearchPlace? place)
    {
        place = null;
        var parts = text.Split(' ');
        if (parts.Length is not (3 or 5 or 7) || parts[0].Length != 20
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var skip) || !Uid.TryParse(parts[2], out var study)) return false;
        NumberedUid? series = null, instance = null;
        if (parts.Length >= 5 && !TryRead(parts[3], parts[4], out series)) return false;
        if (parts.Length == 7 && !TryRead(parts[5], parts[6], out instance)) return false;
        place = new SearchPlace(parts[0], study, series, instance, skip);
        return true;
    }

    private static string[] Text(NumberedUid? item) => item is { } some ? [some.Number.ToString(CultureInfo.InvariantCulture), some.Uid.Value] : [];

    private static bool TryRead(string number, string uid, out NumberedUid? item)
    {
        item = null;
        if (!long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            || !Uid.TryParse(uid, out var parsed)) return false;
        item = new NumberedUid(value, parsed);
        return true;
    }
}
