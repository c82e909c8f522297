using System.Globalization;
using DicomServerless.Storage;

namespace DicomServerless.Shared;

/// <summary>The state of a table that several clients share.</summary>
public sealed class MemoryTableState(string name)
{
    private long versions;

    public string Name => name;
    public SortedList<(string Partition, string Row), TableRow> Rows { get; } = new(Comparer<(string Partition, string Row)>.Create((a, b) =>
        string.CompareOrdinal(a.Partition, b.Partition) is var order and not 0 ? order : string.CompareOrdinal(a.Row, b.Row)));

    /// <summary>Told the key of every row that leaves the table in an answer.</summary>
    public Action<string>? Read { get; set; }

    public string NextETag() => "W/" + (++versions).ToString(CultureInfo.InvariantCulture);
}

/// <summary>
/// A table in memory with the semantics and the limits of the real one; see <see cref="MemoryBlobs"/> for <paramref name="step"/>. What the service refuses
/// with 400 or 413 is refused here with the same status, so a row or a batch that is too large fails a unit test and not only a hospital.
/// </summary>
public sealed class MemoryTable(MemoryTableState state, Func<string, Task> step, int pageSize = 1000) : ITable
{
    public string Name => state.Name;

    public Task CreateIfAbsentAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<TableRow?> GetAsync(string partitionKey, string rowKey, IReadOnlyList<string>? select, CancellationToken cancellationToken) =>
        DoAsync($"get {Name} {rowKey}", () => state.Rows.TryGetValue((partitionKey, rowKey), out var row) ? CopyOut(row, select) : null, cancellationToken);

    // The continuation names the next row, as the service's does, so that rows which come and go between two pages shift nothing.
    public Task<TablePage> QueryAsync(TableQuery query, string? continuation, CancellationToken cancellationToken) =>
        DoAsync($"query {Name} {query.PartitionKey}", () =>
    {
        var next = continuation?.Split('\n');
        var size = Math.Min(query.PageSize ?? pageSize, pageSize);
        var matching = From(query, next is null ? null : (next[0], next[1])).Where(row => Matches(query, row)).Take(size + 1).ToArray();
        return new TablePage([.. matching.Take(size).Select(row => CopyOut(row, query.Select))],
            matching.Length > size ? $"{matching[size].PartitionKey}\n{matching[size].RowKey}" : null);
    }, cancellationToken);

    // The rows from the first that can match to the last: a test's tables are large, and its queries narrow.
    private IEnumerable<TableRow> From(TableQuery query, (string Partition, string Row)? continuation)
    {
        var first = continuation ?? (query.PartitionKey ?? query.PartitionKeyFrom ?? "", query.PartitionKey is null ? "" : query.RowKeyFrom ?? "");
        var (low, high) = (0, state.Rows.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (state.Rows.Comparer.Compare(state.Rows.Keys[middle], first) < 0) low = middle + 1;
            else high = middle;
        }
        for (; low < state.Rows.Count; low++)
        {
            var (partition, row) = state.Rows.Keys[low];
            if (query.PartitionKey is { } only && (partition != only || (query.RowKeyBefore is { } end && string.CompareOrdinal(row, end) >= 0))) yield break;
            if (query.PartitionKeyBefore is { } before && string.CompareOrdinal(partition, before) >= 0) yield break;
            yield return state.Rows.Values[low];
        }
    }

    public Task<TableWritten> SubmitAsync(IReadOnlyList<TableWrite> writes, CancellationToken cancellationToken) =>
        DoAsync($"submit {Name} {string.Join(", ", writes.Take(3).Select(write => $"{write.Kind} {write.Row.RowKey}"))}", () =>
            Submit(writes), cancellationToken);

