using DicomServerless.Dicom;
using DicomServerless.Dicom.Web;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Media;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Endpoints;

/// <summary>Answers in XML: data sets of the Native DICOM Model, one a part (PS3.18 8.7.3.2).</summary>
internal static class XmlParts
{
    public static readonly Representation Multipart = Representation.Multipart(MediaTypes.DicomXml), Single = Representation.Single(MediaTypes.DicomXml);

    /// <summary>Writes data sets that are given as JSON objects. Without parts there must be one.</summary>
    public static async Task WriteAsync(HttpContext context, bool isMultipart, IAsyncEnumerable<ReadOnlyMemory<byte>> objects)
    {
        var boundary = context.NewBoundary();
        context.Response.ContentType = isMultipart ? MultipartWriter.ContentType(MediaTypes.DicomXml, boundary) : MediaTypes.DicomXml;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        var output = context.Response.BodyWriter;
        var parts = new MultipartWriter(output, boundary);
        var document = new MemoryStream();
        await foreach (var json in objects.WithCancellation(context.RequestAborted))
        {
            document.SetLength(0);
            DicomXmlWriter.Write(json.Span, document);
            if (isMultipart) parts.Begin(MediaTypes.DicomXml, null, document.Length);
            await output.WriteAsync(document.GetBuffer().AsMemory(0, (int)document.Length), context.RequestAborted);
        }
        if (isMultipart) await parts.EndAsync(context.RequestAborted);
        else await output.FlushAsync(context.RequestAborted);
    }

    /// <summary>A list as it is enumerated here.</summary>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> Each(IReadOnlyList<byte[]> objects)
    {
        await Task.CompletedTask;
        foreach (var json in objects) yield return json;
    }
}
