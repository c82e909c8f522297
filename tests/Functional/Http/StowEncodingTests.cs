using System.IO.Compression;
using System.Net;
using System.Text;

namespace DicomServerless.Functional.Http;

/// <summary>Stores with a Content-Encoding (RFC 9110 8.4): taken off as a stream, bounded after that.</summary>
public sealed class StowEncodingTests : IAsyncLifetime
{
    private const int MaxBody = 1_048_576;
    private Server server = null!;

    public async ValueTask InitializeAsync() => server = await Server.StartAsync(("Http:MaxBodyBytes", "1048576"));

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    /// <summary>Each part has a result and a line in the log, so that some thousand bytes could have millions of them.</summary>
    [Theory]
    [InlineData("application/dicom+json", "[{}", ",{}", "]")]
    [InlineData("multipart/related; type=\"application/dicom\"; boundary=b", "--b\r\n\r\n", "\r\n--b\r\n\r\n", "\r\n--b--\r\n")]
    [InlineData("multipart/related; type=\"application/dicom+json\"; boundary=b", "--b\r\nContent-Type: image/jpeg\r\n\r\n",
        "\r\n--b\r\nContent-Type: image/jpeg\r\n\r\n", "\r\n--b--\r\n")]
    public async Task More_parts_than_a_request_may_have_are_not_read(string type, string first, string next, string last)
    {
        await using var small = await Server.StartAsync(("Archive:MaxPartsPerRequest", "1000"));
        var body = Encoding.ASCII.GetBytes(first + string.Concat(Enumerable.Repeat(next, 1_000_000)) + last);
        using var response = await small.PostAsync("/studies", type, Encode(body, "gzip"), ("Content-Encoding", "gzip"));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(text.Length < 1_000_000, $"{text.Length} characters");
        if (type.Contains("json\"", StringComparison.Ordinal)) Assert.Contains("1000 parts or objects", text, StringComparison.Ordinal);
        else Assert.Contains("1000 parts or objects", string.Join(' ', response.Headers.GetValues("Warning")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("x-gzip")]
    [InlineData("deflate")]
    [InlineData("deflate without zlib")]
    [InlineData("br")]
    [InlineData("identity")]
    [InlineData("gzip, br")]
    public async Task An_encoded_body_is_stored_as_it_was_before(string encoding)
    {
        var file = Server.Image("1.2", "1.2.1", "1.2.1.1").ToFile();
        using var response = await server.PostAsync("/studies", "application/dicom",
            Encode(file, encoding), ("Content-Encoding", encoding.Split(" without")[0]));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var back = await server.GetAsync("/studies/1.2/series/1.2.1/instances/1.2.1.1", "application/dicom; transfer-syntax=*");
        Assert.Equal(file, await back.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("compress")]
    [InlineData("gzip, gzip, gzip")]
    [InlineData("zstd")]
    public async Task An_unknown_encoding_is_415_and_says_which_are_known(string encoding)
    {
        using var response = await server.PostAsync("/studies", "application/dicom", [1], ("Content-Encoding", encoding));
        await Server.AssertProblemAsync(HttpStatusCode.UnsupportedMediaType, response, "Content-Encoding");
        Assert.Equal("gzip, deflate, br", string.Join(", ", response.Headers.NonValidated["Accept-Encoding"]));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    public async Task A_bomb_is_413_and_what_came_before_it_is_kept(string encoding)
    {
        byte[] body = [.. "--b\r\n\r\n"u8, .. Server.Image("1.3", "1.3.1", "1.3.1.1").ToFile(),
            .. "\r\n--b\r\n\r\n"u8, .. Server.Image("1.3", "1.3.1", "1.3.1.2").ToFile(), .. new byte[20 * MaxBody]];
        var encoded = Encode(body, encoding);
        Assert.True(encoded.Length < MaxBody / 8);
        using var response = await server.PostAsync("/studies", "multipart/related; type=\"application/dicom\"; boundary=b",
            encoded, ("Content-Encoding", encoding));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        using var kept = await server.GetAsync("/studies/1.3/series/1.3.1/instances/1.3.1.1");
        Assert.Equal(HttpStatusCode.OK, kept.StatusCode);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    public async Task A_broken_encoding_is_a_failure_and_costs_no_part_before_it(string encoding)
    {
        byte[] noise = new byte[200_000];
        new Random(1).NextBytes(noise);
        byte[] body = [.. "--b\r\n\r\n"u8, .. Server.Image("1.4", "1.4.1", "1.4.1.1").ToFile(), .. "\r\n--b\r\n\r\n"u8, .. noise];
        var encoded = Encode(body, encoding);
        using var cut = await server.PostAsync("/studies", "multipart/related; boundary=b", encoded[..^100_000], ("Content-Encoding", encoding));
        Assert.Equal(HttpStatusCode.Accepted, cut.StatusCode);
        Array.Fill(encoded, (byte)0xFF, 100_000, 1000);
        using var broken = await server.PostAsync("/studies", "multipart/related; boundary=b", encoded, ("Content-Encoding", encoding));
        Assert.Equal(HttpStatusCode.Accepted, broken.StatusCode);
        using var none = await server.PostAsync("/studies", "application/dicom", [1, 2, 3, 4], ("Content-Encoding", encoding));
        Assert.Equal(HttpStatusCode.Conflict, none.StatusCode);
    }

    private static byte[] Encode(byte[] bytes, string encoding)
    {
        foreach (var name in encoding.Split(", "))
        {
            var target = new MemoryStream();
            using (Stream stream = name switch
            {
                "br" => new BrotliStream(target, CompressionLevel.Optimal),
                "deflate" => new ZLibStream(target, CompressionLevel.Optimal),
                "deflate without zlib" => new DeflateStream(target, CompressionLevel.Optimal),
                "identity" => target,
                _ => new GZipStream(target, CompressionLevel.Optimal),
            }) stream.Write(bytes);
            bytes = target.ToArray();
        }
        return bytes;
    }
}
