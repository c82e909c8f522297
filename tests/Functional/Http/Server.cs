using DicomServerless.Dicom.Web;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using DicomServerless.Functions;
using DicomServerless.Functions.Hosting;
using DicomServerless.Shared;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functional.Http;

/// <summary>The whole application on a free port, over stores in memory or those given.</summary>
internal sealed class Server : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly PrivacyLog privacy = new();
    private readonly PrivacyHandler answers = new();

    private Server(WebApplication app, MemoryWorld world, string url)
    {
        (this.app, World, Url) = (app, world, url);
        app.Services.GetRequiredService<ILoggerFactory>().AddProvider(privacy);
        Client = new HttpClient(answers) { BaseAddress = new Uri(url) };
    }

    public MemoryWorld World { get; }
    public string Url { get; }
    public string Base => Url + "/dicomweb";
    public HttpClient Client { get; }

    public static Task<Server> StartAsync(params (string Key, string Value)[] settings) => StartAsync(null, settings);

    /// <summary>Starts it; <paramref name="step"/> is awaited around each operation of the stores.</summary>
    public static async Task<Server> StartAsync(Func<string, Task>? step, params (string Key, string Value)[] settings)
    {
        var world = new MemoryWorld(TimeProvider.System);
        var problems = new List<string>();
        var all = new Dictionary<string, string?> { ["Http:Urls"] = "http://127.0.0.1:0", ["Logging:LogLevel:Default"] = "Error",
            ["Logging:Privacy:LogLevel:Default"] = "Trace", ["Logging:Privacy:LogLevel:Microsoft"] = "Warning", ["Archive:KeepStudySeconds"] = "0" };
        foreach (var (key, value) in settings) all[key] = value;
        var app = Program.Build([], problems, (_, _) => new StorageConnection(world.Client(step), null), builder =>
            builder.Configuration.AddInMemoryCollection(all));
        Assert.True(app is not null, string.Join('\n', problems));
        await app.StartAsync();
        return new Server(app, world, app.Urls.Single());
    }

    /// <summary>The routes below the service's root that clients may call: method and template.</summary>
    public IEnumerable<(string Method, string Template)> Routes() =>
        from endpoint in ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
        let template = endpoint.RoutePattern.RawText!
        where template.StartsWith("/dicomweb", StringComparison.Ordinal)
        from method in endpoint.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods
        select (method, template["/dicomweb".Length..]);

    public Task StopAsync() => app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
        privacy.Check();
    }

    /// <summary>How many log lines, spans and answers were looked at for patients' names.</summary>
    public (int Lines, int Spans, int Answers) LookedAt => (privacy.Counts.Lines, privacy.Counts.Spans, answers.Count);

    public async Task<HttpResponseMessage> GetAsync(string path, string? accept = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path.StartsWith("http", StringComparison.Ordinal) ? path : "/dicomweb" + path);
        if (accept is not null) request.Headers.TryAddWithoutValidation("Accept", accept);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public Task<HttpResponseMessage> StoreAsync(params byte[][] objects) => StoreAtAsync("/studies", objects);

    public Task<HttpResponseMessage> StoreAtAsync(string path, params byte[][] objects)
    {
        var body = new MemoryStream();
        foreach (var item in objects)
        {
            body.Write("\r\n--b0undary\r\nContent-Type: application/dicom\r\n\r\n"u8);
            body.Write(item);
        }
        body.Write("\r\n--b0undary--\r\n"u8);
        return PostAsync(path, "multipart/related; type=\"application/dicom\"; boundary=b0undary", body.ToArray());
    }

    public async Task<HttpResponseMessage> PostAsync(string path, string? contentType, byte[] body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/dicomweb" + path) { Content = new ByteArrayContent(body) };
        if (contentType is not null) request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        foreach (var (name, value) in headers)
            if (!request.Headers.TryAddWithoutValidation(name, value)) request.Content.Headers.TryAddWithoutValidation(name, value);
        return await Client.SendAsync(request);
    }

    /// <summary>A small object with an image of 4 x 3 pixels of 16 bits.</summary>
    public static TestObject Image(string study, string series, string sop) => TestObject.Of(study, series, sop)
        .Add(0x00100010, "PN", "SMITH^ANNE").Add(0x00100020, "LO", "P1")
            .Add(0x00080020, "DA", "20240102").Add(0x00080060, "CS", "CT").Add(0x00200013, "IS", "1")
        .Add(0x00280002, "US", [1, 0]).Add(0x00280004, "CS", "MONOCHROME2").Add(0x00280010, "US", [3, 0]).Add(0x00280011, "US", [4, 0])
        .Add(0x00280100, "US", [16, 0]).Add(0x00280101, "US", [16, 0]).Add(0x00280102, "US", [15, 0]).Add(0x00280103, "US", [0, 0])
        .Add(0x7FE00010, "OW", [.. Enumerable.Range(0, 24).Select(i => (byte)i)]);

    public static async Task<JsonElement> JsonAsync(HttpResponseMessage response)
    {
        using var document = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync());
        return document.RootElement.Clone();
    }

    /// <summary>The parts of a multipart response: headers and content. Fails unless the message is closed.</summary>
    public static async Task<List<(string Headers, byte[] Content)>> PartsAsync(HttpResponseMessage response)
    {
        Assert.Equal("multipart/related", response.Content.Headers.ContentType!.MediaType);
        var boundary = "--" + response.Content.Headers.ContentType.Parameters.Single(parameter => parameter.Name == "boundary").Value!.Trim('"');
        var text = Encoding.Latin1.GetString(await response.Content.ReadAsByteArrayAsync());
        Assert.StartsWith(boundary + "\r\n", text);
        Assert.EndsWith("\r\n" + boundary + "--\r\n", text);
        var parts = text[..^(boundary.Length + 6)].Split("\r\n" + boundary + "\r\n");
        parts[0] = parts[0][(boundary.Length + 2)..];
        return [.. parts.Select(part => (part[..part.IndexOf("\r\n\r\n", StringComparison.Ordinal)],
            Encoding.Latin1.GetBytes(part[(part.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..])))];
    }

    public static async Task AssertProblemAsync(HttpStatusCode status, HttpResponseMessage response, params string[] contains)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(status == response.StatusCode, $"{(int)response.StatusCode}: {text}");
        Assert.Equal(new MediaTypeHeaderValue("application/problem+json"), response.Content.Headers.ContentType);
        using var document = JsonDocument.Parse(text);
        Assert.Equal((int)status, document.RootElement.GetProperty("status").GetInt32());
        Assert.NotEmpty(document.RootElement.GetProperty("traceId").GetString()!);
        foreach (var part in contains) Assert.Contains(part, text, StringComparison.OrdinalIgnoreCase);
    }
}
