using System.Net;
using System.Text.Json;

namespace DicomServerless.Functional.Http;

/// <summary>Search as HTTP (D2): resources, statuses, warnings. What matches is tested with the archive.</summary>
public sealed class SearchTests : IAsyncLifetime
{
    private Server server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await Server.StartAsync();
        using var response = await server.StoreAsync(
            Server.Image("1.2", "1.2.1", "1.2.1.1").ToFile(), Server.Image("1.2", "1.2.1", "1.2.1.2").ToFile(),
                Server.Image("1.2", "1.2.2", "1.2.2.1").ToFile(), Server.Image("1.3", "1.3.1", "1.3.1.1").ToFile());
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    [Theory]
    [InlineData("/studies", 2, "studies/1.3|studies/1.2")]
    [InlineData("/studies/1.2/series", 2, "studies/1.2/series/1.2.1|studies/1.2/series/1.2.2")]
    [InlineData("/studies/1.2/instances", 3, null)]
    [InlineData("/series", 3, null)]
    [InlineData("/studies/1.2/series/1.2.1/instances", 2, "studies/1.2/series/1.2.1/instances/1.2.1.1|studies/1.2/series/1.2.1/instances/1.2.1.2")]
    [InlineData("/instances", 4, null)]
    public async Task The_six_resources(string path, int count, string? urls)
    {
        using var response = await server.GetAsync(path);
        Assert.Equal("application/dicom+json", response.Content.Headers.ContentType!.ToString());
        var results = (await Server.JsonAsync(response)).EnumerateArray()
            .Select(item => item.GetProperty("00081190").GetProperty("Value")[0].GetString()!).ToArray();
        Assert.Equal(count, results.Length);
        Assert.All(results, url => Assert.StartsWith(server.Base + "/", url));
        if (urls is not null) Assert.Equal(urls.Split('|').Order(), results.Select(url => url[(server.Base.Length + 1)..]).Order());
        Assert.False(response.Headers.Contains("Warning"));
    }

    [Fact]
    public async Task Nothing_found_is_204_without_a_body()
    {
        using var response = await server.GetAsync("/studies?PatientID=NOBODY");
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task More_results_are_announced_and_a_page_past_the_end_is_204()
    {
        using var first = await server.GetAsync("/studies?limit=1");
        Assert.Equal([$"299 {server.Base}: There are additional results that can be requested"], first.Headers.GetValues("Warning"));
        using var second = await server.GetAsync("/studies?limit=1&offset=1");
        Assert.False(second.Headers.Contains("Warning"));
        Assert.Equal(HttpStatusCode.NoContent, (await server.GetAsync("/studies?offset=2")).StatusCode);
        Assert.Equal(HttpStatusCode.OK,
            (await server.GetAsync("/studies?limit=101&offset=0&fuzzymatching=true&includefield=00081030%2C00080060%2C00080090%2C00100030")).StatusCode);
    }

    [Fact]
    public async Task All_that_is_wrong_is_said_at_once_without_values()
    {
        using var response = await server.GetAsync("/studies?limit=-1&offset=abc&PatientName=SMITH&StudyDate=2024-01-02x");
        await Server.AssertProblemAsync(HttpStatusCode.BadRequest, response, "limit", "offset", "00080020");
        Assert.DoesNotContain("SMITH", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task What_is_no_attribute_is_a_warning_and_every_kind_of_matching_is_supported()
    {
        using var response = await server.GetAsync("/studies?emptyvaluematching=true&multiplevaluematching=true&fuzzymatching=true&NoSuchKeyword=1");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal([$"299 {server.Base}: A query parameter is no attribute that this server knows; it was ignored."], response.Headers.GetValues("Warning"));
    }

    [Theory]
    [InlineData("text/html", HttpStatusCode.NotAcceptable)]
    [InlineData("multipart/related; type=\"application/dicom+xml\"", HttpStatusCode.OK)]
    [InlineData("multipart/related; type=\"application/dicom\"", HttpStatusCode.NotAcceptable)]
    [InlineData("application/dicom+json, multipart/related; type=application/octet-stream; transfer-syntax=*", HttpStatusCode.OK)]
    [InlineData("application/json", HttpStatusCode.OK)]
    public async Task Accept_decides(string accept, HttpStatusCode status) => Assert.Equal(status, (await server.GetAsync("/studies", accept)).StatusCode);

    [Fact]
    public async Task The_accept_parameter_wins() =>
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/studies?accept=application/dicom%2Bjson", "text/html")).StatusCode);

    [Fact]
    public async Task A_malformed_uid_in_the_path_is_400() =>
        await Server.AssertProblemAsync(HttpStatusCode.BadRequest, await server.GetAsync("/studies/x/series"), "study");

    [Fact]
    public async Task A_wrong_method_is_405_and_an_unknown_resource_404()
    {
        using var put = await server.Client.PutAsync("/dicomweb/studies", null);
        await Server.AssertProblemAsync(HttpStatusCode.MethodNotAllowed, put, "GET");
        Assert.Contains("POST", put.Content.Headers.Allow);
        await Server.AssertProblemAsync(HttpStatusCode.NotFound, await server.GetAsync("/nothing"));
        await Server.AssertProblemAsync(HttpStatusCode.NotFound, await server.Client.GetAsync("/"  + "favicon.ico"));
    }

    [Fact]
    public async Task Triggers_do_not_exist_outside_the_functions_host()
    {
        foreach (var path in new[] { "/eventsQueue", "/eventsGrid", "/sweep" })
            await Server.AssertProblemAsync(HttpStatusCode.NotFound, await server.Client.PostAsync(path, new StringContent("{}")));
    }

    [Theory]
    [InlineData("/viewer/")]
    [InlineData("/dicomweb/studies")]
    public async Task A_host_that_is_none_is_400(string path)
    {
        await using var plain = await Server.StartAsync();
        using var response = await plain.GetAsync(plain.Url + path, null, ("Host", "pacs.example.org:99999"));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task Urls_follow_trusted_proxies_and_the_configured_url_wins()
    {
        (string, string)[] forwarded = [("X-Forwarded-Host", "pacs.example.org"),
            ("X-Forwarded-Proto", "https"), ("X-Forwarded-Prefix", "/west"), ("X-Forwarded-For", "203.0.113.9")];
        Assert.Equal("https://pacs.example.org/west/dicomweb/studies/1.3", await UrlAsync(server, forwarded));

        await using var configured = await Server.StartAsync(("Http:PublicUrl", "https://dicom.example.org/pacs/"));
        await configured.StoreAsync(Server.Image("1.3", "1.3.1", "1.3.1.1").ToFile());
        Assert.Equal("https://dicom.example.org/pacs/dicomweb/studies/1.3", await UrlAsync(configured, forwarded));

        await using var prefixed = await Server.StartAsync(("Http:PathBase", "/pacs"));
        await prefixed.StoreAsync(Server.Image("1.3", "1.3.1", "1.3.1.1").ToFile());
        using var response = await prefixed.GetAsync(prefixed.Url + "/pacs/dicomweb/studies");
        Assert.Equal($"{prefixed.Url}/pacs/dicomweb/studies/1.3",
            (await Server.JsonAsync(response))[0].GetProperty("00081190").GetProperty("Value")[0].GetString());
    }

    private static async Task<string> UrlAsync(Server server, (string, string)[] headers) =>
        (await Server.JsonAsync(await server.GetAsync("/studies?StudyInstanceUID=1.3", null, headers)))[0]
            .GetProperty("00081190").GetProperty("Value")[0].GetString()!;
}
