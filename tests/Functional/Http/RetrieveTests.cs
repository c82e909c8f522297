using System.Buffers.Binary;
using System.Net;
using System.Text;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Http;

/// <summary>Retrieve (D3 to D5, E1, E2): objects, metadata, frames, bulk data; and delete (D7).</summary>
public sealed class RetrieveTests : IAsyncLifetime
{
    private const string Instance = "/studies/1.2/series/1.2.1/instances/1.2.1.1",
        ExplicitLittle = "1.2.840.10008.1.2.1", Implicit = "1.2.840.10008.1.2", Jpeg = "1.2.840.10008.1.2.4.50";
    private static readonly byte[] Pixels = [.. Enumerable.Range(0, 24).Select(i => (byte)i)];
    private readonly byte[] image = Server.Image("1.2", "1.2.1", "1.2.1.1").ToFile();
    private Server server = null!;

    public async ValueTask InitializeAsync() => server = await Server.StartAsync();

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    private async Task StoreAsync(params byte[][] files)
    {
        using var response = await server.StoreAsync(files);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    // Encapsulated pixel data of one frame in one fragment.
    internal static byte[] Compressed(string study, string series, string sop, string syntax = Jpeg, int frames = 1)
    {
        List<byte> pixels = [0xE0, 0x7F, 0x10, 0, (byte)'O', (byte)'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0, 0xE0, 0, 0, 0, 0];
        for (var i = 0; i < frames; i++) pixels.AddRange([0xFE, 0xFF, 0, 0xE0, 6, 0, 0, 0, 0xFF, 0xD8, (byte)(i + 1), 2, 0xFF, 0xD9]);
        pixels.AddRange([0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
        var header = new TestObject { TransferSyntax = syntax }.Add(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7")
            .Add(0x00080018, "UI", sop).Add(0x0020000D, "UI", study).Add(0x0020000E, "UI", series)
            .Add(0x00280002, "US", [1, 0]).Add(0x00280004, "CS", "MONOCHROME2")
                .Add(0x00280008, "IS", frames.ToString(System.Globalization.CultureInfo.InvariantCulture))
            .Add(0x00280010, "US", [3, 0]).Add(0x00280011, "US", [4, 0]).Add(0x00280100, "US", [8, 0])
                .Add(0x00280101, "US", [8, 0]).Add(0x00280102, "US", [7, 0]).Add(0x00280103, "US", [0, 0]);
        return [.. header.ToFile(), .. pixels];
    }

    // The same object as implicit little endian, made by the converter, which has tests of its own.
    private static async Task<byte[]> ImplicitAsync(byte[] file)
    {
        using var output = new MemoryStream();
        Assert.Null(await TransferSyntaxConverter.ConvertAsync(new MemoryStream(file), output, TransferSyntax.ImplicitVrLittleEndian));
        return output.ToArray();
    }

    [Fact]
    public async Task A_study_comes_as_multipart_with_transfer_syntax_and_location_of_each_part()
    {
        var second = Server.Image("1.2", "1.2.1", "1.2.1.2").ToFile();
        await StoreAsync(second, image);
        using var response = await server.GetAsync("/studies/1.2");
        Assert.Contains("type=\"application/dicom\"", response.Content.Headers.ContentType!.ToString());
        Assert.Equal("no-cache, private", response.Headers.CacheControl!.ToString());
        var parts = await Server.PartsAsync(response);
        Assert.Equal([image, second], parts.Select(part => part.Content));
        Assert.Equal($"Content-Type: application/dicom; transfer-syntax={ExplicitLittle}\r\nContent-Length: {image.Length}\r\nContent-Location: "
            + $"{server.Base}{Instance}", parts[0].Headers);
    }

    [Theory]
    [InlineData("application/dicom", ExplicitLittle)]
    [InlineData("application/dicom; transfer-syntax=*", Implicit)]
    [InlineData("application/dicom; transfer-syntax=1.2.840.10008.1.2, application/dicom;q=0.1", ExplicitLittle)] // not over the web (8.7.3.5.2)
    [InlineData("application/dicom; transfer-syntax=1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.1.99")]
    [InlineData("application/dicom; transfer-syntax=\"1.2.840.10008.1.2.1\"", ExplicitLittle)]
    [InlineData("application/dicom; transfer-syntax=1.2.840.10008.1.2.4.70, application/dicom;q=0.5", ExplicitLittle)] // the first cannot be made
    public async Task An_uncompressed_object_comes_in_the_syntax_asked_for(string accept, string syntax)
    {
        await StoreAsync(await ImplicitAsync(image));
        using var response = await server.GetAsync(Instance, accept);
        Assert.Equal($"application/dicom; transfer-syntax={syntax}", response.Content.Headers.ContentType!.ToString());
        var bytes = await response.Content.ReadAsByteArrayAsync();
        Assert.Contains(syntax + (syntax.Length % 2 == 1 ? "\0" : ""), Encoding.Latin1.GetString(bytes[..400]));
        using var all = await server.GetAsync("/studies/1.2",
            "multipart/related; type=" + accept.Replace(", application/dicom", ", multipart/related; type=application/dicom"));
        Assert.Equal(bytes, Assert.Single(await Server.PartsAsync(all)).Content);
    }

    [Fact]
    public async Task Compressed_objects_come_as_stored_unless_another_syntax_is_asked_by_name()
    {
        var file = Compressed("1.2", "1.2.1", "1.2.1.1");
        await StoreAsync(file);
        foreach (var accept in new[] { "application/dicom", "application/dicom;transfer-syntax=*", "application/dicom;transfer-syntax=" + Jpeg })
        {
            using var response = await server.GetAsync(Instance, accept);
            Assert.Equal($"application/dicom; transfer-syntax={Jpeg}", response.Content.Headers.ContentType!.ToString());
            Assert.Equal(file, await response.Content.ReadAsByteArrayAsync());
        }
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable,
            await server.GetAsync(Instance, $"application/dicom; transfer-syntax={ExplicitLittle}"), "1 of 1", "transfer-syntax=*");
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable, await server.GetAsync(Instance, "application/dicom; transfer-syntax=9.9.9"));
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable, await server.GetAsync(Instance, "image/jpeg"));
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable, await server.GetAsync("/studies/1.2", "application/dicom"), "multipart/related");
    }

    [Fact]
    public async Task Of_a_mixed_study_those_that_can_be_given_in_the_syntax_asked_for_are_206()
    {
        var compressed = Compressed("1.2", "1.2.1", "1.2.1.2");
        await StoreAsync(image, compressed);
        using var some = await server.GetAsync("/studies/1.2", $"multipart/related; type=\"application/dicom\"; transfer-syntax={ExplicitLittle}");
        Assert.Equal(HttpStatusCode.PartialContent, some.StatusCode);
        Assert.Equal(image, Assert.Single(await Server.PartsAsync(some)).Content);
        Assert.Contains("1 of 2 instances are not in the answer", Assert.Single(some.Headers.NonValidated["Warning"]));
        using var others = await server.GetAsync("/studies/1.2", $"multipart/related; type=\"application/dicom\"; transfer-syntax={Jpeg}");
        Assert.Equal(HttpStatusCode.PartialContent, others.StatusCode);
        Assert.Equal(compressed, Assert.Single(await Server.PartsAsync(others)).Content);
        using var all = await server.GetAsync("/studies/1.2",
            $"multipart/related; type=\"application/dicom\"; transfer-syntax={Jpeg}, multipart/related; type=\"application/dicom\"; transfer-syntax=*;q=0.1");
        Assert.Equal(HttpStatusCode.OK, all.StatusCode);
        Assert.Equal(2, (await Server.PartsAsync(all)).Count);
        Assert.Equal(3, new[] { some, others, all }.Select(response => response.Headers.ETag!.ToString()).Distinct().Count());
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable,
            await server.GetAsync("/studies/1.2", "multipart/related; type=\"application/dicom\"; transfer-syntax=1.2.840.10008.1.2.4.90"));
    }

