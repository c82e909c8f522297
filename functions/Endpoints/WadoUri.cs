using DicomServerless.Dicom;
using DicomServerless.Dicom.Web;
using DicomServerless.Functions.Hosting;
using Microsoft.AspNetCore.Http;
using DicomServerless.Functions.Media;

namespace DicomServerless.Functions.Endpoints;

/// <summary>
/// The URI service of older viewers (PS3.18 9): one object, named by parameters. Its <c>contentType</c> says what it is given as; viewers send Accept headers
/// of something else with it, so those do not count. Images are not rendered, so without <c>contentType</c> an image is the object itself.
/// </summary>
internal static class WadoUri
{
    private static readonly string[] Shown = [MediaTypes.Pdf, MediaTypes.Html,
        MediaTypes.Plain, MediaTypes.Xml, "video/mp4", "video/mpeg", "video/H264", "video/H265"];

    public static async Task RetrieveAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var errors = new List<string>();
        if (!string.Equals(query["requestType"], "WADO", StringComparison.Ordinal)) errors.Add("requestType must be WADO (PS3.18 9.1.2.1).");
        var (study, series, instance) = (Read("studyUID"), Read("seriesUID"), Read("objectUID"));
        if (errors.Count > 0)
        {
            await Problem.WriteAsync(context, 400, "Parameters are wrong.", errors);
            return;
        }
        if (query.ContainsKey("anonymize"))
        {
            await Problem.WriteAsync(context, 406, "This server does not take identities out of objects; leave anonymize away to get them as they are.");
            return;
        }
        var found = await context.Archive().Retrieval.ListAsync(study, series, instance, context.RequestAborted);
        if (found.Count == 0)
        {
            await NotFound.WriteAsync(context, new ResourceUids(study, series, instance));
            return;
        }
        var wanted = query["contentType"].SelectMany(value => MediaType.ParseList(value ?? ""))
            .Where(type => type.Quality > 0).OrderByDescending(type => type.Quality).ToList();
        foreach (var type in wanted.DefaultIfEmpty(MediaType.Parse("*/*")!))
        {
            if (type.Name is MediaTypes.Dicom or "*/*" or "application/*")
            {
                await WadoObjects.SendAsync(context, found[0], query["transferSyntax"].FirstOrDefault() is { Length: > 0 } syntax ? syntax : null);
                return;
            }
            if (!Shown.Contains(type.Name, StringComparer.OrdinalIgnoreCase)) continue;
            await WadoRendered.SendAsync(context, found[0], type.Name);
            return;
        }
        await Problem.WriteAsync(context, 406,
            "contentType must be application/dicom; documents, reports and videos are given as what they are too. Images are not rendered by this server yet.");

        Uid Read(string name)
        {
            if (Uid.TryParse(query[name].FirstOrDefault() ?? "", out var uid)) return uid;
            errors.Add($"{name} must be a UID: digits and single dots, at most 64 characters (PS3.5 9.1).");
            return default;
        }
    }
}
