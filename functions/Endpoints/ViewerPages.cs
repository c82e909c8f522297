using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Viewer;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;
using DicomServerless.Functions.Media;

namespace DicomServerless.Functions.Endpoints;

/// <summary>The OHIF viewer at <c>/viewer/</c>.</summary>
internal static partial class ViewerPages
{
    private const string Gone = "The viewer is not installed here. `node infra/viewer.mjs DIR` makes its folder; Viewer:Path names it.";
    private static readonly FileExtensionContentTypeProvider Types = new();

    public static async Task FileAsync(HttpContext context, string? path)
    {
        if (context.RequestServices.GetService<ViewerFiles>() is not { } viewer)
        {
            await Problem.WriteAsync(context, 404, Gone);
            return;
        }
        // The page's links start at the viewer's root, so its address ends with a slash.
        if (path is null && !context.Request.Path.Value!.EndsWith('/'))
        {
            context.Response.Redirect(context.RootPath() + "/viewer/");
            return;
        }
        AddPolicies(context);
        switch (path)
        {
            case null or "" or "index.html":
                await PageAsync(context, viewer.Index, "text/html; charset=utf-8");
                break;
            case "app-config.js":
                await PageAsync(context, viewer.Configuration, "text/javascript; charset=utf-8");
                break;
            default:
                if (viewer.TryFind(path, out var file)) await SendAsync(context, path, file);
                // The viewer's own addresses, such as viewer?StudyInstanceUIDs=…, are the page; a program or picture that is not there is not.
                else if (Path.GetExtension(path) is "" or ".html") await PageAsync(context, viewer.Index, "text/html; charset=utf-8");
                else await Problem.WriteAsync(context, 404, "The viewer has no such file.");
                break;
        }
    }

    // Nothing that the viewer shows or runs comes from elsewhere, and it tells nobody else. Its programs compile WebAssembly and some of their own code.
    private static void AddPolicies(HttpContext context)
    {
        var headers = context.Response.Headers;
        var own = context.Settings().Http.PublicUrl is { } url ? " " + new Uri(url).GetLeftPart(UriPartial.Authority) : "";
        headers.ContentSecurityPolicy =
            $"default-src 'self'{own}; script-src 'self' 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval' blob:; worker-src 'self' blob:; style-src "
                + $"'self' 'unsafe-inline'; img-src 'self'{own} data: blob:; " +
            $"font-src 'self' data:; media-src 'self'{own} blob:; object-src 'self'{own} blob:; frame-src 'self'{own} blob:; connect-src 'self'{own} "
                + $"data: blob:; base-uri 'self'; form-action 'self'; frame-ancestors 'self'";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Embedder-Policy"] = "require-corp";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Referrer-Policy"] = "same-origin"; // addresses hold UIDs
    }

    private static async Task PageAsync(HttpContext context, string text, string contentType)
    {
        var content = ViewerFiles.Fill(text, context.RootPath());
        context.Response.ContentType = contentType;
        if (Caching.IsNotModified(context, $"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 8))}\"")) return;
        context.Response.ContentLength = content.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.BodyWriter.WriteAsync(content, context.RequestAborted);
    }

    private static async Task SendAsync(HttpContext context, string name, ViewerFile file)
    {
        var accepts = context.Request.Headers.AcceptEncoding.ToString();
        var (encoding, path) = file.Brotli is { } br && Takes(accepts, "br") ? ("br", br) : file.Gzip is { } gz
            && Takes(accepts, "gzip") ? ("gzip", gz) : (null, file.Path);
        var info = new FileInfo(path ?? file.Gzip!);
        var response = context.Response;
        if (file.Path is null) response.Headers.Vary = "Accept-Encoding";
        // The lengths of its forms and the time when it was made tell one from another.
        if (Caching.IsNotModified(context, $"\"{info.Length:x}-{info.LastWriteTimeUtc.Ticks:x}{(encoding is null ? "" : "-" + encoding)}\"")) return;
        // What has a hash of its content in its name never changes.
        if (Hashed().IsMatch(name)) response.Headers.CacheControl = "public, max-age=31536000, immutable";
        response.ContentType = Types.TryGetContentType(name, out var type)
            ? type.StartsWith("text/", StringComparison.Ordinal) ? type + "; charset=utf-8" : type : MediaTypes.Octets;
        if (encoding is not null) response.Headers.ContentEncoding = encoding;
        if (path is not null) response.ContentLength = info.Length;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        if (path is not null)
        {
            await response.SendFileAsync(path, context.RequestAborted);
            return;
        }
        await using var unpacked = new GZipStream(info.OpenRead(), CompressionMode.Decompress);
        await unpacked.CopyToAsync(response.Body, context.RequestAborted);
    }

    private static bool Takes(string header, string encoding) =>
        StringWithQualityHeaderValue.TryParseList([header], out var list)
            && list.Any(item => item.Value.Equals(encoding, StringComparison.OrdinalIgnoreCase) && item.Quality is not 0);

    [GeneratedRegex(@"(^|\.)[0-9a-f]{16}(-[0-9]+)?\.[a-z0-9]+$")]
    private static partial Regex Hashed();
}
