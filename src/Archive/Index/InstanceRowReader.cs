using System.Runtime.CompilerServices;
using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Index;

/// <summary>A blob as it is now, and what the index takes from it.</summary>
/// <param name="As">Whether it is there and in its place.</param>
/// <param name="IsUnchanged">True if the row says so already.</param>
/// <param name="Content">Its content, when a row is to be written.</param>
/// <param name="ETag">Its ETag, when a row is to be written.</param>
internal readonly record struct ResolvedBlob(SettledAs As, bool IsUnchanged, InstanceContent? Content, string? ETag);

/// <summary>Reads what settling needs: instance rows, and the blobs that they name.</summary>
internal sealed class InstanceRowReader(Uid study, ArchiveStores stores, InstanceContentReader contents)
{
    private const int PointReads = 8;

    /// <summary>The rows of the names that are there, without their large values.</summary>
    public async Task<Dictionary<InstanceName, (InstanceState State, string ETag)>> ReadAsync(IReadOnlyCollection<InstanceName> names, CancellationToken cancellationToken)
    {
        var found = new Dictionary<InstanceName, (InstanceState, string)>();
        if (names.Count <= PointReads)
        {
            foreach (var row in await Concurrently.SelectAsync(names.ToArray(), name => stores.Instances.GetAsync(study.Value, Layout.InstanceRowKey(name), InstanceState.SettleColumns, cancellationToken)))
                if (row is not null) Keep(row);
            return found;
        }
        var wanted = names.ToHashSet();
        foreach (var ofSeries in names.GroupBy(name => name.Series))
        {
            var keys = ofSeries.Select(Layout.InstanceRowKey).Order(StringComparer.Ordinal).ToArray();
            var query = new TableQuery { PartitionKey = study.Value, RowKeyFrom = keys[0], RowKeyBefore = keys[^1] + "!", Select = InstanceState.SettleColumns };
            await foreach (var row in stores.Instances.RowsAsync(query, cancellationToken))
                if (Layout.TryParseInstanceRowKey(row.RowKey, out var name) && wanted.Contains(name)) Keep(row);
        }
        return found;

        void Keep(TableRow row)
        {
            var state = InstanceState.FromRow(row);
            found[state.Name] = (state, row.ETag!);
        }
    }

    /// <summary>The blob of a change: known from our own put or delete, or asked for, and read back where nobody has its content (rule 1).</summary>
    public async Task<ResolvedBlob> ResolveAsync(StudyChange change, bool isTrusted, InstanceState? row, CancellationToken cancellationToken)
    {
        if (isTrusted) return change.IsDelete ? new(SettledAs.Absent, false, null, null) : new(SettledAs.Present, row?.BlobETag == change.BlobETag, change.Content, change.BlobETag);
        var key = new InstanceKey(study, change.Name.Series, change.Name.Sop);
        if (await stores.Dicom.HeadAsync(Layout.BlobName(key), cancellationToken) is not { } blob) return new(SettledAs.Absent, row is null, null, null);
        if (blob.ETag == row?.BlobETag) return new(SettledAs.Present, true, null, null);
        if (blob.ETag == change.BlobETag) return new(SettledAs.Present, false, change.Content, blob.ETag);
        return await contents.ReadBackAsync(stores.Dicom, key, cancellationToken) switch
        {
            { Content: { } content, ETag: var etag } => new(SettledAs.Present, row?.BlobETag == etag, content, etag),
            { IsThere: false } => new(SettledAs.Absent, row is null, null, null),
            _ => new(SettledAs.Misplaced, row is null, null, null),
        };
    }

    /// <summary>The rows of all series.</summary>
    public async Task<List<SeriesState>> SeriesAsync(CancellationToken cancellationToken)
    {
        var found = new List<SeriesState>();
        await foreach (var row in stores.Instances.RowsAsync(new TableQuery { PartitionKey = study.Value, RowKeyFrom = "e:", RowKeyBefore = Layout.SeriesRowsBefore }, cancellationToken)) found.Add(SeriesState.FromRow(row));
        return found;
    }

    /// <summary>Every instance of the study, or of one series, with its study and series attributes, read from the metadata in its row.</summary>
    public async IAsyncEnumerable<(InstanceState Instance, List<KeyValuePair<Tag, byte[]>> Study, List<KeyValuePair<Tag, byte[]>> Series, IReadOnlyList<(string Key, string Value)> Values)> AttributesAsync(Uid? series, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (from, before) = series is { } only ? Layout.InstanceRows(only) : ("i:", Layout.InstanceRowsBefore);
        var query = new TableQuery { PartitionKey = study.Value, RowKeyFrom = from, RowKeyBefore = before, Select = ["SC", .. InstanceState.MetadataColumns] };
        await foreach (var row in stores.Instances.RowsAsync(query, cancellationToken))
        {
            var instance = InstanceState.FromRow(row);
            var metadata = RowBytes.Decompress(instance.Metadata ?? await stores.Derived.ReadAllAsync(instance.DerivedMetadata!, cancellationToken));
            yield return (instance, MetadataAttributes.Extract(metadata, IndexedAttributes.Study), MetadataAttributes.Extract(metadata, IndexedAttributes.Series), contents.QueryValuesOf(metadata));
        }
    }
}
