using DicomServerless.Dicom;
using DicomServerless.Storage;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Archive.Index;

/// <summary>
/// Goes over every search row and removes those that nothing claims (docs/design.md, rules 5 and 8). What is missing is written by reconciling the studies.
/// Rows are read in pages, and what claims the rows of a page is read once for each study; a row that nothing claims is looked at once more, on its own,
/// before it goes.
/// </summary>
internal sealed class SearchRowCheck(ArchiveStores stores, InstanceContentReader contents, ConflictWait wait, ILogger log)
{
    private const int RememberedStudies = 1024;

    // What studies claimed when they were read last: only spares reading rows that are right.
    private readonly Dictionary<Uid, Func<(string Partition, string Row), bool>> claims = [];

    /// <summary>Checks all rows behind a place.</summary>
    /// <param name="at">The place, as an earlier run gave it; empty for the beginning.</param>
    /// <param name="save">Takes the place that has been reached, and how many studies of the page before it could not be checked.</param>
    /// <param name="cancellationToken">Ends the check.</param>
    public async Task RunAsync(string at, Func<string, int, Task> save, CancellationToken cancellationToken)
    {
        var reached = at.Split('\n');
        foreach (var table in (ITable[])[stores.Studies, stores.Keys, stores.Uids])
        {
            if (reached.Length == 3 && reached[0] != table.Name) continue;
            (string, string)? behind = reached.Length == 3 ? (reached[1], reached[2]) : null;
            reached = [];
            await foreach (var page in table.PagesBehindAsync(behind, [Columns.SchemaVersion], null, cancellationToken))
            {
                var studies = page.Select(row => (Row: row, Study: StudyOf(table, row))).Where(item => item.Study is not null)
                    .GroupBy(item => item.Study!.Value, item => item.Row).ToArray();
                var failed = 0;
                await Concurrently.ForEachAsync(studies, async rows =>
                {
                    try
                    {
                        await (table == stores.Uids ? CheckUidsAsync(rows.Key, rows, cancellationToken)
                            : CheckAsync(table, rows.Key, [.. rows], cancellationToken));
                    }
                    catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
                    {
                        ArchiveLog.NotRebuilt(log, exception);
                        Interlocked.Increment(ref failed);
                    }
                });
                await save($"{table.Name}\n{page[^1].PartitionKey}\n{page[^1].RowKey}", failed);
            }
        }
    }

    private async Task CheckUidsAsync(Uid study, IEnumerable<TableRow> rows, CancellationToken cancellationToken)
    {
        var names = rows.Select(row => Layout.TryParseUidRowKey(row.RowKey, out var key) ? key.Name : default).ToArray();
        var present = await new InstanceRowReader(study, stores, contents).ReadAsync(names, cancellationToken);
        await RowsOf(study).RemoveUidsAsync([.. names.Where(name => !present.ContainsKey(name))], cancellationToken);
    }

    private async Task CheckAsync(ITable table, Uid study, TableRow[] rows, CancellationToken cancellationToken)
    {
        var series = rows.Where(row => IsSeriesPointer(table, row)).Select(row => Uid.Parse(row.RowKey.Split(':')[0])).ToArray();
        var gone = await Concurrently.SelectAsync(series, async uid =>
            await stores.Instances.GetAsync(study.Value, Layout.SeriesRowKey(uid), [Columns.Instances], cancellationToken) is null);
        await RowsOf(study).RemoveSeriesAsync(series.Where((_, i) => gone[i]), cancellationToken);

        var others = rows.Where(row => !IsSeriesPointer(table, row)).ToArray();
        if (others.Length == 0) return;
        var wasClaimed = await ClaimsAsync(study, cancellationToken);
        if (others.All(row => wasClaimed((row.PartitionKey, row.RowKey)))) return;
        var isClaimed = await RowsOf(study).ClaimedAsync(cancellationToken);
        foreach (var row in others.Where(row => !isClaimed((row.PartitionKey, row.RowKey))))
            await table.SubmitAsync([TableWrite.Delete(row.PartitionKey, row.RowKey, row.ETag!)], cancellationToken);
    }

    private async Task<Func<(string Partition, string Row), bool>> ClaimsAsync(Uid study, CancellationToken cancellationToken)
    {
        lock (claims) if (claims.TryGetValue(study, out var remembered)) return remembered;
        var known = await RowsOf(study).ClaimedAsync(cancellationToken);
        lock (claims)
        {
            if (claims.Count >= RememberedStudies) claims.Clear();
            claims[study] = known;
        }
        return known;
    }

    private SearchRows RowsOf(Uid study) => new(study, stores, new InstanceRowReader(study, stores, contents), wait);

    private bool IsSeriesPointer(ITable table, TableRow row) => table == stores.Keys && row.PartitionKey == SearchClaims.Series;

    private Uid? StudyOf(ITable table, TableRow row) => table == stores.Uids
        ? Layout.TryParseUidRowKey(row.RowKey, out var key) ? key.Study : null
        : Uid.TryParse(row.RowKey.AsSpan(row.RowKey.LastIndexOf(':') + 1), out var study) ? study : null;
}
