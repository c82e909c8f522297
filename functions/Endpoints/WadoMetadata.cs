using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Media;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Endpoints;

/// <summary>
/// Metadata of a study, a series or an instance (PS3.18 10.4.1.1.2): DICOM JSON, or XML with one part an instance (8.7.3.2). Asked for as
/// <c>application/dicom+xml</c> without
/// multipart, one instance is one document; several need parts all the same.
/// </summary>
internal static class WadoMetadata
{
    public static async Task RetrieveAsync(HttpContext context)
    {
        if (await context.ReadUidsAsync() is not { } uids) return;
        if (Accept.Of(context.Request).Choose(Representation.Single(MediaTypes.DicomJson),
            Representation.Single(MediaTypes.Json), XmlParts.Multipart, XmlParts.Single) is not { } representation)
        {
            await Problem.WriteAsync(context, 406, $"Metadata is {MediaTypes.DicomJson} or {XmlParts.Multipart}; accept one of them or */*.");
            return;
        }
        if (await context.Archive().Retrieval.MetadataAsync(uids.Study!.Value, uids.Series, uids.Instance, context.RequestAborted) is not { } metadata)
        {
            await NotFound.WriteAsync(context, uids);
            return;
        }
        var isXml = representation.MediaType == MediaTypes.DicomXml;
        // Weak, because the same metadata may be compressed or not. The base URL is part of the text.
        if (Caching.IsNotModified(context, $"W/\"{metadata.ETag}-{Caching.Short(context.BaseUrl())}{(isXml ? "-x" : "")}\"")) return;
        if (isXml)
        {
            await XmlParts.WriteAsync(context, representation.IsMultipart || metadata.Count != 1,
                metadata.ObjectsAsync(context.BaseUrl(), context.RequestAborted));
            return;
        }
        context.Response.ContentType = representation.MediaType;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await metadata.WriteToAsync(context.Response.BodyWriter, context.BaseUrl(), context.RequestAborted);
    }
}
