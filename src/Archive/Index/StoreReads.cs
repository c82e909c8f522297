using System.Runtime.CompilerServices;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Index;

/// <summary>Reads over the storage seam that several parts of the archive need.</summary>
internal static class StoreReads
{
    /// <summary>All rows of a query, page by page.</summary>
    public static async IAsyncEnumerable<TableRow> RowsAsync(this ITable table, TableQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? continuation = null;
        do
        {
            var page = await table.QueryAsync(query, continuation, cancellationToken);
            foreach (var row in page.Rows) yield return row;
            continuation = page.Continuation;
        }
        while (continuation is not null);
    }

    /// <summary>The rows of a whole table behind a place, in pages that are never empty: what a long walk goes on with after it was cut off.</summary>
    public static async IAsyncEnumerable<IReadOnlyList<TableRow>> PagesBehindAsync(
        this ITable table, (string Partition, string Row)? place, IReadOnlyList<string> select, int? pageSize,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        TableQuery[] queries = place is { } behind
            ? [new() { PartitionKey = behind.Partition, RowKeyFrom = behind.Row + "!" }, new() { PartitionKeyFrom = behind.Partition + "!" }]
            : [new()];
        foreach (var query in queries)
        {
            string? continuation = null;
            do
            {
                var page = await table.QueryAsync(query with { Select = select, PageSize = pageSize }, continuation, cancellationToken);
                if (page.Rows.Count > 0) yield return page.Rows;
                continuation = page.Continuation;
            }
            while (continuation is not null);
        }
    }

    /// <summary>A derived blob, whole: what a row would have held had it fitted.</summary>
    /// <exception cref="IOException">It is not there: the row that names it has changed in the meantime.</exception>
    public static async Task<byte[]> ReadAllAsync(this IBlobContainer container, string name, CancellationToken cancellationToken)
    {
        await using var read = await container.ReadAsync(name, 0, null, null, cancellationToken);
        if (read.Status != StorageStatus.Ok) throw new IOException("A derived blob is not there; the row that named it has changed.");
        var bytes = new MemoryStream((int)read.Info.Length);
        await read.Content.CopyToAsync(bytes, cancellationToken);
        return bytes.ToArray();
    }
}
