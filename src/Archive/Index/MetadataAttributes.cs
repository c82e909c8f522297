using System.Buffers;
using System.Text.Json;
using DicomServerless.Dicom;

namespace DicomServerless.Archive.Index;

/// <summary>Takes attributes out of an instance's metadata (DICOM JSON), without building a tree.</summary>
internal static class MetadataAttributes
{
    /// <summary>
    /// For each of the lists of tags (ascending) the attributes that have a value, as they stand. What is bulk data or too large is left out. One pass for all
    /// lists, since metadata may be large.
    /// </summary>
    public static List<KeyValuePair<Tag, byte[]>>[] Extract(ReadOnlySpan<byte> metadata, params ReadOnlySpan<Tag[]> lists)
    {
        var found = new List<KeyValuePair<Tag, byte[]>>[lists.Length];
        for (var i = 0; i < found.Length; i++) found[i] = [];
        var reader = new Utf8JsonReader(MarkAsSpace(metadata), AttributeJson.ReaderOptions);
        reader.Read();
        Span<char> name = stackalloc char[8];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var tag = default(Tag);
            var isTag = reader.ValueSpan.Length == 8 && reader.CopyString(name) == 8 && Tag.TryParse(name, out tag);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (!isTag) continue;
            var json = metadata[start..(int)reader.BytesConsumed];
            byte[]? kept = null;
            for (var i = 0; i < lists.Length; i++)
            {
                if (Array.BinarySearch(lists[i], tag) < 0) continue;
                if (kept is null && (json.Length > IndexedAttributes.MaxAttributeBytes || json.IndexOf("\"Value\":["u8) < 0
                    || json.Contains(InstanceContent.BulkDataMark))) break;
                found[i].Add(new(tag, kept ??= json.ToArray()));
            }
        }
        return found;
    }

    /// <summary>Every attribute but those behind a BulkDataURI.</summary>
    public static List<KeyValuePair<Tag, byte[]>> All(ReadOnlySpan<byte> metadata)
    {
        var found = new List<KeyValuePair<Tag, byte[]>>();
        var reader = new Utf8JsonReader(MarkAsSpace(metadata), AttributeJson.ReaderOptions);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isTag = Tag.TryParse(reader.GetString(), out var tag);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            var json = metadata[start..(int)reader.BytesConsumed];
            if (isTag && !json.Contains(InstanceContent.BulkDataMark)) found.Add(new(tag, json.ToArray()));
        }
        return found;
    }

    // The mark is no JSON character; while reading it is taken for a space.
    private static byte[] MarkAsSpace(ReadOnlySpan<byte> metadata)
    {
        var copy = metadata.ToArray();
        copy.AsSpan().Replace(InstanceContent.BulkDataMark, (byte)' ');
        return copy;
    }

    /// <summary>Attributes as one DICOM JSON object.</summary>
    public static byte[] ToObject(IEnumerable<KeyValuePair<Tag, byte[]>> attributes)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, AttributeJson.WriterOptions))
        {
            writer.WriteStartObject();
            foreach (var (tag, json) in attributes)
            {
                writer.WritePropertyName(tag.ToString());
                writer.WriteRawValue(json, skipInputValidation: true);
            }
            writer.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }
}
