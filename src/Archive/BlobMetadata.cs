using System.Globalization;
using DicomServerless.Storage;

namespace DicomServerless.Archive;

/// <summary>What goes with each blob, so that an index rebuilt from blobs knows it too. ASCII; no patient data.</summary>
public static class BlobMetadata
{
    /// <summary>Our own requests' ids start so: they come back in events.</summary>
    public const string OwnRequest = "dicomserverless-";

    internal const string Hash = "sha256", Offset = "dataset", Syntax = "syntax", Received = "received", Source = "source";

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    internal static Dictionary<string, string> Write(string dataSetHash, long dataSetOffset, string transferSyntax, DateTimeOffset received, string source) =>
        new(StringComparer.OrdinalIgnoreCase)
    {
        [Hash] = dataSetHash,
        [Offset] = dataSetOffset.ToString(CultureInfo.InvariantCulture),
        [Syntax] = transferSyntax,
        [Received] = received.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture),
        [Source] = new string([.. source.Where(c => c is > ' ' and < (char)127).Take(64)]),
    };

    /// <summary>When the blob was received, in milliseconds since 1970: as it says, or when it was last changed if somebody else put it.</summary>
    internal static long ReceivedAt(BlobInfo blob) =>
        (DateTimeOffset.TryParseExact(blob.Metadata.GetValueOrDefault(Received), TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal,
            out var received)
            ? received : blob.LastModified).ToUnixTimeMilliseconds();

    /// <summary>Reads the data set's hash and start, where a blob has them.</summary>
    internal static bool TryRead(BlobInfo blob, out string hash, out long offset)
    {
        hash = blob.Metadata.GetValueOrDefault(Hash) ?? "";
        offset = 0;
        return hash.Length == 64 && long.TryParse(blob.Metadata.GetValueOrDefault(Offset), NumberStyles.None, CultureInfo.InvariantCulture, out offset)
            && offset <= blob.Length;
    }
}
