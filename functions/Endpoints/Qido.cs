using System.Buffers;
using DicomServerless.Archive.Search;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Web;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Media;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Endpoints;

/// <summary>Search transaction (PS3.18 10.6): six resources, answered as DICOM JSON, or as XML with one part a result.</summary>
internal static class Qido
{
    public static Task StudiesAsync(HttpContext context) => SearchAsync(context, QidoLevel.Study);

    public static Task SeriesAsync(HttpContext context) => SearchAsync(context, QidoLevel.Series);

    public static Task InstancesAsync(HttpContext context) => SearchAsync(context, QidoLevel.Instance);

    private static async Task SearchAsync(HttpContext context, QidoLevel level)
    {
        if (await context.ReadUidsAsync() is not { } uids) return;
        if (Accept.Of(context.Request).Choose(Representation.Single(MediaTypes.DicomJson),
            Representation.Single(MediaTypes.Json), XmlParts.Multipart, XmlParts.Single) is not { } representation)
        {
            await Problem.WriteAsync(context, 406, $"Search results are {MediaTypes.DicomJson} or {XmlParts.Multipart}; accept one of them or */*.");
            return;
        }
        if (await ReadAsync(context, level, uids.Study, uids.Series) is not { } query) return;
        var answer = await context.Archive().Search.SearchAsync(query, context.BaseUrl(), context.RequestAborted);
        foreach (var warning in query.Warnings.Distinct()) context.AddWarning(warning);
        // How many there are is not counted: that would cost as much as fetching them (PS3.18 8.3.4.4.1).
        if (answer.HasMore) context.AddWarning("There are additional results that can be requested");
        if (answer.IsIncomplete) context.AddWarning("The search was stopped at the work that one request may cause; the next page goes on from there");
        if (answer.Unready) context.AddWarning("A query attribute is still being built; studies were looked at one by one");
        if (answer.Next is { } next && await context.Cursors().ProtectAsync(next, query, context.RequestAborted) is { } cursor)
        {
            var resource = context.BaseUrl()[..^"/dicomweb".Length] + context.Request.Path.ToUriComponent();
            context.Response.Headers.Append("Link", $"<{resource}?cursor={cursor}>; rel=\"next\"");
        }
        else if (answer.Next is not null)
            context.AddWarning("The query is too long for a link to the next page; ask for the rest with offset, or ask for less at once");
        if (await context.Archive().Reconciler.IsRebuildingAsync(context.RequestAborted))
            context.AddWarning("The index is being rebuilt. Matches may be missing until that is done.");
        context.Response.Headers.CacheControl = "private, no-cache";
        if (answer.Results.Count == 0)
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }
        if (representation.MediaType == MediaTypes.DicomXml)
        {
            await XmlParts.WriteAsync(context, representation.IsMultipart || answer.Results.Count != 1, XmlParts.Each(answer.Results));
            return;
        }
        context.Response.ContentType = representation.MediaType;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await WriteAsync(context, answer.Results);
    }

    // The query of the parameters, or of the cursor in their place; null if they are wrong, which has then been answered.
    private static async Task<QidoQuery?> ReadAsync(HttpContext context, QidoLevel level, Uid? study, Uid? series)
    {
        var parameters = context.Request.Query.SelectMany(item => item.Value.Select(value => KeyValuePair.Create(item.Key, value ?? "")))
            .Where(item => !QidoQuery.IsOfRequest(item.Key)).ToList();
        SearchPlace? after = null;
        if (parameters.Find(item => item.Key.Equals("cursor", StringComparison.OrdinalIgnoreCase)) is { Key: not null } cursor)
        {
            if (parameters.Count > 1) return await RefuseAsync(context, ["cursor stands alone: it holds the whole query, so leave the other parameters out."]);
            if (await context.Cursors().ReadAsync(cursor.Value, level, study, series, context.RequestAborted) is not { } read)
                return await RefuseAsync(context, ["cursor does not belong to this resource: use the URL from the Link header of an answer unchanged."]);
            (after, parameters) = (read.Place, [.. read.Parameters]);
        }
        var query = QidoQuery.Parse(level, study, series, parameters, out var errors);
        query.After = after;
        if (query.HasUnknownKeys && context.Settings().Http.RefuseUnknownKeys)
            errors = [.. errors, "A query parameter is no attribute that this server knows: check its spelling, or give its tag in eight hexadecimal digits."];
        return errors.Count == 0 ? query : await RefuseAsync(context, errors);
    }

    private static async Task<QidoQuery?> RefuseAsync(HttpContext context, IReadOnlyList<string> errors)
    {
        await Problem.WriteAsync(context, 400, "Query parameters are wrong.", errors);
        return null;
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
