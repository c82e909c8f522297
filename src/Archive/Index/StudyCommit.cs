using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Index;

/// <summary>
/// One entity-group transaction that makes rows equal blobs: built from what a process knows of the study's rows, guarded by the ETag of the study's row. When it
/// is refused, nothing has happened, and it is built anew from what is there then.
/// </summary>
internal sealed class StudyCommit(Uid study, StudyRows rows, ArchiveStores stores, InstanceRowReader reader, IReadOnlyList<QueryTag> queryTags, TimeProvider clock)
{
    /// <summary>Instances in one commit: a batch has 100 rows, of which the study's and at least one series' are needed.</summary>
    public const int MaxChanges = 98;

    private readonly StudyState state = Start(rows.Study, queryTags);
    private readonly Dictionary<Uid, SeriesState> series = [];
    private readonly HashSet<Uid> seriesThatWere = [];
    private readonly List<TableWrite> writes = [];
    private readonly List<(string Name, byte[] Bytes)> spilled = [];
    private readonly Dictionary<InstanceName, InstanceContent?> overlay = [];
    private readonly HashSet<Uid> seriesWithoutSource = [];
    private bool studyWithoutSource;
    private bool isForced;

    private static StudyState Start(StudyState study, IReadOnlyList<QueryTag> queryTags)
    {
        var copy = study.Copy();
        if (copy.Instances == 0) copy.QueryValues.Reset(queryTags);
        return copy;
    }

    /// <summary>How each change of the batch came out, in order.</summary>
    public SettledAs[] Results { get; private set; } = [];
    public bool HasWrites => writes.Count > 0 || isForced;
    public bool IsTooLarge { get; private set; }
    public List<InstanceName> Added { get; } = [];
    public List<InstanceName> Removed { get; } = [];
    public List<string> NewClaims { get; } = [];
    public IEnumerable<Uid> NewSeries => series.Values.Where(s => s.Instances > 0 && !seriesThatWere.Contains(s.Series)).Select(s => s.Series);
    public IEnumerable<Uid> RemovedSeries => series.Values.Where(s => s.Instances == 0 && seriesThatWere.Contains(s.Series)).Select(s => s.Series);
    public List<string> DerivedToRemove { get; } = [];

    /// <summary>After a recount: every instance of the study.</summary>
    public List<InstanceName> AllInstances { get; } = [];

    /// <summary>Looks at the blobs, where our own put or delete does not tell, and works out the rows.</summary>
    public async Task PrepareAsync(IReadOnlyList<StudyChange> changes, Func<StudyChange, bool> isTrusted, bool rowsMayExist, IReadOnlySet<string> removedClaims, CancellationToken cancellationToken)
    {
        var trusted = changes.Select(isTrusted).ToArray();
        var present = await reader.ReadAsync([.. changes.Where((change, i) => rowsMayExist || !trusted[i] || !change.IsNew).Select(change => change.Name)], cancellationToken);
        var blobs = await Concurrently.SelectAsync(Enumerable.Range(0, changes.Count).ToArray(), i => reader.ResolveAsync(changes[i], trusted[i], present.GetValueOrDefault(changes[i].Name).State, cancellationToken));
        Results = [.. blobs.Select(blob => blob.As)];
        await KnowSeriesAsync(changes.Select(change => change.Name.Series).Distinct(), cancellationToken);
        for (var i = 0; i < changes.Count; i++)
        {
            isForced |= changes[i].IsDelete;
            present.TryGetValue(changes[i].Name, out var old);
            Apply(changes[i].Name, blobs[i], old.State, old.ETag);
        }
        if (HasWrites) await FinishAsync(removedClaims, cancellationToken);
    }

    /// <summary>Works out the study's and its series' rows from nothing but the instance rows; writes only what differs.</summary>
    public async Task RecountAsync(CancellationToken cancellationToken)
    {
        var before = state.Copy();
        var seriesRows = await reader.SeriesAsync(cancellationToken);
        foreach (var found in seriesRows)
        {
            seriesThatWere.Add(found.Series);
            series[found.Series] = new SeriesState(study, found.Series) { ETag = found.ETag };
        }
        state.Attributes.Clear();
        state.QueryValues.Reset(queryTags);
        state.Modalities.Clear();
        state.SopClasses.Clear();
        state.Instances = 0;
        await foreach (var (instance, studyValues, seriesValues, queryValues) in reader.AttributesAsync(null, cancellationToken))
        {
            var of = series.TryGetValue(instance.Name.Series, out var there) ? there : series[instance.Name.Series] = new SeriesState(study, instance.Name.Series);
            of.Instances++;
            state.Instances++;
            StudyState.Count(state.SopClasses, instance.SopClassUid, 1);
            state.Attributes.Merge(instance.Name, studyValues);
            state.QueryValues.Merge(instance.Name, queryValues);
            of.Attributes.Merge(instance.Name, seriesValues);
            AllInstances.Add(instance.Name);
        }
        foreach (var of in series.Values.Where(of => of.Instances > 0)) StudyState.Count(state.Modalities, of.Modality, 1);
        state.SeriesCount = series.Values.Count(of => of.Instances > 0);

        var changed = series.Values.Where(of => !seriesRows.Exists(row => row.Series == of.Series && row.Instances == of.Instances && row.Attributes.ToJson().AsSpan().SequenceEqual(of.Attributes.ToJson()))).ToArray();
        SetClaims(new HashSet<string>());
        isForced = changed.Length > 0 || !Same(before, state);
        foreach (var of in series.Values.Except(changed).ToArray()) series.Remove(of.Series);
        if (!isForced) return;
        foreach (var of in changed) writes.Add(SeriesWrite(of));
        AddStudyWrite();
    }

