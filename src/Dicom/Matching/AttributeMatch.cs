using System.Text.Json;

namespace DicomServerless.Dicom.Matching;

/// <summary>One key of a search and what its attribute must be (PS3.4 C.2.2.2).</summary>
public sealed class AttributeMatch
{
    private readonly string[] values;
    private readonly WildcardPattern[] patterns;
    private readonly DateTimeRange? range;
    private readonly string?[] creators;
    private readonly string text;
    private readonly MatchOptions options;
    private readonly Tag? partner;
    private readonly bool needsAll;
    private readonly Dictionary<Vr, AttributeMatch?> asVr = [];

    private AttributeMatch(Tag[] path, string?[]? creators, Vr vr, string text, string[] values, DateTimeRange? range, MatchOptions options)
    {
        (Path, Vr, this.text, this.values, this.range, this.options) = (path, vr, text, values, range, options);
        this.creators = creators ?? new string?[path.Length];
        IsEmptyMatch = options.EmptyValues && text == "\"\"";
        needsAll = IsAll(vr, text, options);
        patterns = [.. values.Select(value => new WildcardPattern(value, vr))];
        // Only where zones differ does a date need its time, and a time its date.
        if (range?.Zone is not null && vr is Vr.DA or Vr.TM && DateTimeRange.TryPartner(path[^1], out var other)) partner = other;
    }

    /// <summary>A match of one interval of dates and times.</summary>
    public AttributeMatch(Tag[] path, DateTimeRange range) : this(path, null, Vr.DT, "", [], range, default) => partner = range.TimeTag;

    /// <summary>The attribute: a tag, or the sequences that lead to it and it. Private tags stand in the block in which the query gave them.</summary>
    public IReadOnlyList<Tag> Path { get; }

    /// <summary>The private creator of each step; null for public ones.</summary>
    public IReadOnlyList<string?> Creators => creators;

    /// <summary>The attribute's VR, from the dictionary; UN of private ones, which are compared as the object's VR says.</summary>
    public Vr Vr { get; }

    /// <summary>True if any value, or none, matches (C.2.2.2.3): the attribute is only asked for.</summary>
    public bool IsUniversal => range is null && !IsEmptyMatch
        && (values.Length == 0 || values.All(value => value.Length == 0 || (value.All(c => c == '*') && (WildcardPattern.Applies(Vr) || Vr == Vr.UN))));

    /// <summary>True if the attribute must be empty or absent (C.2.2.2.7).</summary>
    public bool IsEmptyMatch { get; }

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
    public static bool TryParse(Tag[] path, string value, out AttributeMatch? match, out string? problem) =>
        TryParse(path, null, value, default, out match, out problem);

    /// <summary>Reads a key's value.</summary>
    /// <param name="path">The attribute.</param>
    /// <param name="creators">The private creator of each step, null for public ones; null if all are public.</param>
    /// <param name="value">What was asked for.</param>
    /// <param name="options">How it is to be understood.</param>
    /// <param name="match">The key, if it can be read.</param>
    /// <param name="problem">Why it cannot.</param>
    public static bool TryParse(Tag[] path, string?[]? creators, string value, MatchOptions options, out AttributeMatch? match, out string? problem) =>
        TryParse(path, creators, DicomDictionary.VrOf(path[^1]), value, options, out match, out problem);

