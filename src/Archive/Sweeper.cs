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
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromHours(1);

    private readonly ArchiveStores stores;
    private readonly Reconciler reconciler;
    private readonly ArchiveOptions options;
    private readonly TimeProvider clock;
    private readonly ILogger log;

    internal Sweeper(ArchiveStores stores, Reconciler reconciler, ArchiveOptions options, TimeProvider clock, ILogger log) =>
        (this.stores, this.reconciler, this.options, this.clock, this.log) = (stores, reconciler, options, clock, log);

    /// <summary>Works off every row that is due now. Two sweeps at once are harmless.</summary>
    public async Task<SweepResult> SweepAsync(CancellationToken cancellationToken)
    {
        var (done, failed) = (0, 0);
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var partition in Layout.JournalPartitions)
        {
            var query = new TableQuery { PartitionKey = partition, Columns = [new(Columns.Due, ColumnOperator.LessOrEqual, now)] };
            var due = new List<TableRow>();
            await foreach (var row in stores.Journal.RowsAsync(query, cancellationToken)) due.Add(row);
            foreach (var row in due)
            {
                if (await WorkOffAsync(row, cancellationToken)) done++;
                else failed++;
            }
        }
        if (done + failed > 0) ArchiveLog.Swept(log, done, failed);
        return new SweepResult(done, failed);
    }

    private async Task<bool> WorkOffAsync(TableRow row, CancellationToken cancellationToken)
    {
        if (!Uid.TryParse(row.RowKey.AsSpan(0, row.RowKey.IndexOf(':', StringComparison.Ordinal)), out var study)) return false;
        try
        {
            if (row.Text(Columns.Kind) != JournalEntry.Purge) await reconciler.ReconcileAsync(study, cancellationToken);
            else if (!await PurgeAsync(row, study, cancellationToken)) return false;
            // If its process has come back and put it off, it is its own again.
            await stores.Journal.SubmitAsync([TableWrite.Delete(row.PartitionKey, row.RowKey, row.ETag!)], cancellationToken);
            return true;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            var attempt = (row.Number(Columns.Attempts) ?? 0) + 1;
            var wait = TimeSpan.FromTicks(Math.Min(LongestBackOff.Ticks, options.JournalDue.Ticks << (int)Math.Min(attempt, 12)));
            ArchiveLog.SweepFailed(log, exception, attempt, wait.TotalSeconds);
            await PutOffAsync(row, attempt, wait, cancellationToken);
            return false;
        }
    }

    // docs/design.md, rule 6: a tombstone goes only while no writer is at work on the study. A writer would have written its journal row before it read the
    // study's row.
    private async Task<bool> PurgeAsync(TableRow entry, Uid study, CancellationToken cancellationToken)
    {
        var tombstone = await stores.Instances.GetAsync(study.Value, Layout.StudyRowKey, [Columns.Instances], cancellationToken);
        if (tombstone is null || tombstone.Number(Columns.Instances) > 0) return true;
        if (await JournalEntry.HasWorkAsync(stores.Journal, study, null, cancellationToken))
        {
            await PutOffAsync(entry, entry.Number(Columns.Attempts) ?? 0, options.Tombstone, cancellationToken);
            return false;
        }
        await stores.Instances.SubmitAsync([TableWrite.Delete(study.Value, Layout.StudyRowKey, tombstone.ETag!)], cancellationToken);
        return true;
    }

    private async Task PutOffAsync(TableRow row, long attempts, TimeSpan wait, CancellationToken cancellationToken)
    {
        var later = new TableRow(row.PartitionKey, row.RowKey) { [Columns.Due] = (clock.GetUtcNow() + wait)
            .ToUnixTimeMilliseconds(), [Columns.Attempts] = attempts };
        await stores.Journal.SubmitAsync([TableWrite.Merge(later, row.ETag!)], cancellationToken);
    }
}