    /// <summary>Commits: all or nothing.</summary>
    public async Task<(StorageStatus Status, StudyRows Rows)> SubmitAsync(CancellationToken cancellationToken)
    {
        await Concurrently.ForEachAsync(spilled, async blob =>
            await stores.Derived.PutAsync(blob.Name, new System.Buffers.ReadOnlySequence<byte>(blob.Bytes), new BlobWrite(BlobCondition.None), cancellationToken));
        var written = await stores.Instances.SubmitAsync(writes, cancellationToken);
        if (!written.IsOk) return (written.Status, rows);
        for (var i = 0; i < writes.Count; i++)
        {
            var key = writes[i].Row.RowKey;
            if (key == Layout.StudyRowKey) state.ETag = written.ETags[i];
            else if (key.StartsWith("e:", StringComparison.Ordinal)) series[Uid.Parse(key[2..])].ETag = written.ETags[i];
        }
        return (StorageStatus.Ok, rows.After(state, series.Values));
    }

    private async Task KnowSeriesAsync(IEnumerable<Uid> uids, CancellationToken cancellationToken)
    {
        foreach (var state in await Concurrently.SelectAsync(uids.ToArray(), async uid =>
        {
            if (rows.TryGetSeries(uid, out var known)) return known?.Copy() ?? new SeriesState(study, uid);
            var row = await stores.Instances.GetAsync(study.Value, Layout.SeriesRowKey(uid), null, cancellationToken);
            return row is null ? new SeriesState(study, uid) : SeriesState.FromRow(row);
        }))
        {
            series[state.Series] = state;
            if (state.Instances > 0) seriesThatWere.Add(state.Series);
        }
    }

    private void Apply(InstanceName name, ResolvedBlob blob, InstanceState? old, string? oldETag)
    {
        if (blob.IsUnchanged || (old is null && blob.Content is null)) return;
        var of = series[name.Series];
        var modality = of.Modality;
        overlay[name] = blob.Content;
        if (old is not null)
        {
            StudyState.Count(state.SopClasses, old.SopClassUid, -1);
            studyWithoutSource |= state.Attributes.HasSource(name) || state.QueryValues.HasSource(name);
            if (of.Attributes.HasSource(name)) seriesWithoutSource.Add(name.Series);
            DerivedToRemove.AddRange(old.Derived);
        }
        if (blob.Content is { } content)
        {
            var (row, spill) = InstanceState.ToRow(content, blob.ETag!);
            writes.Add(old is null ? TableWrite.Insert(row) : TableWrite.Replace(row, oldETag!));
            spilled.AddRange(spill);
            foreach (var kept in spill) DerivedToRemove.Remove(kept.Name);
            StudyState.Count(state.SopClasses, content.SopClassUid, 1);
            state.Attributes.Merge(name, content.StudyAttributes);
            state.QueryValues.Merge(name, content.QueryValues);
            of.Attributes.Merge(name, content.SeriesAttributes);
        }
        else writes.Add(TableWrite.Delete(study.Value, Layout.InstanceRowKey(name), oldETag!));

        var added = (blob.Content is null ? 0 : 1) - (old is null ? 0 : 1);
        if (added > 0) Added.Add(name);
        if (added < 0) Removed.Add(name);
        state.Instances += added;
        if (of.Instances == 0 && added > 0) state.SeriesCount++;
        of.Instances += added;
        if (of.Instances == 0)
        {
            of.Attributes.Clear();
            seriesWithoutSource.Remove(name.Series);
            state.SeriesCount--;
        }
        if (modality != of.Modality)
        {
            StudyState.Count(state.Modalities, modality, -1);
            StudyState.Count(state.Modalities, of.Modality, 1);
        }
    }

