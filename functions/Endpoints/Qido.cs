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
        if (query.Cursor is { } cursor && (query.After = await context.Cursors().ReadAsync(cursor, query, context.RequestAborted)) is null)
        {
            await Problem.WriteAsync(context, 400, "Query parameters are wrong.", ["cursor is none of this query's: take it from the Link of an answer to the same query, or leave it out."]);
            return;
        }
        var answer = await context.Archive().Search.SearchAsync(query, context.BaseUrl(), context.RequestAborted);
        foreach (var warning in query.Warnings.Distinct()) context.AddWarning(warning);
        // How many there are is not counted: that would cost as much as fetching them (PS3.18 8.3.4.4.1).
        if (answer.HasMore) context.AddWarning("There are additional results that can be requested");
        if (answer.IsIncomplete) context.AddWarning("The search was stopped at the work that one request may cause; the next page goes on from there");
        if (answer.Unready) context.AddWarning("A query attribute is still being built; studies were looked at one by one");
        if (answer.Next is { } next) context.Response.Headers.Append("Link", $"<{NextUrl(context, await context.Cursors().ProtectAsync(next, query, context.RequestAborted))}>; rel=\"next\"");
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

    // The same query, with the cursor where the offset was; the rest as it came.
    private static string NextUrl(HttpContext context, string cursor)
    {
        var request = context.Request;
        var root = context.BaseUrl()[..^"/dicomweb".Length];
        var kept = request.QueryString.Value!.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Where(pair => Uri.UnescapeDataString(pair.Split('=')[0]).ToLowerInvariant() is not ("offset" or "cursor")).Select(EscapeDelimiters);
        return $"{root}{request.Path.ToUriComponent()}?{string.Join('&', [.. kept, "cursor=" + cursor])}";
    }

    // What Kestrel lets pass but would end a link or a header.
    private static string EscapeDelimiters(string pair) =>
        string.Concat(pair.Select(c => c is > ' ' and < '\x7F' and not ('<' or '>' or '"') ? c.ToString() : Uri.EscapeDataString(c.ToString())));

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