    private static bool TryParse(Tag[] path, string?[]? creators, Vr vr, string value, MatchOptions options, out AttributeMatch? match, out string? problem)
    {
        (match, problem) = (null, null);
        DateTimeRange? range = null;
        string[] values;
        if (options.EmptyValues && value == "\"\"") values = [];
        else if (vr is Vr.DA or Vr.TM or Vr.DT)
        {
            values = [];
            // Patient's Birth Date is of the place of birth: no zone applies to it (PS3.3 C.12.1.1.8).
            var zone = path[^1] == Tags.PatientBirthDate || path[^1] == Tags.PatientBirthTime ? null : options.Zone;
            if (value.Trim().Trim('*').Length > 0 && !DateTimeRange.TryParse(vr, value.Trim(), zone, out range))
            {
                problem = $"{string.Join('.', path)} must be a {(vr == Vr.DA ? "date (YYYYMMDD)" : vr == Vr.TM ? "time (HHMMSS)" : "date and time")} or "
                    + $"a range a-b, a- or -b (PS3.4 C.2.2.2.5).";
                return false;
            }
        }
        else if (IsAll(vr, value, options)) values = value.Split('\\', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        // PS3.18 8.3.4.1 lists UIDs with commas, viewers join them with backslashes; several values of a code or short string are alternatives.
        else if (vr is Vr.UI or Vr.CS or Vr.SH or Vr.AE or Vr.IS)
            values = value.Split(vr == Vr.SH ? ['\\'] : [',', '\\'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        else values = Significant(value, vr) is { Length: > 0 } text ? [text] : [];
        if (vr == Vr.UI)
        {
            if (values.Any(uid => uid.All(c => c == '*'))) values = [];
            if (values.Any(uid => !Uid.IsValid(uid)))
            {
                problem = $"{string.Join('.', path)} must be one or more UIDs: digits and dots, at most 64 characters (PS3.5 9.1).";
                return false;
            }
        }
        match = new AttributeMatch(path, creators, vr, value, values, range, options);
        return true;
    }

    // PS3.5 table 6.2-1: trailing spaces never mean anything, leading ones only in long texts.
    private static string Significant(string value, Vr vr) => vr is Vr.LT or Vr.ST or Vr.UC or Vr.UT ? value.TrimEnd(' ') : value.Trim(' ');

    // C.2.2.2.8 is for these VRs.
    private static bool IsAll(Vr vr, string value, MatchOptions options) =>
        options.MultipleValues && vr is Vr.AE or Vr.AS or Vr.AT or Vr.CS or Vr.LO or Vr.PN or Vr.SH or Vr.UC && value.Contains('\\', StringComparison.Ordinal);

    /// <summary>Whether an object with this attribute matches.</summary>
    /// <param name="attributes">A DICOM JSON object.</param>
    /// <param name="fuzzy">Whether person names match fuzzily.</param>
    public bool Matches(JsonElement attributes, bool fuzzy)
    {
        if (IsUniversal) return true;
        var zone = range?.Zone is null ? null : DateTimeRange.ZoneOf(attributes);
        var level = new List<JsonElement> { attributes };
        for (var step = 0; step < Path.Count; step++)
        {
            var found = new List<JsonElement>();
            foreach (var item in level)
            {
                var any = false;
                foreach (var attribute in Find(item, step))
                {
                    any = true;
                    if (step == Path.Count - 1)
                    {
                        if (IsEmptyMatch ? IsEmpty(attribute) : MatchesValues(attribute, item, zone, fuzzy)) return true;
                    }
                    else if (attribute.TryGetProperty("Value", out var items)) found.AddRange(items.EnumerateArray());
                }
                if (!any && IsEmptyMatch && step == Path.Count - 1) return true;
            }
            // No item at all, so no value.
            if (found.Count == 0 && IsEmptyMatch && step < Path.Count - 1) return true;
            level = found;
        }
        return false;
    }

    private IEnumerable<JsonElement> Find(JsonElement item, int step)
    {
        if (item.ValueKind != JsonValueKind.Object) yield break;
        if (creators[step] is not { } creator)
        {
            if (item.TryGetProperty(Path[step].ToString(), out var attribute)) yield return attribute;
            yield break;
        }
        foreach (var tag in PrivateBlocks.Find(item, Path[step], creator))
            if (item.TryGetProperty(tag.ToString(), out var attribute)) yield return attribute;
    }

    private static bool IsEmpty(JsonElement attribute)
    {
        if (attribute.TryGetProperty("InlineBinary", out _) || attribute.TryGetProperty("BulkDataURI", out _)) return false;
        if (!attribute.TryGetProperty("Value", out var values)) return true;
        var isName = attribute.TryGetProperty("vr", out var vr) && vr.ValueEquals("PN");
        return values.EnumerateArray().All(value => value.ValueKind switch
        {
            JsonValueKind.Null => true,
            JsonValueKind.String => value.GetString()!.Length == 0,
            // Delimiters alone name nobody: those at the end may be left out (PS3.5 6.2.1.2).
            JsonValueKind.Object => isName && value.EnumerateObject().All(group => group.Value.GetString() is { } text && text.Trim('^', ' ').Length == 0),
            _ => false,
        });
    }

    private bool MatchesValues(JsonElement attribute, JsonElement item, TimeSpan? zone, bool fuzzy)
    {
        if (Vr == Vr.UN && AsVrOf(attribute) is { } typed) return typed.MatchesValues(attribute, item, zone, fuzzy);
        var texts = AttributeJson.Texts(JsonBytes(attribute));
        if (needsAll) return patterns.All(pattern => texts.Exists(text => pattern.Matches(text, fuzzy)));
        if (range is null) return texts.Exists(text => patterns.Any(pattern => pattern.Matches(text, fuzzy)));
        var other = partner is { } tag && item.TryGetProperty(tag.ToString(), out var pair) ? AttributeJson.FirstText(JsonBytes(pair)) : null;
        // One interval is of the first date with the first time.
        return range.TimeTag is null ? texts.Exists(text => range.Contains(text, other, zone)) : range.Contains(texts.FirstOrDefault(), other, zone);
    }

    // What the dictionary does not know is compared as the object says that it is.
    private AttributeMatch? AsVrOf(JsonElement attribute)
    {
        return attribute.TryGetProperty("vr", out var name) && name.GetString() is { Length: 2 } code
            && code != "UN" ? As((Vr)((code[0] << 8) | code[1])) : null;
    }

    /// <summary>The same key of an attribute whose VR only the object or the configuration knows; null if its value is none of that VR.</summary>
    public AttributeMatch? As(Vr vr)
    {
        if (vr == Vr) return this;
        lock (asVr)
        {
            if (!asVr.TryGetValue(vr, out var match)) asVr[vr] = match = TryParse([.. Path], creators, vr, text, options, out var typed, out _) ? typed : null;
            return match;
        }
    }

    private static byte[] JsonBytes(JsonElement element) => System.Text.Encoding.UTF8.GetBytes(element.GetRawText());
}
