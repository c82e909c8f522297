using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml;
using static DicomServerless.Dicom.NativeDicomModel;

namespace DicomServerless.Dicom;

/// <summary>One run of <see cref="DicomXmlReader"/>: where it is in the document.</summary>
internal sealed class XmlToJson(XmlReader xml, Utf8JsonWriter json, PrivateBlocks blocks, DicomLimits limits)
{
    private const int MaxGap = 1024, FlushBytes = 64 * 1024;

    private readonly Stack<Open> open = new();
    private int dataSets;
    private int elements;

    // A data set, with the sequence that holds it, and where in that we are.
    private sealed class Open(int number)
    {
        public int Number => number;
        public Tag Sequence { get; set; }
        public int Items { get; set; }
        public Tag Current { get; set; }
    }

    public DicomXmlError? Error { get; private set; }

    public string Path
    {
        get
        {
            var path = new StringBuilder();
            foreach (var level in open.Reverse())
                if (level.Sequence.Value != 0) path.Append(level.Sequence).Append('/').Append(level.Items).Append('/');
                else if (level.Current.Value != 0) path.Append(level.Current);
            return path.ToString().TrimEnd('/');
        }
    }

    /// <summary>Converts the document. False with an <see cref="Error"/>.</summary>
    public bool Read()
    {
        if (xml.MoveToContent() != XmlNodeType.Element || xml.LocalName != Root || xml.NamespaceURI is not ("" or Namespace))
            return Fail("has no root element NativeDicomModel");
        var isEmpty = xml.IsEmptyElement;
        BeginDataSet();
        xml.Read();
        if (isEmpty) EndDataSet();
        while (open.Count > 0)
        {
            var level = open.Peek();
            if (xml.NodeType == XmlNodeType.EndElement)
            {
                xml.Read();
                // Of a sequence, which ends with its element; else of the data set, whose item ends with it.
                if (level.Sequence.Value != 0) EndSequence(level);
                else EndDataSet();
            }
            else if (xml.NodeType != XmlNodeType.Element) xml.Read();
            else if (level.Sequence.Value != 0)
            {
                if (xml.LocalName != Item) xml.Skip();
                else if (!BeginItem(level)) return false;
            }
            else if (xml.LocalName != NativeDicomModel.Attribute) xml.Skip();
            else if (!ReadAttribute(level)) return false;
        }
        while (!xml.EOF) xml.Read(); // what follows must be well formed too
        json.Flush();
        return true;
    }

    private bool Fail(string detail)
    {
        Error = new DicomXmlError(Path, detail);
        return false;
    }

    private void BeginDataSet()
    {
        json.WriteStartObject();
        open.Push(new Open(dataSets++));
    }

