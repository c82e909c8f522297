using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using DicomServerless.Functions.Media;

namespace DicomServerless.Functions.Hosting;

/// <summary>Error bodies (RFC 9457). They name the parameter or part and what to do, and hold no values.</summary>
internal static class Problem
{
    // sent as application/problem+json, never as HTML
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The id that the log line of a request has too.</summary>
    public static string TraceId(HttpContext context) => Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier;

    /// <summary>Answers with a problem.</summary>
    public static async Task WriteAsync(HttpContext context, int status, string detail, IReadOnlyList<string>? errors = null)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = MediaTypes.ProblemJson;
        response.ContentLength = null;
        response.Headers.ETag = default;
        response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await using (var json = new Utf8JsonWriter(response.BodyWriter, Options))
        {
            json.WriteStartObject();
            json.WriteString("title"u8, ReasonPhrases.GetReasonPhrase(status));
            json.WriteNumber("status"u8, status);
            json.WriteString("detail"u8, detail);
            if (errors is { Count: > 0 })
            {
                json.WriteStartArray("errors"u8);
                foreach (var error in errors) json.WriteStringValue(error);
                json.WriteEndArray();
            }
            json.WriteString("traceId"u8, TraceId(context));
            json.WriteEndObject();
        }
        await response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
