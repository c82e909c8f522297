using DicomServerless.Archive;
using DicomServerless.Archive.Search;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Web;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Hosting;

/// <summary>What endpoints need of a request.</summary>
internal static class RequestContext
{
    /// <summary>The archive.</summary>
    public static DicomArchive Archive(this HttpContext context) => context.RequestServices.GetRequiredService<DicomArchive>();

    /// <summary>Cursors of searches.</summary>
    public static SearchCursors Cursors(this HttpContext context) => context.RequestServices.GetRequiredService<SearchCursors>();

    /// <summary>The options.</summary>
    public static Settings Settings(this HttpContext context) => context.RequestServices.GetRequiredService<Settings>();

    /// <summary>The measurements.</summary>
    public static Telemetry Telemetry(this HttpContext context) => context.RequestServices.GetRequiredService<Telemetry>();

    /// <summary>
    /// The public URL of the DICOMweb root, without a slash at its end: as configured, else as the request came, through trusted proxies' headers.
    /// </summary>
    public static string BaseUrl(this HttpContext context) => context.RootUrl() + "/dicomweb";

    /// <summary>The public URL of the application's root, without a slash at its end.</summary>
    public static string RootUrl(this HttpContext context)
    {
        var request = context.Request;
        return context.Settings().Http.PublicUrl ?? $"{request.Scheme}://{request.Host.ToUriComponent()}{request.PathBase.ToUriComponent().TrimEnd('/')}";
    }

    /// <summary>The path of the application's root as clients see it, without a slash at its end: empty unless a proxy puts it below a prefix.</summary>
    public static string RootPath(this HttpContext context) => new Uri(context.RootUrl()).AbsolutePath.TrimEnd('/');

    /// <summary>A boundary for a multipart answer.</summary>
    public static string NewBoundary(this HttpContext context) => MultipartWriter.NewBoundary(context.RequestServices.GetRequiredService<Func<Guid>>());

    /// <summary>The public URL of an instance.</summary>
    public static string UrlOf(this HttpContext context, InstanceKey key) => context.BaseUrl() + DicomWebPath.Of(key);

    /// <summary>Adds a warning in the wording of PS3.18 8.3.4: <c>299 {base}: text</c>.</summary>
    public static void AddWarning(this HttpContext context, string text) => context.Response.Headers.Append("Warning", $"299 {context.BaseUrl()}: {text}");

    /// <summary>Reads the UIDs of the path: those that the route has. Answers 400 and returns null when one is malformed.</summary>
    public static async Task<ResourceUids?> ReadUidsAsync(this HttpContext context)
    {
        var errors = new List<string>();
        var uids = new ResourceUids(Read("study"), Read("series"), Read("instance"));
        if (errors.Count == 0) return uids;
        await Problem.WriteAsync(context, 400, "A UID in the path is malformed.", errors);
        return null;

        Uid? Read(string name)
        {
            if (context.Request.RouteValues[name] is not string text) return null;
            if (Uid.TryParse(text, out var uid)) return uid;
            errors.Add($"The {name} UID must be digits and single dots, at most 64 characters (PS3.5 9.1).");
            return null;
        }
    }
}

/// <summary>The UIDs in a resource's path.</summary>
internal readonly record struct ResourceUids(Uid? Study, Uid? Series, Uid? Instance)
{
    /// <summary>The instance, for a route that has all three.</summary>
    public InstanceKey Key => new(Study!.Value, Series!.Value, Instance!.Value);
}
