using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Storage;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Archive;

/// <summary>What a sweep did.</summary>
/// <param name="Done">Journal rows worked off.</param>
/// <param name="Failed">Journal rows put off because they could not be worked off.</param>
public readonly record struct SweepResult(int Done, int Failed);

/// <summary>Works off journal rows that have come due: work that its process did not end (docs/design.md, rule 2).</summary>
public sealed class Sweeper
{
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromHours(1), LongestPutOff = TimeSpan.FromSeconds(30);
    private static readonly string[] Partitions = [.. Layout.JournalPartitions];

    private readonly ArchiveStores stores;
    private readonly Reconciler reconciler;
    private readonly ArchiveOptions options;
    private readonly TimeProvider clock;
    private readonly ILogger log;
    private int next; // the partition that comes first: the one behind that in which the last sweep was cut off

    internal Sweeper(ArchiveStores stores, Reconciler reconciler, ArchiveOptions options, TimeProvider clock, ILogger log) =>
        (this.stores, this.reconciler, this.options, this.clock, this.log) = (stores, reconciler, options, clock, log);

    /// <summary>
    /// Works off every row that is due now, study by study. What a sweep that is cut off did not come to is done by the next. Two sweeps at once are harmless.
    /// </summary>
    public async Task<SweepResult> SweepAsync(CancellationToken cancellationToken)
    {
        var (done, failed) = (0, 0);
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        var first = next;
        for (var i = 0; i < Partitions.Length; i++)
        {
            var partition = Partitions[(first + i) % Partitions.Length];
            next = (first + i + 1) % Partitions.Length;
            var query = new TableQuery { PartitionKey = partition, Columns = [new(Columns.Due, ColumnOperator.LessOrEqual, now)] };
            var due = new List<TableRow>();
            await foreach (var row in stores.Journal.RowsAsync(query, cancellationToken)) due.Add(row);
            // Every process and, where events index, every request leaves a row of its own: the study is reconciled once for all of them. Whoever has waited
            // longest comes first, and tombstones last.
            foreach (var rows in due.OrderBy(IsPurge).ThenBy(row => row.Number(Columns.Due)).GroupBy(row => (StudyOf(row), IsPurge(row))))
            {
                if (await WorkOffAsync([.. rows], cancellationToken)) done += rows.Count();
                else failed += rows.Count();
            }
        }
        next = 0;
        if (done + failed > 0) ArchiveLog.Swept(log, done, failed);
        return new SweepResult(done, failed);
    }

    private static string StudyOf(TableRow row) => row.RowKey.Split(':')[0];

    private static bool IsPurge(TableRow row) => row.Text(Columns.Kind) == JournalEntry.Purge;

    // Rows of one study and one kind, all read before any of their work begins: what they stand for is there by then.
    private async Task<bool> WorkOffAsync(TableRow[] rows, CancellationToken cancellationToken)
    {
        if (!Uid.TryParse(StudyOf(rows[0]), out var study)) return false;
        try
        {
            if (!IsPurge(rows[0])) await reconciler.ReconcileAsync(study, cancellationToken);
            else if (!await PurgeAsync(rows, study, cancellationToken)) return false;
            // If a row's process has come back and put it off, it is its own again.
            foreach (var row in rows)
                await stores.Journal.SubmitAsync([TableWrite.Delete(row.PartitionKey, row.RowKey, row.ETag!)], cancellationToken);
            return true;
        }
        catch (Exception exception)
        {
            // Put off where the sweep itself is cut off, too: a study that takes longer than a sweep may, would else be the first one in every sweep.
            var attempt = rows.Max(AttemptsOf) + 1;
            var wait = TimeSpan.FromTicks(Math.Min(LongestBackOff.Ticks, options.JournalDue.Ticks << (int)Math.Min(attempt, 12)));
            if (!cancellationToken.IsCancellationRequested) ArchiveLog.SweepFailed(log, exception, attempt, wait.TotalSeconds);
            using var timeout = new CancellationTokenSource(LongestPutOff, clock);
            foreach (var row in rows) await PutOffAsync(row, attempt, wait, timeout.Token);
            if (cancellationToken.IsCancellationRequested) throw;
            return false;
        }
    }

    // docs/design.md, rule 6: a tombstone goes only while no writer is at work on the study. A writer would have written its journal row before it read the
    // study's row.
    private async Task<bool> PurgeAsync(TableRow[] entries, Uid study, CancellationToken cancellationToken)
    {
        var tombstone = await stores.Instances.GetAsync(study.Value, Layout.StudyRowKey, [Columns.Instances], cancellationToken);
        if (tombstone is null || tombstone.Number(Columns.Instances) > 0) return true;
        if (await JournalEntry.HasWorkAsync(stores.Journal, study, null, cancellationToken))
        {
            foreach (var entry in entries) await PutOffAsync(entry, AttemptsOf(entry), options.Tombstone, cancellationToken);
            return false;
        }
        await stores.Instances.SubmitAsync([TableWrite.Delete(study.Value, Layout.StudyRowKey, tombstone.ETag!)], cancellationToken);
        return true;
    }

    private static long AttemptsOf(TableRow row) => row.Number(Columns.Attempts) ?? 0;

    private async Task PutOffAsync(TableRow row, long attempts, TimeSpan wait, CancellationToken cancellationToken)
    {
        var later = new TableRow(row.PartitionKey, row.RowKey) { [Columns.Due] = (clock.GetUtcNow() + wait)
            .ToUnixTimeMilliseconds(), [Columns.Attempts] = attempts };
        await stores.Journal.SubmitAsync([TableWrite.Merge(later, row.ETag!)], cancellationToken);
    }
}
