using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace DicomServerless.Functions.Hosting;

/// <summary>Lets requests that need the stores wait until they are made, which matters once in the life of an account.</summary>
internal sealed class ReadinessGate(RequestDelegate next, Readiness readiness, Settings settings)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var path = context.Request.Path;
        var isFree = context.GetEndpoint() is not RouteEndpoint || path == "/" || path.StartsWithSegments("/health") || path.StartsWithSegments("/viewer");
        if (isFree || readiness.IsReady || await readiness.WaitAsync(TimeSpan.FromSeconds(settings.Http.StartWaitSeconds), context.RequestAborted))
        {
            await next(context);
            return;
        }
        context.Response.Headers.RetryAfter = "5";
        await Problem.WriteAsync(context, 503, "Storage cannot be reached yet; ask again.");
    }
}
