using System.Net;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Http;

/// <summary>What pages of other origins get, on errors and partial answers too: without these headers a viewer shows no more than "network error".</summary>
public sealed class CorsTests
{
    private const string Viewer = "https://viewer.example.org";

    [Fact]
    public async Task A_named_origin_may_call_and_read_the_headers_that_viewers_need()
    {
        await using var server = await Server.StartAsync(("Http:CorsOrigins", $"{Viewer}, http://localhost:3000"), ("Http:CorsMaxAgeSeconds", "600"));
        using var preflight = await PreflightAsync(server, Viewer, "/studies/1.2/series/1.2.3/instances/1.2.3.4/frames/1");
        Assert.Equal(HttpStatusCode.NoContent, preflight.StatusCode);
        Assert.Equal(Viewer, One(preflight, "Access-Control-Allow-Origin"));
        Assert.Equal("600", One(preflight, "Access-Control-Max-Age"));
        Assert.Contains("authorization", One(preflight, "Access-Control-Allow-Headers"), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("PUT", One(preflight, "Access-Control-Allow-Methods"), StringComparison.Ordinal);

        using var stored = await server.StoreAsync(TestObject.Of("1.2", "1.2.3", "1.2.3.4").Add(0x00420011, "OB", new byte[4000]).ToFile());
        stored.EnsureSuccessStatusCode();
        foreach (var (path, accept, range, status) in new[]
        {
            ("/studies", null, null, 200), ("/studies?limit=-1", null, null, 400),
                ("/studies/1.2.9", null, null, 404), ("/nothing", null, null, 404), ("/studies", "image/png", null, 406),
            ("/studies/1.2/series/1.2.3/instances/1.2.3.4/bulkdata/00420011", "application/octet-stream", "bytes=0-9", 206),
                ("/studies/1.2/series/1.2.3/instances/1.2.3.4/bulkdata/00420011", "application/octet-stream", "bytes=9000-", 416),
        })
        {
            using var response = await server.GetAsync(path, accept, range is null ? [("Origin", Viewer)] : [("Origin", Viewer), ("Range", range)]);
            Assert.Equal(status, (int)response.StatusCode);
            Assert.Equal(Viewer, One(response, "Access-Control-Allow-Origin"));
            Assert.Equal("true", One(response, "Access-Control-Allow-Credentials"));
            Assert.Contains("Content-Range", One(response, "Access-Control-Expose-Headers"), StringComparison.Ordinal);
            Assert.Contains("Warning", One(response, "Access-Control-Expose-Headers"), StringComparison.Ordinal);
            Assert.Equal("cross-origin", One(response, "Cross-Origin-Resource-Policy"));
        }
    }

    [Fact]
    public async Task Another_origin_and_a_service_without_origins_get_no_permission()
    {
        await using (var server = await Server.StartAsync(("Http:CorsOrigins", Viewer)))
        {
            using var preflight = await PreflightAsync(server, "https://evil.example.org", "/studies");
            Assert.False(preflight.Headers.Contains("Access-Control-Allow-Origin"));
            using var answer = await server.GetAsync("/studies", null, ("Origin", "https://evil.example.org"));
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        }
        await using var closed = await Server.StartAsync();
        using var asked = await PreflightAsync(closed, Viewer, "/studies");
        Assert.False(asked.Headers.Contains("Access-Control-Allow-Origin"));
        // A plain OPTIONS of the root is the Capabilities all the same.
        using var options = new HttpRequestMessage(HttpMethod.Options, "/dicomweb");
        using var capabilities = await closed.Client.SendAsync(options);
        Assert.Equal("application/vnd.sun.wadl+xml", capabilities.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task Any_origin_may_call_without_credentials()
    {
        await using var server = await Server.StartAsync(("Http:CorsOrigins", "*"));
        using var response = await server.GetAsync("/studies", null, ("Origin", Viewer));
        Assert.Equal("*", One(response, "Access-Control-Allow-Origin"));
        Assert.False(response.Headers.Contains("Access-Control-Allow-Credentials"));
    }

    [Fact]
    public async Task Beside_the_platforms_own_cors_only_the_readable_headers_are_named()
    {
        await using var server = await Server.StartAsync(("Http:CorsByPlatform", "true"));
        using var response = await server.GetAsync("/studies?limit=-1", null, ("Origin", Viewer));
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin")); // two of them are none for a browser
        Assert.Contains("Retry-After", One(response, "Access-Control-Expose-Headers"), StringComparison.Ordinal);
    }

    private static string One(HttpResponseMessage response, string header) => Assert.Single(response.Headers.GetValues(header));

    private static async Task<HttpResponseMessage> PreflightAsync(Server server, string origin, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/dicomweb" + path);
        request.Headers.TryAddWithoutValidation("Origin", origin);
        request.Headers.TryAddWithoutValidation("Access-Control-Request-Method", "GET");
        request.Headers.TryAddWithoutValidation("Access-Control-Request-Headers", "authorization, accept, range");
        return await server.Client.SendAsync(request);
    }
}
