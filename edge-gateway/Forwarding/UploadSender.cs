using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>
/// Sends one object that is larger than the destination's request limit: <c>POST /uploads</c> gives a place, its blocks are put there (straight to the blob host, or through the
/// destination where that cannot be reached), <c>POST /uploads/{id}/complete</c> stores it and gives the answer of a store.
/// </summary>
internal sealed class UploadSender(DestinationClient client, BatchSender sender, Bandwidth bandwidth, TimeProvider time)
{
    private const int MinBlock = 64 * 1024, MaxBlock = 16 << 20;
    private static readonly TimeSpan LongestPoll = TimeSpan.FromHours(1), PollEvery = TimeSpan.FromSeconds(2);

    /// <summary>Sends the only entry of the batch.</summary>
    public async Task<BatchResult> SendAsync(Batch batch, DestinationOptions options, CancellationToken cancellationToken)
    {
        var entry = batch.Entries[0];
        try
        {
            using var begun = await client.SendAsync(HttpMethod.Post, "/uploads", null, null, cancellationToken);
            if (begun.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented)
                return new BatchResult(BatchOutcome.NoUploads, (int)begun.StatusCode, "The destination has no uploads.");
            if (!begun.IsSuccessStatusCode) return Refusal(begun);
            var (id, url, blockSize) = await ReadAsync(begun, cancellationToken);
            if (id.Length == 0) return new BatchResult(BatchOutcome.NotStow, (int)begun.StatusCode, "The answer is not that of an upload service.");

            var (blocks, failure) = await PutBlocksAsync(entry, id, url, blockSize, cancellationToken);
            return failure ?? await CompleteAsync(batch, options, id, blocks, cancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or CredentialsException or JsonException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return BatchSender.Failure(e);
        }
    }

    private async Task<(int Blocks, BatchResult? Failure)> PutBlocksAsync(SpoolEntry entry, string id, Uri? url, int blockSize, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(blockSize);
        try
        {
            using var file = File.OpenHandle(entry.Path, options: FileOptions.SequentialScan);
            var number = 0;
            for (long offset = 0; offset < entry.Size; number++)
            {
                var count = 0;
                for (int read; count < blockSize && (read = await RandomAccess.ReadAsync(file, buffer.AsMemory(count, blockSize - count), offset + count, cancellationToken)) > 0;) count += read;
                if (count == 0) throw new IOException("The file has become shorter.");
                await bandwidth.TakeAsync(count, cancellationToken);
                if (url is not null && !await TryPutAsync(url, number, buffer, count, cancellationToken)) url = null; // the rest goes through the destination
                if (url is null)
                {
                    using var content = Octets(buffer, count);
                    using var relayed = await client.SendAsync(HttpMethod.Put, $"/uploads/{id}/blocks/{number.ToString(CultureInfo.InvariantCulture)}", content, null, cancellationToken);
                    if (!relayed.IsSuccessStatusCode) return (number, Refusal(relayed));
                }
                offset += count;
            }
            return (number, null);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    // Put Block; the id is the number in eight digits, as the server expects it.
    private async Task<bool> TryPutAsync(Uri url, int number, byte[] buffer, int count, CancellationToken cancellationToken)
    {
        var id = Convert.ToBase64String(Encoding.ASCII.GetBytes(number.ToString("D8", CultureInfo.InvariantCulture)));
        try
        {
            using var content = Octets(buffer, count);
            using var answer = await client.PutAsync(new Uri($"{url}&comp=block&blockid={Uri.EscapeDataString(id)}"), content, cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }

    private async Task<BatchResult> CompleteAsync(Batch batch, DestinationOptions options, string id, int blocks, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            TimeSpan? again = null;
            var result = await sender.RequestAsync(batch, options, async (path, prepare, token) =>
            {
                using var content = new StringContent($$"""{"blocks":{{blocks.ToString(CultureInfo.InvariantCulture)}}}""", Encoding.UTF8, "application/json");
                var answer = await client.SendAsync(HttpMethod.Post, path, content, prepare, token);
                // 202 with Retry-After: it works on it. (A 202 of a store has none.)
                if (answer.StatusCode == HttpStatusCode.Accepted && sender.RetryAfterOf(answer) is { } wait) again = wait < PollEvery ? PollEvery : wait;
                return answer;
            }, $"/uploads/{id}/complete", cancellationToken);
            if (again is not { } pause || time.GetElapsedTime(began) > LongestPoll) return result;
            await Task.Delay(pause, time, cancellationToken);
        }
    }

    private BatchResult Refusal(HttpResponseMessage answer)
    {
        var status = (int)answer.StatusCode;
        var outcome = status is 401 or 403 ? BatchOutcome.Unauthorized : status is 408 or 429 or 502 or 503 or 504 or 507 ? BatchOutcome.Unavailable : BatchOutcome.Broken;
        return new BatchResult(outcome, status, "The destination refused an upload.", sender.RetryAfterOf(answer));
    }

    private static ByteArrayContent Octets(byte[] buffer, int count)
    {
        var content = new ByteArrayContent(buffer, 0, count);
        content.Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue("application/octet-stream");
        return content;
    }

    private static async Task<(string Id, Uri? Url, int BlockSize)> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        using var json = await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync(cancellationToken), cancellationToken: cancellationToken);
        var root = json.RootElement;
        var id = root.TryGetProperty("id", out var name) ? name.GetString() ?? "" : "";
        if (id.Length > 64 || !id.All(char.IsAsciiLetterOrDigit)) id = "";
        var url = root.TryGetProperty("url", out var place) && Uri.TryCreate(place.GetString(), UriKind.Absolute, out var found) ? found : null;
        var block = root.TryGetProperty("blockSize", out var size) && size.TryGetInt32(out var bytes) ? Math.Clamp(bytes, MinBlock, MaxBlock) : 4 << 20;
        return (id, url, block);
    }
}
