using DicomServerless.Dicom.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.Options;
using DicomServerless.Functions.Media;

namespace DicomServerless.Functions.Hosting;

/// <summary>Compresses JSON and XML, parts of XML too: by media type alone those could not be told from pixels.</summary>
internal sealed class TextCompression(IServiceProvider services, IOptions<ResponseCompressionOptions> options) : ResponseCompressionProvider(services, options)
{
    /// <summary>What is compressed when it is the whole answer.</summary>
    public static readonly string[] Types = [MediaTypes.DicomJson, MediaTypes.DicomXml, MediaTypes.Json, MediaTypes.Wadl];

    public override bool ShouldCompressResponse(HttpContext context)
    {
        var headers = context.Response.Headers;
        if (headers.ContentRange.Count > 0 || headers.ContentEncoding.Count > 0) return false;
        return base.ShouldCompressResponse(context)
            || (MediaType.Parse(context.Response.ContentType) is { Name: "multipart/related" } parts && parts["type"] == MediaTypes.DicomXml);
    }
}
