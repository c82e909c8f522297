using System.Text.Encodings.Web;
using System.Text.Json;
using DicomServerless.Functions.Capabilities;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Media;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Endpoints;

/// <summary>Retrieve Capabilities (PS3.18 8.9): what this service can do, as WADL, JSON or OpenAPI.</summary>
internal static class CapabilityDocuments
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true };

    public static async Task CapabilitiesAsync(HttpContext context)
    {
        if (Accept.Of(context.Request).Choose(Representation.Single(MediaTypes.Wadl), Representation.Single(MediaTypes.Json),
            Representation.Single(MediaTypes.DicomJson), Representation.Single("application/xml")) is not { } choice)
        {
            await Problem.WriteAsync(context, 406, $"Capabilities are {MediaTypes.Wadl} or {MediaTypes.Json}.");
            return;
        }
        if (HttpMethods.IsOptions(context.Request.Method)) context.Response.Headers.Allow = "GET, HEAD, OPTIONS";
        using var made = new MemoryStream();
        if (choice.MediaType is MediaTypes.Json or MediaTypes.DicomJson) Json(made, json => CapabilitiesJson.Write(json, context.BaseUrl(), LimitsOf(context)));
        else await Wadl.WriteAsync(made, context.BaseUrl(), LimitsOf(context));
        await SendAsync(context, choice.MediaType, made);
    }

    public static async Task OpenApiAsync(HttpContext context)
    {
        using var made = new MemoryStream();
        Json(made, json => CapabilitiesJson.WriteOpenApi(json, context.BaseUrl(), LimitsOf(context)));
        await SendAsync(context, MediaTypes.Json, made);
    }

    private static Limits LimitsOf(HttpContext context) => new(context.Settings().Http.MaxBodyBytes, context.Settings().Archive.MaxResults);

    private static void Json(Stream output, Action<Utf8JsonWriter> write)
    {
        using var json = new Utf8JsonWriter(output, Options);
        write(json);
    }

    private static async Task SendAsync(HttpContext context, string mediaType, MemoryStream made)
    {
        context.Response.ContentType = mediaType;
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers.Vary = "Accept";
        if (!HttpMethods.IsHead(context.Request.Method))
            await context.Response.BodyWriter.WriteAsync(made.GetBuffer().AsMemory(0, (int)made.Length), context.RequestAborted);
    }
}
