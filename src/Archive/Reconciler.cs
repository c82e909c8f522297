using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Storage;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Archive;

/// <summary>What reconciling a study came to.</summary>
/// <param name="Changed">Instances that differed and agree now.</param>
/// <param name="NotUnderstood">Instances whose blob we stored once and do not understand any more; they stay as they are.</param>
internal readonly record struct ReconcileResult(int Changed, int NotUnderstood);

/// <summary>Makes the index of a study, or of all, equal its blobs, in place, while stores and searches go on (docs/design.md, rule 8).</summary>
public sealed class Reconciler
{
    private sealed record Seen(bool IsRebuilding, DateTimeOffset At);

    private const int MaxLooks = 20;

    private static readonly TimeSpan RememberRebuilding = TimeSpan.FromMinutes(1);

    private readonly ArchiveStores stores;
    private readonly StudyIndex index;
    private readonly Inbox inbox;
    private readonly ArchiveOptions options;
    private readonly TimeProvider clock;
    private readonly ILogger log;
    private Seen seen = new(false, DateTimeOffset.MinValue);

    internal Reconciler(ArchiveStores stores, StudyIndex index, Inbox inbox, ArchiveOptions options, TimeProvider clock, ILogger log) =>
        (this.stores, this.index, this.inbox, this.options, this.clock, this.log) = (stores, index, inbox, options, clock, log);

    /// <summary>
    /// Reconciles one study: the listing only nominates, each difference is settled on its own; then its rows are recounted and its search rows written.
    /// </summary>
    /// <returns>How many instances differed, and agree now.</returns>
    public async Task<int> ReconcileAsync(Uid study, CancellationToken cancellationToken) =>
        (await ReconcileAsync(study, isRebuild: false, cancellationToken)).Changed;

    // A rebuild also writes rows anew that an older version of the archive wrote.
    internal async Task<ReconcileResult> ReconcileAsync(Uid study, bool isRebuild, CancellationToken cancellationToken)
    {
        using var lease = index.Enter(study);
        await lease.Writer.HoldAsync(cancellationToken);
        try
        {
            var differing = await DifferencesAsync(study, isRebuild, cancellationToken);
            var notUnderstood = await SettleAsync(study, [.. differing.OrderDescending()], cancellationToken); // as deletes do: the sources of attributes last
            await lease.Writer.VerifyAsync(cancellationToken);
            await RemoveDerivedAsync(study, cancellationToken);
            return new ReconcileResult(differing.Count - notUnderstood, notUnderstood);
        }
        catch
        {
            lease.Writer.LeaveToSweep();
            throw;
        }
    }

    /// <summary>Whether a rebuild is under way, so that answers can say so. Looked up once a minute at most.</summary>
    public async Task<bool> IsRebuildingAsync(CancellationToken cancellationToken)
    {
        if (clock.GetUtcNow() - seen.At > RememberRebuilding)
            seen = new Seen(await stores.Derived.HeadAsync(IndexRebuild.Mark, cancellationToken) is not null, clock.GetUtcNow());
        return seen.IsRebuilding;
    }

    // What is misplaced is taken when all names are settled, which may be minutes after it was judged: where another version is there by then, that one is
    // settled first. Gives how many blobs of ours are not understood any more.
    private async Task<int> SettleAsync(Uid study, IReadOnlyList<InstanceName> names, CancellationToken cancellationToken)
    {
        var notUnderstood = 0;
        for (var look = 0; names.Count > 0; look++)
        {
            if (look == MaxLooks) throw new IOException("The study changed too often while it was reconciled.");
            var settled = await index.SettleAsync(study, names, cancellationToken);
            var changed = new List<InstanceName>();
            for (var i = 0; i < names.Count; i++)
            {
                if (settled[i].As == SettledAs.NotUnderstood)
                {
                    ArchiveLog.NotUnderstood(log);
                    notUnderstood++;
                }
                if (settled[i].As == SettledAs.Misplaced && !await inbox.TakeAsync(stores.Dicom,
                    Layout.BlobName(new InstanceKey(study, names[i].Series, names[i].Sop)), settled[i].ETag, cancellationToken)) changed.Add(names[i]);
            }
            names = changed;
        }
        return notUnderstood;
    }

    // Names whose blob and row do not agree, whichever of them there is.
    private async Task<HashSet<InstanceName>> DifferencesAsync(Uid study, bool isRebuild, CancellationToken cancellationToken)
    {
        var rows = new Dictionary<InstanceName, string?>();
        var query = new TableQuery { PartitionKey = study.Value, RowKeyFrom = Layout.AllInstanceRows.From, RowKeyBefore = Layout.AllInstanceRows.Before,
            Select = [Columns.BlobETag, Columns.SchemaVersion] };
        await foreach (var row in stores.Instances.RowsAsync(query, cancellationToken))
            if (Layout.TryParseInstanceRowKey(row.RowKey, out var name)) rows[name] = isRebuild
                && !(row.Number(Columns.SchemaVersion) >= Layout.SchemaVersion) ? null : row.Text(Columns.BlobETag);
        var differing = new HashSet<InstanceName>();
        await foreach (var blob in stores.Dicom.ListAsync(Layout.StudyPrefix(study), cancellationToken))
        {
            if (!Layout.TryParseBlobName(blob.Name, out var key)) continue;
            if (!rows.Remove(key.Name, out var etag) || etag != blob.ETag) differing.Add(key.Name);
        }
        differing.UnionWith(rows.Keys);
        return differing;
    }

    // Derived blobs that no row names. A young one may be about to be named.
    private async Task RemoveDerivedAsync(Uid study, CancellationToken cancellationToken)
    {
        var unnamed = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var blob in stores.Derived.ListAsync(Layout.StudyPrefix(study), cancellationToken))
            if (clock.GetUtcNow() - blob.LastModified > options.DerivedGrace) unnamed.Add(blob.Name);
        if (unnamed.Count == 0) return;
        var query = new TableQuery { PartitionKey = study.Value, RowKeyFrom = Layout.AllInstanceRows.From, RowKeyBefore = Layout.AllInstanceRows.Before,
            Select = InstanceState.SettleColumns };
        await foreach (var row in stores.Instances.RowsAsync(query, cancellationToken)) unnamed.ExceptWith(InstanceState.FromRow(row).Derived);
        await Concurrently.ForEachAsync(unnamed, name => stores.Derived.DeleteAsync(name, null, null, cancellationToken));
    }
}
