using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Hosting;

/// <summary>What pages of other origins may do: the framework's own policy, on errors and partial answers too.</summary>
internal static class Cors
{
    /// <summary>What a viewer reads of an answer.</summary>
    public static readonly string[] ExposedHeaders =
        ["Accept-Ranges", "Content-Encoding", "Content-Length", "Content-Location",
            "Content-Range", "Content-Type", "ETag", "Link", "Location", "Retry-After", "Warning"];

    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];

    /// <summary>The policy of these options; null when this program has none to follow.</summary>
    public static CorsPolicy? Policy(HttpOptions options)
    {
        if (options.Origins is not { Length: > 0 } origins) return null;
        var policy = new CorsPolicyBuilder(origins).WithMethods(Methods).AllowAnyHeader()
            .WithExposedHeaders(ExposedHeaders).SetPreflightMaxAge(TimeSpan.FromSeconds(options.CorsMaxAgeSeconds));
        // An origin that is named may send what the browser knows of us; any origin may not.
        return origins.Contains("*") ? policy.Build() : policy.AllowCredentials().Build();
    }

    /// <summary>
    /// Names the headers that pages may read where the platform says which pages may call, and lets isolated pages of other origins show what they load.
    /// </summary>
    public static Task AddHeadersAsync(HttpContext context, HttpOptions options, RequestDelegate next)
    {
        context.Response.OnStarting(() =>
        {
            // Pages that are isolated (COEP) take images and videos only from who says so.
            if (!context.Response.Headers.ContainsKey("Cross-Origin-Resource-Policy"))
                context.Response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
            if (options.CorsByPlatform && context.Request.Headers.Origin.Count > 0)
                context.Response.Headers.AccessControlExposeHeaders = string.Join(',', ExposedHeaders);
            return Task.CompletedTask;
        });
        return next(context);
    }
}