    [Theory]
    [InlineData("1.2.840.10008.1.2")]
    [InlineData("1.2.840.10008.1.2.2")]
    [InlineData("1.2.840.113619.5.2")]
    public async Task Implicit_and_big_endian_are_not_given_by_name(string syntax)
    {
        await StoreAsync(await ImplicitAsync(image));
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable,
            await server.GetAsync(Instance, $"application/dicom; transfer-syntax={syntax}"), "transfer-syntax=*");
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable, await server.GetAsync(
            $"/wado?requestType=WADO&studyUID=1.2&seriesUID=1.2.1&objectUID=1.2.1.1&contentType=application/dicom&transferSyntax={syntax}"));
    }

    [Theory] // PS3.18 table 8.7.3-5, and the names of before
    [InlineData("1.2.840.10008.1.2.4.50", "image/jpeg", "image/jpg", "image/dicom+jpeg")]
    [InlineData("1.2.840.10008.1.2.4.51", "image/jpeg")]
    [InlineData("1.2.840.10008.1.2.4.57", "image/jpeg")]
    [InlineData("1.2.840.10008.1.2.4.70", "image/jpeg")]
    [InlineData("1.2.840.10008.1.2.5", "image/dicom-rle", "image/x-dicom-rle", "image/x-rle", "image/dicom+rle")]
    [InlineData("1.2.840.10008.1.2.4.80", "image/jls", "image/x-jls", "image/dicom+jpeg-ls")]
    [InlineData("1.2.840.10008.1.2.4.81", "image/jls", "image/x-jls")]
    [InlineData("1.2.840.10008.1.2.4.90", "image/jp2", "image/dicom+jp2")]
    [InlineData("1.2.840.10008.1.2.4.91", "image/jp2")]
    [InlineData("1.2.840.10008.1.2.4.92", "image/jpx", "image/dicom+jpx")]
    [InlineData("1.2.840.10008.1.2.4.93", "image/jpx")]
    [InlineData("1.2.840.10008.1.2.4.201", "image/jphc", "image/JPHC")]
    [InlineData("1.2.840.10008.1.2.4.202", "image/jphc")]
    [InlineData("1.2.840.10008.1.2.4.203", "image/jphc")]
    [InlineData("1.2.840.10008.1.2.4.110", "image/jxl")]
    [InlineData("1.2.840.10008.1.2.4.111", "image/jxl")]
    [InlineData("1.2.840.10008.1.2.4.112", "image/jxl")]
    [InlineData("1.2.840.10008.1.2.4.100", "video/mpeg")]
    [InlineData("1.2.840.10008.1.2.4.102", "video/mp4")]
    [InlineData("1.2.840.10008.1.2.4.107", "video/H265", "video/h265")]
    [InlineData("1.2.840.10008.1.2.8.1", "application/octet-stream")]
    public async Task Each_compressed_syntax_has_its_media_type(string syntax, string type, params string[] otherNames)
    {
        await StoreAsync(Compressed("1.2", "1.2.1", "1.2.1.1", syntax));
        foreach (var name in otherNames.Prepend(type))
        {
            using var single = await server.GetAsync(Instance + "/frames/1",
                type == "application/octet-stream" ? name + "; transfer-syntax=*" : name, ("Range", "bytes=2-3"));
            Assert.Equal(HttpStatusCode.PartialContent, single.StatusCode);
            Assert.Equal($"{type}; transfer-syntax={syntax}", single.Content.Headers.ContentType!.ToString());
            Assert.Equal([1, 2], await single.Content.ReadAsByteArrayAsync());
            var part = Assert.Single(
                await Server.PartsAsync(await server.GetAsync(Instance + "/frames/1", $"multipart/related; type=\"{name}\"; transfer-syntax={syntax}")));
            Assert.StartsWith($"Content-Type: {type}; transfer-syntax={syntax}\r\n", part.Headers);
            Assert.Equal([0xFF, 0xD8, 1, 2, 0xFF, 0xD9], part.Content);
        }
        using var behind = await server.GetAsync(Instance + "/frames/1", $"{type}; transfer-syntax=*", ("Range", "bytes=6-"));
        await Server.AssertProblemAsync(HttpStatusCode.RequestedRangeNotSatisfiable, behind);
    }

    [Fact]
    public async Task The_same_version_is_304_and_HEAD_has_no_body()
    {
        await StoreAsync(image);
        foreach (var path in new[]
        {
            "/studies/1.2", "/studies/1.2?accept=application/zip", Instance, Instance + "?accept=application%2Fzip",
                Instance + "/metadata", "/studies/1.2/metadata", Instance + "/frames/1",
            "/studies/1.2/bulkdata", "/studies/1.2/series/1.2.1/bulkdata", Instance + "/bulkdata",
                "/studies/1.2/pixeldata", "/studies/1.2/series/1.2.1/pixeldata", Instance + "/pixeldata",
        })
        {
            using var first = await server.GetAsync(path);
            using var again = await server.GetAsync(path, null, ("If-None-Match", $"\"other\", {first.Headers.ETag}"));
            Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
            Assert.Equal(first.Headers.ETag, again.Headers.ETag);
            using var head = await server.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/dicomweb" + path));
            Assert.Equal(HttpStatusCode.OK, head.StatusCode);
            Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        }
        using var before = await server.GetAsync("/studies/1.2/metadata");
        await StoreAsync(Server.Image("1.2", "1.2.1", "1.2.1.2").ToFile());
        using var after = await server.GetAsync("/studies/1.2/metadata", null, ("If-None-Match", before.Headers.ETag!.ToString()));
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("application/dicom+json")]
    [InlineData("application/json")]
    [InlineData("*/*")]
    [InlineData("application/dicom+json, multipart/related; type=application/octet-stream; transfer-syntax=*")]
    public async Task Metadata_is_json(string? accept)
    {
        await StoreAsync(image);
        foreach (var path in new[] { "/studies/1.2/metadata", "/studies/1.2/series/1.2.1/metadata", Instance + "/metadata" })
        {
            using var response = await server.GetAsync(path, accept);
            Assert.Equal(accept == "application/json" ? "application/json" : "application/dicom+json", response.Content.Headers.ContentType!.ToString());
            var item = Assert.Single((await Server.JsonAsync(response)).EnumerateArray());
            Assert.Equal("SMITH^ANNE", item.GetProperty("00100010").GetProperty("Value")[0].GetProperty("Alphabetic").GetString());
        }
    }

    [Fact]
    public async Task Json_and_xml_are_compressed_and_pixels_are_not()
    {
        await StoreAsync(image);
        using var metadata = await server.GetAsync(Instance + "/metadata", null, ("Accept-Encoding", "gzip"));
        Assert.Equal(["gzip"], metadata.Content.Headers.ContentEncoding);
        Assert.Contains("Accept-Encoding", metadata.Headers.Vary);
        using var xml = await server.GetAsync(Instance + "/metadata", "multipart/related; type=\"application/dicom+xml\"", ("Accept-Encoding", "gzip"));
        Assert.Equal(["gzip"], xml.Content.Headers.ContentEncoding);
        using var frame = await server.GetAsync(Instance + "/frames/1", null, ("Accept-Encoding", "gzip, br"));
        Assert.Empty(frame.Content.Headers.ContentEncoding);
    }

    [Fact]
    public async Task Every_bulk_data_uri_can_be_fetched_in_both_forms_and_in_ranges()
    {
        var value = new byte[5000];
        new Random(1).NextBytes(value);
        await StoreAsync(Server.Image("1.2", "1.2.1", "1.2.1.1").Add(0x00091001, "OB", value).Add(0x00090010, "LO", "ACME").ToFile());
        var metadata = (await Server.JsonAsync(await server.GetAsync(Instance + "/metadata")))[0];
        var uri = metadata.GetProperty("00091001").GetProperty("BulkDataURI").GetString()!;
        Assert.StartsWith(server.Base + Instance + "/bulkdata/", uri);

        foreach (var accept in new[] { null, "*/*", "application/octet-stream" })
        {
            using var single = await server.GetAsync(uri, accept);
            Assert.Equal("application/octet-stream", single.Content.Headers.ContentType!.ToString());
            Assert.Equal(value, await single.Content.ReadAsByteArrayAsync());
        }
        using var multipart = await server.GetAsync(uri, "multipart/related; type=\"application/octet-stream\"");
        var part = Assert.Single(await Server.PartsAsync(multipart));
        Assert.Equal(value, part.Content);
        Assert.Contains("Content-Location: " + uri, part.Headers);

        using var range = await server.GetAsync(uri, "application/octet-stream", ("Range", "bytes=1000-1999"));
        Assert.Equal(HttpStatusCode.PartialContent, range.StatusCode);
        Assert.Equal("bytes 1000-1999/5000", range.Content.Headers.ContentRange!.ToString());
        Assert.Equal(value[1000..2000], await range.Content.ReadAsByteArrayAsync());
        using var behind = await server.GetAsync(uri, null, ("Range", "bytes=5000-"));
        await Server.AssertProblemAsync(HttpStatusCode.RequestedRangeNotSatisfiable, behind);
        Assert.Equal("bytes */5000", behind.Content.Headers.ContentRange!.ToString());
        using var changed = await server.GetAsync(uri, null, ("Range", "bytes=0-9"), ("If-Range", "\"other\""));
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);

        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable, await server.GetAsync(uri, "image/png"));
        await Server.AssertProblemAsync(HttpStatusCode.NotFound, await server.GetAsync(Instance + "/bulkdata/00091002"));
        await Server.AssertProblemAsync(HttpStatusCode.NotFound, await server.GetAsync(Instance + "/bulkdata/..%2f..%2fx"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("*/*")]
    [InlineData("multipart/related; type=application/octet-stream; transfer-syntax=*")]
    [InlineData("multipart/related; type=\"application/octet-stream\"")]
    [InlineData("multipart/related; type=\"application/octet-stream\"; transfer-syntax=1.2.840.10008.1.2.1")]
    public async Task Native_frames_are_octets_with_their_transfer_syntax(string? accept)
    {
        await StoreAsync(image);
        var part = Assert.Single(await Server.PartsAsync(await server.GetAsync(Instance + "/frames/1", accept)));
        Assert.Equal(Pixels, part.Content);
        Assert.Equal($"Content-Type: application/octet-stream; transfer-syntax={ExplicitLittle}\r\nContent-Location: {server.Base}{Instance}/frames/1",
            part.Headers);
    }

    [Fact]
    public async Task One_native_frame_comes_alone_and_in_ranges()
    {
        await StoreAsync(image);
        using var whole = await server.GetAsync(Instance + "/frames/1", "application/octet-stream");
        Assert.Equal($"application/octet-stream; transfer-syntax={ExplicitLittle}", whole.Content.Headers.ContentType!.ToString());
        Assert.Equal(24, whole.Content.Headers.ContentLength);
        Assert.Equal(Pixels, await whole.Content.ReadAsByteArrayAsync());
        using var range = await server.GetAsync(Instance + "/frames/1", "application/octet-stream", ("Range", "bytes=-4"));
        Assert.Equal(HttpStatusCode.PartialContent, range.StatusCode);
        Assert.Equal(Pixels[20..], await range.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("multipart/related; type=application/octet-stream; transfer-syntax=*", "application/octet-stream")]
    [InlineData("multipart/related; type=\"application/octet-stream\"; transfer-syntax=" + Jpeg, "application/octet-stream")]
    [InlineData("multipart/related; type=\"image/jpeg\"", "image/jpeg")]
    [InlineData("multipart/related; type=\"image/jpeg\"; transfer-syntax=" + Jpeg, "image/jpeg")]
    [InlineData("multipart/related; type=\"image/*\"", "image/jpeg")]
    [InlineData("multipart/related", "image/jpeg")]
    [InlineData("*/*", "image/jpeg")]
    [InlineData("multipart/related; type=\"application/octet-stream\", multipart/related; type=image/jpeg;q=0.1", "image/jpeg")] // raw pixels cannot be made
    public async Task Compressed_frames_come_as_stored_under_the_type_asked_for(string accept, string type)
    {
        await StoreAsync(Compressed("1.2", "1.2.1", "1.2.1.1", frames: 3));
        var parts = await Server.PartsAsync(await server.GetAsync(Instance + "/frames/3,1", accept));
        Assert.Equal([[0xFF, 0xD8, 3, 2, 0xFF, 0xD9], [0xFF, 0xD8, 1, 2, 0xFF, 0xD9]], parts.Select(part => part.Content));
        Assert.All(parts, part => Assert.StartsWith($"Content-Type: {type}; transfer-syntax={Jpeg}\r\n", part.Headers));
    }

    [Fact]
    public async Task Compressed_frames_are_never_given_as_raw_pixels()
    {
        await StoreAsync(Compressed("1.2", "1.2.1", "1.2.1.1", frames: 2));
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable,
            await server.GetAsync(Instance + "/frames/1", "multipart/related; type=\"application/octet-stream\""), "transfer-syntax=*");
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable, await server.GetAsync(Instance + "/frames/1", "multipart/related; type=\"image/jls\""));
        await Server.AssertProblemAsync(HttpStatusCode.NotAcceptable, await server.GetAsync(Instance + "/frames/1,2", "image/jpeg"), "multipart/related");
        using var single = await server.GetAsync(Instance + "/frames/2", "image/jpeg");
        Assert.Equal($"image/jpeg; transfer-syntax={Jpeg}", single.Content.Headers.ContentType!.ToString());
    }

    [Theory]
    [InlineData("0", HttpStatusCode.BadRequest)]
    [InlineData("2", HttpStatusCode.BadRequest)]
    [InlineData("99999999999999", HttpStatusCode.BadRequest)]
    [InlineData("-1", HttpStatusCode.BadRequest)]
    [InlineData("abc", HttpStatusCode.BadRequest)]
    [InlineData("1,", HttpStatusCode.BadRequest)]
    [InlineData("1,,1", HttpStatusCode.BadRequest)]
    [InlineData("1%2C1", HttpStatusCode.OK)]
    public async Task Frame_lists_are_numbers(string list, HttpStatusCode status)
    {
        await StoreAsync(image);
        using var response = await server.GetAsync($"{Instance}/frames/{list}");
        Assert.Equal(status, response.StatusCode);
        if (status != HttpStatusCode.OK) await Server.AssertProblemAsync(status, response, "frame");
        else Assert.Equal(2, (await Server.PartsAsync(response)).Count);
    }

    [Fact]
    public async Task An_object_without_pixels_has_no_frames()
    {
        await StoreAsync(TestObject.Of("1.2", "1.2.1", "1.2.1.1").ToFile());
        await Server.AssertProblemAsync(HttpStatusCode.NotFound, await server.GetAsync(Instance + "/frames/1"), "no frames");
    }

    [Fact]
    public async Task Big_endian_pixels_come_little_endian()
    {
        using var big = new MemoryStream();
        Assert.Null(await TransferSyntaxConverter.ConvertAsync(new MemoryStream(image), big, TransferSyntax.ExplicitVrBigEndian));
        await StoreAsync(big.ToArray());
        Assert.Equal(Pixels, Assert.Single(await Server.PartsAsync(await server.GetAsync(Instance + "/frames/1"))).Content);
    }

    [Theory]
    [InlineData("/studies/9.9")]
    [InlineData("/studies/9.9/metadata")]
    [InlineData("/studies/9.9/series/1")]
    [InlineData("/studies/9.9/series/1/metadata")]
    [InlineData("/studies/9.9/series/1/instances/1")]
    [InlineData("/studies/9.9/series/1/instances/1/metadata")]
    [InlineData("/studies/9.9/series/1/instances/1/frames/1")]
    [InlineData("/studies/9.9/series/1/instances/1/bulkdata/7FE00010")]
    [InlineData("/studies/9.9?accept=application/zip")]
    [InlineData("/studies/9.9/bulkdata")]
    [InlineData("/studies/9.9/series/1/bulkdata")]
    [InlineData("/studies/9.9/series/1/instances/1/bulkdata")]
    [InlineData("/studies/9.9/pixeldata")]
    [InlineData("/studies/9.9/series/1/pixeldata")]
    [InlineData("/studies/9.9/series/1/instances/1/pixeldata")]
    public async Task What_is_not_there_is_404(string path) =>
        await Server.AssertProblemAsync(HttpStatusCode.NotFound, await server.GetAsync(path), "There is no such");

    [Theory]
    [InlineData("/studies/1..2")]
    [InlineData("/studies/1.2.")]
    [InlineData("/studies/abc/metadata")]
    [InlineData("/studies/1.2/series/x/metadata")]
    [InlineData("/studies/1.2/series/1/instances/1%2F2")]
    [InlineData("/studies/%20/series")]
    [InlineData("/studies/1.2345678901234567890123456789012345678901234567890123456789012345")]
    [InlineData("/studies/..%2f..%2f/series")]
    [InlineData("/studies/1%5C..%5C2/series")]
    public async Task Malformed_uids_are_400(string path) => await Server.AssertProblemAsync(HttpStatusCode.BadRequest, await server.GetAsync(path));

    [Fact]
    public async Task Deleted_things_are_gone_and_counts_follow()
    {
        await StoreAsync(image, Server.Image("1.2", "1.2.1", "1.2.1.2").ToFile(), Server.Image("1.2", "1.2.2", "1.2.2.1").ToFile());
        Assert.Equal(HttpStatusCode.NoContent, (await server.Client.DeleteAsync("/dicomweb" + Instance)).StatusCode);
        await Server.AssertProblemAsync(HttpStatusCode.NotFound, await server.Client.DeleteAsync("/dicomweb" + Instance));
        await Server.AssertProblemAsync(HttpStatusCode.NotFound, await server.GetAsync(Instance));
        Assert.Equal(2, (await Server.JsonAsync(await server.GetAsync("/studies?StudyInstanceUID=1.2")))[0]
            .GetProperty("00201208").GetProperty("Value")[0].GetInt32());
        Assert.Equal(HttpStatusCode.NoContent, (await server.Client.DeleteAsync("/dicomweb/studies/1.2/series/1.2.1")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await server.Client.DeleteAsync("/dicomweb/studies/1.2")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await server.GetAsync("/studies")).StatusCode);
        await Server.AssertProblemAsync(HttpStatusCode.BadRequest, await server.Client.DeleteAsync("/dicomweb/studies/x"));
    }

    [Fact]
    public Task A_study_starts_before_it_is_read_and_reading_stops_when_the_client_leaves() => Streaming.AssertAsync("/studies/1.2", null, 100);

    [Theory]
    [InlineData("application/pdf", "application/pdf")]
    [InlineData("text/html", "application/octet-stream")] // would run as a page of this origin
    [InlineData("image/svg+xml", "application/octet-stream")]
    [InlineData("text/x\r\nX: y", "application/octet-stream")] // nothing of it gets into a header
    public async Task A_document_comes_as_what_it_is(string stated, string type)
    {
        byte[] document = [.. "%PDF-1.4"u8, .. new byte[5000]];
        await StoreAsync(TestObject.Of("1.2", "1.2.1", "1.2.1.1").Add(0x00420011, "OB", document).Add(0x00420012, "LO", stated).ToFile());
        var metadata = (await Server.JsonAsync(await server.GetAsync(Instance + "/metadata")))[0];
        var uri = metadata.GetProperty("00420011").GetProperty("BulkDataURI").GetString()!;
        using var response = await server.GetAsync(uri, "text/x-none,application/xhtml+xml,*/*;q=0.8");
        Assert.Equal(type, response.Content.Headers.ContentType!.ToString());
        Assert.Equal(["nosniff"], response.Headers.GetValues("X-Content-Type-Options"));
        Assert.Equal(document, await response.Content.ReadAsByteArrayAsync());
        using var octets = await server.GetAsync(uri, "application/octet-stream");
        Assert.Equal("application/octet-stream", octets.Content.Headers.ContentType!.ToString());
    }

    [Fact]
    public void The_length_in_the_image_is_what_the_tests_think() => Assert.Equal(24, BinaryPrimitives.ReadInt32LittleEndian(image.AsSpan(image.Length - 28)));
}
