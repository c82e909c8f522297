using System.Globalization;
using System.Text;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Http;

/// <summary>What clients send as Accept, and what each kind of resource answers: type by type, as header and as query parameter.</summary>
public sealed class AcceptMatrixTests(ITestOutputHelper output)
{
    private const string Study = "1.2", Series = "1.2.3";

    // The kinds of resources, by the column of the table.
    private static readonly (string Column, string[] Paths)[] Kinds =
    [
        ("search", ["/studies", "/series", "/instances", "/studies/1.2/series", "/studies/1.2/instances", "/studies/1.2/series/1.2.3/instances"]),
        ("metadata", ["/studies/1.2/metadata", "/studies/1.2/series/1.2.3/metadata"]),
        ("metadata of one", ["/studies/1.2/series/1.2.3/instances/1.2.3.1/metadata"]),
        ("objects", ["/studies/1.2", "/studies/1.2/series/1.2.3"]),
        ("object", ["/studies/1.2/series/1.2.3/instances/1.2.3.1"]),
        ("frame", ["/studies/1.2/series/1.2.3/instances/1.2.3.1/frames/1"]),
        ("frames", ["/studies/1.2/series/1.2.3/instances/1.2.3.3/frames/1,2"]),
        ("jpeg frame", ["/studies/1.2.840.113619.2.30.1.1762295590.1623.978668949.886/series/1.2.840.113619.2.30.1.1762295590.1623.978668949.890"
            + "/instances/1.2.276.0.7230010.3.1.4.8323329.29253.1531935570.247758/frames/1"]),
        ("bulk", ["/studies/1.2/series/1.2.3/instances/1.2.3.1/bulkdata/7FE00010"]),
        ("pdf", ["/studies/1.9/rendered", "/studies/1.9/series/1.9.3/rendered", "/studies/1.9/series/1.9.3/instances/1.9.3.1/rendered"]),
        ("store", ["POST"]),
        ("all bulk data", ["/studies/1.2/bulkdata", "/studies/1.2/series/1.2.3/bulkdata", "/studies/1.2/series/1.2.3/instances/1.2.3.1/bulkdata"]),
        ("all pixel data", ["/studies/1.2/pixeldata", "/studies/1.2/series/1.2.3/pixeldata", "/studies/1.2/series/1.2.3/instances/1.2.3.1/pixeldata"]),
        ("rendered image", ["/studies/1.2/rendered", "/studies/1.2/series/1.2.3/rendered",
            "/studies/1.2/series/1.2.3/instances/1.2.3.1/rendered", "/studies/1.2/series/1.2.3/instances/1.2.3.1/frames/1/rendered"]),
        ("thumbnail", ["/studies/1.2/thumbnail", "/studies/1.2/series/1.2.3/thumbnail",
            "/studies/1.2/series/1.2.3/instances/1.2.3.1/thumbnail", "/studies/1.2/series/1.2.3/instances/1.2.3.1/frames/1/thumbnail"]),
        ("wado", ["/wado?requestType=WADO&studyUID=1.2&seriesUID=1.2.3&objectUID=1.2.3.1"]),
        ("capabilities", ["/capabilities"]),
        ("json documents", ["/openapi.json", "/querytags"]),
    ];

