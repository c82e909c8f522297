using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functional.Storage;

/// <summary>A request as it arrived.</summary>
internal sealed record Recorded(string Method, string Url, IReadOnlyDictionary<string, string> Headers, byte[] Body);

/// <summary>A storage service that answers what a test tells it, and keeps what was sent: for what an emulator does not show (ids, lengths, retries).</summary>
internal sealed class RecordingService : IAsyncDisposable
{
    private readonly WebApplication application;
    private readonly List<Recorded> requests = [];

    private RecordingService(WebApplication application) => this.application = application;

    public IReadOnlyList<Recorded> Requests => requests;
    public string ConnectionString =>
        $"BlobEndpoint={application.Urls.Single()}/account;TableEndpoint={application.Urls.Single()}/account;"
        + $"QueueEndpoint={application.Urls.Single()}/account;AccountName=account;AccountKey=a2V5";

    /// <summary>Starts it; <paramref name="answer"/> gets the number of the request, from 0.</summary>
    public static async Task<RecordingService> StartAsync(Action<int, HttpResponse> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(options => options.Limits.MaxRequestBodySize = null);
        var service = new RecordingService(builder.Build());
        service.application.Run(async context =>
        {
            var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            int number;
            lock (service.requests)
            {
                number = service.requests.Count;
                service.requests.Add(new Recorded(
                    context.Request.Method, context.Request.PathBase + context.Request.Path + context.Request.QueryString,
                    context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase),
                        body.ToArray()));
            }
            answer(number, context.Response);
        });
        await service.application.StartAsync();
        return service;
    }

    public ValueTask DisposeAsync() => application.DisposeAsync();
}
