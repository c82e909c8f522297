using System.Globalization;
using System.Text.Json;
using DicomServerless.Dicom;

namespace DicomServerless.Archive.Metadata;

/// <summary>Metadata as they come in JSON: one object, or an array with one for each instance (PS3.18 F.2.1).</summary>
internal static class MetadataArray
{
    /// <summary>Where the objects are, up to so many of them. With a problem: those before it.</summary>
    public static List<Range> Split(ReadOnlySpan<byte> json, int maxDepth, int most, out string? problem)
    {
        var start = json.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? 3 : 0;
        // A sequence is three levels of JSON.
        var reader = new Utf8JsonReader(json[start..], new JsonReaderOptions { MaxDepth = Math.Min(1_000_000, (maxDepth * 3) + 9) });
        var ranges = new List<Range>();
        problem = null;
        try
        {
            reader.Read();
            var isArray = reader.TokenType == JsonTokenType.StartArray;
            while (!isArray || (reader.Read() && reader.TokenType != JsonTokenType.EndArray))
            {
                if (reader.TokenType != JsonTokenType.StartObject)
                {
                    problem = "The JSON is no object and no array of objects.";
                    return ranges;
                }
                var from = (int)reader.TokenStartIndex;
                reader.Skip();
                ranges.Add((start + from)..(start + (int)reader.BytesConsumed));
                if (!isArray) break;
                if (ranges.Count == most) return ranges;
            }
            if (reader.Read()) problem = "The JSON goes on after its end.";
        }
        catch (JsonException exception)
        {
            problem = string.Create(CultureInfo.InvariantCulture,
                $"The JSON is not valid at byte {exception.BytePositionInLine} of line {exception.LineNumber + 1}, or nested too deep.");
        }
        return ranges;
    }

    /// <summary>The four UIDs in metadata that are refused, as far as they can be read: so the answer can name the instance.</summary>
    public static InstanceUids UidsIn(ReadOnlySpan<byte> json)
    {
        Span<Uid> uids = new Uid[4];
        try
        {
            var reader = new Utf8JsonReader(json, AttributeJson.ReaderOptions);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var at = reader.ValueTextEquals("0020000D"u8) ? 0 : reader.ValueTextEquals("0020000E"u8) ? 1 : reader.ValueTextEquals("00080018"u8) ? 2
                    : reader.ValueTextEquals("00080016"u8) ? 3 : -1;
                reader.Read();
                var from = (int)reader.TokenStartIndex;
                reader.Skip();
                if (at >= 0 && Uid.TryParse(AttributeJson.FirstText(json[from..(int)reader.BytesConsumed]), out var uid)) uids[at] = uid;
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // As far as it goes.
        }
        return new InstanceUids(new InstanceKey(uids[0], uids[1], uids[2]), uids[3].Value, null);
    }
}