    [Fact]
    public async Task Every_accept_value_gets_the_type_or_the_status_that_the_table_says()
    {
        await using var server = await Server.StartAsync();
        await StoreAsync(server);
        var table = await File.ReadAllLinesAsync(Path.Combine(Repository.Root, "tests/Functional/Http/accept-matrix.tsv"));
        Assert.Equal(["accept", .. Kinds.Select(kind => kind.Column)], table[0].Split('\t'));
        var (rows, cells, wrong) = (0, 0, new List<string>());
        var found = new List<string> { table[0] };
        foreach (var line in table.Skip(1).Where(line => line.Length > 0))
        {
            var columns = line.Split('\t');
            var accept = columns[0];
            var actual = new List<string>();
            for (var i = 0; i < Kinds.Length; i++)
            {
                var expected = i + 1 < columns.Length ? columns[i + 1] : "";
                foreach (var path in Kinds[i].Paths)
                {
                    var asHeader = await AskAsync(server, path, accept, null);
                    // The parameter comes first (PS3.18 8.7.8.1); the header beside it is of something that nobody has.
                    var asParameter = path == "POST" || accept == "(none)" ? asHeader : await AskAsync(server, path, "x-nobody/has-this", accept);
                    cells += 2;
                    if (actual.Count == i) actual.Add(asHeader);
                    if (asHeader != expected || asParameter != expected)
                        wrong.Add($"{accept}\t{path}: {asHeader} as header, {asParameter} as parameter; the table says {expected}");
                }
            }
            found.Add(accept + "\t" + string.Join('\t', actual));
            rows++;
        }
        if (Environment.GetEnvironmentVariable("UPDATE_TABLES") == "1")
            await File.WriteAllLinesAsync(Path.Combine(Repository.Root, "tests/Functional/Http/accept-matrix.tsv"), found);
        output.WriteLine($"{rows} values, {cells} answers");
        Assert.True(rows >= 60);
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static async Task StoreAsync(Server server)
    {
        var image = Image("1.2.3.1").Add(0x7FE00010, "OW", new byte[1600]);
        var frames = Image("1.2.3.3").Add(0x00280008, "IS", "2").Add(0x7FE00010, "OW", new byte[3200]);
        var pdf = TestObject.Of("1.9", "1.9.3", "1.9.3.1").Add(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.104.1")
            .Add(0x00420011, "OB", [.. "%PDF-1.4 "u8, .. new byte[3000]]).Add(0x00420012, "LO", "application/pdf");
        var jpeg = await File.ReadAllBytesAsync(Path.Combine(Repository.Root, "tests/Viewer/Samples/ct-jpeg-baseline.dcm"));
        var other = TestObject.Of(Study, "1.2.4", "1.2.4.1");
        using var stored = await server.StoreAsync(image.ToFile(), frames.ToFile(), other.ToFile(), pdf.ToFile(), jpeg);
        Assert.True(stored.IsSuccessStatusCode, await stored.Content.ReadAsStringAsync());
    }

    private static TestObject Image(string sop) => TestObject.Of(Study, Series, sop)
        .Add(0x00280002, "US", [1, 0]).Add(0x00280004, "CS", "MONOCHROME2").Add(0x00280010, "US", [40, 0]).Add(0x00280011, "US", [40, 0])
            .Add(0x00280100, "US", [8, 0]).Add(0x00280101, "US", [8, 0]).Add(0x00280102, "US", [7, 0]).Add(0x00280103, "US", [0, 0]);

    // A short name of the answer's type, or its status.
    private static async Task<string> AskAsync(Server server, string path, string accept, string? parameter)
    {
        using var request = path == "POST"
            ? new HttpRequestMessage(HttpMethod.Post, "/dicomweb/studies") { Content = new ByteArrayContent(TestObject.Of("1.5", "1.5.1", "1.5.1.1").ToFile()) }
            : new HttpRequestMessage(HttpMethod.Get,
                "/dicomweb" + path + (parameter is null ? "" : (path.Contains('?') ? "&accept=" : "?accept=") + Uri.EscapeDataString(parameter)));
        if (path == "POST") request.Content!.Headers.TryAddWithoutValidation("Content-Type", "application/dicom");
        if (accept != "(none)") request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await server.Client.SendAsync(request);
        if (!response.IsSuccessStatusCode) return ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture);
        var type = response.Content.Headers.ContentType!;
        if (type.MediaType != "multipart/related") return type.MediaType!;
        Assert.Contains(type.Parameters, parameter => parameter.Name == "boundary");
        return "parts of " + type.Parameters.Single(item => item.Name == "type").Value!.Trim('"');
    }
}
