using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml;
using static DicomServerless.Dicom.NativeDicomModel;

namespace DicomServerless.Dicom;

/// <summary>
/// The Native DICOM Model (PS3.19 A.1) of data sets. It is made from their DICOM JSON, as <see cref="DicomJsonWriter"/> writes it, so both say the same. A text
/// with characters that XML cannot hold (a form feed, which PS3.5 6.1.3 allows in LT) is an InlineBinary of its UTF-8 bytes: nothing of it is lost.
/// </summary>
public static class DicomXmlWriter
{
    private static readonly XmlWriterSettings Settings = new()
    {
        Encoding = new UTF8Encoding(false),
        CheckCharacters = false, // done here, before an element begins
        NewLineHandling = NewLineHandling.Entitize, // else readers make LF of CR (XML 2.11)
    };

    /// <summary>Writes one document.</summary>
    /// <param name="json">A data set as one JSON object: keys ascend, and <c>vr</c> stands first in each element.</param>
    /// <param name="output">Where to; not closed.</param>
    public static void Write(ReadOnlySpan<byte> json, Stream output)
    {
        using var xml = XmlWriter.Create(output, Settings);
        xml.WriteStartElement(Root, Namespace);
        xml.WriteAttributeString("xml", "space", null, "preserve");
        WriteDataSet(json, xml);
        xml.WriteEndElement();
    }

    // Where the walk stands: in a data set, whose private blocks are known by then, and, around it, in which item of a sequence.
    private sealed record Level(PrivateCreators Creators)
    {
        public int Items { get; set; }
    }

