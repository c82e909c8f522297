using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;

namespace DicomServerless.Functions.Hosting;

/// <summary>
/// How many requests are worked on at the same time, so that memory does not grow with the number of clients. Health and triggers always get through.
/// </summary>
internal static class RequestLimits
{
    private const string Requests = "requests", Unlimited = "";

    public static void Apply(RateLimiterOptions limiter, HttpOptions options)
    {
        var concurrency = new ConcurrencyLimiterOptions
        {
            PermitLimit = options.MaxRequests,
            QueueLimit = options.MaxWaitingRequests,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        };
        limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context => context.Request.Path.StartsWithSegments("/dicomweb")
            ? RateLimitPartition.GetConcurrencyLimiter(Requests, _ => concurrency)
            : RateLimitPartition.GetNoLimiter(Unlimited));
        limiter.OnRejected = async (rejected, _) =>
        {
            rejected.HttpContext.Response.Headers.RetryAfter = "1";
            await Problem.WriteAsync(rejected.HttpContext, StatusCodes.Status503ServiceUnavailable, "Too many requests are waiting; ask again.");
        };
    }
}
