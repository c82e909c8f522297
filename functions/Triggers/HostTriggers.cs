using System.Buffers;
using DicomServerless.Functions.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functions.Triggers;

/// <summary>
/// What the Functions host posts for its triggers. The routes exist under the host only. The host proxies public requests to the same port; those always carry
/// x-ms-invocation-id and X-Forwarded-For, an invocation never does, so a request with either is not for us.
/// </summary>
internal static class HostTriggers
{
    private const int MaxBodyBytes = 8 * 1024 * 1024;

    /// <summary>The queue trigger's function, named by its folder.</summary>
    public static Task QueueAsync(HttpContext context) => EventsAsync(context, "message");

    /// <summary>The Event Grid trigger's function.</summary>
    public static Task EventGridAsync(HttpContext context) => EventsAsync(context, "event");

    /// <summary>The timer's function.</summary>
    public static async Task SweepAsync(HttpContext context)
    {
        if (!await IsFromHostAsync(context)) return;
        if (await context.RequestServices.GetRequiredService<SweepJobs>().RunAsync(context.RequestAborted)) await AnswerAsync(context);
        else await Problem.WriteAsync(context, 500, "A job of the sweep failed; the log says which.");
    }

    /// <summary>Whether a request came through the host's proxy, that is, from anyone.</summary>
    public static bool IsPublic(HttpRequest request) => request.Headers.ContainsKey("x-ms-invocation-id") || request.Headers.ContainsKey("X-Forwarded-For")
        || request.Headers.ContainsKey("X-Original-For"); // what the forwarded headers middleware leaves of it

    private static async Task EventsAsync(HttpContext context, string binding)
    {
        if (!await IsFromHostAsync(context)) return;
        if (await ReadBodyAsync(context) is not { } body)
        {
            await Problem.WriteAsync(context, 413, $"An invocation may have {MaxBodyBytes} bytes.");
            return;
        }
        var outcome = await context.RequestServices.GetRequiredService<EventIntake>().HandleAsync(Invocation.Read(body, binding), context.RequestAborted);
        // Any status but 2xx makes the message come again, and go to the poison queue in the end.
        if (outcome == IntakeOutcome.Done) await AnswerAsync(context);
        else
            await Problem.WriteAsync(context, 500, outcome == IntakeOutcome.NoEvent
                ? "The message is no storage event." : "The event could not be handled now.");
    }

    private static async Task<bool> IsFromHostAsync(HttpContext context)
    {
        if (!IsPublic(context.Request)) return true;
        await Problem.WriteAsync(context, 404, "There is no such resource. DICOMweb is below /dicomweb.");
        return false;
    }

    private static async Task<byte[]?> ReadBodyAsync(HttpContext context)
    {
        var body = new MemoryStream();
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            for (int count; (count = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0;)
            {
                if (body.Length + count > MaxBodyBytes) return null;
                body.Write(buffer, 0, count);
            }
            return body.ToArray();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Never an empty body: the host would wait for it until its time is over.
    private static Task AnswerAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json; charset=utf-8";
        return context.Response.WriteAsync("""{"Outputs":{},"Logs":[],"ReturnValue":null}""", context.RequestAborted);
    }
}
