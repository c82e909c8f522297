using System.Text.Json;
using DicomServerless.Archive.Rendering;
using DicomServerless.Archive.Retrieve;
using DicomServerless.Dicom;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Media;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Endpoints;

/// <summary>
/// Rendered resources (PS3.18 10.4.1.1.3) of what needs no image codec: documents and videos as they are, with ranges; structured reports and clinical
/// documents as pages. Of a study or series it is the first instance that can be shown. Images are not rendered yet: 406 says so.
/// </summary>
internal static class WadoRendered
{
    private const int MaxDocumentBytes = 16 * 1024 * 1024;

    private const string Images = "Images are not rendered by this server yet; ask for frames, or open the viewer.";

    /// <summary>Thumbnails need image codecs.</summary>
    public static async Task ThumbnailAsync(HttpContext context)
    {
        if (await context.ReadUidsAsync() is null) return;
        await Problem.WriteAsync(context, 406, "Thumbnails are not made by this server yet; ask for frames.");
    }

    /// <summary>A frame is an image.</summary>
    public static async Task FramesAsync(HttpContext context)
    {
        if (await context.ReadUidsAsync() is null) return;
        await Problem.WriteAsync(context, 406, Images);
    }

    public static async Task RetrieveAsync(HttpContext context)
    {
        if (await context.ReadUidsAsync() is not { } uids) return;
        var instances = await context.Archive().Retrieval.ListAsync(uids.Study!.Value, uids.Series, uids.Instance, context.RequestAborted);
        if (instances.Count == 0)
        {
            await NotFound.WriteAsync(context, uids);
            return;
        }
        if (instances.FirstOrDefault(CanBeShown) is not { } instance)
        {
            await Problem.WriteAsync(context, 406, Images);
            return;
        }
        await SendAsync(context, instance, Accept.Of(context.Request));
    }

    /// <summary>Answers with what an instance is shown as.</summary>
    /// <param name="context">The request.</param>
    /// <param name="instance">The instance.</param>
    /// <param name="mediaType">What it is wanted as.</param>
    public static Task SendAsync(HttpContext context, StoredInstance instance, string mediaType) =>
        CanBeShown(instance) ? SendAsync(context, instance, Accept.Read([mediaType], [])) : Problem.WriteAsync(context, 406, Images);

    private static bool CanBeShown(StoredInstance instance) => IsVideo(instance.TransferSyntaxUid)
        || IsDocument(instance.SopClassUid) || IsReport(instance.SopClassUid);

    // PS3.6 A: Encapsulated PDF, CDA, STL, OBJ, MTL.
    private static bool IsDocument(string sopClass) => sopClass.StartsWith("1.2.840.10008.5.1.4.1.1.104.", StringComparison.Ordinal);

    // that is Key Object Selection
    private static bool IsReport(string sopClass) => sopClass.StartsWith("1.2.840.10008.5.1.4.1.1.88.", StringComparison.Ordinal)
        && sopClass is not "1.2.840.10008.5.1.4.1.1.88.59";

    // PS3.6 A: MPEG-2 .100 and .101 (and their fragmentable forms), MPEG-4 .102 to .106, HEVC .107 and .108.
    private static bool IsVideo(string transferSyntax) =>
        transferSyntax.StartsWith("1.2.840.10008.1.2.4.10", StringComparison.Ordinal)
            && transferSyntax["1.2.840.10008.1.2.4.10".Length..] is ['0' or '1' or '2' or '3' or '4' or '5' or '6' or '7' or '8', ..];

    private static async Task SendAsync(HttpContext context, StoredInstance instance, Accept accept)
    {
        // What objects hold runs nowhere: no scripts, no requests, an origin of its own. The isolated pages of the viewer may embed it.
        context.Response.Headers["Cross-Origin-Embedder-Policy"] = "require-corp";
        if (IsVideo(instance.TransferSyntaxUid)) await SendVideoAsync(context, instance, accept);
        else if (IsReport(instance.SopClassUid)) await SendReportAsync(context, instance, accept);
        else await SendDocumentAsync(context, instance, accept);
    }

    private static async Task SendVideoAsync(HttpContext context, StoredInstance instance, Accept accept)
    {
        if (await context.Archive().Retrieval.BitstreamAsync(instance.Key, context.RequestAborted) is not { Length: > 0 } video)
        {
            await Problem.WriteAsync(context, 404, "The instance has no video.");
            return;
        }
        var start = new byte[(int)Math.Min(12, video.Length)];
        await using (var content = await video.Open(0, start.Length, context.RequestAborted)) await content.ReadExactlyAsync(start, context.RequestAborted);
        // A container says what it is; without one it is the stream of the transfer syntax (PS3.5 8.2.5 to 8.2.8).
        var type = start.Length >= 8 && start.AsSpan(4).StartsWith("ftyp"u8)
            ? "video/mp4" : start is [0x47, ..] ? "video/mp2t" : instance.TransferSyntaxUid switch
        {
            "1.2.840.10008.1.2.4.107" or "1.2.840.10008.1.2.4.108" => "video/H265",
            _ when instance.TransferSyntaxUid.StartsWith("1.2.840.10008.1.2.4.100", StringComparison.Ordinal)
                || instance.TransferSyntaxUid.StartsWith("1.2.840.10008.1.2.4.101", StringComparison.Ordinal) => "video/mpeg",
            _ => "video/H264",
        };
        await SendWholeAsync(context, video, type, accept);
    }

