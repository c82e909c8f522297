using System.Runtime.CompilerServices;
using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Index;

/// <summary>
/// Some instances of a study in the order of answers. Their names are in memory; of a study or series that is larger than a first page the rest of the rows is
/// read window by window, so that memory does not grow with what metadata and tables they hold.
/// </summary>
internal sealed class InstanceListing
{
    /// <summary>Rows that are in memory together.</summary>
    public const int WindowRows = 1000;

    /// <summary>
    /// Bytes of the rows of a window, unless one alone has more: 32 MiB, which is 32 KiB a row where there are 1,000. A listing that ends with its first page
    /// is held as that page came: one request for the studies that there are most of counts for more than a bound on the few whose rows are large.
    /// </summary>
    public const int WindowBytes = 32 * 1024 * 1024;

    // What a row of an earlier release is taken for, which does not say how much it holds.
    private const int PresumedBytes = WindowBytes / WindowRows;

    // Rows between two wanted ones that a range query may bring along for nothing; for more, another request is cheaper.
    private const int MaxGap = 3;

    private static readonly string[] NameColumns = [Columns.BlobETag, Columns.InstanceNumber, Columns.SchemaVersion, Columns.BytesInRow];

    private readonly Uid study;
    private readonly ITable table;
    private readonly IReadOnlyList<string> columns;
    private readonly bool isWhole;

    private InstanceListing(Uid study, ITable table, IReadOnlyList<string> columns, bool isWhole, List<InstanceState> rows) =>
        (this.study, this.table, this.columns, this.isWhole, Rows) = (study, table, columns, isWhole, rows);

    /// <summary>The instances in order: names, numbers, versions and blob ETags; more may be missing until they are read.</summary>
    public IReadOnlyList<InstanceState> Rows { get; private init; }

    /// <summary>Lists instances: in one request where a first page holds them.</summary>
    /// <param name="study">Their study.</param>
    /// <param name="table">The table <c>instances</c>.</param>
    /// <param name="range">The keys of their rows.</param>
    /// <param name="columns">What is wanted of each, <c>ET</c>, <c>IN</c> and <c>SV</c> among it.</param>
    /// <param name="order">The order of answers.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<InstanceListing> ReadAsync(
        Uid study, ITable table, (string From, string Before) range, IReadOnlyList<string> columns, Comparison<InstanceState> order,
        CancellationToken cancellationToken)
    {
        var query = new TableQuery { PartitionKey = study.Value, RowKeyFrom = range.From, RowKeyBefore = range.Before, Select = columns,
            PageSize = WindowRows };
        var page = await table.QueryAsync(query, null, cancellationToken);
        var rows = new List<InstanceState>();
        if (page.Continuation is null) rows.AddRange(page.Rows.Select(InstanceState.FromRow));
        else await foreach (var row in table.RowsAsync(query with { Select = NameColumns }, cancellationToken))
            rows.Add(InstanceState.FromRow(row));
        rows.Sort(order);
        return new InstanceListing(study, table, columns, page.Continuation is null, rows);
    }

    /// <summary>The same without the instances that are not wanted.</summary>
    public InstanceListing Where(Func<InstanceState, bool> isWanted) => new(study, table, columns, isWhole, [.. Rows.Where(isWanted)]);

    /// <summary>The rows with all their columns, in order. An instance that has been deleted since it was listed is passed over.</summary>
    public async IAsyncEnumerable<InstanceState> RowsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (isWhole)
        {
            foreach (var row in Rows) yield return row;
            yield break;
        }
        var places = Rows.Select(row => row.Name).OrderBy(Layout.InstanceRowKey, StringComparer.Ordinal).Select((name, place) => (name, place))
            .ToDictionary(item => item.name, item => item.place);
        foreach (var window in Windows())
        {
            var found = await ReadAsync(window, places, cancellationToken);
            foreach (var listed in window)
                if (found.TryGetValue(listed.Name, out var row)) yield return row;
        }
    }

    private IEnumerable<InstanceState[]> Windows()
    {
        var window = new List<InstanceState>();
        var bytes = 0L;
        foreach (var row in Rows)
        {
            var size = row.BytesInRow ?? PresumedBytes;
            if (window.Count == WindowRows || (window.Count > 0 && bytes + size > WindowBytes))
            {
                yield return [.. window];
                window.Clear();
                bytes = 0;
            }
            window.Add(row);
            bytes += size;
        }
        if (window.Count > 0) yield return [.. window];
    }

    private async Task<Dictionary<InstanceName, InstanceState>> ReadAsync(InstanceState[] window, Dictionary<InstanceName, int> places,
        CancellationToken cancellationToken)
    {
        var found = new Dictionary<InstanceName, InstanceState>();
        var wanted = window.Select(row => row.Name).ToHashSet();
        await Concurrently.ForEachAsync(Runs(wanted.OrderBy(name => places[name]).ToArray(), places), async run =>
        {
            var keys = (First: Layout.InstanceRowKey(run[0]), Last: Layout.InstanceRowKey(run[^1]));
            if (run.Count == 1)
            {
                if (await table.GetAsync(study.Value, keys.First, columns, cancellationToken) is { } single) Keep(single);
                return;
            }
            var query = new TableQuery { PartitionKey = study.Value, RowKeyFrom = keys.First, RowKeyBefore = keys.Last + "!", Select = columns };
            await foreach (var row in table.RowsAsync(query, cancellationToken)) Keep(row);
        });
        return found;

        void Keep(TableRow row)
        {
            var state = InstanceState.FromRow(row);
            if (!wanted.Contains(state.Name)) return;
            lock (found) found[state.Name] = state;
        }
    }

    // Names whose rows lie together, or nearly so.
    private static List<List<InstanceName>> Runs(InstanceName[] ascending, Dictionary<InstanceName, int> places)
    {
        var runs = new List<List<InstanceName>>();
        foreach (var name in ascending)
        {
            if (runs.Count == 0 || places[name] - places[runs[^1][^1]] > MaxGap + 1) runs.Add([]);
            runs[^1].Add(name);
        }
        return runs;
    }
}
