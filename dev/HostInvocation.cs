using System.Globalization;
using System.Text;
using System.Text.Json;

namespace DicomServerless.Dev;

/// <summary>Calls the service's triggers as the Functions host does.</summary>
internal static class HostInvocation
{
    /// <summary>The event that Event Grid would send for a blob change.</summary>
    public static string ToEvent(BlobAccess access, long sequence)
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
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>Hands over a queue message with an event. False if it must come again.</summary>
    public static Task<bool> SendEventAsync(HttpClient http, string serviceUrl, string blobEvent, CancellationToken cancellationToken)
    {
        // dataType binary: the host gives the message's bytes as base64.
        var message = Convert.ToBase64String(Encoding.UTF8.GetBytes(blobEvent));
        return InvokeAsync(http, serviceUrl, "events-queue",
            "{\"Data\":{\"message\":\"" + message + "\"},\"Metadata\":{\"DequeueCount\":\"1\",\"sys\":{\"MethodName\":\"events-queue\"}}}", cancellationToken);
    }

    /// <summary>Fires the sweep's timer.</summary>
    public static Task<bool> SweepAsync(HttpClient http, string serviceUrl, CancellationToken cancellationToken) =>
        InvokeAsync(http, serviceUrl, "sweep",
            """{"Data":{"timer":{"Schedule":{"AdjustForDST":false},"ScheduleStatus":null,"IsPastDue":false}},"Metadata":{"sys":{"MethodName":"sweep"}}}""",
            cancellationToken);

    private static async Task<bool> InvokeAsync(HttpClient http, string serviceUrl, string function, string body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{serviceUrl}/{function}")
            { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("User-Agent", "Azure-Functions-Host/dev");
        request.Headers.TryAddWithoutValidation("X-Azure-Functions-InvocationId", Guid.NewGuid().ToString());
        request.Headers.TryAddWithoutValidation("X-Azure-Functions-HostVersion", "dev");
        try
        {
            using var response = await http.SendAsync(request, cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
