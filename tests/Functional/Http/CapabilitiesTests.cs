using System.Net;
using System.Xml.Linq;
using DicomServerless.Functions.Capabilities;

namespace DicomServerless.Functional.Http;

/// <summary>Retrieve Capabilities (PS3.18 8.9) and the OpenAPI document: true to the routes.</summary>
public sealed class CapabilitiesTests
{
    private static readonly XNamespace Wadl = "http://wadl.dev.java.net/2009/02";

    [Fact]
    public async Task Every_route_is_in_the_catalog_and_everything_in_the_catalog_is_a_route()
    {
        await using var server = await Server.StartAsync();
        var routes = server.Routes().Where(route => route.Method != "HEAD").Select(route => $"{route.Method} {route.Template}").Order(StringComparer.Ordinal);
        Assert.Equal(routes, Catalog.All.Select(operation => $"{operation.Method} {operation.Path}").Order(StringComparer.Ordinal));
        Assert.Equal(Catalog.All.Length, Catalog.All.Select(operation => operation.Name).Distinct().Count());
        // Whatever can be read can be asked about.
        var heads = server.Routes().Where(route => route.Method == "HEAD").Select(route => route.Template).ToHashSet();
        Assert.All(Catalog.All.Where(operation => operation.Method == "GET"), operation => Assert.Contains(operation.Path, heads));
    }

    [Theory]
    [InlineData("OPTIONS", "", null)]
    [InlineData("OPTIONS", "/", "*/*")]
    [InlineData("OPTIONS", "", "application/vnd.sun.wadl+xml")]
    [InlineData("GET", "/capabilities", "application/vnd.sun.wadl+xml, */*;q=0.1")]
    public async Task The_wadl_is_one_tree_of_resources_under_the_public_base(string method, string path, string? accept)
    {
        await using var server = await Server.StartAsync(("Http:PublicUrl", "https://pacs.example.org/dicom"),
            ("Archive:MaxResults", "77"), ("Http:MaxBodyBytes", "2000000"));
        using var response = await SendAsync(server, method, path, accept);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/vnd.sun.wadl+xml", response.Content.Headers.ContentType!.MediaType);
        var application = XDocument.Parse(await response.Content.ReadAsStringAsync()).Root!;
        Assert.Equal(Wadl + "application", application.Name);
        Assert.Contains("2000000", application.Element(Wadl + "doc")!.Value, StringComparison.Ordinal);
        Assert.Contains("77", application.Element(Wadl + "doc")!.Value, StringComparison.Ordinal);
        var resources = Assert.Single(application.Elements(Wadl + "resources"));
        Assert.Equal("https://pacs.example.org/dicom/dicomweb", resources.Attribute("base")!.Value);
        var studies = Assert.Single(resources.Elements(Wadl + "resource"), resource => resource.Attribute("path")!.Value == "studies");
        Assert.Equal(["GET", "POST"], studies.Elements(Wadl + "method").Select(element => element.Attribute("name")!.Value));
        var found = resources.Descendants(Wadl + "method").Select(element => $"{element.Attribute("name")!.Value} {PathOf(element.Parent!)}");
        Assert.Equal(Catalog.All.Select(operation => $"{operation.Method} {operation.Path.Replace("**", "", StringComparison.Ordinal)}")
            .Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Json_and_openapi_say_the_same_and_another_type_is_refused()
    {
        await using var server = await Server.StartAsync();
        using var json = await server.GetAsync("/capabilities", "application/json");
        var capabilities = await Server.JsonAsync(json);
        Assert.Equal(Catalog.All.Length, capabilities.GetProperty("operations").GetArrayLength());
        Assert.True(capabilities.GetProperty("limits").GetProperty("maxResults").GetInt32() > 0);
        using var openApi = await server.GetAsync("/openapi.json");
        var document = await Server.JsonAsync(openApi);
        Assert.StartsWith("3.0", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        Assert.Equal(server.Base, document.GetProperty("servers")[0].GetProperty("url").GetString());
        var operations = document.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(method => method.Value.GetProperty("operationId").GetString()));
        Assert.Equal(Catalog.All.Select(operation => operation.Name).Order(StringComparer.Ordinal), operations.Order(StringComparer.Ordinal));
        // Each parameter of a path's template is declared, as OpenAPI demands.
        foreach (var path in document.GetProperty("paths").EnumerateObject())
            foreach (var method in path.Value.EnumerateObject())
                Assert.Equal(path.Name.Split('/').Count(segment => segment.StartsWith('{')),
                    method.Value.GetProperty("parameters").EnumerateArray().Count(parameter => parameter.GetProperty("in").GetString() == "path"));
        using var refused = await server.GetAsync("/capabilities", "image/png");
        Assert.Equal(HttpStatusCode.NotAcceptable, refused.StatusCode);
    }

    [Fact]
    public async Task Options_of_a_resource_say_what_it_takes()
    {
        await using var server = await Server.StartAsync();
        using var response = await SendAsync(server, "OPTIONS", "/studies", null);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Equal(["GET", "HEAD", "POST"], response.Content.Headers.Allow.Order(StringComparer.Ordinal));
        using var unknown = await SendAsync(server, "OPTIONS", "/nothing", null);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    private static string PathOf(XElement resource) => resource.Name == Wadl + "resources"
        ? "" : $"{PathOf(resource.Parent!)}/{resource.Attribute("path")!.Value}";

    private static async Task<HttpResponseMessage> SendAsync(Server server, string method, string path, string? accept)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/dicomweb" + path);
        if (accept is not null) request.Headers.TryAddWithoutValidation("Accept", accept);
        return await server.Client.SendAsync(request);
    }
}