    private static void WriteDataSet(ReadOnlySpan<byte> json, XmlWriter xml)
    {
        var reader = new Utf8JsonReader(json, AttributeJson.ReaderOptions);
        var levels = new Stack<Level>([new Level(new PrivateCreators())]);
        reader.Read();
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    WriteElement(ref reader, json, xml, levels.Peek());
                    // Into a sequence: its first item, or its end, is next.
                    break;
                case JsonTokenType.StartObject:
                    xml.WriteStartElement(Item, Namespace);
                    xml.WriteAttributeString("number", (++levels.Peek().Items).ToString(CultureInfo.InvariantCulture));
                    levels.Push(new Level(new PrivateCreators()));
                    break;
                case JsonTokenType.EndObject when levels.Count > 1:
                    levels.Pop();
                    xml.WriteEndElement();
                    break;
                case JsonTokenType.EndArray:
                    reader.Read(); // the element's object
                    levels.Peek().Items = 0;
                    xml.WriteEndElement();
                    break;
            }
        }
    }

    // A sequence with items is left open behind its bracket.
    private static void WriteElement(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, XmlWriter xml, Level level)
    {
        var tag = Tag.TryParse(reader.GetString(), out var parsed) ? parsed : throw new FormatException("The JSON has a member that is no tag.");
        reader.Read();
        var content = reader;
        reader.Read();
        reader.Read();
        var code = reader.GetString() ?? "UN";
        WriteStart(xml, tag, code, level.Creators);
        reader.Read();
        if (reader.TokenType == JsonTokenType.EndObject)
        {
            xml.WriteEndElement();
            return;
        }
        var vr = (Vr)((code[0] << 8) | code[1]);
        if (reader.ValueTextEquals("BulkDataURI"u8))
        {
            reader.Read();
            xml.WriteStartElement(BulkData, Namespace);
            xml.WriteAttributeString("uri", reader.GetString());
            xml.WriteEndElement();
        }
        else if (reader.ValueTextEquals("InlineBinary"u8))
        {
            reader.Read();
            xml.WriteElementString(InlineBinary, Namespace, reader.GetString());
        }
        else if (vr == Vr.SQ)
        {
            reader.Read();
            return;
        }
        else
        {
            var (first, canHold) = Look(content, json);
            if (tag.IsPrivateCreator && first is not null) level.Creators.Add(tag, first);
            reader.Read();
            if (canHold) WriteValues(ref reader, xml, vr);
            else xml.WriteElementString(InlineBinary, Namespace, Convert.ToBase64String(Encoding.UTF8.GetBytes(ReadTexts(ref reader))));
        }
        reader.Read();
        xml.WriteEndElement();
    }

    private static void WriteStart(XmlWriter xml, Tag tag, string vr, PrivateCreators creators)
    {
        xml.WriteStartElement(NativeDicomModel.Attribute, Namespace);
        // Table A.1.5-2: with its creator a private element goes without the block that it has in this data set.
        var creator = creators.Of(tag);
        xml.WriteAttributeString("tag", (creator is null ? tag : new Tag(tag.Value & 0xFFFF00FF)).ToString());
        xml.WriteAttributeString("vr", vr);
        if (DicomDictionary.TryFind(tag, out var entry) && entry.Keyword.Length > 0) xml.WriteAttributeString("keyword", entry.Keyword);
        if (creator is not null) xml.WriteAttributeString("privateCreator", creator);
    }

    // On a copy of the reader: the first value, and whether all can be texts of XML.
    private static (string? First, bool CanHold) Look(Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        var start = (int)reader.TokenStartIndex;
        var values = reader;
        values.Skip();
        var text = json[start..(int)values.BytesConsumed];
        // JSON has control characters only escaped; the others that XML lacks are U+FFFE and U+FFFF.
        var isPlain = text.IndexOf("\\u"u8) < 0 && text.IndexOf("\uFFFE"u8[..2]) < 0;
        string? first = null;
        var isMember = false;
        while (reader.Read() && reader.BytesConsumed < start + text.Length)
        {
            if (reader.TokenType == JsonTokenType.PropertyName) isMember = reader.ValueTextEquals("vr"u8);
            else if (reader.TokenType == JsonTokenType.String && isMember) isMember = false;
            else if (reader.TokenType == JsonTokenType.String)
            {
                var value = reader.GetString()!;
                first ??= value;
                if (isPlain) break;
                if (!CanHold(value)) return (first, false);
            }
        }
        return (first, true);
    }

    private static void WriteValues(ref Utf8JsonReader reader, XmlWriter xml, Vr vr)
    {
        for (var number = 1; reader.Read() && reader.TokenType != JsonTokenType.EndArray; number++)
        {
            xml.WriteStartElement(vr == Vr.PN ? NativeDicomModel.Name : NativeDicomModel.Value, Namespace);
            xml.WriteAttributeString("number", number.ToString(CultureInfo.InvariantCulture));
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                var groups = ReadName(ref reader);
                for (var group = 0; group < groups.Length; group++)
                    if (groups[group] is { } text) WriteGroup(xml, Groups[group], text);
            }
            else if (Text(ref reader) is { } text) xml.WriteString(text);
            xml.WriteEndElement();
        }
    }

    // PS3.5 6.2.1.1: five components; what goes beyond them stays with the last.
    private static void WriteGroup(XmlWriter xml, string name, string text)
    {
        xml.WriteStartElement(name, Namespace);
        var components = text.Split('^', Components.Length);
        for (var i = 0; i < components.Length; i++) xml.WriteElementString(Components[i], Namespace, components[i]);
        xml.WriteEndElement();
    }

    private static string ReadTexts(ref Utf8JsonReader reader)
    {
        var texts = new List<string>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            texts.Add(reader.TokenType == JsonTokenType.StartObject ? string.Join('=', ReadName(ref reader)).TrimEnd('=') : Text(ref reader) ?? "");
        return string.Join('\\', texts);
    }

    private static string?[] ReadName(ref Utf8JsonReader reader)
    {
        var groups = new string?[Groups.Length];
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var group = Array.IndexOf(Groups, reader.GetString());
            reader.Read();
            if (group >= 0) groups[group] = reader.GetString();
        }
        return groups;
    }

    private static string? Text(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.String => reader.GetString(),
        JsonTokenType.Number => Encoding.UTF8.GetString(reader.ValueSpan),
        _ => null,
    };
}
