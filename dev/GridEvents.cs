using System.Globalization;
using System.Text.Json;

namespace DicomServerless.Dev;

/// <summary>The events that Event Grid would send, in the schema that the deployment asks for.</summary>
internal static class GridEvents
{
    /// <summary>The event of a blob change, as UTF-8.</summary>
    public static byte[] Of(BlobAccess access, long sequence)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("topic", "/subscriptions/dev/resourceGroups/dev/providers/Microsoft.Storage/storageAccounts/devstoreaccount1");
            json.WriteString("subject", $"/blobServices/default/containers/{access.Container}/blobs/{access.Blob}");
            json.WriteString("eventType", access.IsDelete ? "Microsoft.Storage.BlobDeleted" : "Microsoft.Storage.BlobCreated");
            json.WriteString("id", $"{Environment.ProcessId}-{sequence}");
            json.WriteStartObject("data");
            json.WriteString("api", access.IsDelete ? "DeleteBlob" : "PutBlob");
            json.WriteString("blobType", "BlockBlob");
            json.WriteString("url", $"http://127.0.0.1/devstoreaccount1/{access.Container}/{access.Blob}");
            json.WriteString("sequencer", sequence.ToString("D24", CultureInfo.InvariantCulture));
            json.WriteEndObject();
            json.WriteString("dataVersion", "");
            json.WriteString("metadataVersion", "1");
            json.WriteString("eventTime", access.Time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }
}
