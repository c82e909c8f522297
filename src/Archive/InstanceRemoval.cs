using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive;

/// <summary>Deletes studies, series and instances (docs/design.md, rule 6).</summary>
public sealed class InstanceRemoval
{
    private readonly ArchiveStores stores;
    private readonly StudyIndex index;
    private readonly Func<Guid> newGuid;

    internal InstanceRemoval(ArchiveStores stores, StudyIndex index, Func<Guid> newGuid) => (this.stores, this.index, this.newGuid) = (stores, index, newGuid);

    /// <summary>
    /// Deletes what is there now; what is stored meanwhile stays. When the task ends, blobs and index agree and nothing of it is found any more.
    /// </summary>
    /// <returns>False if there was nothing.</returns>
    public async Task<bool> DeleteAsync(Uid study, Uid? series, Uid? sop, CancellationToken cancellationToken)
    {
        using var lease = index.Enter(study);
        var writer = lease.Writer;
        var guard = await writer.GuardAsync(cancellationToken);
        var blobs = await ListBlobsAsync(study, series, sop, cancellationToken);
        var names = await ListRowsAsync(study, series, sop, cancellationToken);
        names.UnionWith(blobs.Keys);
        if (names.Count == 0) return false;
        try
        {
            var changes = await Concurrently.SelectAsync(names.ToArray(), async name =>
            {
                if (!blobs.TryGetValue(name, out var blob)) return StudyChange.Look(name);
                await writer.HoldAsync(cancellationToken);
                var status = await stores.Dicom.DeleteAsync(blob.Name, blob.ETag, BlobMetadata.OwnRequest + newGuid().ToString("n"), cancellationToken);
                return status == StorageStatus.Ok ? StudyChange.Deleted(name, guard) : StudyChange.Look(name);
            });
            // From the highest name down: attributes come from the lowest, so their source goes last, when nothing is left to take them from.
            writer.Enqueue(changes.OrderByDescending(change => change.Name));
            await StudyChange.AllAsync(changes, cancellationToken);
        }
        catch
        {
            writer.LeaveToSweep();
            throw;
        }
        return true;
    }

    private async Task<Dictionary<InstanceName, BlobInfo>> ListBlobsAsync(Uid study, Uid? series, Uid? sop, CancellationToken cancellationToken)
    {
        var found = new Dictionary<InstanceName, BlobInfo>();
        if (sop is { } one)
        {
            if (await stores.Dicom.HeadAsync(Layout.BlobName(new InstanceKey(study, series!.Value, one)),
                cancellationToken) is { } blob) found[new InstanceName(series.Value, one)] = blob;
            return found;
        }
        var prefix = series is { } only ? Layout.SeriesPrefix(study, only) : Layout.StudyPrefix(study);
        await foreach (var blob in stores.Dicom.ListAsync(prefix, cancellationToken))
            if (Layout.TryParseBlobName(blob.Name, out var key)) found[key.Name] = blob;
        return found;
    }

    private async Task<HashSet<InstanceName>> ListRowsAsync(Uid study, Uid? series, Uid? sop, CancellationToken cancellationToken)
    {
        if (sop is { } one)
        {
            var name = new InstanceName(series!.Value, one);
            return await stores.Instances.GetAsync(study.Value, Layout.InstanceRowKey(name), [Columns.BlobETag], cancellationToken) is null ? [] : [name];
        }
        var (from, before) = series is { } only ? Layout.InstanceRows(only) : Layout.AllInstanceRows;
        var found = new HashSet<InstanceName>();
        await foreach (var row in stores.Instances.RowsAsync(
            new TableQuery { PartitionKey = study.Value, RowKeyFrom = from, RowKeyBefore = before, Select = [Columns.BlobETag] }, cancellationToken))
            if (Layout.TryParseInstanceRowKey(row.RowKey, out var name)) found.Add(name);
        return found;
    }
}
