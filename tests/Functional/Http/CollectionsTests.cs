using System.Net;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Http;

/// <summary>All bulk data, and all pixel data, of a study, a series or an instance (D4.5).</summary>
public sealed class CollectionsTests : IAsyncLifetime
{
    private const string Jpeg = "1.2.840.10008.1.2.4.50", ExplicitLittle = "1.2.840.10008.1.2.1",
        Octets = "multipart/related; type=\"application/octet-stream\"";
    private static readonly byte[] Pixels = [.. Enumerable.Range(0, 24).Select(i => (byte)i)];
    private static readonly byte[] Document = [.. Enumerable.Range(0, 3000).Select(i => (byte)(i * 7))];
    private Server server = null!;

    public async ValueTask InitializeAsync() => server = await Server.StartAsync();

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    private static string Url(string series, string sop) => $"/studies/1.2/series/{series}/instances/{sop}";

    private async Task StoreAsync(params byte[][] files)
    {
        using var response = await server.StoreAsync(files);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private Task StoreMixedAsync() => StoreAsync(
        Server.Image("1.2", "1.2.1", "1.2.1.1").Add(0x00090010, "LO", "ACME").Add(0x00091001, "OB", Document).ToFile(),
        RetrieveTests.Compressed("1.2", "1.2.2", "1.2.2.1", frames: 3),
        TestObject.Of("1.2", "1.2.3", "1.2.3.1").Add(0x00420011, "OB", Document).ToFile(),
        TestObject.Of("1.2", "1.2.4", "1.2.4.1").ToFile());

    private static string Location(string headers) => headers.Split("Content-Location: ")[1].Split("\r\n")[0];

    [Fact]
    public async Task All_bulk_data_of_a_study_are_what_their_uris_give()
    {
        await StoreMixedAsync();
        foreach (var accept in new[] { null, "*/*", Octets, "multipart/related", "multipart/related; type=application/octet-stream; transfer-syntax=*" })
        {
            using var response = await server.GetAsync("/studies/1.2/bulkdata", accept);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("private, no-cache", Assert.Single(response.Headers.NonValidated["Cache-Control"]));
            var parts = await Server.PartsAsync(response);
            Assert.Equal(
                new[] { Url("1.2.1", "1.2.1.1") + "/bulkdata/00091001", Url("1.2.1", "1.2.1.1") + "/bulkdata/7FE00010",
                    Url("1.2.2", "1.2.2.1") + "/bulkdata/7FE00010", Url("1.2.3", "1.2.3.1") + "/bulkdata/00420011" }
                    .Select(path => server.Base + path), parts.Select(part => Location(part.Headers)));
            foreach (var (headers, content) in parts)
            {
                var single = await Server.PartsAsync(await server.GetAsync(Location(headers), Octets));
                Assert.Equal(single[0].Content, content);
                Assert.Contains($"Content-Length: {content.Length}", headers);
            }
        }
        Assert.Equal(2, (await Server.PartsAsync(await server.GetAsync("/studies/1.2/series/1.2.1/bulkdata"))).Count);
        Assert.Single(await Server.PartsAsync(await server.GetAsync(Url("1.2.3", "1.2.3.1") + "/bulkdata")));
    }

    [Fact]
    public async Task Pixel_data_are_values_where_they_are_native_and_frames_where_they_are_compressed()
    {
        await StoreMixedAsync();
        var parts = await Server.PartsAsync(await server.GetAsync("/studies/1.2/pixeldata"));
        Assert.Equal(Pixels, parts[0].Content);
        Assert.Equal($"Content-Type: application/octet-stream; transfer-syntax={ExplicitLittle}\r\nContent-Length: 24\r\nContent-Location: "
            + $"{server.Base}{Url("1.2.1", "1.2.1.1")}/bulkdata/7FE00010", parts[0].Headers);
        for (var frame = 1; frame <= 3; frame++)
        {
            Assert.Equal([0xFF, 0xD8, (byte)frame, 2, 0xFF, 0xD9], parts[frame].Content);
            Assert.Equal($"Content-Type: image/jpeg; transfer-syntax={Jpeg}\r\nContent-Length: 6\r\nContent-Location: "
                + $"{server.Base}{Url("1.2.2", "1.2.2.1")}/frames/{frame}", parts[frame].Headers);
        }
        Assert.Equal(4, parts.Count);
        var stored = await Server.PartsAsync(await server.GetAsync("/studies/1.2/pixeldata", Octets + "; transfer-syntax=*"));
        Assert.Equal(["application/octet-stream; transfer-syntax=" + ExplicitLittle,
            .. Enumerable.Repeat("application/octet-stream; transfer-syntax=" + Jpeg, 3)],
            stored.Select(part => part.Headers.Split("\r\n")[0]["Content-Type: ".Length..]));
        Assert.Equal(3, (await Server.PartsAsync(await server.GetAsync("/studies/1.2/series/1.2.2/pixeldata", "multipart/related; type=\"image/jpeg\"")))
            .Count);
    }

    [Fact]
    public async Task Pixel_data_that_cannot_be_given_as_asked_for_make_206_or_406()
    {
        await StoreMixedAsync();
        using var native = await server.GetAsync("/studies/1.2/pixeldata", Octets);
        Assert.Equal(HttpStatusCode.PartialContent, native.StatusCode);
        Assert.Contains("1 of 2 instances", Assert.Single(native.Headers.NonValidated["Warning"]));
        Assert.Equal(Pixels, Assert.Single(await Server.PartsAsync(native)).Content);
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable,
            await server.GetAsync("/studies/1.2/series/1.2.2/pixeldata", Octets), "transfer-syntax=*");
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable, await server.GetAsync("/studies/1.2/pixeldata", "multipart/related; type=\"image/jls\""));
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable, await server.GetAsync("/studies/1.2/bulkdata", "image/jpeg"), "multipart/related");
        await Server.AssertProblemAsync(HttpStatusCode.BadRequest, await server.GetAsync("/studies/1..2/pixeldata"));
    }

    [Fact]
    public async Task Nothing_to_give_is_204()
    {
        await StoreMixedAsync();
        foreach (var path in new[] { "/studies/1.2/series/1.2.4/bulkdata", "/studies/1.2/series/1.2.4/pixeldata",
            Url("1.2.4", "1.2.4.1") + "/bulkdata", "/studies/1.2/series/1.2.3/pixeldata" })
        {
            using var response = await server.GetAsync(path);
            Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        }
    }

    [Theory]
    [InlineData(0x7FE00008u, "OF", 1)]
    [InlineData(0x7FE00009u, "OD", 1)]
    [InlineData(0x7FE00008u, "OF", 200)]
    public async Task Float_pixel_data_count_too(uint tag, string vr, int rows)
    {
        var value = new byte[rows * 4 * (vr == "OF" ? 4 : 8)];
        new Random(1).NextBytes(value);
        await StoreAsync(TestObject.Of("1.2", "1.2.1", "1.2.1.1").Add(0x00280002, "US", [1, 0])
            .Add(0x00280010, "US", [(byte)rows, 0]).Add(0x00280011, "US", [4, 0]).Add(tag, vr, value).ToFile());
        var part = Assert.Single(await Server.PartsAsync(await server.GetAsync("/studies/1.2/pixeldata")));
        Assert.Equal(value, part.Content);
    }

    [Fact]
    public async Task Big_endian_values_come_little_endian_and_deflated_ones_inflated()
    {
        var image = Server.Image("1.2", "1.2.1", "1.2.1.1").ToFile();
        foreach (var syntax in new[] { TransferSyntax.ExplicitVrBigEndian, TransferSyntax.DeflatedExplicitVrLittleEndian })
        {
            await using var other = await Server.StartAsync();
            using var converted = new MemoryStream();
            Assert.Null(await TransferSyntaxConverter.ConvertAsync(new MemoryStream(image), converted, syntax));
            (await other.StoreAsync(converted.ToArray())).Dispose();
            Assert.Equal(Pixels, Assert.Single(await Server.PartsAsync(await other.GetAsync("/studies/1.2/pixeldata"))).Content);
            Assert.Equal(Pixels, Assert.Single(await Server.PartsAsync(await other.GetAsync("/studies/1.2/bulkdata"))).Content);
        }
    }

    [Fact]
    public Task The_bulk_data_of_a_study_start_before_they_are_read_and_reading_stops_when_the_client_leaves() =>
        Streaming.AssertAsync("/studies/1.2/bulkdata", null, 60);
}
