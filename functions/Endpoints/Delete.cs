using DicomServerless.Functions.Hosting;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Endpoints;

/// <summary>Deletes a study, a series or an instance. Not in PS3.18; as Microsoft's server does it: 204, or 404 when there is nothing.</summary>
internal static class Delete
{
    public static async Task DeleteAsync(HttpContext context)
    {
        if (await context.ReadUidsAsync() is not { } uids) return;
        // Once begun it is not given up when the client leaves: a part of a study helps nobody.
        if (await context.Archive().Removal.DeleteAsync(uids.Study!.Value, uids.Series, uids.Instance, CancellationToken.None))
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        else await Problem.WriteAsync(context, 404, "There is nothing to delete under these UIDs.");
    }
}
