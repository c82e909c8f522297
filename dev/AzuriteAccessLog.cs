using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace DicomServerless.Dev;

/// <summary>A committed write or delete of a blob, read from Azurite's access log.</summary>
internal sealed record BlobAccess(bool IsDelete, string Container, string Blob, DateTimeOffset Time);

/// <summary>Reads Azurite's access log, which has a line a request: Azurite raises no events.</summary>
internal static partial class AzuriteAccessLog
{
    // 127.0.0.1 - - [21/Nov/2026:10:05:17 +0000] "PUT /devstoreaccount1/dicom/a%20b/c.dcm HTTP/1.1" 201 -
    [GeneratedRegex("""\[(?<time>[^\]]+)\] "(?<method>PUT|DELETE) /devstoreaccount1/"""
        + """(?<container>[^/?]+)/(?<blob>[^? ]+)(\?(?<query>[^ ]*))? HTTP/[^"]*" (?<status>\d{3}) """)]
    private static partial Regex Line();

    /// <summary>The blob change of a line; null for every other request.</summary>
    public static BlobAccess? Read(string line)
    {
        if (Line().Match(line) is not { Success: true } match) return null;
        var isDelete = match.Groups["method"].Value == "DELETE";
        var status = match.Groups["status"].Value;
        // Blocks, metadata, leases and the like change nothing that can be read.
        var component = match.Groups["query"].Value.Split('&').FirstOrDefault(part => part.StartsWith("comp=", StringComparison.Ordinal));
        if (isDelete ? status != "202" || component is not null : status is not ("201" or "202") || component is not (null or "comp=blocklist")) return null;
        var time = DateTimeOffset.TryParseExact(match.Groups["time"].Value, "dd/MMM/yyyy:HH:mm:ss zzz",
            CultureInfo.InvariantCulture, DateTimeStyles.None, out var parsed) ? parsed : DateTimeOffset.UtcNow;
        return new BlobAccess(isDelete, match.Groups["container"].Value,
            WebUtility.UrlDecode(match.Groups["blob"].Value.Replace("+", "%2B", StringComparison.Ordinal)), time);
    }
}
