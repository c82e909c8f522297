using System.Text;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functional.Gateway;

/// <summary>A STOW server that says what a test tells it to say.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly List<StowRequest> requests = [];

    private ScriptedServer(Func<StowRequest, HttpContext, Task> answer, Action<WebApplication>? routes, string url)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        app = builder.Build();
        app.Urls.Add(url);
        app.MapPost("/studies", async context =>
        {
            var sops = new List<string>();
            using var reader = new MultipartReader(context.Request.Body, MediaType.Parse(context.Request.ContentType)!["boundary"]!);
            while (await reader.ReadNextAsync(default) is { } part)
            {
                var bytes = new MemoryStream();
                await part.Content.CopyToAsync(bytes);
                using var scanner = new InstanceScanner();
                scanner.Push(bytes.ToArray());
                scanner.Complete();
                sops.Add(scanner.Result!.Uids.SopInstance.Value + "/" + Encoding.UTF8.GetString(scanner.Result.DataSet.ValueOf(new Tag(0x00081030)).Span)
                    .Trim());
            }
            var request = new StowRequest([.. sops], context.Request.Headers["Duplicate-Policy"].ToString(), context.Request.Headers.Authorization.ToString());
            lock (requests) requests.Add(request);
            await answer(request, context);
        });
        routes?.Invoke(app);
    }

    /// <summary>A request: its objects as {SOP Instance UID}/{description}.</summary>
    public sealed record StowRequest(string[] Objects, string Policy, string Authorization)
    {
        public IEnumerable<string> Sops => Objects.Select(item => item.Split('/')[0]);
    }

    public string Url => app.Urls.Single();

    public StowRequest[] Requests
    {
        get { lock (requests) return [.. requests]; }
    }

    /// <summary>Starts it.</summary>
    /// <param name="answer">Answers a store.</param>
    /// <param name="routes">Adds further routes.</param>
    /// <param name="url">Where it listens.</param>
    public static async Task<ScriptedServer> StartAsync(Func<StowRequest, HttpContext, Task> answer,
        Action<WebApplication>? routes = null, string url = "http://127.0.0.1:0")
    {
        var server = new ScriptedServer(answer, routes, url);
        await server.app.StartAsync();
        return server;
    }

    /// <summary>The answer of a store: those with a reason failed, the others are stored.</summary>
    public static async Task AnswerAsync(HttpContext context, StowRequest request, Func<string, int?>? reasonOf = null, int? status = null)
    {
        var failed = request.Sops.Where(sop => reasonOf?.Invoke(sop) is not null).ToArray();
        var stored = request.Sops.Except(failed).ToArray();
        context.Response.StatusCode = status ?? (failed.Length == 0 ? 200 : stored.Length == 0 ? 409 : 202);
        context.Response.ContentType = "application/dicom+json";
        var items = new List<string>();
        if (stored.Length > 0) items.Add($$"""
            "00081199":{"vr":"SQ","Value":[{{string.Join(',', stored.Select(Item))}}]}
            """);
        if (failed.Length > 0) items.Add($$"""
            "00081198":{"vr":"SQ","Value":[{{string.Join(',', failed.Select(Item))}}]}
            """);
        await context.Response.WriteAsync("{" + string.Join(',', items) + "}");

        string Item(string sop) => $$"""
            {"00081155":{"vr":"UI","Value":["{{sop}}"]}{{(reasonOf?.Invoke(sop) is { } reason ? $",\"00081197\":{{\"vr\":\"US\",\"Value\":[{reason}]}}" : "")}}}
            """;
    }

    public async ValueTask DisposeAsync() => await app.DisposeAsync();
}
