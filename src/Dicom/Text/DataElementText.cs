namespace DicomServerless.Dicom;

/// <summary>The texts of elements, decoded with the character set that applies where they stand.</summary>
public static class DataElementText
{
    /// <summary>The values of a text element; none for other VRs and for values that are not kept. Empty values are empty strings.</summary>
    public static string[] GetStrings(this in DataElement element, SpecificCharacterSet? fallback = null)
    {
        var vr = element.Vr;
        if (!vr.IsText()) return [];
        var set = vr.UsesCharacterSet() ? SpecificCharacterSet.Parse(element.DataSet.SpecificCharacterSet.Span, fallback) : SpecificCharacterSet.Default;
        return set.DecodeValues(element.Value.Span, vr);
    }

    /// <summary>The first value of a text element; null when it has none or the first is empty.</summary>
    public static string? GetString(this in DataElement element, SpecificCharacterSet? fallback = null) =>
        element.GetStrings(fallback) is [{ Length: > 0 } first, ..] ? first : null;

    /// <summary>The first value of the text element with this tag; null when there is none or it is empty.</summary>
    public static string? GetString(this DataSet dataSet, Tag tag, SpecificCharacterSet? fallback = null) => dataSet.TryGet(tag, out var element)
        ? element.GetString(fallback) : null;
}