    private static async Task SendDocumentAsync(HttpContext context, StoredInstance instance, Accept accept)
    {
        if (await context.Archive().Retrieval.BulkAsync(instance.Key, Tags.EncapsulatedDocument.ToString(), context.RequestAborted) is not { } document)
        {
            await SendInlineDocumentAsync(context, instance, accept);
            return;
        }
        var type = WadoBulkData.OwnMediaType(document);
        if (instance.SopClassUid != "1.2.840.10008.5.1.4.1.1.104.2") await SendWholeAsync(context, document, type, accept);
        else if (document.Length > MaxDocumentBytes) await Problem.WriteAsync(context, 406, "The document is too large to be shown; take its bulk data.");
        else
        {
            await using var content = await document.Open(0, document.Length, context.RequestAborted);
            await SendClinicalAsync(context, document.Instance, content, accept);
        }
    }

    // A document small enough to stand in the metadata.
    private static async Task SendInlineDocumentAsync(HttpContext context, StoredInstance instance, Accept accept)
    {
        using var metadata = await MetadataAsync(context, instance);
        if (metadata is null || !metadata.RootElement.TryGetProperty(Tags.EncapsulatedDocument.ToString(), out var attribute)
            || !attribute.TryGetProperty("InlineBinary", out var inline))
        {
            await Problem.WriteAsync(context, 404, "The instance has no document.");
            return;
        }
        var bytes = inline.GetBytesFromBase64();
        var stated = metadata.RootElement.TryGetProperty(Tags.MIMETypeOfEncapsulatedDocument.ToString(), out var type)
            && type.TryGetProperty("Value", out var values) ? values[0].GetString() : null;
        var document = new BulkAnswer(instance, Tags.EncapsulatedDocument.ToString(), Vr.OB, bytes.Length, false, stated, (offset, length, _) =>
            Task.FromResult<Stream>(new MemoryStream(bytes, (int)offset, (int)length, writable: false)));
        if (instance.SopClassUid == "1.2.840.10008.5.1.4.1.1.104.2") await SendClinicalAsync(context, instance, new MemoryStream(bytes), accept);
        else await SendWholeAsync(context, document, WadoBulkData.OwnMediaType(document), accept);
    }

    private static async Task SendReportAsync(HttpContext context, StoredInstance instance, Accept accept)
    {
        using var metadata = await MetadataAsync(context, instance);
        if (metadata is null || !StructuredReport.IsOne(metadata.RootElement))
        {
            await Problem.WriteAsync(context, 404, "The instance has no content tree.");
            return;
        }
        if (accept.Choose(Representation.Single(MediaTypes.Html), Representation.Single(MediaTypes.Plain)) is not { } choice)
        {
            await Problem.WriteAsync(context, 406, $"A report is {MediaTypes.Html} or {MediaTypes.Plain}.");
            return;
        }
        await SendPageAsync(context, instance, choice.MediaType,
            choice.MediaType == MediaTypes.Html ? StructuredReport.ToHtml(metadata.RootElement) : StructuredReport.ToText(metadata.RootElement));
    }

    private static async Task SendClinicalAsync(HttpContext context, StoredInstance instance, Stream content, Accept accept)
    {
        if (accept.Choose(Representation.Single(MediaTypes.Html), Representation.Single(MediaTypes.Xml)) is not { } choice)
        {
            await Problem.WriteAsync(context, 406, $"A clinical document is {MediaTypes.Html} or {MediaTypes.Xml}.");
            return;
        }
        if (choice.MediaType == MediaTypes.Html)
        {
            if (await ClinicalDocument.ToHtmlAsync(content, context.RequestAborted) is { } page) await SendPageAsync(context, instance, MediaTypes.Html, page);
            else await Problem.WriteAsync(context, 406, $"The clinical document is not well-formed XML; ask for {MediaTypes.Xml}, which is as it came.");
            return;
        }
        using var whole = new MemoryStream();
        await content.CopyToAsync(whole, context.RequestAborted);
        // Objects are padded to an even length (PS3.5 7.1.1), XML takes no NUL.
        await SendPageAsync(context, instance, MediaTypes.Xml, whole.ToArray().AsSpan().TrimEnd((byte)0).ToArray());
    }

    private static async Task SendWholeAsync(HttpContext context, BulkAnswer content, string type, Accept accept)
    {
        if (accept.Choose(Representation.Single(type)) is null)
        {
            await Problem.WriteAsync(context, 406, $"It is {type}; accept that or */*.");
            return;
        }
        var etag = $"\"{content.Instance.ETag.Trim('"')}-{Caching.Short(type)}\"";
        if (Caching.IsNotModified(context, etag)) return;
        await Payload.SendAsync(context, type, etag, content.Length, content.Open);
    }

    private static async Task SendPageAsync(HttpContext context, StoredInstance instance, string type, byte[] page)
    {
        if (Caching.IsNotModified(context, $"W/\"{instance.ETag.Trim('"')}-{Caching.Short(type)}\"")) return;
        context.Response.Headers.ContentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";
        context.Response.ContentType = type + "; charset=utf-8";
        context.Response.ContentLength = page.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.BodyWriter.WriteAsync(page, context.RequestAborted);
    }

    private static async Task<JsonDocument?> MetadataAsync(HttpContext context, StoredInstance instance)
    {
        if (await context.Archive().Retrieval.MetadataAsync(instance.Key.Study,
            instance.Key.Series, instance.Key.Sop, context.RequestAborted) is not { } metadata)
            return null;
        await foreach (var json in metadata.ObjectsAsync(context.BaseUrl(), context.RequestAborted))
            return JsonDocument.Parse(json, AttributeJson.DocumentOptions);
        return null;
    }
}
