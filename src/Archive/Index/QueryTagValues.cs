using System.Globalization;
using System.Text.Json;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Matching;

namespace DicomServerless.Archive.Index;

/// <summary>
/// The values that a study's instances have for the configured attributes (<see cref="QueryTag"/>), each with the lowest instance that has it, so that a
/// delete of another one changes nothing. An attribute with too many values has none listed, and a pointer that every search of it looks at.
/// </summary>
internal sealed class QueryTagValues
{
    /// <summary>The most values of one attribute in one study.</summary>
    public const int MaxValues = 16;

    // Null for an attribute with too many values.
    private readonly SortedDictionary<string, SortedDictionary<string, InstanceName>?> tags = new(StringComparer.Ordinal);

    /// <summary>What pointers there are to be: the partition of the attribute, and the value.</summary>
    public IEnumerable<(string Key, string Value)> Pointed =>
        tags.SelectMany(tag => tag.Value?.Keys.Select(value => (tag.Key, value)) ?? [(tag.Key, SearchClaims.Overflow)]);

    /// <summary>Whether every instance has been looked at for exactly these attributes.</summary>
    public bool Covers(IReadOnlyList<QueryTag> configured) => tags.Count == configured.Count && configured.All(tag => tags.ContainsKey(tag.KeyName));

    /// <summary>The instance that a value comes from; null if none has it, or its attribute has too many values.</summary>
    public InstanceName? SourceOf(string key, string value) => tags.GetValueOrDefault(key)?.TryGetValue(value, out var source) == true ? source : null;

    /// <summary>Takes out what comes from an instance, and says what that was.</summary>
    public IReadOnlyList<(string Key, string Value)> RemoveSource(InstanceName source)
    {
        var removed = tags.SelectMany(tag => (tag.Value ?? []).Where(value => value.Value == source).Select(value => (tag.Key, value.Key))).ToArray();
        foreach (var (key, value) in removed) tags[key]!.Remove(value);
        return removed;
    }

    /// <summary>Starts anew: these attributes, and no instance.</summary>
    public void Reset(IReadOnlyList<QueryTag> configured)
    {
        tags.Clear();
        foreach (var tag in configured) tags[tag.KeyName] = new(StringComparer.Ordinal);
    }

    public void Merge(InstanceName source, IReadOnlyList<(string Key, string Value)> found)
    {
        foreach (var (key, value) in found)
        {
            if (!tags.TryGetValue(key, out var values) || values is null) continue;
            if (!values.TryGetValue(value, out var present) || source <= present) values[value] = source;
            if (values.Count > MaxValues) tags[key] = null;
        }
    }

    public QueryTagValues Copy()
    {
        var copy = new QueryTagValues();
        foreach (var (key, values) in tags) copy.tags[key] = values is null ? null : new(values, StringComparer.Ordinal);
        return copy;
    }

    public bool Same(QueryTagValues other) =>
        tags.Keys.SequenceEqual(other.tags.Keys)
        && tags.All(tag => tag.Value is null ? other.tags[tag.Key] is null : other.tags[tag.Key]?.SequenceEqual(tag.Value) == true);

    // {"qt:00101040 LO":{"MAIN ST":"<series>:<sop>"},"qv:…":null}
    public void Write(Utf8JsonWriter writer, string name)
    {
        writer.WriteStartObject(name);
        foreach (var (key, values) in tags)
        {
            if (values is null)
            {
                writer.WriteNull(key);
                continue;
            }
            writer.WriteStartObject(key);
            foreach (var (value, source) in values) writer.WriteString(value, string.Create(CultureInfo.InvariantCulture, $"{source.Series}:{source.Sop}"));
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    public void Read(JsonElement json)
    {
        foreach (var tag in json.EnumerateObject())
        {
            SortedDictionary<string, InstanceName>? values = null;
            if (tag.Value.ValueKind == JsonValueKind.Object)
            {
                values = new(StringComparer.Ordinal);
                foreach (var value in tag.Value.EnumerateObject())
                {
                    var source = value.Value.GetString()!.Split(':');
                    values[value.Name] = new InstanceName(Uid.Parse(source[0]), Uid.Parse(source[1]));
                }
            }
            tags[tag.Name] = values;
        }
    }

    /// <summary>What an instance has of the configured attributes.</summary>
    public static IReadOnlyList<(string Key, string Value)> Of(ReadOnlySpan<byte> metadata, IReadOnlyList<QueryTag> configured)
    {
        if (configured.Count == 0) return [];
        using var document = JsonDocument.Parse(MetadataAttributes.ToObject(MetadataAttributes.All(metadata)), AttributeJson.DocumentOptions);
        var found = new HashSet<(string, string)>();
        foreach (var tag in configured)
        {
            foreach (var at in tag.PrivateCreator is { } creator ? PrivateBlocks.Find(document.RootElement, tag.Tag, creator) : [tag.Tag])
            {
                if (!document.RootElement.TryGetProperty(at.ToString(), out var attribute)) continue;
                foreach (var text in AttributeJson.Texts(System.Text.Encoding.UTF8.GetBytes(attribute.GetRawText())).Take(MaxValues + 1))
                    if (tag.KeyOf(text) is { Length: > 0 } value) found.Add((tag.KeyName, value));
            }
        }
        return [.. found];
    }
}
