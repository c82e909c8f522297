using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Threading.Channels;

namespace DicomServerless.Dev;

/// <summary>
/// Azurite raises no events. This reads its access log, makes of every committed write and delete of a blob the event that Event Grid would send, and hands it to the
/// service as the Functions host hands over a queue message; and it calls the sweep as the host's timer does. So the event path is the same code as in Azure.
/// </summary>
internal sealed partial class BlobEventRelay(DevOptions options, HttpClient http)
{
    private const int Attempts = 5, Concurrent = 8;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1), SweepEvery = TimeSpan.FromSeconds(10);
    private static readonly string[] Containers = ["dicom", "inbox"];

    private readonly Channel<string> events = Channel.CreateUnbounded<string>();
    private long sequence;

    // 127.0.0.1 - - [21/Nov/2026:10:05:17 +0000] "PUT /devstoreaccount1/dicom/a%20b/c.dcm HTTP/1.1" 201 -
    [GeneratedRegex("""\[(?<time>[^\]]+)\] "(?<method>PUT|DELETE) /devstoreaccount1/(?<container>[^/?]+)/(?<blob>[^? ]+)(\?(?<query>[^ ]*))? HTTP/[^"]*" (?<status>\d{3}) """)]
    private static partial Regex AccessLogLine();

    /// <summary>Takes a line of Azurite's access log.</summary>
    public void OnLine(string line)
    {
        if (AccessLogLine().Match(line) is not { Success: true } match || !Containers.Contains(match.Groups["container"].Value)) return;
        var isDelete = match.Groups["method"].Value == "DELETE";
        var status = match.Groups["status"].Value;
        // Blocks, metadata, leases and the like change nothing that can be read.
        var component = match.Groups["query"].Value.Split('&').FirstOrDefault(part => part.StartsWith("comp=", StringComparison.Ordinal));
        if (isDelete ? status != "202" || component is not null : status is not ("201" or "202") || component is not (null or "comp=blocklist")) return;
        events.Writer.TryWrite(ToEvent(isDelete, match.Groups["container"].Value, WebUtility.UrlDecode(match.Groups["blob"].Value.Replace("+", "%2B", StringComparison.Ordinal)), match.Groups["time"].Value));
    }

    public Task RunAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(Enumerable.Range(0, Concurrent).Select(_ => DeliverAsync(cancellationToken)).Append(SweepAsync(cancellationToken)));

    private string ToEvent(bool isDelete, string container, string blob, string time)
    {
        var at = DateTimeOffset.TryParseExact(time, "dd/MMM/yyyy:HH:mm:ss zzz", CultureInfo.InvariantCulture, DateTimeStyles.None, out var parsed) ? parsed : DateTimeOffset.UtcNow;
        var number = Interlocked.Increment(ref sequence);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("topic", "/subscriptions/dev/resourceGroups/dev/providers/Microsoft.Storage/storageAccounts/devstoreaccount1");
            json.WriteString("subject", $"/blobServices/default/containers/{container}/blobs/{blob}");
            json.WriteString("eventType", isDelete ? "Microsoft.Storage.BlobDeleted" : "Microsoft.Storage.BlobCreated");
            json.WriteString("id", $"{Environment.ProcessId}-{number}");
            json.WriteStartObject("data");
            json.WriteString("api", isDelete ? "DeleteBlob" : "PutBlob");
            json.WriteString("blobType", "BlockBlob");
            json.WriteString("url", $"http://127.0.0.1:{options.AzuritePort}/devstoreaccount1/{container}/{blob}");
            json.WriteString("sequencer", number.ToString("D24", CultureInfo.InvariantCulture));
            json.WriteEndObject();
            json.WriteString("dataVersion", "");
            json.WriteString("metadataVersion", "1");
            json.WriteString("eventTime", at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private async Task DeliverAsync(CancellationToken cancellationToken)
    {
        await foreach (var blobEvent in events.Reader.ReadAllAsync(cancellationToken))
        {
            // dataType binary: the host gives the message's bytes as base64.
            var message = Convert.ToBase64String(Encoding.UTF8.GetBytes(blobEvent));
            var body = "{\"Data\":{\"message\":\"" + message + "\"},\"Metadata\":{\"DequeueCount\":\"1\",\"sys\":{\"MethodName\":\"events-queue\"}}}";
            for (var attempt = 1; !await InvokeAsync("events-queue", body, cancellationToken); attempt++)
            {
                if (attempt == Attempts)
                {
                    Console.Error.WriteLine("A blob event could not be handled; the sweep will come to it. The service's log has the reason.");
                    break;
                }
                await Task.Delay(RetryAfter, cancellationToken);
            }
        }
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(SweepEvery);
        while (await timer.WaitForNextTickAsync(cancellationToken))
            await InvokeAsync("sweep", """{"Data":{"timer":{"Schedule":{"AdjustForDST":false},"ScheduleStatus":null,"IsPastDue":false}},"Metadata":{"sys":{"MethodName":"sweep"}}}""", cancellationToken);
    }

    private async Task<bool> InvokeAsync(string function, string body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{options.ServiceUrl}/{function}") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
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
