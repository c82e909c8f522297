using System.Text;
using System.Xml.Linq;
using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom.Xml;

/// <summary>The Native DICOM Model (PS3.19 A.1): what it says of JSON, and what it is read as.</summary>
public sealed class DicomXmlTests
{
    private static readonly XNamespace Native = "http://dicom.nema.org/PS3.19/models/NativeDICOM";

    [Fact]
    public void An_element_has_tag_vr_and_keyword_and_numbered_values()
    {
        var element = Write("""{"00080008":{"vr":"CS","Value":["A",null,"B"]}}""").Elements().Single();
        Assert.Equal(("00080008", "CS", "ImageType"),
            ((string?)element.Attribute("tag"), (string?)element.Attribute("vr"), (string?)element.Attribute("keyword")));
        Assert.Equal(["1=A", "2=", "3=B"], element.Elements(Native + "Value").Select(value => $"{value.Attribute("number")!.Value}={value.Value}"));
        Assert.Equal("preserve", Write("{}").Attribute(XNamespace.Xml + "space")!.Value);
    }

    [Fact]
    public void A_private_element_goes_by_its_creator_and_finds_its_block_again()
    {
        const string json = """{"00090010":{"vr":"LO","Value":["A"]},"00090011":{"vr":"LO","Value":["B"]},"00091001":{"vr":"LO","Value":["1"]}"""
            + ""","00091101":{"vr":"LO","Value":["2"]}}""";
        var elements = Write(json).Elements().ToList();
        Assert.Equal(["00090010 ", "00090011 ", "00090001 A", "00090001 B"],
            elements.Select(element => $"{element.Attribute("tag")!.Value} {(string?)element.Attribute("privateCreator")}"));
        AssertSame(json);
    }

    [Fact]
    public void Two_blocks_of_one_creator_keep_their_tags() =>
        AssertSame("""{"00090010":{"vr":"LO","Value":["A"]},"00090011":{"vr":"LO","Value":["A"]},"00091001":{"vr":"LO","Value":["1"]}"""
            + ""","00091101":{"vr":"LO","Value":["2"]}}""");

    [Theory]
    [InlineData("00090001", "00090010", "00091001")] // no block: a free one
    [InlineData("00091501", "00090015", "00091501")] // its own
    public void A_creator_that_no_element_states_is_added(string tag, string creator, string element)
    {
        var dataSet = Read($"""<NativeDicomModel><DicomAttribute tag="{tag}" vr="LO" privateCreator="ACME"><Value number="1">x</Value>"""
            + $"""</DicomAttribute></NativeDicomModel>""");
        Assert.Equal([creator, element], dataSet.Select(e => e.Tag.ToString()));
        Assert.Equal("ACME", Encoding.ASCII.GetString(dataSet.First().Value.Span));
    }

    [Theory]
    [InlineData("""{"00100010":{"vr":"PN","Value":[{"Alphabetic":"A^B^^^D","Ideographic":"王^小東"},null,{"Phonetic":"X"},{"Alphabetic":"A^B^C^D^E^F"}]}}""")]
    [InlineData("""{"00100010":{"vr":"PN","Value":[{"Alphabetic":"A^^^^"}]},"00104000":{"vr":"LT","Value":[" a\r\nb\tc\\d <&>\"' "]}}""")]
    [InlineData("""{"00104000":{"vr":"LT","Value":["page\u000Cbreak\u001B"]},"00100020":{"vr":"LO","Value":["a\u0001","b"]}}""")]
    [InlineData("""{"00100010":{"vr":"PN","Value":[{"Alphabetic":"A\u0002","Phonetic":"B"},{"Alphabetic":"C"}]}}""")]
    [InlineData("""{"00101030":{"vr":"DS","Value":[0.10,1e2,null]},"00189073":{"vr":"FD","Value":["NaN","-Infinity",1.5]}"""
        + ""","00209165":{"vr":"AT","Value":["00189073"]},"0008000D":{"vr":"SV","Value":["-9223372036854775808"]}}""")]
    [InlineData("""{"00081140":{"vr":"SQ","Value":[{},{"00081155":{"vr":"UI","Value":["1.2"]}"""
        + ""","00081199":{"vr":"SQ"}},{"00090010":{"vr":"LO","Value":["A"]},"00091001":{"vr":"UN","InlineBinary":"AQI="}}]}}""")]
    [InlineData("""{"7FE00010":{"vr":"OW","BulkDataURI":"http://x/y?a=1&b=<2>"},"00280010":{"vr":"US"}}""")]
    [InlineData("{}")]
    public void What_json_says_xml_says_too(string json) => AssertSame(json);

    [Fact]
    public void A_text_that_xml_cannot_hold_is_inline_binary_of_utf8()
    {
        var element = Write("""{"00104000":{"vr":"LT","Value":["ä\u000C"]}}""").Elements().Single();
        Assert.Equal("ä\f", Encoding.UTF8.GetString(Convert.FromBase64String(element.Element(Native + "InlineBinary")!.Value)));
    }

