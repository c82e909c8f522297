using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive;

/// <summary>Makes the index of a study, or of all, equal its blobs, in place, while stores and searches go on (docs/design.md, rule 8).</summary>
public sealed class Reconciler
{
    private sealed record Seen(bool IsRebuilding, DateTimeOffset At);

    private static readonly TimeSpan RememberRebuilding = TimeSpan.FromMinutes(1);

    private readonly ArchiveStores stores;
    private readonly StudyIndex index;
    private readonly Inbox inbox;
    private readonly ArchiveOptions options;
    private readonly TimeProvider clock;
    private Seen seen = new(false, DateTimeOffset.MinValue);

    internal Reconciler(ArchiveStores stores, StudyIndex index, Inbox inbox, ArchiveOptions options, TimeProvider clock) =>
        (this.stores, this.index, this.inbox, this.options, this.clock) = (stores, index, inbox, options, clock);

    /// <summary>
    /// Reconciles one study: the listing only nominates, each difference is settled on its own; then its rows are recounted and its search rows written.
    /// </summary>
    /// <returns>How many instances differed.</returns>
    public Task<int> ReconcileAsync(Uid study, CancellationToken cancellationToken) => ReconcileAsync(study, isRebuild: false, cancellationToken);

    // A rebuild also writes rows anew that an older version of the archive wrote.
    internal async Task<int> ReconcileAsync(Uid study, bool isRebuild, CancellationToken cancellationToken)
    {
        using var lease = index.Enter(study);
        await lease.Writer.HoldAsync(cancellationToken);
        try
        {
            var differing = await DifferencesAsync(study, isRebuild, cancellationToken);
            var names = differing.OrderDescending().ToArray(); // as deletes do: the sources of attributes last
            var settled = await index.SettleAsync(study, names, cancellationToken);
            for (var i = 0; i < names.Length; i++)
                if (settled[i] == SettledAs.Misplaced) await inbox.TakeAsync(stores.Dicom,
                    Layout.BlobName(new InstanceKey(study, names[i].Series, names[i].Sop)), cancellationToken);
            await lease.Writer.VerifyAsync(cancellationToken);
            await RemoveDerivedAsync(study, cancellationToken);
            return names.Length;
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
