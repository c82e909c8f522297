using System.Diagnostics;
using DicomServerless.Archive.Retrieve;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functions.Hosting;

/// <summary>What surrounds every request: a span, a measurement, one line in the log, and an answer for what an endpoint did not expect.</summary>
internal sealed class RequestEnvelope(RequestDelegate next, Telemetry telemetry, TimeProvider clock, ILogger<RequestEnvelope> log)
{
    private const int ClientClosedRequest = 499;

    public async Task InvokeAsync(HttpContext context)
    {
        var started = clock.GetTimestamp();
        using var activity = telemetry.Source.StartActivity("request", ActivityKind.Server, Parent(context));
        context.Response.Headers.XContentTypeOptions = "nosniff"; // what objects hold is never to be taken for a page
        try
        {
            // URLs of ours are made of it (RFC 9112 3.2: then it is the client's mistake).
            if (context.Request.Host.HasValue && !Uri.TryCreate($"http://{context.Request.Host.ToUriComponent()}", UriKind.Absolute, out _))
                await Problem.WriteAsync(context, 400, "The Host header names no host and port.");
            else await next(context);
            if (!context.Response.HasStarted && context.Response is { StatusCode: 404 or 405, ContentType: null }) await AnswerUnknownAsync(context);
        }
        catch (Exception exception)
        {
            await AnswerAsync(context, exception);
        }
        finally
        {
            Record(context, activity, clock.GetElapsedTime(started));
        }
    }

    private static ActivityContext Parent(HttpContext context) =>
        context.Request.Headers.TraceParent is [{ } parent] && ActivityContext.TryParse(parent, null, isRemote: true, out var remote) ? remote : default;

    private static Task AnswerUnknownAsync(HttpContext context)
    {
        if (context.Response.StatusCode == StatusCodes.Status405MethodNotAllowed && HttpMethods.IsOptions(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent; // Allow names the methods of the resource (RFC 9110 9.3.7)
            return Task.CompletedTask;
        }
        return context.Response.StatusCode == StatusCodes.Status405MethodNotAllowed
            ? Problem.WriteAsync(context, 405, $"This resource allows the methods {context.Response.Headers.Allow}.")
            : Problem.WriteAsync(context, 404, "There is no such resource. DICOMweb is below /dicomweb.");
    }

    private async Task AnswerAsync(HttpContext context, Exception exception)
    {
        var traceId = Problem.TraceId(context);
        // A client that leaves is no error.
        // The writer may know of it before the request does.
        if (context.RequestAborted.IsCancellationRequested || exception is ConnectionResetException
            || (exception is OperationCanceledException && context.Response.HasStarted))
        {
            HostingLog.ClientLeft(log, traceId);
            if (HasBegun(context)) context.Abort(); // anyone still reading must not mistake a partial body for a complete one
            else context.Response.StatusCode = ClientClosedRequest;
            return;
        }
        if (HasBegun(context))
        {
            // The status is sent, or bytes of the body are on their way: cutting the connection is the only way to say that the body is not whole.
            HostingLog.Failed(log, exception, traceId);
            context.Abort();
            return;
        }
        switch (HostingLog.Last(exception))
        {
            case BadHttpRequestException bad:
                await Problem.WriteAsync(context, bad.StatusCode, "The request could not be read: " + bad.Message);
                break;
            case InstanceChangedException:
                context.Response.Headers.RetryAfter = "1";
                await Problem.WriteAsync(context, 503, "The instance was changed while it was read; ask again.");
                break;
            case Azure.RequestFailedException { Status: 409 } refused when RefusalOf(refused) is { } words:
                await Problem.WriteAsync(context, 409, words);
                break;
            case Azure.RequestFailedException { Status: 401 or 403 }:
                HostingLog.StorageFailed(log, HostingLog.Reason(exception), traceId);
                context.Response.Headers.RetryAfter = "60";
                await Problem.WriteAsync(context, 503, "Storage refuses this service; its operator must grant it access.");
                break;
            case Azure.RequestFailedException { Status: 0 or 408 or 429 or >= 500 }:
            case Azure.Identity.AuthenticationFailedException:
            case HttpRequestException or TimeoutException or OperationCanceledException or IOException:
                HostingLog.StorageFailed(log, HostingLog.Reason(exception), traceId);
                context.Response.Headers.RetryAfter = "5";
                await Problem.WriteAsync(context, 503, "Storage does not answer; ask again.");
                break;
            default:
                HostingLog.Failed(log, exception, traceId);
                await Problem.WriteAsync(context, 500, "The server failed. The log has the reason under the trace id.");
                break;
        }
    }

    // Bytes that were written and not flushed cannot be taken back: a problem would be read as the rest of them.
    private static bool HasBegun(HttpContext context) =>
        context.Response.HasStarted || (context.Response.BodyWriter is { CanGetUnflushedBytes: true, UnflushedBytes: > 0 });

    // What an operator's own rules keep from being read, replaced or deleted.
    private static string? RefusalOf(Azure.RequestFailedException exception) => exception.ErrorCode switch
    {
        "BlobArchived" or "BlobBeingRehydrated" => "The object lies in the archive tier of the storage; it must be rehydrated before it can be read.",
        "BlobImmutableDueToPolicy" or "BlobImmutableDueToLegalHold" =>
            "The object is held by an immutability policy or legal hold of the storage; it cannot be changed or deleted now.",
        "LeaseIdMissing" or "LeaseAlreadyPresent" => "Another program holds a lease on the object; it cannot be changed or deleted now.",
        _ => null,
    };

    private void Record(HttpContext context, Activity? activity, TimeSpan elapsed)
    {
        var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "none";
        var (method, status) = (MethodTag(context.Request.Method), context.Response.StatusCode);
        if (activity is not null)
        {
            activity.DisplayName = $"{method} {route}";
            activity.SetTag("http.route", route).SetTag("http.request.method", method).SetTag("http.response.status_code", status);
            if (status >= 500) activity.SetStatus(ActivityStatusCode.Error);
        }
        if (route is not ("/" or "/health/live" or "/health/ready"))
            HostingLog.Answered(log, method, route, status, elapsed.TotalMilliseconds, Problem.TraceId(context));
    }

    // A method is a client's text: only known ones become tags.
    private static string MethodTag(string method) => method is "GET" or "HEAD" or "POST" or "PUT" or "DELETE" or "OPTIONS" or "PATCH" ? method : "_OTHER";
}
