using System.Buffers;
using System.Globalization;
using System.Text.Json;
using DicomServerless.Dicom;

namespace DicomServerless.Archive.Index;

/// <summary>
/// Attributes of a study or series, each with the instance that it comes from: the lowest SOP Instance UID that has a value for it (docs/design.md, rule 4),
/// so that order of arrival, re-sends and a rebuild give the same answer.
/// </summary>
internal sealed class SourcedAttributes
{
    private readonly SortedDictionary<Tag, (InstanceName Source, byte[] Json)> values = [];

    public IEnumerable<(Tag Tag, InstanceName Source, byte[] Json)> All => values.Select(pair => (pair.Key, pair.Value.Source, pair.Value.Json));

    /// <summary>The attribute's DICOM JSON (<c>{"vr":…,"Value":[…]}</c>), or null.</summary>
    public byte[]? Json(Tag tag) => values.TryGetValue(tag, out var value) ? value.Json : null;

    /// <summary>The first value as text, or null.</summary>
    public string? First(Tag tag) => Json(tag) is { } json ? AttributeJson.FirstText(json) : null;

    /// <summary>The instance that an attribute comes from; null if no instance has a value for it.</summary>
    public InstanceName? SourceOf(Tag tag) => values.TryGetValue(tag, out var value) ? value.Source : null;

    /// <summary>Takes out what comes from an instance, and says what that was.</summary>
    public IReadOnlyList<Tag> RemoveSource(InstanceName source)
    {
        var removed = values.Where(pair => pair.Value.Source == source).Select(pair => pair.Key).ToArray();
        foreach (var tag in removed) values.Remove(tag);
        return removed;
    }

    /// <summary>Takes over every value of an instance that comes before the present source.</summary>
    public void Merge(InstanceName source, IReadOnlyList<KeyValuePair<Tag, byte[]>> attributes)
    {
        foreach (var (tag, json) in attributes)
            if (!values.TryGetValue(tag, out var present) || source <= present.Source) values[tag] = (source, json);
    }

    public void Clear() => values.Clear();

    public SourcedAttributes Copy()
    {
        var copy = new SourcedAttributes();
        foreach (var (tag, value) in values) copy.values[tag] = value;
        return copy;
    }

    // {"00080020":["<series>:<sop>",{"vr":"DA","Value":["20240101"]}], …}
    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, AttributeJson.WriterOptions))
        {
            writer.WriteStartObject();
            foreach (var (tag, (source, json)) in values)
            {
                writer.WriteStartArray(tag.ToString());
                writer.WriteStringValue(string.Create(CultureInfo.InvariantCulture, $"{source.Series}:{source.Sop}"));
                writer.WriteRawValue(json, skipInputValidation: true);
                writer.WriteEndArray();
            }
            writer.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    public static SourcedAttributes Parse(ReadOnlySpan<byte> json)
    {
        var result = new SourcedAttributes();
        var reader = new Utf8JsonReader(json, AttributeJson.ReaderOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!Tag.TryParse(reader.GetString(), out var tag)) throw new InvalidDataException("An index row holds an attribute without a tag.");
            reader.Read();
            reader.Read();
            var source = reader.GetString()!.Split(':');
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            result.values[tag] = (new InstanceName(Uid.Parse(source[0]), Uid.Parse(source[1])), json[start..(int)reader.BytesConsumed].ToArray());
            reader.Read();
        }
        return result;
    }
}
