using System.Runtime.CompilerServices;
using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Index;

/// <summary>A blob as it is now, and what the index takes from it.</summary>
/// <param name="As">Whether it is there and in its place.</param>
/// <param name="IsUnchanged">True if the row says so already.</param>
/// <param name="Content">Its content, when a row is to be written.</param>
/// <param name="ETag">Its ETag, when a row is to be written or it is misplaced.</param>
internal readonly record struct ResolvedBlob(SettledAs As, bool IsUnchanged, InstanceContent? Content, string? ETag);

/// <summary>What an instance gives to its study and its series.</summary>
/// <param name="Name">Which one.</param>
/// <param name="SopClassUid">SOP Class UID.</param>
/// <param name="Received">When its blob was received. Milliseconds since 1970.</param>
/// <param name="Study">Study attributes that have a value.</param>
/// <param name="Series">Series attributes that have a value.</param>
/// <param name="QueryValues">Values of the configured attributes.</param>
internal sealed record InstanceAttributes(
    InstanceName Name, string SopClassUid, long Received, IReadOnlyList<KeyValuePair<Tag, byte[]>> Study, IReadOnlyList<KeyValuePair<Tag, byte[]>> Series,
    IReadOnlyList<(string Key, string Value)> QueryValues)
{
    /// <summary>Its Patient ID; null if it has none.</summary>
    public string? PatientId => StudyPatients.IdIn(Study);
}

/// <summary>Reads what settling needs: instance rows, and the blobs that they name.</summary>
internal sealed class InstanceRowReader(Uid study, ArchiveStores stores, InstanceContentReader contents)
{
    private const int PointReads = 8;

    // A search for the next source mostly ends with the first row of a series.
    private const int FirstPage = 16, LargestPage = 1000;

