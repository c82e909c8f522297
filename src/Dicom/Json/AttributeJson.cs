using System.Text.Encodings.Web;
using System.Text.Json;

namespace DicomServerless.Dicom;

/// <summary>Single attributes as DICOM JSON (PS3.18 F.2): <c>{"vr":"PN","Value":[…]}</c>.</summary>
public static class AttributeJson
{
    /// <summary>We send application/dicom+json, never HTML, so only what JSON itself needs is escaped.</summary>
    public static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Sequences nest as deep as the parser's limit lets them, three levels of JSON each; the default would stop at 64.</summary>
    public static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = 4096 };

    /// <summary>As <see cref="ReaderOptions"/>.</summary>
    public static readonly JsonDocumentOptions DocumentOptions = new() { MaxDepth = 4096 };

    /// <summary>The first value as text; of a person name the first group that is there. Null if there is no value.</summary>
    public static string? FirstText(ReadOnlySpan<byte> json)
    {
        foreach (var text in Texts(json)) return text;
        return null;
    }

    /// <summary>
    /// All values as texts: strings and numbers as they stand, person names as <c>Alphabetic=Ideographic=Phonetic</c>; empty values are left out.
    /// </summary>
    public static List<string> Texts(ReadOnlySpan<byte> json)
    {
        var texts = new List<string>();
        var reader = new Utf8JsonReader(json, ReaderOptions);
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.PropertyName) continue;
            var isValue = reader.ValueTextEquals("Value"u8);
            reader.Read();
            if (!isValue)
            {
                reader.Skip();
                continue;
            }
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.String:
                        texts.Add(reader.GetString()!);
                        break;
                    case JsonTokenType.Number:
                        texts.Add(System.Text.Encoding.UTF8.GetString(reader.ValueSpan));
                        break;
                    case JsonTokenType.StartObject:
                        if (PersonName(ref reader) is { } name) texts.Add(name);
                        break;
                }
            }
        }
        return texts;
    }

    // The reader stands on the object's start and is left on its end. Items of sequences are no texts.
    private static string? PersonName(ref Utf8JsonReader reader)
    {
        var groups = new string?[3];
        var any = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var group = reader.ValueTextEquals("Alphabetic"u8) ? 0 : reader.ValueTextEquals("Ideographic"u8)
                ? 1 : reader.ValueTextEquals("Phonetic"u8) ? 2 : -1;
            reader.Read();
            if (group >= 0 && reader.TokenType == JsonTokenType.String)
            {
                groups[group] = reader.GetString();
                any = true;
            }
            else reader.Skip();
        }
        return any ? string.Join('=', groups).TrimEnd('=') : null;
    }
}
