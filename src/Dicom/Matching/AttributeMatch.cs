using System.Text.Json;

namespace DicomServerless.Dicom.Matching;

/// <summary>One key of a search and what its attribute must be (PS3.4 C.2.2.2).</summary>
public sealed class AttributeMatch
{
    private readonly string[] values;
    private readonly WildcardPattern[] patterns;
    private readonly DateTimeRange? range;

    private AttributeMatch(Tag[] path, Vr vr, string[] values, DateTimeRange? range)
    {
        (Path, Vr, this.values, this.range) = (path, vr, values, range);
        patterns = [.. values.Select(value => new WildcardPattern(value, vr))];
    }

    /// <summary>A match of one interval of dates and times.</summary>
    public AttributeMatch(Tag[] path, DateTimeRange range) : this(path, Vr.DT, [], range) { }

    /// <summary>The attribute: a tag, or the sequences that lead to it and it.</summary>
    public IReadOnlyList<Tag> Path { get; }

    /// <summary>The attribute's VR, from the dictionary.</summary>
    public Vr Vr { get; }

    /// <summary>True if any value, or none, matches (C.2.2.2.3): the attribute is only asked for.</summary>
    public bool IsUniversal => range is null && (values.Length == 0 || values.All(value => value.Length == 0 || (value.All(c => c == '*') && WildcardPattern.Applies(Vr))));

    /// <summary>The values that may match, any of them.</summary>
    public IReadOnlyList<string> Values => values;

    /// <summary>The same as patterns.</summary>
    public IReadOnlyList<WildcardPattern> Patterns => patterns;

    /// <summary>The range that dates and times must be in; null for other attributes.</summary>
    public DateTimeRange? Range => range;

    /// <summary>Reads <c>00100010</c>, <c>PatientName</c> (any case) or a path with dots.</summary>
    public static bool TryPath(string text, out Tag[] path)
    {
        var steps = text.Split('.');
        path = new Tag[steps.Length];
        for (var i = 0; i < steps.Length; i++)
            if (!Tag.TryParse(steps[i], out path[i]) && !DicomDictionary.TryFindKeyword(steps[i], out path[i])) return false;
        return true;
    }

    /// <summary>Reads a key's value.</summary>
    public static bool TryParse(Tag[] path, string value, out AttributeMatch? match, out string? problem)
    {
        (match, problem) = (null, null);
        var vr = DicomDictionary.VrOf(path[^1]);
        DateTimeRange? range = null;
        string[] values;
        if (vr is Vr.DA or Vr.TM or Vr.DT)
        {
            values = [];
            if (value.Trim().Trim('*').Length > 0 && !DateTimeRange.TryParse(vr, value.Trim(), out range))
            {
                problem = $"{string.Join('.', path)} must be a {(vr == Vr.DA ? "date (YYYYMMDD)" : vr == Vr.TM ? "time (HHMMSS)" : "date and time")} or a range a-b, a- or -b (PS3.4 C.2.2.2.5).";
                return false;
            }
        }
        // PS3.18 8.3.4.1 lists UIDs with commas, viewers join them with backslashes; several values of a code or short string are alternatives.
        else if (vr is Vr.UI or Vr.CS or Vr.SH or Vr.AE or Vr.IS) values = [.. value.Split(vr == Vr.SH ? ['\\'] : [',', '\\'], StringSplitOptions.TrimEntries).Where(part => part.Length > 0)];
        else values = value.Length == 0 ? [] : [value];
        if (vr == Vr.UI && values.FirstOrDefault(uid => !Uid.IsValid(uid) && uid != "*") is not null)
        {
            problem = $"{string.Join('.', path)} must be one or more UIDs: digits and dots, at most 64 characters (PS3.5 9.1).";
            return false;
        }
        match = new AttributeMatch(path, vr, values, range);
        return true;
    }

    /// <summary>Whether an object with this attribute matches.</summary>
    /// <param name="attributes">A DICOM JSON object.</param>
    /// <param name="fuzzy">Whether person names match fuzzily.</param>
    public bool Matches(JsonElement attributes, bool fuzzy)
    {
        if (IsUniversal) return true;
        var level = new List<JsonElement> { attributes };
        for (var step = 0; step < Path.Count; step++)
        {
            var found = new List<JsonElement>();
            foreach (var item in level)
            {
                if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty(Path[step].ToString(), out var attribute)) continue;
                if (step == Path.Count - 1)
                {
                    if (MatchesValues(attribute, item, fuzzy)) return true;
                }
                else if (attribute.TryGetProperty("Value", out var items)) found.AddRange(items.EnumerateArray());
            }
            level = found;
        }
        return false;
    }

    private bool MatchesValues(JsonElement attribute, JsonElement item, bool fuzzy)
    {
        if (range is { TimeTag: { } timeTag })
        {
            var time = item.TryGetProperty(timeTag.ToString(), out var timeAttribute) ? AttributeJson.FirstText(JsonBytes(timeAttribute)) : null;
            return range.Contains(AttributeJson.FirstText(JsonBytes(attribute)), time);
        }
        foreach (var text in AttributeJson.Texts(JsonBytes(attribute)))
        {
            if (range is not null ? range.Contains(text, null) : patterns.Any(pattern => pattern.Matches(text, fuzzy))) return true;
        }
        return false;
    }

    private static byte[] JsonBytes(JsonElement element) => System.Text.Encoding.UTF8.GetBytes(element.GetRawText());
}
