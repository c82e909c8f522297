using System.Buffers;
using System.Globalization;
using System.Text.Json;
using DicomServerless.Archive;
using DicomServerless.Functions.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using DicomServerless.Functions.Media;

namespace DicomServerless.Functions.Endpoints;

/// <summary>
/// Objects larger than the host's limit for a request: <c>POST /uploads</c> gives a place, blocks go there directly or by <c>PUT /uploads/{id}/blocks/{n}</c>,
/// <c>POST /uploads/{id}/complete</c> stores the object by the way of every other object and answers as a store does.
/// </summary>
internal static class Uploads
{
    private const int MaxRequestBytes = 4_096;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Begins an upload.</summary>
    public static async Task BeginAsync(HttpContext context)
    {
        if (await UploadsAsync(context) is not { } uploads) return;
        var begun = await uploads.BeginAsync(context.RequestAborted);
        context.Response.StatusCode = 201;
        context.Response.ContentType = MediaTypes.Json;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Location = $"{context.BaseUrl()}/uploads/{begun.Id}";
        await using (var json = new Utf8JsonWriter(context.Response.BodyWriter))
        {
            json.WriteStartObject();
            json.WriteString("id"u8, begun.Id);
            if (begun.Url is { } url) json.WriteString("url"u8, url.AbsoluteUri);
            json.WriteString("expires"u8, begun.Expires);
            json.WriteNumber("blockSize"u8, ResumableUploads.BlockBytes);
            json.WriteEndObject();
        }
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>Takes a block for a client that cannot reach the storage.</summary>
    public static async Task PutBlockAsync(HttpContext context)
    {
        if (await UploadsAsync(context) is not { } uploads || await IdAsync(context) is not { } id) return;
        if (!int.TryParse(context.Request.RouteValues["number"] as string, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || number >= ResumableUploads.MaxBlocks)
        {
            await Problem.WriteAsync(context, 400, $"The block's number must be 0 to {ResumableUploads.MaxBlocks - 1}.");
            return;
        }
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = ResumableUploads.BlockBytes + 1;
        // Exactly a block: one byte more would be an array of twice the size.
        var buffer = ArrayPool<byte>.Shared.Rent(ResumableUploads.BlockBytes);
        var body = new RequestBody(context.Request.Body, context.Telemetry().BytesIn);
        var count = 0;
        try
        {
            count = await body.ReadAtLeastAsync(buffer.AsMemory(0, ResumableUploads.BlockBytes),
                ResumableUploads.BlockBytes, throwOnEndOfStream: false, context.RequestAborted);
            var isTooLong = count == ResumableUploads.BlockBytes && await body.ReadAsync(new byte[1], context.RequestAborted) > 0;
            if (count == 0 || isTooLong) await Problem.WriteAsync(context, isTooLong ? 413 : 400, $"A block has 1 to {ResumableUploads.BlockBytes} bytes.");
            else if (await uploads.PutBlockAsync(id, number, buffer.AsMemory(0, count), context.RequestAborted)) context.Response.StatusCode = 201;
            else await Problem.WriteAsync(context, 409, "The block was not accepted: the upload is complete already, or its blocks differ in their ids.");
        }
        finally
        {
            buffer.AsSpan(0, count).Clear(); // it held patient data
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Stores the object. Asked again it gives the same answer; while it works it is 202 with Retry-After.</summary>
    public static async Task CompleteAsync(HttpContext context)
    {
        if (await UploadsAsync(context) is not { } uploads || await IdAsync(context) is not { } id) return;
        if (await StowEnvelope.ReadPolicyAsync(context, context.Settings().Archive.DuplicatePolicy) is not { } policy) return;
        if (await BlocksAsync(context) is not { } blocks) return;
        var baseUrl = context.BaseUrl();
        try
        {
            var answer = await uploads.CompleteAsync(id, blocks, new StoreRequest(null, policy, Stow.SourceOf(context.Request)),
                AnswerOf, Patience, context.RequestAborted);
            if (answer is null)
            {
                await Problem.WriteAsync(context, 404, "There is no such upload, or blocks of it are missing. Begin another.");
                return;
            }
            context.Response.StatusCode = answer.Status;
            context.Response.ContentType = MediaTypes.DicomJson;
            context.Response.Headers.CacheControl = "no-store";
            if (answer.Status == 503) context.Response.Headers.RetryAfter = "5";
            await context.Response.Body.WriteAsync(answer.Body, context.RequestAborted);
        }
        catch (TimeoutException)
        {
            context.Response.StatusCode = 202;
            context.Response.Headers.RetryAfter = "5";
        }

        UploadAnswer AnswerOf(IReadOnlyList<StoreResult> results)
        {
            var response = new StoreResponse(results, baseUrl);
            var body = new ArrayBufferWriter<byte>();
            response.WriteTo(body);
            return new UploadAnswer(response.Status, body.WrittenSpan.ToArray());
        }
    }

    private static async Task<ResumableUploads?> UploadsAsync(HttpContext context)
    {
        if (context.RequestServices.GetService<ResumableUploads>() is { } uploads) return uploads;
        await Problem.WriteAsync(context, 501, "This storage has no uploads; send the object in one store.");
        return null;
    }

    private static async Task<string?> IdAsync(HttpContext context)
    {
        if (context.Request.RouteValues["id"] is string id && ResumableUploads.IsId(id)) return id;
        await Problem.WriteAsync(context, 404, "There is no such upload.");
        return null;
    }

    private static async Task<int?> BlocksAsync(HttpContext context)
    {
        var body = new byte[MaxRequestBytes];
        var count = await new RequestBody(context.Request.Body, context.Telemetry().BytesIn)
            .ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, context.RequestAborted);
        try
        {
            using var json = JsonDocument.Parse(body.AsMemory(0, count));
            if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("blocks", out var blocks)
                && blocks.TryGetInt32(out var number) && number is > 0 and <= ResumableUploads.MaxBlocks)
                return number;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Answered below.
        }
        await Problem.WriteAsync(context, 400, "Send {\"blocks\": n}, the number of blocks that were put.");
        return null;
    }
}