    private async Task FinishAsync(IReadOnlySet<string> removedClaims, CancellationToken cancellationToken)
    {
        // A study of before the configured attributes were what they are is looked at as a whole.
        studyWithoutSource |= !state.QueryValues.Covers(queryTags);
        if (state.Instances == 0)
        {
            state.Attributes.Clear();
            state.QueryValues.Reset(queryTags);
        }
        else if (studyWithoutSource || seriesWithoutSource.Count > 0) await RecomputeAsync(cancellationToken);
        SetClaims(removedClaims);
        foreach (var of in series.Values.Where(of => overlay.Keys.Any(name => name.Series == of.Series) && (of.Instances > 0 || of.ETag is not null))) writes.Add(SeriesWrite(of));
        AddStudyWrite();
        IsTooLarge = writes.Count > TableRowSize.MaxBatchWrites || writes.Sum(write => (long)TableRowSize.Encoded(write.Row)) > TableRowSize.MaxBatchBytes;
    }

    // The source of an attribute has gone: the next lowest instance that has a value follows (rule 4). Only this reads the other instances.
    private async Task RecomputeAsync(CancellationToken cancellationToken)
    {
        if (studyWithoutSource)
        {
            state.Attributes.Clear();
            state.QueryValues.Reset(queryTags);
        }
        var modalities = series.Values.ToDictionary(of => of.Series, of => of.Modality);
        foreach (var uid in seriesWithoutSource) series[uid].Attributes.Clear();
        var only = !studyWithoutSource && seriesWithoutSource.Count == 1 ? seriesWithoutSource.First() : (Uid?)null;
        await foreach (var (instance, studyValues, seriesValues, queryValues) in reader.AttributesAsync(only, cancellationToken))
        {
            if (overlay.ContainsKey(instance.Name)) continue;
            if (studyWithoutSource)
            {
                state.Attributes.Merge(instance.Name, studyValues);
                state.QueryValues.Merge(instance.Name, queryValues);
            }
            if (seriesWithoutSource.Contains(instance.Name.Series)) series[instance.Name.Series].Attributes.Merge(instance.Name, seriesValues);
        }
        foreach (var (name, content) in overlay)
        {
            if (content is null) continue;
            if (studyWithoutSource)
            {
                state.Attributes.Merge(name, content.StudyAttributes);
                state.QueryValues.Merge(name, content.QueryValues);
            }
            if (seriesWithoutSource.Contains(name.Series)) series[name.Series].Attributes.Merge(name, content.SeriesAttributes);
        }
        foreach (var uid in seriesWithoutSource)
        {
            StudyState.Count(state.Modalities, modalities[uid], -1);
            StudyState.Count(state.Modalities, series[uid].Modality, 1);
        }
    }

    private void SetClaims(IReadOnlySet<string> removedClaims)
    {
        var claims = SearchClaims.Of(state).ToHashSet(StringComparer.Ordinal);
        NewClaims.AddRange(claims.Where(claim => !state.Claims.Contains(claim)));
        state.OldClaims.ExceptWith(removedClaims);
        state.OldClaims.UnionWith(state.Claims);
        state.OldClaims.UnionWith(Removed.Select(SearchClaims.OfInstance));
        state.OldClaims.UnionWith(RemovedSeries.Select(SearchClaims.OfSeries));
        state.OldClaims.ExceptWith(claims);
        state.OldClaims.ExceptWith(Added.Concat(AllInstances).Select(SearchClaims.OfInstance));
        state.OldClaims.ExceptWith(series.Values.Where(of => of.Instances > 0).Select(of => SearchClaims.OfSeries(of.Series)));
        state.Claims.Clear();
        state.Claims.UnionWith(claims);
    }

    private TableWrite SeriesWrite(SeriesState of) => of.Instances == 0
        ? TableWrite.Delete(study.Value, Layout.SeriesRowKey(of.Series), of.ETag!)
        : of.ETag is null ? TableWrite.Insert(of.ToRow()) : TableWrite.Replace(of.ToRow(), of.ETag);

    private void AddStudyWrite()
    {
        state.Version = Math.Max(state.Version + 1, clock.GetUtcNow().ToUnixTimeMilliseconds());
        writes.Add(state.ETag is null ? TableWrite.Insert(state.ToRow()) : TableWrite.Replace(state.ToRow(), state.ETag));
    }

    private static bool Same(StudyState a, StudyState b) =>
        a.Instances == b.Instances && a.SeriesCount == b.SeriesCount && a.Modalities.SequenceEqual(b.Modalities) && a.SopClasses.SequenceEqual(b.SopClasses)
        && a.Claims.SetEquals(b.Claims) && (a.Instances == 0 || a.QueryValues.Same(b.QueryValues)) && a.Attributes.ToJson().AsSpan().SequenceEqual(b.Attributes.ToJson());
}
