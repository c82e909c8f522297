using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Http;

/// <summary>Metadata and bulk data (PS3.18 8.6.1.2, 10.5.1), single metadata, PUT, and answers in XML.</summary>
public sealed class StowMetadataTests : IAsyncLifetime
{
    private static readonly XNamespace Native = "http://dicom.nema.org/PS3.19/models/NativeDICOM";
    private Server server = null!;

    public async ValueTask InitializeAsync() => server = await Server.StartAsync(("Archive:BulkSpoolMiB", "2"));

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    [Theory]
    [InlineData("http://elsewhere/bulk/1", "Content-Location: http://elsewhere/bulk/1")]
    [InlineData("bulk/1", "Content-Location: bulk/1")]
    [InlineData("./bulk/../bulk/1", "content-location: bulk/1")]
    [InlineData("cid:one%40x", "Content-ID: <one@x>")]
    public async Task Bulk_data_is_found_by_what_its_uri_names(string uri, string header)
    {
        var pixels = Enumerable.Range(0, 24).Select(i => (byte)i).ToArray();
        using var response = await SendAsync("json", Part("application/dicom+json", $"[{Json("1.2.1", $$"""
            ,"00280002":{"vr":"US","Value":[1]},"00280010":{"vr":"US","Value":[3]},"00280011":{"vr":"US","Value":[4]},"00280100":{"vr":"US",
            "Value":[16]},"00200013":{"vr":"IS","Value":[7]},"7FE00010":{"vr":"OW","BulkDataURI":"{{uri}}"}
            """)}]"), Part("application/octet-stream", pixels, header));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var scan = await StoredAsync("1.2.1");
        Assert.Equal(TransferSyntax.ExplicitVrLittleEndian.Uid, scan.Result!.FileMeta.TransferSyntax);
        Assert.Equal("1.2.1", scan.Result.FileMeta.MediaStorageSopInstance!.Value.Value);
        Assert.Empty(scan.Result.Warnings);
        using var frame = await server.GetAsync("/studies/1.2/series/1.2/instances/1.2.1/frames/1", "application/octet-stream");
        Assert.Equal(pixels, await frame.Content.ReadAsByteArrayAsync());
        Assert.Equal("7 ", Encoding.ASCII.GetString(scan.Result.DataSet.ValueOf(Tags.InstanceNumber).Span));
    }

    [Theory]
    [InlineData("json")]
    [InlineData("xml")]
    public async Task Frames_become_fragments_with_an_offset_table(string form)
    {
        const string element = ""","00280008":{"vr":"IS","Value":[3]},"7FE00010":{"vr":"OB","BulkDataURI":"x/frames"}""";
        byte[][] frames = [[1, 2, 3], [4, 5, 6, 7], [8]];
        var parts = frames.Select((frame, i) => Part("image/dicom-rle; transfer-syntax=1.2.840.10008.1.2.5", frame, $"Content-Location: x/frames/{i + 1}"))
            .ToList();
        parts.Reverse(); // any order
        using var response = await SendAsync(form, [Metadata(form, Json("1.2.2", element)), .. parts]);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var scan = await StoredAsync("1.2.2");
        Assert.Equal(TransferSyntax.RleLossless.Uid, scan.Result!.FileMeta.TransferSyntax);
        Assert.Equal(3, scan.Result.Frames!.Count);
        for (var i = 0; i < 3; i++)
        {
            using var frame = await server.GetAsync($"/studies/1.2/series/1.2/instances/1.2.2/frames/{i + 1}", "*/*");
            var content = (await Server.PartsAsync(frame)).Single().Content;
            Assert.Equal(frames[i], content[..frames[i].Length]);
            Assert.Equal(frames[i].Length + (frames[i].Length & 1), content.Length);
        }
    }

    [Fact]
    public async Task Frames_may_share_one_location_in_their_order()
    {
        using var response = await SendAsync("json",
            Part("application/dicom+json", Json("1.2.3", ""","00280008":{"vr":"IS","Value":[2]},"7FE00010":{"vr":"OB","BulkDataURI":"p"}""")),
            Part("image/jp2", [1, 2], "Content-Location: p"), Part("image/jp2", [3, 4], "Content-Location: p"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var scan = await StoredAsync("1.2.3");
        Assert.Equal("1.2.840.10008.1.2.4.90", scan.Result!.FileMeta.TransferSyntax!.Value.Value);
        Assert.Equal(2, scan.Result.Frames!.Count);
    }

    [Fact]
    public async Task An_instance_without_its_bulk_data_fails_alone_and_names_the_element()
    {
        using var response = await SendAsync("json",
            Part("application/dicom+json", $"[{Json("1.2.4", ""","00420011":{"vr":"OB","BulkDataURI":"missing"}""")},{Json("1.2.5", "")}]"),
            Part("application/pdf", [1], "Content-Location: other"));
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var module = await Server.JsonAsync(response);
        Assert.Equal("1.2.5", Text(module, "00081199", "00081155"));
        Assert.Equal("1.2.4", Text(module, "00081198", "00081155"));
        var warnings = string.Join('\n', response.Headers.NonValidated["Warning"]);
        Assert.Contains("Instance 1: Element 00420011: no part", warnings);
        Assert.Contains("Bulk data part 1 is named by no BulkDataURI", warnings);
    }

    [Theory]
    [InlineData("json", """,  "00280010":{"vr":"US","Value":[70000]}""", "00280010")]
    [InlineData("json", ""","00081140":{"vr":"SQ","Value":[{},{"00081155":{"vr":"UI","Value":[5]}}]}""", "00081140/2/00081155")]
    [InlineData("xml", ""","00280010":{"vr":"US","Value":[70000]}""", "00280010")]
    public async Task A_wrong_value_fails_one_instance_and_names_its_place(string form, string element, string path)
    {
        using var response = await SendAsync(form, Metadata(form, Json("1.2.6", element)), Metadata(form, Json("1.2.7", "")));
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var module = await Server.JsonAsync(response);
        Assert.Equal("1.2.6", Text(module, "00081198", "00081155"));
        Assert.Equal("1.2.7", Text(module, "00081199", "00081155"));
        Assert.Contains($"Element {path}: has a value that", string.Join('\n', response.Headers.NonValidated["Warning"]));
    }

    [Theory]
    [InlineData("application/dicom+json")]
    [InlineData("application/dicom+xml")]
    public async Task One_metadata_body_is_an_object(string contentType)
    {
        var json = Json("1.2.8", ""","00420011":{"vr":"OB","InlineBinary":"AQID"},"00101030":{"vr":"DS","Value":[70.50]}""");
        using var response = await server.PostAsync("/studies/1.2", contentType,
            contentType.EndsWith("xml", StringComparison.Ordinal) ? Xml(json) : Encoding.UTF8.GetBytes(json));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var scan = await StoredAsync("1.2.8");
        Assert.Equal([1, 2, 3, 0], scan.Result!.DataSet.ValueOf(new Tag(0x00420011)).ToArray());
        Assert.Equal("70.50 ", Encoding.ASCII.GetString(scan.Result.DataSet.ValueOf(new Tag(0x00101030)).Span));
    }

    [Fact]
    public async Task A_character_set_that_is_changed_is_a_coercion_in_the_object_and_in_the_answer()
    {
        var json = Json("1.2.9", ""","00080005":{"vr":"CS","Value":["ISO_IR 100"]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"MÜLLER^JÖRG"}]}""");
        using var response = await server.PostAsync("/studies", "application/dicom+json", Encoding.UTF8.GetBytes(json));
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var item = (await Server.JsonAsync(response)).GetProperty("00081199").GetProperty("Value")[0];
        Assert.Equal(45056, item.GetProperty("00081196").GetProperty("Value")[0].GetInt32());
        using var back = await server.GetAsync("/studies/1.2/series/1.2/instances/1.2.9/metadata");
        var stored = (await Server.JsonAsync(back))[0];
        Assert.Equal(item.GetProperty("04000561").GetRawText(), stored.GetProperty("04000561").GetRawText());
        var original = stored.GetProperty("04000561").GetProperty("Value")[0];
        Assert.Equal("COERCE", original.GetProperty("04000565").GetProperty("Value")[0].GetString());
        Assert.Equal("DicomServerless", original.GetProperty("04000563").GetProperty("Value")[0].GetString());
        Assert.StartsWith("20", original.GetProperty("04000562").GetProperty("Value")[0].GetString());
        Assert.Equal("{\"vr\":\"LO\"}", original.GetProperty("04000564").GetRawText());
        using var scan = await StoredAsync("1.2.9");
        Assert.Equal("ISO_IR 192", Encoding.ASCII.GetString(scan.Result!.DataSet.ValueOf(Tags.SpecificCharacterSet).Span));
        Assert.Equal("MÜLLER^JÖRG", Encoding.UTF8.GetString(scan.Result.DataSet.ValueOf(Tags.PatientName).Span).TrimEnd());
        Assert.True(scan.Result.DataSet.TryGet(Tags.OriginalAttributesSequence, out var sequence));
        Assert.True(sequence.Items.Single().TryGet(Tags.ModifiedAttributesSequence, out var modified));
        Assert.Equal("ISO_IR 100", Encoding.ASCII.GetString(modified.Items.Single().ValueOf(Tags.SpecificCharacterSet).Span));
    }

    [Fact]
    public async Task Texts_of_ascii_keep_their_character_set()
    {
        var json = Json("1.2.10", ""","00080005":{"vr":"CS","Value":["ISO_IR 100"]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"SMITH^ANNE"}]}""");
        using var response = await server.PostAsync("/studies", "application/dicom+json", Encoding.UTF8.GetBytes(json));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var scan = await StoredAsync("1.2.10");
        Assert.Equal("ISO_IR 100", Encoding.ASCII.GetString(scan.Result!.DataSet.ValueOf(Tags.SpecificCharacterSet).Span));
        Assert.False(scan.Result.DataSet.Contains(Tags.OriginalAttributesSequence));
    }

    [Fact]
    public async Task Large_bulk_data_goes_over_the_disk_and_comes_back_whole()
    {
        var bytes = new byte[1_500_001];
        new Random(1).NextBytes(bytes);
        using var response = await SendAsync("json", Part("application/dicom+json", Json("1.2.11", ""","00420011":{"vr":"OB","BulkDataURI":"d"}""")),
            Part("application/octet-stream", bytes, "Content-Location: d"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var back = await server.GetAsync("/studies/1.2/series/1.2/instances/1.2.11/bulkdata/00420011", "application/octet-stream");
        Assert.Equal([.. bytes, 0], await back.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Bulk_data_that_never_fit_are_refused_for_good_and_only_their_instance_fails()
    {
        using var response = await SendAsync("json",
            Part("application/dicom+json", $"[{Json("1.2.12", ""","00420011":{"vr":"OB","BulkDataURI":"d"}""")},{Json("1.2.13", "")}]"),
            Part("application/octet-stream", new byte[3_000_000], "Content-Location: d"));
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.Equal(0xC413, (await Server.JsonAsync(response)).GetProperty("00081198")
            .GetProperty("Value")[0].GetProperty("00081197").GetProperty("Value")[0].GetInt32());
        await Large_bulk_data_goes_over_the_disk_and_comes_back_whole(); // the disk was given back
    }

    [Fact]
    public async Task A_put_makes_an_instance_and_then_replaces_it()
    {
        const string path = "/studies/1.5/series/1.5.1/instances/1.5.1.1";
        using var created = await PutAsync(path, Server.Image("1.5", "1.5.1", "1.5.1.1").ToFile());
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal(server.Base + path, created.Headers.Location!.ToString());
        var second = Server.Image("1.5", "1.5.1", "1.5.1.1").Add(0x00104000, "LT", "other").ToFile();
        Assert.Equal(HttpStatusCode.OK, (await PutAsync(path, second)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await PutAsync(path, second)).StatusCode);
        using var back = await server.GetAsync(path, "application/dicom; transfer-syntax=*");
        Assert.Equal(second, await back.Content.ReadAsByteArrayAsync());
        using var kept = await PutAsync(path, Server.Image("1.5", "1.5.1", "1.5.1.1").ToFile(), ("Duplicate-Policy", "reject"));
        Assert.Equal(HttpStatusCode.Conflict, kept.StatusCode);
    }

    [Theory]
    [InlineData("1.6", "1.6.1", "1.6.1.2")]
    [InlineData("1.6", "1.6.2", "1.6.1.1")]
    [InlineData("1.7", "1.6.1", "1.6.1.1")]
    public async Task A_put_of_another_instance_is_409_and_stores_nothing(string study, string series, string sop)
    {
        using var response = await PutAsync("/studies/1.6/series/1.6.1/instances/1.6.1.1", Server.Image(study, series, sop).ToFile());
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal(0xC409, (await Server.JsonAsync(response)).GetProperty("00081198")
            .GetProperty("Value")[0].GetProperty("00081197").GetProperty("Value")[0].GetInt32());
        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync("/studies/" + study)).StatusCode);
    }

    [Fact]
    public async Task A_store_answers_in_xml_when_asked()
    {
        using var response = await server.PostAsync("/studies", "application/dicom",
            Server.Image("1.8", "1.8.1", "1.8.1.1").ToFile(), ("Accept", "application/dicom+xml"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/dicom+xml", response.Content.Headers.ContentType!.ToString());
        var root = XDocument.Parse(await response.Content.ReadAsStringAsync()).Root!;
        Assert.Equal(Native + "NativeDicomModel", root.Name);
        var referenced = root.Elements().Single(element => (string?)element.Attribute("keyword") == "ReferencedSOPSequence").Element(Native + "Item")!;
        Assert.Equal("1.8.1.1", referenced.Elements().Single(element => (string?)element.Attribute("tag") == "00081155").Value);
    }

    [Fact]
    public async Task Metadata_and_results_come_in_xml_with_a_version_of_their_own()
    {
        await server.StoreAsync(Server.Image("1.9", "1.9.1", "1.9.1.1").ToFile(), Server.Image("1.9", "1.9.1", "1.9.1.2").ToFile());
        using var json = await server.GetAsync("/studies/1.9/metadata");
        using var xml = await server.GetAsync("/studies/1.9/metadata", "multipart/related; type=\"application/dicom+xml\"");
        Assert.NotEqual(json.Headers.ETag, xml.Headers.ETag);
        Assert.Equal(["1.9.1.1", "1.9.1.2"], (await Server.PartsAsync(xml)).Select(part => Value(part.Content, "SOPInstanceUID")));
        using var several = await server.GetAsync("/studies/1.9/metadata", "application/dicom+xml");
        Assert.Equal(2, (await Server.PartsAsync(several)).Count);
        using var one = await server.GetAsync("/studies/1.9/series/1.9.1/instances/1.9.1.1/metadata", "application/dicom+xml");
        Assert.Equal("application/dicom+xml", one.Content.Headers.ContentType!.ToString());
        Assert.Equal("1.9.1.1", Value(await one.Content.ReadAsByteArrayAsync(), "SOPInstanceUID"));
        using var same = await server.GetAsync("/studies/1.9/metadata",
            "multipart/related; type=\"application/dicom+xml\"", ("If-None-Match", xml.Headers.ETag!.ToString()));
        Assert.Equal(HttpStatusCode.NotModified, same.StatusCode);
        using var found = await server.GetAsync("/instances?StudyInstanceUID=1.9", "multipart/related; type=\"application/dicom+xml\"");
        Assert.Equal(["1.9.1.1", "1.9.1.2"], (await Server.PartsAsync(found)).Select(part => Value(part.Content, "SOPInstanceUID")));
        using var studies = await server.GetAsync("/studies?StudyInstanceUID=1.9", "application/dicom+xml");
        Assert.Equal("SMITH", XDocument.Parse(await studies.Content.ReadAsStringAsync()).Descendants(Native + "FamilyName").Single().Value);
    }

    private static string Value(byte[] xml, string keyword) => XDocument.Load(new MemoryStream(xml))
        .Root!.Elements().Single(element => (string?)element.Attribute("keyword") == keyword).Value;

    private static string Json(string sop, string more) => $$"""
        {"00080016":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.7"]},"00080018":{"vr":"UI","Value":["{{sop}}"]},"0020000D":{"vr":"UI",
        "Value":["1.2"]},"0020000E":{"vr":"UI","Value":["1.2"]}{{more}}}
        """;

    private static byte[] Xml(string json)
    {
        var document = new MemoryStream();
        DicomXmlWriter.Write(Encoding.UTF8.GetBytes(json), document);
        return document.ToArray();
    }

    private static byte[] Metadata(string form, string json) => form == "xml" ? Part("application/dicom+xml", Xml(json)) : Part("application/dicom+json", json);

    private static byte[] Part(string type, string text) => Part(type, Encoding.UTF8.GetBytes(text));

    private static byte[] Part(string type, byte[] content, params string[] headers) =>
        [.. Encoding.ASCII.GetBytes($"\r\n--b0undary\r\nContent-Type: {type}\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n"), .. content];

    private Task<HttpResponseMessage> SendAsync(string form, params byte[][] parts) =>
        server.PostAsync("/studies", $"multipart/related; type=\"application/dicom+{form}\"; boundary=b0undary",
            [.. parts.SelectMany(part => part), .. "\r\n--b0undary--\r\n"u8]);

    private async Task<HttpResponseMessage> PutAsync(string path, byte[] body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "/dicomweb" + path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/dicom");
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await server.Client.SendAsync(request);
    }

    private async Task<InstanceScanner> StoredAsync(string sop)
    {
        using var response = await server.GetAsync($"/studies/1.2/series/1.2/instances/{sop}", "application/dicom; transfer-syntax=*");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var scanner = new InstanceScanner(new ScanOptions { BulkThreshold = int.MaxValue });
        Assert.NotEqual(ScanStatus.Refused, scanner.Push(await response.Content.ReadAsByteArrayAsync()));
        Assert.Equal(ScanStatus.Complete, scanner.Complete());
        return scanner;
    }

    private static string Text(JsonElement module, string sequence, string tag) =>
        module.GetProperty(sequence).GetProperty("Value")[0].GetProperty(tag).GetProperty("Value")[0].GetString()!;
}