    private void EndDataSet()
    {
        foreach (var (tag, creator) in blocks.AddedTo(open.Pop().Number))
        {
            json.WriteStartObject(tag.ToString());
            json.WriteString("vr"u8, "LO"u8);
            json.WriteStartArray("Value"u8);
            json.WriteStringValue(creator);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private bool BeginItem(Open level)
    {
        level.Items++;
        if (++elements > limits.MaxElements) return Fail($"is one of more than {limits.MaxElements}");
        if (open.Count > limits.MaxDepth) return Fail($"is nested deeper than {limits.MaxDepth} levels");
        var isEmpty = xml.IsEmptyElement;
        BeginDataSet();
        xml.Read();
        if (isEmpty) EndDataSet();
        return true;
    }

    private void EndSequence(Open level)
    {
        level.Sequence = default;
        json.WriteEndArray();
        json.WriteEndObject();
    }

    // The reader stands on the start of a DicomAttribute, and behind its end when it is done; of a sequence, behind its start.
    private bool ReadAttribute(Open level)
    {
        level.Current = default;
        if (!Tag.TryParse(xml.GetAttribute("tag"), out var tag)) return Fail("has a DicomAttribute whose tag is not eight hexadecimal digits");
        tag = blocks.Resolve(level.Number, tag, xml.GetAttribute("privateCreator"));
        level.Current = tag;
        if (++elements > limits.MaxElements) return Fail($"is one of more than {limits.MaxElements}");
        var vr = xml.GetAttribute("vr") is not { Length: > 0 } code ? DicomDictionary.VrOf(tag) : code.Length == 2
            ? (Vr)((code[0] << 8) | (code[1] & 0xFF)) : Vr.None;
        if (!vr.IsKnown()) return Fail("has no known vr");
        if (json.BytesPending > FlushBytes) json.Flush();
        if (json.BytesCommitted > limits.MaxHeaderBytes) return Fail($"makes the data set larger than {limits.MaxHeaderBytes} bytes");
        json.WriteStartObject(tag.ToString());
        json.WriteString("vr"u8, vr.Code());
        var isEmpty = xml.IsEmptyElement;
        xml.Read();
        if (isEmpty) json.WriteEndObject();
        else if (vr == Vr.SQ)
        {
            json.WriteStartArray("Value"u8);
            (level.Sequence, level.Items) = (tag, 0);
        }
        else
        {
            if (!ReadContent(vr)) return false;
            xml.Read();
            json.WriteEndObject();
        }
        return true;
    }

    // Up to the end of the element.
    private bool ReadContent(Vr vr)
    {
        var (values, hasOther) = (0, false);
        while (xml.NodeType != XmlNodeType.EndElement)
        {
            if (xml.NodeType != XmlNodeType.Element)
            {
                xml.Read();
                continue;
            }
            switch (xml.LocalName)
            {
                case NativeDicomModel.Name or NativeDicomModel.Value when !hasOther:
                    if (!BeginValue(ref values)) return false;
                    if (xml.LocalName == NativeDicomModel.Name) ReadName();
                    else WriteText(xml.ReadElementContentAsString());
                    break;
                case BulkData when values == 0 && !hasOther:
                    if (xml.GetAttribute("uri") is not { Length: > 0 } uri) return Fail("has a BulkData without uri");
                    json.WriteString("BulkDataURI"u8, uri);
                    hasOther = true;
                    xml.Skip();
                    break;
                case InlineBinary when values == 0 && !hasOther:
                    var base64 = xml.ReadElementContentAsString();
                    json.WriteString("InlineBinary"u8, base64.AsSpan()
                        .ContainsAny(" \t\r\n") ? string.Concat(base64.Where(c => !char.IsWhiteSpace(c))) : base64);
                    hasOther = true;
                    break;
                case NativeDicomModel.Name or NativeDicomModel.Value or BulkData or InlineBinary:
                    return Fail("has more than one value");
                case "DataFragment":
                    return Fail("has fragments inside the XML; send them as bulk data");
                default:
                    if (vr != Vr.SQ && xml.LocalName == Item) return Fail("has items but is no sequence");
                    xml.Skip();
                    break;
            }
        }
        if (values > 0) json.WriteEndArray();
        return true;
    }

    // Values are numbered from 1 (PS3.19 table A.1.5-3); a number that is left out is an empty value.
    private bool BeginValue(ref int values)
    {
        if (values == 0) json.WriteStartArray("Value"u8);
        var number = values + 1;
        if (xml.GetAttribute("number") is { } text
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) || number <= values || number > values + MaxGap))
            return Fail("has a value whose number does not follow");
        for (values++; values < number; values++) json.WriteNullValue();
        return true;
    }

    private void WriteText(string text)
    {
        if (text.Length == 0) json.WriteNullValue();
        else json.WriteStringValue(text);
        if (json.BytesPending > FlushBytes) json.Flush();
    }

    private void ReadName()
    {
        json.WriteStartObject();
        if (!xml.IsEmptyElement)
        {
            xml.Read();
            while (xml.NodeType != XmlNodeType.EndElement)
            {
                if (xml.NodeType != XmlNodeType.Element) xml.Read();
                else if (Array.IndexOf(Groups, xml.LocalName) is >= 0 and var group) ReadGroup(Groups[group]);
                else xml.Skip();
            }
        }
        xml.Read();
        json.WriteEndObject();
    }

    private void ReadGroup(string name)
    {
        var components = new string[Components.Length];
        var count = 0;
        if (!xml.IsEmptyElement)
        {
            xml.Read();
            while (xml.NodeType != XmlNodeType.EndElement)
            {
                if (xml.NodeType != XmlNodeType.Element) xml.Read();
                else if (Array.IndexOf(Components, xml.LocalName) is >= 0 and var component)
                {
                    components[component] = xml.ReadElementContentAsString();
                    count = Math.Max(count, component + 1);
                }
                else xml.Skip();
            }
        }
        xml.Read();
        json.WriteString(name, string.Join('^', components, 0, count));
    }
}