    private TableWritten Submit(IReadOnlyList<TableWrite> writes)
    {
        if (writes.Count is 0 or > 100) throw new ArgumentException("1 to 100 writes.");
        if (writes.Select(write => write.Row.PartitionKey).Distinct().Count() > 1) throw new ArgumentException("One partition.");
        if (writes.Select(write => write.Row.RowKey).Distinct().Count() != writes.Count) throw new ArgumentException("Each row once.");
        for (var i = 0; i < writes.Count; i++)
            if (!TableLimits.Allow(writes[i].Row)) return new TableWritten(StorageStatus.Invalid, [], i);
        // A batch has a body of 4 MiB; a single write goes without the batch's envelope, and its row has 1 MiB.
        if (writes.Count > 1 && writes.Sum(write => (long)TableLimits.EncodedBytes(write)) > TableLimits.BatchBytes)
            return new TableWritten(StorageStatus.TooLarge, []);
        for (var i = 0; i < writes.Count; i++)
        {
            var there = state.Rows.TryGetValue((writes[i].Row.PartitionKey, writes[i].Row.RowKey), out var row);
            var status = writes[i].Kind switch
            {
                TableWriteKind.Insert => there ? StorageStatus.Conflict : StorageStatus.Ok,
                TableWriteKind.Upsert => StorageStatus.Ok,
                _ when !there => StorageStatus.NotFound,
                _ => writes[i].IfMatch == "*" || writes[i].IfMatch == row!.ETag ? StorageStatus.Ok : StorageStatus.PreconditionFailed,
            };
            if (status != StorageStatus.Ok) return new TableWritten(status, [], i);
        }
        return new TableWritten(StorageStatus.Ok, [.. writes.Select(Apply)]);
    }

    private string? Apply(TableWrite write)
    {
        var key = (write.Row.PartitionKey, write.Row.RowKey);
        if (write.Kind == TableWriteKind.Delete)
        {
            state.Rows.Remove(key);
            return null;
        }
        var row = write.Kind == TableWriteKind.Merge ? Copy(state.Rows[key], null) : new TableRow(write.Row.PartitionKey, write.Row.RowKey);
        foreach (var (name, value) in write.Row.Values) row[name] = value;
        if (!TableLimits.Allow(row)) throw new InvalidOperationException("A merge made a row too large.");
        row.ETag = state.NextETag();
        state.Rows[key] = row;
        return row.ETag;
    }

    private static bool Matches(TableQuery query, TableRow row) =>
        (query.PartitionKey is null || row.PartitionKey == query.PartitionKey)
        && (query.PartitionKeyFrom is null || string.CompareOrdinal(row.PartitionKey, query.PartitionKeyFrom) >= 0)
        && (query.PartitionKeyBefore is null || string.CompareOrdinal(row.PartitionKey, query.PartitionKeyBefore) < 0)
        && (query.RowKeyFrom is null || string.CompareOrdinal(row.RowKey, query.RowKeyFrom) >= 0)
        && (query.RowKeyBefore is null || string.CompareOrdinal(row.RowKey, query.RowKeyBefore) < 0)
        && query.Columns.All(condition => Matches(condition, row[condition.Column]));

    private static bool Matches(ColumnCondition condition, object? value)
    {
        if (value is null) return false;
        var order = value switch
        {
            string text => string.CompareOrdinal(text, (string)condition.Value),
            int or long => Convert.ToInt64(value, CultureInfo.InvariantCulture).CompareTo(Convert.ToInt64(condition.Value, CultureInfo.InvariantCulture)),
            _ => ((IComparable)value).CompareTo(condition.Value),
        };
        return condition.Operator switch
        {
            ColumnOperator.Equal => order == 0,
            ColumnOperator.NotEqual => order != 0,
            ColumnOperator.Less => order < 0,
            ColumnOperator.LessOrEqual => order <= 0,
            ColumnOperator.Greater => order > 0,
            _ => order >= 0,
        };
    }

    private TableRow CopyOut(TableRow row, IReadOnlyList<string>? select)
    {
        state.Read?.Invoke(row.RowKey);
        return Copy(row, select);
    }

    private static TableRow Copy(TableRow row, IReadOnlyList<string>? select)
    {
        var copy = new TableRow(row.PartitionKey, row.RowKey) { ETag = row.ETag };
        foreach (var (name, value) in row.Values) if (select is null || select.Contains(name)) copy[name] = value;
        return copy;
    }

    private async Task<T> DoAsync<T>(string what, Func<T> effect, CancellationToken cancellationToken)
    {
        await step(what);
        cancellationToken.ThrowIfCancellationRequested();
        T result;
        lock (state) result = effect(); // a server calls from many threads
        await step("answer to " + what);
        cancellationToken.ThrowIfCancellationRequested(); // it has happened, and its caller does not hear of it
        return result;
    }
}
