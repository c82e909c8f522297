using System.Globalization;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Storage;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Archive;

/// <summary>Makes the index of a study, or of all, equal its blobs, in place, while stores and searches go on (design, rule 8).</summary>
public sealed class Reconciler
{
    /// <summary>The blob in <c>derived</c> that is there while a rebuild is under way; it holds the prefix to go on from.</summary>
    private const string RebuildMark = "rebuild";

    private sealed record Seen(bool IsRebuilding, DateTimeOffset At);

    private static readonly TimeSpan RememberRebuilding = TimeSpan.FromMinutes(1);

    private readonly ArchiveStores stores;
    private readonly StudyIndex index;
    private readonly Inbox inbox;
    private readonly InstanceContentReader contents;
    private readonly ArchiveOptions options;
    private readonly TimeProvider clock;
    private readonly ILogger log;
    private readonly ConflictWait wait;
    private Seen seen = new(false, DateTimeOffset.MinValue);

    internal Reconciler(
        ArchiveStores stores, StudyIndex index, Inbox inbox, InstanceContentReader contents, ArchiveOptions options, TimeProvider clock, Func<Guid> newGuid, ILogger log)
    {
        (this.stores, this.index, this.inbox, this.contents, this.options, this.clock, this.log) = (stores, index, inbox, contents, options, clock, log);
        wait = new ConflictWait(clock, newGuid);
    }

    /// <summary>Reconciles one study: the listing only nominates, each difference is settled on its own; then its rows are recounted and its search rows written.</summary>
    /// <returns>How many instances differed.</returns>
    public async Task<int> ReconcileAsync(Uid study, CancellationToken cancellationToken)
    {
        using var lease = index.Enter(study);
        await lease.Writer.HoldAsync(cancellationToken);
        try
        {
            var differing = await DifferencesAsync(study, cancellationToken);
            var names = differing.OrderDescending().ToArray(); // as deletes do: the sources of attributes last
            var settled = await index.SettleAsync(study, names, cancellationToken);
            for (var i = 0; i < names.Length; i++)
                if (settled[i] == SettledAs.Misplaced) await inbox.TakeAsync(stores.Dicom, Layout.BlobName(new InstanceKey(study, names[i].Series, names[i].Sop)), cancellationToken);
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
            seen = new Seen(await stores.Derived.HeadAsync(RebuildMark, cancellationToken) is not null, clock.GetUtcNow());
        return seen.IsRebuilding;
    }

    /// <summary>Reconciles every study in blobs or rows and checks every search row. Goes on where an earlier run was cut off.</summary>
    /// <returns>How many instances differed.</returns>
    public async Task<int> RebuildAsync(CancellationToken cancellationToken)
    {
        var changed = 0;
        for (var prefix = await RebuildFromAsync(cancellationToken); prefix < 4096; prefix++)
        {
            var text = prefix.ToString("x3", CultureInfo.InvariantCulture);
            await stores.Derived.PutAsync(RebuildMark, new(System.Text.Encoding.ASCII.GetBytes(text)), new BlobWrite(BlobCondition.None), cancellationToken);
            var (studies, differing) = await RebuildPrefixAsync(text, cancellationToken);
            changed += differing;
            if (studies > 0) ArchiveLog.Rebuilt(log, text, studies, differing);
        }
        await foreach (var row in stores.Instances.RowsAsync(new TableQuery { RowKeyFrom = Layout.StudyRowKey, RowKeyBefore = Layout.StudyRowKey + "!", Select = ["N"] }, cancellationToken))
        {
            if (row.Number("N") > 0 && Uid.TryParse(row.PartitionKey, out var study) && !await HasBlobAsync(study, cancellationToken)) changed += await ReconcileAsync(study, cancellationToken);
        }
        await new SearchRowCheck(stores, contents, wait).RunAsync(cancellationToken);
        await stores.Derived.DeleteAsync(RebuildMark, null, null, cancellationToken);
        return changed;
    }

    private async Task<int> RebuildFromAsync(CancellationToken cancellationToken)
    {
        if (await stores.Derived.HeadAsync(RebuildMark, cancellationToken) is null) return 0;
        var mark = await stores.Derived.ReadAllAsync(RebuildMark, cancellationToken);
        return int.TryParse(System.Text.Encoding.ASCII.GetString(mark), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var prefix) ? prefix : 0;
    }

    private async Task<(int Studies, int Changed)> RebuildPrefixAsync(string prefix, CancellationToken cancellationToken)
    {
        var (studies, changed) = (0, 0);
        Uid? last = null;
        var misplaced = new List<string>();
        await foreach (var blob in stores.Dicom.ListAsync(prefix, cancellationToken))
        {
            if (!Layout.TryParseBlobName(blob.Name, out var key)) misplaced.Add(blob.Name);
            else if (key.Study != last)
            {
                last = key.Study;
                studies++;
                changed += await ReconcileAsync(key.Study, cancellationToken);
            }
        }
        foreach (var name in misplaced) await inbox.TakeAsync(stores.Dicom, name, cancellationToken);
        return (studies, changed);
    }

    private async Task<bool> HasBlobAsync(Uid study, CancellationToken cancellationToken)
    {
        await foreach (var _ in stores.Dicom.ListAsync(Layout.StudyPrefix(study), cancellationToken)) return true;
        return false;
    }

    // Names whose blob and row do not agree, whichever of them there is.
    private async Task<HashSet<InstanceName>> DifferencesAsync(Uid study, CancellationToken cancellationToken)
    {
        var rows = new Dictionary<InstanceName, string?>();
        var query = new TableQuery { PartitionKey = study.Value, RowKeyFrom = Layout.AllInstanceRows.From, RowKeyBefore = Layout.AllInstanceRows.Before, Select = ["ET"] };
        await foreach (var row in stores.Instances.RowsAsync(query, cancellationToken))
            if (Layout.TryParseInstanceRowKey(row.RowKey, out var name)) rows[name] = row.Text("ET");
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
        var query = new TableQuery { PartitionKey = study.Value, RowKeyFrom = Layout.AllInstanceRows.From, RowKeyBefore = Layout.AllInstanceRows.Before, Select = InstanceState.SettleColumns };
        await foreach (var row in stores.Instances.RowsAsync(query, cancellationToken)) unnamed.ExceptWith(InstanceState.FromRow(row).Derived);
        await Concurrently.ForEachAsync(unnamed, name => stores.Derived.DeleteAsync(name, null, null, cancellationToken));
    }
}
