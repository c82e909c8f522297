using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;

namespace DicomServerless.Storage.Azure;

/// <summary>
/// A table of an Azure storage account, over its REST interface. One request per call. Requests that failed on the way (429, 5xx, time-outs, broken
/// connections) are sent again by the pipeline; so a write may meet its own first try: an insert its own row (Conflict), a conditional write its own ETag
/// (PreconditionFailed), a delete its own absence (NotFound). Callers take all three as "look again", never as "somebody else did it". A missing table and
/// failed sign-in are exceptions.
/// </summary>
internal sealed class AzureTable(HttpPipeline pipeline, Uri endpoint, string name) : ITable
{
    private readonly TableAddress address = new(endpoint, name);

    public string Name => name;

    public async Task CreateIfAbsentAsync(CancellationToken cancellationToken)
    {
        using var message = Message(RequestMethod.Post, address.Tables);
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteString("TableName"u8, name);
            json.WriteEndObject();
        }
        Content(message, body.WrittenMemory, "application/json");
        message.Request.Headers.Add("Prefer", "return-no-content");
        await pipeline.SendAsync(message, cancellationToken).ConfigureAwait(false);
        var response = message.Response;
        if (response.Status is 201 or 204) return;
        if (response.Status != 409 || TableError.Read(response.Content.ToMemory()).Code != "TableAlreadyExists") throw new RequestFailedException(response);
    }

    public async Task<TableRow?> GetAsync(string partitionKey, string rowKey, IReadOnlyList<string>? select, CancellationToken cancellationToken)
    {
        var url = address.Row(partitionKey, rowKey);
        if (select is not null) url += "?$select=" + TableAddress.Select(select);
        using var message = Message(RequestMethod.Get, url);
        await pipeline.SendAsync(message, cancellationToken).ConfigureAwait(false);
        var response = message.Response;
        if (response.Status == 200)
        {
            var row = TableRowReader.ReadOne(response.Content.ToMemory().Span);
            if (response.Headers.TryGetValue("ETag", out var etag)) row.ETag = etag;
            return row;
        }
        if (response.Status == 404 && !TableError.Read(response.Content.ToMemory()).IsTable) return null;
        throw new RequestFailedException(response);
    }

    public async Task<TablePage> QueryAsync(TableQuery query, string? continuation, CancellationToken cancellationToken)
    {
        using var message = Message(RequestMethod.Get, address.Query(query, continuation));
        await pipeline.SendAsync(message, cancellationToken).ConfigureAwait(false);
        var response = message.Response;
        if (response.Status != 200) throw new RequestFailedException(response);
        var rows = TableRowReader.ReadPage(response.Content.ToMemory().Span);
        string? next = null;
        if (response.Headers.TryGetValue("x-ms-continuation-NextPartitionKey", out var nextPartition))
            next = TableAddress.Continuation(nextPartition, response.Headers.TryGetValue("x-ms-continuation-NextRowKey", out var nextRow) ? nextRow : null);
        return new TablePage(rows, next);
    }

    public async Task<TableWritten> SubmitAsync(IReadOnlyList<TableWrite> writes, CancellationToken cancellationToken)
    {
        Check(writes);
        return writes.Count == 1 ? await SubmitOneAsync(writes[0], cancellationToken).ConfigureAwait(false)
            : await SubmitBatchAsync(writes, cancellationToken).ConfigureAwait(false);
    }

    private async Task<TableWritten> SubmitOneAsync(TableWrite write, CancellationToken cancellationToken)
    {
        var (method, url) = address.Of(write);
        using var message = Message(RequestMethod.Parse(method), url);
        var headers = message.Request.Headers;
        if (write.Kind is TableWriteKind.Replace or TableWriteKind.Merge or TableWriteKind.Delete) headers.Add("If-Match", write.IfMatch!);
        if (write.Kind != TableWriteKind.Delete)
        {
            var body = new ArrayBufferWriter<byte>(TableRowSize.Encoded(write.Row));
            TableRowJson.Write(body, write.Row);
            Content(message, body.WrittenMemory, "application/json");
            headers.Add("Prefer", "return-no-content");
        }
        await pipeline.SendAsync(message, cancellationToken).ConfigureAwait(false);
        var response = message.Response;
        if (response.Status is >= 200 and < 300)
            return new TableWritten(StorageStatus.Ok,
                [write.Kind != TableWriteKind.Delete && response.Headers.TryGetValue("ETag", out var etag) ? etag : null]);
        return new TableWritten(TableError.Read(response.Content.ToMemory()).Status(response.Status) ?? throw new RequestFailedException(response), [], 0);
    }

    private async Task<TableWritten> SubmitBatchAsync(IReadOnlyList<TableWrite> writes, CancellationToken cancellationToken)
    {
        var boundary = Random.Shared.NextInt64().ToString("x16", CultureInfo.InvariantCulture);
        using var message = Message(RequestMethod.Post, address.Batch);
        Content(message, TableBatch.Write(address, writes, boundary), $"multipart/mixed; boundary=batch_{boundary}");
        await pipeline.SendAsync(message, cancellationToken).ConfigureAwait(false);
        var response = message.Response;
        if (response.Status is < 200 or >= 300) // Refused as a whole: too large, not signed in.
            return new TableWritten(TableError.Read(response.Content.ToMemory()).Status(response.Status) ?? throw new RequestFailedException(response), []);
        var answer = TableBatch.Read(response.Content.ToMemory(), writes.Count);
        if (answer.Status < 300) return new TableWritten(StorageStatus.Ok, answer.ETags);
        var error = TableError.Read(answer.Error);
        return new TableWritten(
            error.Status(answer.Status) ?? throw new RequestFailedException(answer.Status,
            $"The table service refused a batch with {answer.Status} {error.Code}: {error.Message}", error.Code, null), [], error.Index);
    }

    private static void Check(IReadOnlyList<TableWrite> writes)
    {
        if (writes.Count is 0 or > TableRowSize.MaxBatchWrites) throw new ArgumentException(
            $"{writes.Count} writes; a batch has 1 to {TableRowSize.MaxBatchWrites}.", nameof(writes));
        foreach (var write in writes)
        {
            if (write.Row.PartitionKey != writes[0].Row.PartitionKey) throw new ArgumentException("A batch stays in one partition.", nameof(writes));
            if (write.Kind is TableWriteKind.Replace or TableWriteKind.Merge or TableWriteKind.Delete && string.IsNullOrEmpty(write.IfMatch))
                throw new ArgumentException($"A {write.Kind} needs an ETag, or \"*\".", nameof(writes));
        }
    }

    private HttpMessage Message(RequestMethod method, string url)
    {
        var message = pipeline.CreateMessage();
        message.Request.Method = method;
        message.Request.Uri.Reset(new Uri(url));
        message.Request.Headers.Add("Accept", "application/json;odata=minimalmetadata");
        message.Request.Headers.Add("DataServiceVersion", "3.0");
        message.Request.Headers.Add("x-ms-version", "2020-12-06"); // The first version that takes tokens.
        return message;
    }

    private static void Content(HttpMessage message, ReadOnlyMemory<byte> body, string type)
    {
        message.Request.Content = RequestContent.Create(body);
        message.Request.Headers.Add("Content-Type", type);
    }
}
