using DicomServerless.Functions.Hosting;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Endpoints;

/// <summary>Whether the process lives and storage answers.</summary>
internal static class Health
{
    private static readonly TimeSpan CheckTime = TimeSpan.FromSeconds(5);

    /// <summary><c>GET /</c>: the Functions host polls it until anything answers, so it must not wait for anything.</summary>
    public static Task RootAsync(HttpContext context) => TextAsync(context, "DicomServerless: DICOMweb is below /dicomweb.\n");

    /// <summary><c>GET /health/live</c>.</summary>
    public static Task LiveAsync(HttpContext context) => TextAsync(context, "live\n");

    /// <summary><c>GET /health/ready</c>: the stores are made and can be reached.</summary>
    public static async Task ReadyAsync(HttpContext context)
    {
        var isReady = await context.RequestServices.GetRequiredService<Readiness>().CheckAsync(CheckTime, context.RequestAborted);
        if (isReady) await TextAsync(context, "ready\n");
        else
        {
            context.Response.Headers.RetryAfter = "5";
            await Problem.WriteAsync(context, 503, "Storage is not ready or cannot be reached; the log says why.");
        }
    }

    private static Task TextAsync(HttpContext context, string text)
    {
        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }
}
