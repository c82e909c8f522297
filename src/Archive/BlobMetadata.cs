using System.Globalization;
using DicomServerless.Storage;

namespace DicomServerless.Archive;

/// <summary>What goes with each blob, so that an index rebuilt from blobs knows it too. ASCII; no patient data.</summary>
public static class BlobMetadata
{
    /// <summary>Our own requests' ids start so: they come back in events.</summary>
    public const string OwnRequest = "dicomserverless-";

    internal const string Hash = "sha256", Offset = "dataset", Received = "received", Source = "source";

    internal static Dictionary<string, string> Write(string dataSetHash, long dataSetOffset, DateTimeOffset received, string source) => new(StringComparer.OrdinalIgnoreCase)
    {
        [Hash] = dataSetHash,
        [Offset] = dataSetOffset.ToString(CultureInfo.InvariantCulture),
        [Received] = received.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
        [Source] = new string([.. source.Where(c => c is > ' ' and < (char)127).Take(64)]),
    };

    /// <summary>Reads the data set's hash and start, where a blob has them.</summary>
    internal static bool TryRead(BlobInfo blob, out string hash, out long offset)
    {
        hash = blob.Metadata.GetValueOrDefault(Hash) ?? "";
        offset = 0;
        return hash.Length == 64 && long.TryParse(blob.Metadata.GetValueOrDefault(Offset), NumberStyles.None, CultureInfo.InvariantCulture, out offset) && offset <= blob.Length;
    }
}
