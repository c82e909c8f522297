using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace DicomServerless.Functions.Endpoints;

/// <summary>Conditional requests (RFC 9110 13). Objects can be replaced and deleted, so a cache asks each time.</summary>
internal static class Caching
{
    /// <summary>Sets the validators, and answers 304 when the client has this version already.</summary>
    public static bool IsNotModified(HttpContext context, string etag)
    {
        context.Response.Headers.ETag = etag;
        context.Response.Headers.CacheControl = "private, no-cache";
        if (!Matches(context.Request.Headers.IfNoneMatch, etag)) return false;
        context.Response.StatusCode = StatusCodes.Status304NotModified;
        return true;
    }

    /// <summary>Whether a Range header counts: not when If-Range names another version.</summary>
    public static bool AllowsRange(HttpContext context, string etag) => context.Request.Headers.IfRange is not [{ Length: > 0 } wanted] || wanted == etag;

    /// <summary>A few characters that stand for a text.</summary>
    public static string Short(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 4));

    private static bool Matches(IEnumerable<string?> headers, string etag)
    {
        foreach (var header in headers)
        {
            if (header?.Trim() == "*") return true;
            if (!EntityTagHeaderValue.TryParseStrictList([header ?? ""], out var tags)) continue;
            if (tags.Any(tag => tag.Compare(EntityTagHeaderValue.Parse(etag), useStrongComparison: false))) return true;
        }
        return false;
    }
}
