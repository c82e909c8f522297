using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>
/// Sends one object that is larger than the destination's request limit: <c>POST /uploads</c> gives a place, its blocks are put there (straight to the blob
/// host, or through the destination where that cannot be reached), <c>POST /uploads/{id}/complete</c> stores it and gives the answer of a store. Each of these
/// requests has a time limit of its own.
/// </summary>
internal sealed class UploadSender(DestinationClient client, StoreAnswers answers, Bandwidth bandwidth, LineRate rate, TimeProvider time)
{
    private const int MinBlock = 64 * 1024, DefaultBlock = 4 << 20, MaxBlock = 16 << 20, MaxAnswerBytes = 64 * 1024;
    private static readonly TimeSpan LongestPoll = TimeSpan.FromHours(1), PollEvery = TimeSpan.FromSeconds(2);

    private sealed record Place(string Id, Uri? Url, int BlockBytes);

    /// <summary>Sends the only entry of the batch.</summary>
    public async Task<BatchResult> SendAsync(Batch batch, DestinationOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var (place, refusal) = await BeginAsync(options, cancellationToken);
            if (place is null) return refusal!;
            var (blocks, failure) = await PutBlocksAsync(batch.Entries[0], place, options, cancellationToken);
            return failure ?? await CompleteAsync(batch, options, place.Id, blocks, cancellationToken);
        }
        catch (Exception e) when (StoreAnswers.IsEndOfRequest(e, cancellationToken))
        {
            return StoreAnswers.Failure(e);
        }
    }

    private async Task<(Place? Place, BatchResult? Refusal)> BeginAsync(DestinationOptions options, CancellationToken cancellationToken)
    {
        using var limit = new RequestLimit(rate.TimeLimit(0, options), time, cancellationToken);
        using var begun = await client.SendAsync(HttpMethod.Post, "/uploads", null, null, limit.Token);
        if (begun.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented)
            return (null, new BatchResult(BatchOutcome.NoUploads, (int)begun.StatusCode, "The destination has no uploads."));
        if (!begun.IsSuccessStatusCode) return (null, Refusal(begun));
        var place = await ReadAsync(begun, limit.Token);
        return place.Id.Length > 0 ? (place, null)
            : (null, new BatchResult(BatchOutcome.NotStow, (int)begun.StatusCode, "The answer is not that of an upload service."));
    }

    private async Task<(int Blocks, BatchResult? Failure)> PutBlocksAsync(SpoolEntry entry, Place place, DestinationOptions options,
        CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(place.BlockBytes);
        try
        {
            using var file = File.OpenHandle(entry.Path, options: FileOptions.SequentialScan);
            var (number, url) = (0, place.Url);
            for (long offset = 0; offset < entry.Size; number++)
            {
                var count = 0;
                for (int read; count < place.BlockBytes && (read = await ReadAsync(count)) > 0;) count += read;
                if (count == 0) throw new IOException("The file has become shorter.");
                await bandwidth.TakeAsync(count, cancellationToken);
                var block = buffer.AsMemory(0, count);
                if (url is not null && !await TryPutAsync(url, number, block, options, cancellationToken)) url = null; // the rest goes through the destination
                if (url is null && await RelayAsync(place.Id, number, block, options, cancellationToken) is { } failure) return (number, failure);
                offset += count;

                ValueTask<int> ReadAsync(int filled) =>
                    RandomAccess.ReadAsync(file, buffer.AsMemory(filled, place.BlockBytes - filled), offset + filled, cancellationToken);
            }
            return (number, null);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    // Put Block; the id is the number in eight digits, as the server expects it.
    private async Task<bool> TryPutAsync(Uri url, int number, ReadOnlyMemory<byte> block, DestinationOptions options, CancellationToken cancellationToken)
    {
        var id = Convert.ToBase64String(Encoding.ASCII.GetBytes(number.ToString("D8", CultureInfo.InvariantCulture)));
        using var limit = new RequestLimit(rate.TimeLimit(block.Length, options), time, cancellationToken);
        try
        {
            using var content = Octets(block);
            using var answer = await client.PutAsync(new Uri($"{url}&comp=block&blockid={Uri.EscapeDataString(id)}"), content, limit.Token);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (StoreAnswers.IsEndOfRequest(e, cancellationToken))
        {
            return false;
        }
    }

    private async Task<BatchResult?> RelayAsync(string id, int number, ReadOnlyMemory<byte> block, DestinationOptions options,
        CancellationToken cancellationToken)
    {
        using var limit = new RequestLimit(rate.TimeLimit(block.Length, options), time, cancellationToken);
        using var content = Octets(block);
        var path = $"/uploads/{id}/blocks/{number.ToString(CultureInfo.InvariantCulture)}";
        using var relayed = await client.SendAsync(HttpMethod.Put, path, content, null, limit.Token);
        return relayed.IsSuccessStatusCode ? null : Refusal(relayed);
    }

    private async Task<BatchResult> CompleteAsync(Batch batch, DestinationOptions options, string id, int blocks, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            TimeSpan? again;
            BatchResult result;
            using (var limit = new RequestLimit(rate.TimeLimit(0, options), time, cancellationToken))
            {
                using var content = new StringContent(
                    $$"""{"blocks":{{blocks.ToString(CultureInfo.InvariantCulture)}}}""", Encoding.UTF8, "application/json");
                using var answer = await client.SendAsync(HttpMethod.Post, $"/uploads/{id}/complete", content, batch.AddPolicy, limit.Token);
                // 202 with Retry-After: it works on it. (A 202 of a store has none.)
                again = answer.StatusCode == HttpStatusCode.Accepted ? answers.RetryAfterOf(answer) : null;
                result = await answers.ReadAsync(answer, batch, options, limit.Token);
            }
            if (again is not { } pause || time.GetElapsedTime(began) > LongestPoll) return result;
            await Task.Delay(pause < PollEvery ? PollEvery : pause, time, cancellationToken);
        }
    }

    private BatchResult Refusal(HttpResponseMessage answer)
    {
        var status = (int)answer.StatusCode;
        var outcome = status switch
        {
            401 or 403 => BatchOutcome.Unauthorized,
            408 or 425 or 429 or 502 or 503 or 504 or 507 => BatchOutcome.Unavailable,
            _ => BatchOutcome.Broken,
        };
        return new BatchResult(outcome, status, "The destination refused an upload.", answers.RetryAfterOf(answer));
    }

    private static ReadOnlyMemoryContent Octets(ReadOnlyMemory<byte> block)
    {
        var content = new ReadOnlyMemoryContent(block);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return content;
    }

    private static async Task<Place> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        await answer.Content.LoadIntoBufferAsync(MaxAnswerBytes, cancellationToken);
        UploadPlace? found;
        try
        {
            found = JsonSerializer.Deserialize(await answer.Content.ReadAsByteArrayAsync(cancellationToken), UploadJson.Default.UploadPlace);
        }
        catch (JsonException)
        {
            found = null;
        }
        var id = found?.Id is { Length: <= 64 } name && name.All(char.IsAsciiLetterOrDigit) ? name : "";
        var url = Uri.TryCreate(found?.Url, UriKind.Absolute, out var place) ? place : null;
        return new Place(id, url, found?.BlockSize is { } bytes ? Math.Clamp(bytes, MinBlock, MaxBlock) : DefaultBlock);
    }
}

/// <summary>The answer to <c>POST /uploads</c>.</summary>
internal sealed record UploadPlace(string? Id, string? Url, int? BlockSize);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(UploadPlace))]
internal sealed partial class UploadJson : JsonSerializerContext;
