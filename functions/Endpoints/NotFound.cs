using DicomServerless.Functions.Hosting;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Endpoints;

/// <summary>The answer for UIDs that are well formed and unknown.</summary>
internal static class NotFound
{
    public static Task WriteAsync(HttpContext context, ResourceUids uids)
    {
        var what = uids.Instance is not null ? "instance" : uids.Series is not null ? "series" : "study";
        return Problem.WriteAsync(context, 404, $"There is no such {what}.");
    }
}
