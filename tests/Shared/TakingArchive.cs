using DicomServerless.Dicom;
using DicomServerless.Dicom.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Shared;

/// <summary>A STOW server that takes everything and keeps nothing.</summary>
public sealed class TakingArchive : IAsyncDisposable
{
    private readonly WebApplication app;

    private TakingArchive()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapPost("/studies", TakeAsync);
        app.MapPost("/studies/{study}", TakeAsync);
    }

    public string Url => app.Urls.Single();

    public static async Task<TakingArchive> StartAsync()
    {
        var archive = new TakingArchive();
        await archive.app.StartAsync();
        return archive;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private static async Task TakeAsync(HttpContext context)
    {
        var items = new List<string>();
        var buffer = new byte[64 * 1024];
        using var reader = new MultipartReader(context.Request.Body, MediaType.Parse(context.Request.ContentType)!["boundary"]!);
        while (await reader.ReadNextAsync(context.RequestAborted) is { } part)
        {
            using var scanner = new InstanceScanner(new ScanOptions { ComputeHash = false });
            for (int count; (count = await part.Content.ReadAsync(buffer, context.RequestAborted)) > 0;) scanner.Push(buffer.AsSpan(0, count));
            scanner.Complete();
            items.Add("{\"00081155\":{\"vr\":\"UI\",\"Value\":[\"" + scanner.Result!.Uids.SopInstance.Value + "\"]}}");
        }
        context.Response.ContentType = "application/dicom+json";
        await context.Response.WriteAsync("{\"00081199\":{\"vr\":\"SQ\",\"Value\":[" + string.Join(',', items) + "]}}", context.RequestAborted);
    }
}
