using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using DicomServerless.Archive;
using DicomServerless.Functions.Hosting;
using DicomServerless.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace DicomServerless.Functions.Endpoints;

/// <summary>
/// Objects larger than the host's limit for a request: <c>POST /uploads</c> gives a place, blocks go there directly or by <c>PUT /uploads/{id}/blocks/{n}</c>,
/// <c>POST /uploads/{id}/complete</c> stores the object by the way of every other object and answers as a store does.
/// </summary>
internal static class Uploads
{
    private const int BlockBytes = 8 << 20, MaxBlocks = 50_000, MaxRequestBytes = 4_096;
    private const string StatusKey = "status", Answered = ".answer";
    private static readonly TimeSpan UrlLife = TimeSpan.FromHours(2), Patience = TimeSpan.FromSeconds(20);

    // Stores that go on after their request was answered with 202. Another process that is asked begins anew: the data set is the same, so both end well.
    private static readonly ConcurrentDictionary<string, Task<Answer?>> UnderWay = new(StringComparer.Ordinal);

    private sealed record Answer(int Status, byte[] Body);

    /// <summary>Begins an upload.</summary>
    public static async Task BeginAsync(HttpContext context)
    {
        if (await PlacesAsync(context) is not { } places) return;
        var id = context.RequestServices.GetRequiredService<Func<Guid>>()().ToString("n");
        var expires = context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow() + UrlLife;
        var url = await places.UrlOf(id, expires, context.RequestAborted);
        context.Response.StatusCode = 201;
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Location = $"{context.BaseUrl()}/uploads/{id}";
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter))
        {
            json.WriteStartObject();
            json.WriteString("id"u8, id);
            if (url is not null) json.WriteString("url"u8, url.AbsoluteUri);
            json.WriteString("expires"u8, expires);
            json.WriteNumber("blockSize"u8, BlockBytes);
            json.WriteEndObject();
        }
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>Takes a block for a client that cannot reach the storage.</summary>
    public static async Task PutBlockAsync(HttpContext context)
    {
        if (await PlacesAsync(context) is not { } places || await IdAsync(context) is not { } id) return;
        if (!int.TryParse(context.Request.RouteValues["number"] as string, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number >= MaxBlocks)
        {
            await Problem.WriteAsync(context, 400, $"The block's number must be 0 to {MaxBlocks - 1}.");
            return;
        }
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = BlockBytes + 1;
        var buffer = ArrayPool<byte>.Shared.Rent(BlockBytes + 1);
        try
        {
            var count = await context.Request.Body.ReadAtLeastAsync(buffer.AsMemory(0, BlockBytes + 1), BlockBytes + 1, throwOnEndOfStream: false, context.RequestAborted);
            if (count is 0 or > BlockBytes)
            {
                await Problem.WriteAsync(context, count == 0 ? 400 : 413, $"A block has 1 to {BlockBytes} bytes.");
                return;
            }
            var status = await places.Container.StageBlockAsync(id, BlockId(number), new ReadOnlySequence<byte>(buffer, 0, count), context.RequestAborted);
            if (status == StorageStatus.Ok) context.Response.StatusCode = 201;
            else await Problem.WriteAsync(context, 409, "The block was not accepted: the upload is complete already, or its blocks differ in their ids.");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    /// <summary>Stores the object. Asked again it gives the same answer; while it works it is 202 with Retry-After.</summary>
    public static async Task CompleteAsync(HttpContext context)
    {
        if (await PlacesAsync(context) is not { } places || await IdAsync(context) is not { } id) return;
        if (await StowEnvelope.ReadPolicyAsync(context, context.Settings().Archive.DuplicatePolicy) is not { } policy) return;
        if (await BlocksAsync(context) is not { } blocks) return;
        var (archive, source, baseUrl) = (context.Archive(), Stow.SourceOf(context.Request), context.BaseUrl());
        var work = UnderWay.GetOrAdd(id, key => Task.Run(() => StoreAsync(places.Container, archive, key, blocks, new StoreRequest(null, policy, source), baseUrl)));
        try
        {
            var answer = await work.WaitAsync(Patience, context.RequestAborted);
            UnderWay.TryRemove(id, out _);
            if (answer is null)
            {
                await Problem.WriteAsync(context, 404, "There is no such upload, or blocks of it are missing. Begin another.");
                return;
            }
            context.Response.StatusCode = answer.Status;
            context.Response.ContentType = "application/dicom+json";
            context.Response.Headers.CacheControl = "no-store";
            if (answer.Status == 503) context.Response.Headers.RetryAfter = "5";
            await context.Response.Body.WriteAsync(answer.Body, context.RequestAborted);
        }
        catch (TimeoutException)
        {
            context.Response.StatusCode = 202;
            context.Response.Headers.RetryAfter = "5";
        }
        catch (Exception) when (work.IsFaulted)
        {
            UnderWay.TryRemove(id, out _);
            throw;
        }
    }

    // The bytes go through this process as those of a store do: they have to be scanned and hashed anyway, and the commit of the staged blocks is the one operation with the
    // condition that decides between versions. A server-side copy is visible before it is whole.
    private static async Task<Answer?> StoreAsync(IBlobContainer uploads, DicomArchive archive, string id, int blocks, StoreRequest request, string baseUrl)
    {
        var none = CancellationToken.None;
        if (await AnsweredAsync(uploads, id) is { } before) return before;
        if (await uploads.HeadAsync(id, none) is not { } blob)
        {
            var committed = await uploads.CommitBlocksAsync(id, [.. Enumerable.Range(0, blocks).Select(BlockId)], new BlobWrite(BlobCondition.Absent), none);
            if (committed.Status is not (StorageStatus.Ok or StorageStatus.Conflict)) return null;
            blob = await uploads.HeadAsync(id, none);
            if (blob is null) return await AnsweredAsync(uploads, id);
        }
        if (blob.Length == 0) return null;
        IReadOnlyList<StoreResult> results;
        await using (var read = await uploads.ReadAsync(id, 0, null, blob.ETag, none))
        {
            if (read.Status != StorageStatus.Ok) return await AnsweredAsync(uploads, id);
            await using var batch = archive.Store.Begin(request);
            try
            {
                await batch.ReceiveAsync(read.Content, none);
            }
            finally
            {
                results = await batch.CompleteAsync();
            }
        }
        var response = new StoreResponse(results, baseUrl);
        var body = new ArrayBufferWriter<byte>();
        response.WriteTo(body);
        var answer = new Answer(response.Status, body.WrittenSpan.ToArray());
        if (answer.Status == 503) return answer; // worth another try, so nothing is kept of it
        await uploads.PutAsync(id + Answered, new ReadOnlySequence<byte>(answer.Body),
            new BlobWrite(BlobCondition.None, new Dictionary<string, string> { [StatusKey] = answer.Status.ToString(CultureInfo.InvariantCulture) }), none);
        await uploads.DeleteAsync(id, blob.ETag, null, none);
        return answer;
    }

    // Kept until the sweep, for the client that did not hear it.
    private static async Task<Answer?> AnsweredAsync(IBlobContainer uploads, string id)
    {
        await using var read = await uploads.ReadAsync(id + Answered, 0, null, null, CancellationToken.None);
        if (read.Status != StorageStatus.Ok || !read.Info.Metadata.TryGetValue(StatusKey, out var status)) return null;
        var body = new MemoryStream();
        await read.Content.CopyToAsync(body);
        return new Answer(int.Parse(status, CultureInfo.InvariantCulture), body.ToArray());
    }

    private static string BlockId(int number) => Convert.ToBase64String(Encoding.ASCII.GetBytes(number.ToString("D8", CultureInfo.InvariantCulture)));

    private static async Task<UploadPlaces?> PlacesAsync(HttpContext context)
    {
        if (context.RequestServices.GetRequiredService<StorageConnection>().Uploads is { } places) return places;
        await Problem.WriteAsync(context, 501, "This storage has no uploads; send the object in one store.");
        return null;
    }

    private static async Task<string?> IdAsync(HttpContext context)
    {
        if (context.Request.RouteValues["id"] is string { Length: 32 } id && id.All(char.IsAsciiHexDigitLower)) return id;
        await Problem.WriteAsync(context, 404, "There is no such upload.");
        return null;
    }

    private static async Task<int?> BlocksAsync(HttpContext context)
    {
        var body = new byte[MaxRequestBytes];
        var count = await context.Request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, context.RequestAborted);
        try
        {
            using var json = JsonDocument.Parse(body.AsMemory(0, count));
            if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("blocks", out var blocks) && blocks.TryGetInt32(out var number) && number is > 0 and <= MaxBlocks) return number;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Answered below.
        }
        await Problem.WriteAsync(context, 400, "Send {\"blocks\": n}, the number of blocks that were put.");
        return null;
    }
}
