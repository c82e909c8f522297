using Azure;
using Azure.Data.Tables;

namespace DicomServerless.Storage.Azure;

/// <summary>
/// A table of an Azure storage account. One request per call. Requests that failed on the way (429, 5xx, time-outs, broken connections) are sent again by the
/// client; so a write may meet its own first try: an insert its own row (Conflict), a conditional write its own ETag (PreconditionFailed), a delete its own
/// absence (NotFound). Callers take all three as "look again", never as "somebody else did it". A missing table and failed sign-in are exceptions.
/// </summary>
internal sealed class AzureTable(TableClient client) : ITable
{
    private const string PartitionKey = "PartitionKey", RowKey = "RowKey";

    public string Name => client.Name;

    public async Task CreateIfAbsentAsync(CancellationToken cancellationToken) =>
        await client.CreateIfNotExistsAsync(cancellationToken).ConfigureAwait(false);

    public async Task<TableRow?> GetAsync(string partitionKey, string rowKey, IReadOnlyList<string>? select, CancellationToken cancellationToken)
    {
        var found = await client.GetEntityIfExistsAsync<TableEntity>(partitionKey, rowKey, WithKeys(select), cancellationToken).ConfigureAwait(false);
        if (found.HasValue) return Row(found.Value!);
        // The client takes a missing table for a missing row.
        var response = found.GetRawResponse();
        return TableErrors.IsOfTable(response) ? throw new RequestFailedException(response) : null;
    }

    public async Task<TablePage> QueryAsync(TableQuery query, string? continuation, CancellationToken cancellationToken)
    {
        var pages = client.QueryAsync<TableEntity>(TableFilter.Of(query), query.PageSize, WithKeys(query.Select), cancellationToken).AsPages(continuation);
        await foreach (var page in pages.ConfigureAwait(false)) return new TablePage([.. page.Values.Select(Row)], page.ContinuationToken);
        return new TablePage([], null);
    }

    public async Task<TableWritten> SubmitAsync(IReadOnlyList<TableWrite> writes, CancellationToken cancellationToken)
    {
        Check(writes);
        try
        {
            if (writes.Count > 1)
            {
                var answers = await client.SubmitTransactionAsync(writes.Select(Action), cancellationToken).ConfigureAwait(false);
                return new TableWritten(StorageStatus.Ok, [.. answers.Value.Select((answer, i) => ETagOf(writes[i], answer))]);
            }
            var response = await SubmitOneAsync(writes[0], cancellationToken).ConfigureAwait(false);
            // The client takes a delete of what is not there for done.
            return response.Status != 404 ? new TableWritten(StorageStatus.Ok, [ETagOf(writes[0], response)])
                : TableErrors.IsOfTable(response) ? throw new RequestFailedException(response) : new TableWritten(StorageStatus.NotFound, [], 0);
        }
        catch (RequestFailedException e) when (TableErrors.Status(e) is { } status)
        {
            var index = e is TableTransactionFailedException { FailedTransactionActionIndex: { } failed } ? failed : writes.Count == 1 ? 0 : -1;
            return new TableWritten(status, [], index);
        }
    }

    private Task<Response> SubmitOneAsync(TableWrite write, CancellationToken cancellationToken) => write.Kind switch
    {
        TableWriteKind.Insert => client.AddEntityAsync(Entity(write.Row), cancellationToken),
        TableWriteKind.Upsert => client.UpsertEntityAsync(Entity(write.Row), TableUpdateMode.Replace, cancellationToken),
        TableWriteKind.Replace => client.UpdateEntityAsync(Entity(write.Row), new ETag(write.IfMatch!), TableUpdateMode.Replace, cancellationToken),
        TableWriteKind.Merge => client.UpdateEntityAsync(Entity(write.Row), new ETag(write.IfMatch!), TableUpdateMode.Merge, cancellationToken),
        TableWriteKind.Delete => client.DeleteEntityAsync(write.Row.PartitionKey, write.Row.RowKey, new ETag(write.IfMatch!), cancellationToken),
        _ => throw new ArgumentOutOfRangeException(nameof(write)),
    };

    private static TableTransactionAction Action(TableWrite write) => write.Kind switch
    {
        TableWriteKind.Insert => new(TableTransactionActionType.Add, Entity(write.Row)),
        TableWriteKind.Upsert => new(TableTransactionActionType.UpsertReplace, Entity(write.Row)),
        TableWriteKind.Replace => new(TableTransactionActionType.UpdateReplace, Entity(write.Row), new ETag(write.IfMatch!)),
        TableWriteKind.Merge => new(TableTransactionActionType.UpdateMerge, Entity(write.Row), new ETag(write.IfMatch!)),
        TableWriteKind.Delete => new(TableTransactionActionType.Delete, new TableEntity(write.Row.PartitionKey, write.Row.RowKey), new ETag(write.IfMatch!)),
        _ => throw new ArgumentOutOfRangeException(nameof(write)),
    };

    private static string? ETagOf(TableWrite write, Response response) =>
        write.Kind != TableWriteKind.Delete && response.Headers.ETag is { } etag ? etag.ToString("H") : null;

    // The values go over as they are: binary ones are not copied.
    private static TableEntity Entity(TableRow row)
    {
        var entity = new TableEntity(row.PartitionKey, row.RowKey);
        foreach (var (name, value) in row.Values) entity[name] = value;
        return entity;
    }

    private static TableRow Row(TableEntity entity)
    {
        var row = new TableRow(entity.PartitionKey, entity.RowKey) { ETag = entity.ETag.ToString("H") };
        foreach (var (name, value) in entity)
            if (name is not (PartitionKey or RowKey or "Timestamp" or "odata.etag" or "odata.metadata")) row[name] = value;
        return row;
    }

    // The keys come only where they are asked for.
    private static IEnumerable<string>? WithKeys(IReadOnlyList<string>? select) => select is null ? null : [PartitionKey, RowKey, .. select];

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
}
