namespace DicomServerless.Storage;

/// <summary>
/// A row of a table. Property values are string, int, long, bool, double (finite), DateTimeOffset, Guid or byte[]; a property that is null is absent. Limits
/// of the Azure engine hold for all: a string ≤ 32,768 UTF-16 units, bytes ≤ 64 KiB, a row ≤ 1 MiB, ≤ 252 properties, keys ≤ 1 KiB without / \ # ? and
/// control characters.
/// </summary>
/// <param name="partitionKey">The partition: rows of one partition can change in one batch.</param>
/// <param name="rowKey">The row within the partition, ordered ordinally.</param>
public sealed class TableRow(string partitionKey, string rowKey)
{
    private readonly Dictionary<string, object> values = new(StringComparer.Ordinal);

    /// <summary>The partition.</summary>
    public string PartitionKey { get; internal set; } = partitionKey;
    /// <summary>The row within the partition.</summary>
    public string RowKey { get; internal set; } = rowKey;
    /// <summary>The version of the row, opaque; null for a row that was not read.</summary>
    public string? ETag { get; set; }
    /// <summary>The properties that are present.</summary>
    public IReadOnlyDictionary<string, object> Values => values;

    /// <summary>Gets a property (null if absent) or sets it (null removes it).</summary>
    public object? this[string name]
    {
        get => values.GetValueOrDefault(name);
        set
        {
            if (value is null) values.Remove(name);
            else values[name] = value;
        }
    }

    /// <summary>A string property, or null.</summary>
    public string? Text(string name) => values.GetValueOrDefault(name) as string;
    /// <summary>An integer property (32 or 64 bit), or null.</summary>
    public long? Number(string name) => values.GetValueOrDefault(name) switch { long l => l, int i => i, _ => null };
    /// <summary>A binary property, or null.</summary>
    public byte[]? Bytes(string name) => values.GetValueOrDefault(name) as byte[];
}

/// <summary>What a write does.</summary>
public enum TableWriteKind
{
    /// <summary>Adds a row: Conflict if it is there.</summary>
    Insert,
    /// <summary>Replaces a row whose ETag matches (or any, with "*"): NotFound or PreconditionFailed otherwise.</summary>
    Replace,
    /// <summary>Sets the given properties of a row whose ETag matches (or any, with "*"), keeps the others.</summary>
    Merge,
    /// <summary>Adds or replaces a row.</summary>
    Upsert,
    /// <summary>Removes a row whose ETag matches (or any, with "*").</summary>
    Delete,
}

/// <summary>One write of a row.</summary>
/// <param name="Kind">What it does.</param>
/// <param name="Row">The row; for Delete only its keys count.</param>
/// <param name="IfMatch">For Replace, Merge and Delete: the ETag, or "*" for any.</param>
public readonly record struct TableWrite(TableWriteKind Kind, TableRow Row, string? IfMatch = null)
{
    /// <summary>Adds a row.</summary>
    public static TableWrite Insert(TableRow row) => new(TableWriteKind.Insert, row);
    /// <summary>Replaces a row.</summary>
    public static TableWrite Replace(TableRow row, string ifMatch) => new(TableWriteKind.Replace, row, ifMatch);
    /// <summary>Sets some properties of a row.</summary>
    public static TableWrite Merge(TableRow row, string ifMatch) => new(TableWriteKind.Merge, row, ifMatch);
    /// <summary>Adds or replaces a row.</summary>
    public static TableWrite Upsert(TableRow row) => new(TableWriteKind.Upsert, row);
    /// <summary>Removes a row.</summary>
    public static TableWrite Delete(string partitionKey, string rowKey, string ifMatch) =>
        new(TableWriteKind.Delete, new TableRow(partitionKey, rowKey), ifMatch);
}

/// <summary>The result of a write or of a batch, which happens whole or not at all.</summary>
/// <param name="Status">Ok, NotFound, Conflict, PreconditionFailed, TooLarge or Invalid.</param>
/// <param name="ETags">The new ETags in the order of the writes (null for a Delete), when Ok.</param>
/// <param name="FailedIndex">The write that was refused, where the service says so; else -1.</param>
public sealed record TableWritten(StorageStatus Status, IReadOnlyList<string?> ETags, int FailedIndex = -1)
{
    /// <summary>Whether it happened.</summary>
    public bool IsOk => Status == StorageStatus.Ok;
}

/// <summary>How a column is compared.</summary>
public enum ColumnOperator
{
    /// <summary>Equal.</summary>
    Equal,
    /// <summary>Not equal.</summary>
    NotEqual,
    /// <summary>Less.</summary>
    Less,
    /// <summary>Less or equal.</summary>
    LessOrEqual,
    /// <summary>Greater.</summary>
    Greater,
    /// <summary>Greater or equal.</summary>
    GreaterOrEqual,
}

/// <summary>A condition on a property; a row without the property does not match.</summary>
/// <param name="Column">The property.</param>
/// <param name="Operator">How it is compared.</param>
/// <param name="Value">string, int, long, bool, double or DateTimeOffset.</param>
public readonly record struct ColumnCondition(string Column, ColumnOperator Operator, object Value);

/// <summary>Which rows. All bounds are ordinal and optional; the answer is ordered by PartitionKey, then RowKey.</summary>
public sealed record TableQuery
{
    /// <summary>The one partition; null for the range below.</summary>
    public string? PartitionKey { get; init; }
    /// <summary>The first partition, inclusive.</summary>
    public string? PartitionKeyFrom { get; init; }
    /// <summary>The end of the partitions, exclusive.</summary>
    public string? PartitionKeyBefore { get; init; }
    /// <summary>The first row of a partition, inclusive.</summary>
    public string? RowKeyFrom { get; init; }
    /// <summary>The end of the rows of a partition, exclusive.</summary>
    public string? RowKeyBefore { get; init; }
    /// <summary>All of these must hold.</summary>
    public IReadOnlyList<ColumnCondition> Columns { get; init; } = [];
    /// <summary>The properties to return (keys and ETag always come); null for all.</summary>
    public IReadOnlyList<string>? Select { get; init; }
    /// <summary>Rows per page, 1 to 1,000; null for the service's choice.</summary>
    public int? PageSize { get; init; }
}

/// <summary>A page of rows: may be empty while more follow.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="Continuation">Give it to the next call; null at the end.</param>
public sealed record TablePage(IReadOnlyList<TableRow> Rows, string? Continuation);

/// <summary>A table: the seam of the storage engines. All methods may be called concurrently.</summary>
public interface ITable
{
    /// <summary>The table's name.</summary>
    string Name { get; }

    /// <summary>Makes the table if it is not there.</summary>
    Task CreateIfAbsentAsync(CancellationToken cancellationToken);

    /// <summary>One row, or null if it is not there.</summary>
    Task<TableRow?> GetAsync(string partitionKey, string rowKey, IReadOnlyList<string>? select, CancellationToken cancellationToken);

    /// <summary>One page of a query: one transaction. The continuation comes from the page before, null for the first.</summary>
    Task<TablePage> QueryAsync(TableQuery query, string? continuation, CancellationToken cancellationToken);

    /// <summary>
    /// 1 to 100 writes of one partition, each row at most once, ≤ 4 MiB encoded: all or nothing, one transaction (a single write goes without the batch
    /// envelope). What is larger is the caller's to split: <see cref="TableRowSize"/>.
    /// </summary>
    Task<TableWritten> SubmitAsync(IReadOnlyList<TableWrite> writes, CancellationToken cancellationToken);
}