    /// <summary>The rows of the names that are there, without their large values.</summary>
    public async Task<Dictionary<InstanceName, (InstanceState State, string ETag)>> ReadAsync(IReadOnlyCollection<InstanceName> names,
        CancellationToken cancellationToken)
    {
        var found = new Dictionary<InstanceName, (InstanceState, string)>();
        if (names.Count <= PointReads)
        {
            foreach (var row in await Concurrently.SelectAsync(names.ToArray(), name =>
                stores.Instances.GetAsync(study.Value, Layout.InstanceRowKey(name), InstanceState.SettleColumns, cancellationToken)))
                if (row is not null) Keep(row);
            return found;
        }
        var wanted = names.ToHashSet();
        foreach (var ofSeries in names.GroupBy(name => name.Series))
        {
            var keys = ofSeries.Select(Layout.InstanceRowKey).Order(StringComparer.Ordinal).ToArray();
            var query = new TableQuery { PartitionKey = study.Value, RowKeyFrom = keys[0], RowKeyBefore = keys[^1] + "!",
                Select = InstanceState.SettleColumns };
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

    /// <summary>
    /// The blob of a change: known from our own put or delete, or asked for, and read back where nobody has its content (docs/design.md, rule 1).
    /// </summary>
    public async Task<ResolvedBlob> ResolveAsync(StudyChange change, bool isTrusted, InstanceState? row, CancellationToken cancellationToken)
    {
        if (isTrusted) return change.IsDelete ? new(SettledAs.Absent, false, null, null)
            : new(SettledAs.Present, IsOf(row, change.BlobETag), change.Content, change.BlobETag);
        var key = new InstanceKey(study, change.Name.Series, change.Name.Sop);
        // Where nothing is known of it the blob is read at once: its bytes are needed in any case.
        if (row is null && change is { BlobETag: null, ReadBack: null }) change.ReadBack = await contents.ReadBackAsync(stores.Dicom, key, cancellationToken);
        else
        {
            if (await stores.Dicom.HeadAsync(Layout.BlobName(key), cancellationToken) is not { } blob) return new(SettledAs.Absent, row is null, null, null);
            if (IsOf(row, blob.ETag)) return new(SettledAs.Present, true, null, null);
            if (blob.ETag == change.BlobETag) return new(SettledAs.Present, false, change.Content, blob.ETag);
            if (change.ReadBack?.ETag != blob.ETag) change.ReadBack = await contents.ReadBackAsync(stores.Dicom, key, cancellationToken);
        }
        return change.ReadBack!.Value switch
        {
            { Content: { } content, ETag: var etag } => new(SettledAs.Present, IsOf(row, etag), content, etag),
            { IsThere: false } => new(SettledAs.Absent, row is null, null, null),
            // An earlier version of the archive understood the very same bytes, or looser limits let them through: what was stored stays as it was indexed.
            { ETag: var etag } when row is not null && row.BlobETag == etag => new(SettledAs.Present, true, null, null),
            // Without its row, what we put says so itself: it was acknowledged under this name. One that names other UIDs is a copy of somebody's.
            { HasOwnMetadata: true, Key: null } => new(SettledAs.NotUnderstood, row is null, null, null),
            { ETag: var etag } => new(SettledAs.Misplaced, row is null, null, etag),
        };
    }

    // An older row is written anew when it is met.
    private static bool IsOf(InstanceState? row, string? etag) => row is not null && row.BlobETag == etag && row.SchemaVersion >= Layout.SchemaVersion;

    /// <summary>The rows of all series.</summary>
    public async Task<List<SeriesState>> SeriesAsync(CancellationToken cancellationToken)
    {
        var found = new List<SeriesState>();
        await foreach (var row in stores.Instances.RowsAsync(
            new TableQuery { PartitionKey = study.Value, RowKeyFrom = Layout.AllSeriesRows.From, RowKeyBefore = Layout.AllSeriesRows.Before },
            cancellationToken)) found.Add(SeriesState.FromRow(row));
        return found;
    }

    /// <summary>Instances of the study, or of one series, with their study and series attributes, read from the metadata in their rows.</summary>
    /// <param name="series">The series; null for all.</param>
    /// <param name="isSought">Whether an instance, or one behind it in its series, is of interest; null for all. When it is not, the rest of the series is
    /// passed over.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async IAsyncEnumerable<InstanceAttributes> AttributesAsync(Uid? series, Func<InstanceName, bool>? isSought,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (from, before) = series is { } only ? Layout.InstanceRows(only) : Layout.AllInstanceRows;
        var query = new TableQuery
        {
            PartitionKey = study.Value, RowKeyFrom = from, RowKeyBefore = before,
            Select = [Columns.SopClass, Columns.Received, .. InstanceState.MetadataColumns], PageSize = isSought is null ? null : FirstPage,
        };
        for (string? continuation = null; ;)
        {
            var page = await stores.Instances.QueryAsync(query, continuation, cancellationToken);
            Uid? passed = null;
            foreach (var row in page.Rows)
            {
                var instance = InstanceState.FromRow(row);
                if (instance.Name.Series == passed) continue;
                passed = isSought?.Invoke(instance.Name) == false ? instance.Name.Series : null;
                if (passed is not null) continue;
                var metadata = RowBytes.Decompress(instance.Metadata ?? await stores.Derived.ReadAllAsync(instance.DerivedMetadata!, cancellationToken));
                var lists = MetadataAttributes.Extract(metadata, IndexedAttributes.Study, IndexedAttributes.Series);
                yield return new InstanceAttributes(instance.Name, instance.SopClassUid, instance.Received, lists[0], lists[1],
                    contents.QueryValuesOf(metadata));
            }
            if (page.Continuation is null) yield break;
            continuation = passed is null ? page.Continuation : null;
            if (passed is { } done) query = query with { RowKeyFrom = Layout.InstanceRows(done).Before };
            else if (query.PageSize is { } size) query = query with { PageSize = Math.Min(size * 4, LargestPage) };
        }
    }
}
