using DicomServerless.Dicom.Web;
using System.Net.Mime;
using DicomServerless.Archive.Retrieve;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Media;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Endpoints;

/// <summary>
/// Retrieves a value behind a BulkDataURI (PS3.18 10.4.1.1.5): its bytes, little endian, as one payload or as the one part of a multipart message.
/// </summary>
internal static class WadoBulkData
{
    public static async Task RetrieveAsync(HttpContext context)
    {
        if (await context.ReadUidsAsync() is not { } uids) return;
        var path = context.Request.RouteValues["path"] as string ?? "";
        if (await context.Archive().Retrieval.BulkAsync(uids.Key, path, context.RequestAborted) is not { } value)
        {
            await Problem.WriteAsync(context, 404, "There is no such instance, or no such bulk data in it; take the BulkDataURI from its metadata.");
            return;
        }
        var accept = Accept.Of(context.Request);
        var own = OwnMediaType(value);
        // One payload where the client leaves it open: it can be read in ranges, and shown as what it is.
        var offers = own == MediaTypeNames.Application.Octet
            ? (Representation[])[Representation.Single(own), Representation.Multipart(own)]
            : [Representation.Single(own), Representation.Multipart(own),
                Representation.Single(MediaTypeNames.Application.Octet), Representation.Multipart(MediaTypeNames.Application.Octet)];
        if (accept.Choose(offers) is not { } choice)
        {
            await Problem.WriteAsync(context, 406, $"The value is {string.Join(" or ", offers.Select(offer => offer.ToString()))}.");
            return;
        }
        var etag = $"\"{value.Instance.ETag.Trim('"')}-{Caching.Short(path + choice)}\"";
        if (Caching.IsNotModified(context, etag)) return;
        if (choice.IsMultipart) await WriteMultipartAsync(context, value, choice.MediaType);
        else await Payload.SendAsync(context, choice.MediaType, etag, value.Length, value.Open);
    }

    // A document's own type, as its instance states it, if that is harmless. What a browser would run (HTML, SVG, XML with style sheets) comes from whoever
    // made the object and would run with the rights of this origin: it is octets.
    internal static string OwnMediaType(BulkAnswer value) => MediaType.Parse(value.MediaType)?.Name switch
    {
        { } name and (MediaTypes.Pdf or MediaTypes.Plain or "model/stl" or "model/obj" or "model/mtl" or "image/jpeg" or "image/png" or "video/mp4"
        or "video/mpeg") => name,
        _ => MediaTypeNames.Application.Octet,
    };

    private static async Task WriteMultipartAsync(HttpContext context, BulkAnswer value, string mediaType)
    {
        var boundary = context.NewBoundary();
        var response = context.Response;
        var location = context.BaseUrl() + context.Request.Path.Value!["/dicomweb".Length..];
        var contentType = value.IsEncapsulated ? $"{mediaType}; transfer-syntax={value.Instance.TransferSyntaxUid}" : mediaType;
        response.ContentType = MultipartWriter.ContentType(mediaType, boundary);
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await using var content = value.Length == 0 ? Stream.Null : await value.Open(0, value.Length, context.RequestAborted);
        var writer = new MultipartWriter(response.BodyWriter, boundary);
        writer.Begin(contentType, location, null);
        context.Telemetry().BytesOut.Add(value.Length);
        await Payload.CopyAsync(content, response.BodyWriter, value.Length, context.RequestAborted);
        await writer.EndAsync(context.RequestAborted);
    }
}
