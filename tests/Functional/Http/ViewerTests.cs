using System.IO.Compression;
using System.Net;
using System.Text;

namespace DicomServerless.Functional.Http;

/// <summary>How the viewer's files are served; what is in them is another test's matter (tests/Viewer).</summary>
public sealed class ViewerTests : IDisposable
{
    private const string Program = "app.bundle.0123456789abcdef-1.js", Text = "console.log('viewer')";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("viewer-");

    public ViewerTests()
    {
        File.WriteAllText(Path.Combine(folder.FullName, "viewer.version"), "test");
        File.WriteAllText(Path.Combine(folder.FullName, "index.html"), "<base href=\"{{base}}\">");
        File.WriteAllText(Path.Combine(folder.FullName, "app-config.js"), "[\"{{base}}\", \"{{router}}\", \"{{dicomweb}}\"]");
        using (var packed = new GZipStream(File.Create(Path.Combine(folder.FullName, Program + ".gz")), CompressionLevel.Fastest))
            packed.Write(Encoding.UTF8.GetBytes(Text));
        using (var packed = new BrotliStream(File.Create(Path.Combine(folder.FullName, Program + ".br")), CompressionLevel.Fastest))
            packed.Write(Encoding.UTF8.GetBytes(Text));
        folder.CreateSubdirectory("assets");
        File.WriteAllText(Path.Combine(folder.FullName, "assets/logo.svg"), "<svg/>");
    }

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [InlineData("br, gzip", "br")]
    [InlineData("gzip", "gzip")]
    [InlineData("br;q=0, gzip;q=0.5", "gzip")]
    [InlineData("identity", null)]
    [InlineData("", null)]
    public async Task A_program_comes_as_the_client_takes_it_and_is_kept_for_long(string accepts, string? encoding)
    {
        await using var server = await Server.StartAsync(("Viewer:Path", folder.FullName));
        using var response = await server.GetAsync(server.Url + "/viewer/" + Program, null, ("Accept-Encoding", accepts));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(encoding, response.Content.Headers.ContentEncoding.SingleOrDefault());
        Assert.Equal("text/javascript", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("public, max-age=31536000, immutable", response.Headers.CacheControl!.ToString());
        Assert.Equal("Accept-Encoding", Assert.Single(response.Headers.Vary));
        Stream body = await response.Content.ReadAsStreamAsync();
        if (encoding == "br") body = new BrotliStream(body, CompressionMode.Decompress);
        if (encoding == "gzip") body = new GZipStream(body, CompressionMode.Decompress);
        Assert.Equal(Text, await new StreamReader(body).ReadToEndAsync());
        using var again = await server.GetAsync(server.Url + "/viewer/" + Program, null,
            ("Accept-Encoding", accepts), ("If-None-Match", response.Headers.ETag!.ToString()));
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
    }

    [Theory]
    [InlineData("/viewer/", "", "/viewer/")]
    [InlineData("/viewer/viewer?StudyInstanceUIDs=1.2.3", "", "/viewer/")]
    [InlineData("/viewer/notfoundstudy", "", "/viewer/")]
    [InlineData("/viewer/", "https://pacs.example.org/dicom", "/dicom/viewer/")]
    public async Task Its_own_addresses_are_the_page_which_knows_where_it_is(string path, string publicUrl, string root)
    {
        await using var server = await Server.StartAsync(("Viewer:Path", folder.FullName), ("Http:PublicUrl", publicUrl));
        using var response = await server.GetAsync(server.Url + path);
        Assert.Equal($"<base href=\"{root}\">", await response.Content.ReadAsStringAsync());
        Assert.Equal("same-origin", Assert.Single(response.Headers.GetValues("Cross-Origin-Opener-Policy")));
        Assert.Contains("connect-src 'self'", Assert.Single(response.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
        using var configuration = await server.GetAsync(server.Url + "/viewer/app-config.js");
        var prefix = root[..^"/viewer/".Length];
        Assert.Equal($"[\"{root}\", \"{prefix}/viewer\", \"{prefix}/dicomweb\"]", await configuration.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Its_root_ends_with_a_slash_and_what_is_not_there_is_404()
    {
        await using var server = await Server.StartAsync(("Viewer:Path", folder.FullName));
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var client = new HttpClient(handler);
        using var root = await client.GetAsync(server.Url + "/viewer");
        Assert.Equal("/viewer/", new Uri(new Uri(server.Url), root.Headers.Location!).AbsolutePath);
        foreach (var path in new[] { "missing.js", "assets/missing.png", "..%2fappsettings.json", "%2e%2e/appsettings.json", "assets/../../appsettings.json" })
        {
            using var missing = await server.GetAsync(server.Url + "/viewer/" + path);
            Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        }
    }

    [Fact]
    public async Task It_can_be_switched_off_and_have_a_configuration_of_its_own()
    {
        await using (var server = await Server.StartAsync(("Viewer:Path", folder.FullName), ("Viewer:Enabled", "false")))
        {
            using var off = await server.GetAsync(server.Url + "/viewer/");
            Assert.Equal(HttpStatusCode.NotFound, off.StatusCode);
        }
        var file = Path.Combine(folder.FullName, "own.js");
        await File.WriteAllTextAsync(file, "window.config = { dicom: '{{dicomweb}}' }");
        await using var own = await Server.StartAsync(("Viewer:Path", folder.FullName), ("Viewer:ConfigurationFile", file));
        using var configuration = await own.GetAsync(own.Url + "/viewer/app-config.js");
        Assert.Equal("window.config = { dicom: '/dicomweb' }", await configuration.Content.ReadAsStringAsync());
    }
}