    [Theory]
    [InlineData("", "not valid XML")]
    [InlineData("<a/>", "no root element")]
    [InlineData("<NativeDicomModel>", "not valid XML")]
    [InlineData("<NativeDicomModel/><b/>", "not valid XML")]
    [InlineData("<!DOCTYPE a [<!ENTITY x 'y'>]><NativeDicomModel/>", "without a DTD")]
    [InlineData("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><NativeDicomModel/>", "without a DTD")]
    [InlineData("<NativeDicomModel>&x;</NativeDicomModel>", "not valid XML")]
    [InlineData("""<NativeDicomModel><DicomAttribute vr="LO"/></NativeDicomModel>""", "tag is not")]
    [InlineData("""<NativeDicomModel><DicomAttribute tag="00100020" vr="XX"/></NativeDicomModel>""", "Element 00100020: has no known vr")]
    [InlineData("""<NativeDicomModel><DicomAttribute tag="00280010" vr="US"><Value number="1">70000</Value></DicomAttribute></NativeDicomModel>""",
        "Element 00280010: has a value that US cannot have")]
    [InlineData("""<NativeDicomModel><DicomAttribute tag="00100020" vr="LO"><Value number="2000000000">x</Value></DicomAttribute></NativeDicomModel>""",
        "number does not follow")]
    [InlineData("""<NativeDicomModel><DicomAttribute tag="00100020" vr="LO"><Value>x<b/></Value></DicomAttribute></NativeDicomModel>""",
        "Element 00100020: is not valid XML")]
    [InlineData("""<NativeDicomModel><DicomAttribute tag="00100020" vr="LO"/><DicomAttribute tag="00100020" vr="LO"/></NativeDicomModel>""",
        "Element 00100020: occurs twice")]
    [InlineData("""<NativeDicomModel><DicomAttribute tag="00081140" vr="SQ"><Item><DicomAttribute tag="00081155" vr="UI"><BulkData/></DicomAttribute>"""
        + """</Item></DicomAttribute></NativeDicomModel>""", "Element 00081140/1/00081155: has a BulkData without uri")]
    [InlineData("""<?xml version="1.0" encoding="no-such"?><NativeDicomModel/>""", "")]
    public void What_is_wrong_is_refused_and_named(string xml, string message)
    {
        Assert.False(DicomXmlReader.TryRead(Encoding.UTF8.GetBytes(xml), null, out _, out var error));
        Assert.Contains(message, error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Depth_elements_and_bytes_are_capped()
    {
        static string Nested(int depth) =>
            "<NativeDicomModel>" + string.Concat(Enumerable.Repeat("<DicomAttribute tag=\"00081140\" vr=\"SQ\"><Item>", depth)) + string.Concat(
            Enumerable.Repeat("</Item></DicomAttribute>", depth)) + "</NativeDicomModel>";
        Assert.True(DicomXmlReader.TryRead(Encoding.UTF8.GetBytes(Nested(10)), new DicomLimits { MaxDepth = 10 }, out _, out _));
        Assert.False(DicomXmlReader.TryRead(Encoding.UTF8.GetBytes(Nested(11)), new DicomLimits { MaxDepth = 10 }, out _, out var error));
        Assert.Contains("nested deeper than 10", error!.Message, StringComparison.Ordinal);
        Assert.False(DicomXmlReader.TryRead(Encoding.UTF8.GetBytes(Nested(100_000)), null, out _, out _));
        Assert.False(DicomXmlReader.TryRead(Encoding.UTF8.GetBytes(Nested(10)), new DicomLimits { MaxElements = 5 }, out _, out _));
        Assert.False(DicomXmlReader.TryRead(Encoding.UTF8.GetBytes(Nested(10)), new DicomLimits { MaxHeaderBytes = 100 }, out _, out _));
    }

    [Fact]
    public void Other_encodings_and_no_namespace_are_read()
    {
        const string xml = """<?xml version="1.0" encoding="utf-16"?><NativeDicomModel><DicomAttribute tag="00100020" vr="LO">"""
            + """<Value number="1">Ä</Value></DicomAttribute></NativeDicomModel>""";
        Assert.True(DicomXmlReader.TryRead(Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes(xml)).ToArray(),
            null, out var dataSet, out var error), error?.Message);
        Assert.Equal("Ä", Encoding.UTF8.GetString(dataSet.ValueOf(Tags.PatientID).Span));
    }

    private static XElement Write(string json)
    {
        var document = new MemoryStream();
        DicomXmlWriter.Write(Encoding.UTF8.GetBytes(json), document);
        document.Position = 0;
        return XDocument.Load(document, LoadOptions.PreserveWhitespace).Root!;
    }

    private static DataSet Read(string xml)
    {
        Assert.True(DicomXmlReader.TryRead(Encoding.UTF8.GetBytes(xml), null, out var dataSet, out var error), error?.Message);
        return dataSet;
    }

    private static void AssertSame(string json)
    {
        var (jsonUris, xmlUris) = (new Dictionary<string, string>(), new Dictionary<string, string>());
        var document = new MemoryStream();
        DicomXmlWriter.Write(Encoding.UTF8.GetBytes(json), document);
        Assert.True(DicomJsonReader.TryRead(Encoding.UTF8.GetBytes(json), null, out var expected, out _, jsonUris));
        Assert.True(DicomXmlReader.TryRead(document.ToArray(), null, out var actual, out var error, xmlUris), error?.Message);
        Assert.Equal(Text(expected), Text(actual));
        Assert.Equal(jsonUris, xmlUris);
    }

    private static List<string> Text(DataSet dataSet)
    {
        var (lines, open) = (new List<string>(), new Stack<DataSet>([dataSet]));
        while (open.TryPop(out var set))
            foreach (var element in set)
            {
                lines.Add($"{element.Path} {element.Vr} {Convert.ToHexString(element.Value.Span)}");
                foreach (var item in element.Items) open.Push(item);
            }
        return lines;
    }
}
