using System.Text;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Hosting;

/// <summary>
/// The dashboard's URL of the gateway that has a spool, in the file <c>.url</c> of its folder. The verb <c>health</c> asks there: the configuration's files may
/// hold a change that the gateway has refused, or be no configuration at all.
/// </summary>
internal static class RunningUrl
{
    private const string Name = ".url";

    /// <summary>Writes it; the one of an earlier start goes.</summary>
    /// <returns>The error number, 0 for success.</returns>
    public static int Write(string spool, string url)
    {
        var path = Path.Combine(spool, Name);
        Posix.Remove(path);
        return DurableFile.Write(path, Encoding.UTF8.GetBytes(url));
    }

    /// <summary>The URL; null where there is none that can be read.</summary>
    public static string? Read(string spool)
    {
        try
        {
            return File.ReadAllText(Path.Combine(spool, Name)) is var url && Uri.TryCreate(url, UriKind.Absolute, out _) ? url : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
