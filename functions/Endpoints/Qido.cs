using DicomServerless.Dicom.Web;
using System.Buffers;
using DicomServerless.Archive.Search;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Media;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Endpoints;

/// <summary>Search transaction (PS3.18 10.6): six resources, answered as DICOM JSON, or as XML with one part a result.</summary>
internal static class Qido
{
    private const string DicomJson = "application/dicom+json", Json = "application/json";

    public static Task StudiesAsync(HttpContext context) => SearchAsync(context, QidoLevel.Study);

    public static Task SeriesAsync(HttpContext context) => SearchAsync(context, QidoLevel.Series);

    public static Task InstancesAsync(HttpContext context) => SearchAsync(context, QidoLevel.Instance);

    private static async Task SearchAsync(HttpContext context, QidoLevel level)
    {
        if (await context.ReadUidsAsync() is not { } uids) return;
        if (Accept.Of(context.Request).Choose(Representation.Single(DicomJson), Representation.Single(Json), XmlParts.Multipart, XmlParts.Single) is not { } representation)
        {
            await Problem.WriteAsync(context, 406, $"Search results are {DicomJson} or {XmlParts.Multipart}; accept one of them or */*.");
            return;
        }
        var parameters = context.Request.Query.SelectMany(item => item.Value.Select(value => KeyValuePair.Create(item.Key, value ?? "")));
        var query = QidoQuery.Parse(level, uids.Study, uids.Series, parameters, out var errors);
        if (errors.Count > 0)
        {
            await Problem.WriteAsync(context, 400, "Query parameters are wrong.", errors);
            return;
        }
        var answer = await context.Archive().Search.SearchAsync(query, context.BaseUrl(), context.RequestAborted);
        foreach (var warning in query.Warnings.Distinct()) context.AddWarning(warning);
        // How many there are is not counted: that would cost as much as fetching them (PS3.18 8.3.4.4.1).
        if (answer.HasMore) context.AddWarning("There are additional results that can be requested");
        if (answer.IsIncomplete) context.AddWarning("The search was stopped at the work that one request may cause. Matches may be missing; narrow the query.");
        if (await context.Archive().Reconciler.IsRebuildingAsync(context.RequestAborted)) context.AddWarning("The index is being rebuilt. Matches may be missing until that is done.");
        context.Response.Headers.CacheControl = "private, no-cache";
        if (answer.Results.Count == 0)
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }
        if (representation.MediaType == XmlParts.DicomXml)
        {
            await XmlParts.WriteAsync(context, representation.IsMultipart || answer.Results.Count != 1, XmlParts.Each(answer.Results));
            return;
        }
        context.Response.ContentType = representation.MediaType;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await WriteAsync(context, answer.Results);
    }

    private static async Task WriteAsync(HttpContext context, IReadOnlyList<byte[]> results)
    {
        const int flushBytes = 64 * 1024;
        var output = context.Response.BodyWriter;
        for (var i = 0; i < results.Count; i++)
        {
            output.Write(i == 0 ? "["u8 : ","u8);
            output.Write(results[i]);
            if (output.UnflushedBytes >= flushBytes && (await output.FlushAsync(context.RequestAborted)).IsCompleted) return;
        }
        output.Write("]"u8);
        await output.FlushAsync(context.RequestAborted);
    }
}
