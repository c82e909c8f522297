using System.Text.Json;
using DicomServerless.Archive.Index;
using DicomServerless.Functions.Hosting;
using Microsoft.AspNetCore.Http;
using DicomServerless.Functions.Media;

namespace DicomServerless.Functions.Endpoints;

/// <summary>How far the configured query attributes are: their names, counts and times, no values.</summary>
internal static class QueryTags
{
    public static async Task ListAsync(HttpContext context)
    {
        var found = await context.Archive().QueryTags.StatusAsync(context.RequestAborted);
        context.Response.ContentType = MediaTypes.Json;
        context.Response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartArray();
        foreach (var status in found)
        {
            json.WriteStartObject();
            json.WriteString("tag"u8, status.Id[..8]);
            json.WriteString("vr"u8, status.Id[9..11]);
            var configured = context.Settings().Archive.QueryTags.FirstOrDefault(tag => tag.Id == status.Id);
            if (status.Id.Length > 11) json.WriteString("privateCreator"u8, configured?.PrivateCreator ?? status.Id[12..]);
            if (configured is not null) json.WriteString("level"u8, configured.Level.ToString());
            json.WriteString("state"u8, status.State switch { QueryTagState.Ready => "ready", QueryTagState.Building => "building", _ => "removing" });
            json.WriteNumber("studiesDone"u8, status.Done);
            json.WriteNumber("studiesSeen"u8, status.Seen);
            if (status.Started is { } started) json.WriteString("started"u8, started);
            if (status.Finished is { } finished) json.WriteString("finished"u8, finished);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
