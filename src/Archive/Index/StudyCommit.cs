using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Index;

/// <summary>
/// One entity-group transaction that makes rows equal blobs: built from what a process knows of the study's rows, guarded by the ETag of the study's row.
/// When it is refused, nothing has happened, and it is built anew from what is there then.
/// </summary>
internal sealed class StudyCommit(Uid study, StudyRows rows, ArchiveStores stores, InstanceRowReader reader, IReadOnlyList<QueryTag> queryTags,
    TimeProvider clock)
{
    /// <summary>Instances in one commit: a batch has 100 rows, of which the study's and at least one series' are needed.</summary>
    public const int MaxChanges = 98;

    private readonly StudyState state = Start(rows.Study, queryTags);
    private readonly Dictionary<Uid, SeriesState> series = [];
    private readonly HashSet<Uid> seriesThatWere = [];
    private readonly List<TableWrite> writes = [];
    private readonly List<(string Name, byte[] Bytes)> spilled = [];
    private readonly Dictionary<InstanceName, InstanceContent?> overlay = [];

    // What had its source in an instance that this commit removes or replaces: the next lowest instance that has a value follows (docs/design.md, rule 4).
    private readonly HashSet<Tag> lostOfStudy = [];
    private readonly HashSet<(string Key, string Value)> lostValues = [];
    private readonly Dictionary<Uid, HashSet<Tag>> lostOfSeries = [];
    private bool arePatientsLost, isForced;

    private static StudyState Start(StudyState study, IReadOnlyList<QueryTag> queryTags)
    {
        var copy = study.Copy();
        if (copy.Instances == 0) copy.QueryValues.Reset(queryTags);
        return copy;
    }

    /// <summary>How each change of the batch came out, in order.</summary>
    public Settlement[] Results { get; private set; } = [];
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
    public async Task PrepareAsync(IReadOnlyList<StudyChange> changes, Func<StudyChange, bool> isTrusted, bool rowsMayExist,
        IReadOnlySet<string> removedClaims, CancellationToken cancellationToken)
    {
        var trusted = changes.Select(isTrusted).ToArray();
        var present = await reader.ReadAsync([.. changes.Where((change, i) => rowsMayExist || !trusted[i] || !change.IsNew).Select(change => change.Name)],
            cancellationToken);
        var blobs = await Concurrently.SelectAsync(Enumerable.Range(0, changes.Count).ToArray(), i =>
            reader.ResolveAsync(changes[i], trusted[i], present.GetValueOrDefault(changes[i].Name).State, cancellationToken));
        Results = [.. blobs.Select(blob => new Settlement(blob.As, blob.ETag))];
        await ReadSeriesRowsAsync(changes.Select(change => change.Name.Series).Distinct(), cancellationToken);
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
        state.Patients.Clear();
        state.QueryValues.Reset(queryTags);
        state.Modalities.Clear();
        state.SopClasses.Clear();
        state.Instances = 0;
        await foreach (var instance in reader.AttributesAsync(null, null, cancellationToken))
        {
            var ofSeries = series.TryGetValue(instance.Name.Series, out var there) ? there
                : series[instance.Name.Series] = new SeriesState(study, instance.Name.Series);
            ofSeries.Instances++;
            state.Instances++;
            StudyState.Count(state.SopClasses, instance.SopClassUid, 1);
            state.Patients.Add(instance.PatientId, instance.Received, instance.Name);
            Merge(instance, ofSeries);
            AllInstances.Add(instance.Name);
        }
        if (state.Patients.AreSeveral) await MergePatientAsync(cancellationToken);
        foreach (var counted in series.Values.Where(counted => counted.Instances > 0)) StudyState.Count(state.Modalities, counted.Modality, 1);
        state.SeriesCount = series.Values.Count(counted => counted.Instances > 0);

        var present = seriesRows.ToDictionary(row => row.Series);
        var changed = series.Values.Where(counted => !present.TryGetValue(counted.Series, out var row) || !row.IsSame(counted)).ToArray();
        SetClaims(new HashSet<string>());
        isForced = changed.Length > 0 || !Same(before, state);
        foreach (var unchanged in series.Values.Except(changed).ToArray()) series.Remove(unchanged.Series);
        writes.AddRange(changed.Select(SeriesWrite));
    }

    /// <summary>
    /// Commits: all or nothing, where it was cut to the size of a batch. A recount may be larger and then goes in several batches, each with the study's row;
    /// when a later one is refused, what is missing is found by the recount that follows.
    /// </summary>
    public async Task<(StorageStatus Status, StudyRows Rows)> SubmitAsync(CancellationToken cancellationToken)
    {
        await Concurrently.ForEachAsync(spilled, async blob =>
            await stores.Derived.PutAsync(blob.Name, new System.Buffers.ReadOnlySequence<byte>(blob.Bytes), new BlobWrite(BlobCondition.None),
                cancellationToken));
        var next = 0;
        do
        {
            List<TableWrite> batch = [StudyWrite()];
            for (long size = TableRowSize.Encoded(batch[0].Row); next < writes.Count && batch.Count < TableRowSize.MaxBatchWrites; next++)
            {
                size += TableRowSize.Encoded(writes[next].Row);
                if (size > TableRowSize.MaxBatchBytes && batch.Count > 1) break;
                batch.Add(writes[next]);
            }
            var written = await stores.Instances.SubmitAsync(batch, cancellationToken);
            if (!written.IsOk) return (written.Status, rows);
            state.ETag = written.ETags[0];
            for (var i = 1; i < batch.Count; i++)
                if (Layout.TryParseSeriesRowKey(batch[i].Row.RowKey, out var uid)) series[uid].ETag = written.ETags[i];
        }
        while (next < writes.Count);
        return (StorageStatus.Ok, rows.After(state, series.Values));
    }

    private async Task ReadSeriesRowsAsync(IEnumerable<Uid> uids, CancellationToken cancellationToken)
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
        var ofSeries = series[name.Series];
        var modality = ofSeries.Modality;
        overlay[name] = blob.Content;
        if (old is not null)
        {
            StudyState.Count(state.SopClasses, old.SopClassUid, -1);
            lostOfStudy.UnionWith(state.Attributes.RemoveSource(name));
            lostValues.UnionWith(state.QueryValues.RemoveSource(name));
            LostOf(name.Series).UnionWith(ofSeries.Attributes.RemoveSource(name));
            arePatientsLost |= state.Patients.HasFirst(name);
            DerivedToRemove.AddRange(old.Derived);
        }
        if (blob.Content is { } content)
        {
            var (row, spill) = InstanceState.ToRow(content, blob.ETag!);
            writes.Add(old is null ? TableWrite.Insert(row) : TableWrite.Replace(row, oldETag!));
            spilled.AddRange(spill);
            foreach (var kept in spill) DerivedToRemove.Remove(kept.Name);
            StudyState.Count(state.SopClasses, content.SopClassUid, 1);
            var attributes = AttributesOf(content);
            var were = state.Patients.Study;
            var wereSeveral = state.Patients.AreSeveral;
            state.Patients.Add(attributes.PatientId, attributes.Received, name);
            arePatientsLost |= state.Patients.AreSeveral && (!wereSeveral || were != state.Patients.Study);
            Merge(attributes, ofSeries);
            // It was the lowest with a value, and still is.
            lostOfStudy.RemoveWhere(tag => state.Attributes.SourceOf(tag) == name);
            lostValues.RemoveWhere(value => state.QueryValues.SourceOf(value.Key, value.Value) == name);
            LostOf(name.Series).RemoveWhere(tag => ofSeries.Attributes.SourceOf(tag) == name);
        }
        else writes.Add(TableWrite.Delete(study.Value, Layout.InstanceRowKey(name), oldETag!));

        var added = (blob.Content is null ? 0 : 1) - (old is null ? 0 : 1);
        if (added > 0) Added.Add(name);
        if (added < 0) Removed.Add(name);
        state.Instances += added;
        if (ofSeries.Instances == 0 && added > 0) state.SeriesCount++;
        ofSeries.Instances += added;
        if (ofSeries.Instances == 0)
        {
            ofSeries.Attributes.Clear();
            lostOfSeries.Remove(name.Series);
            state.SeriesCount--;
        }
        CountModality(modality, ofSeries.Modality);
    }

    private HashSet<Tag> LostOf(Uid uid) => lostOfSeries.TryGetValue(uid, out var lost) ? lost : lostOfSeries[uid] = [];

    private void CountModality(string? before, string? after)
    {
        if (before == after) return;
        StudyState.Count(state.Modalities, before, -1);
        StudyState.Count(state.Modalities, after, 1);
    }

    private async Task FinishAsync(IReadOnlySet<string> removedClaims, CancellationToken cancellationToken)
    {
        if (state.Instances == 0)
        {
            state.Attributes.Clear();
            state.Patients.Clear();
            state.QueryValues.Reset(queryTags);
        }
        else
        {
            if (arePatientsLost) await FindPatientsAsync(cancellationToken);
            await FindSourcesAsync(cancellationToken);
            // The last object that named the one patient has gone.
            if (!state.Patients.AreSeveral && state.Attributes.SourceOf(Tags.PatientID) is null) state.Patients.Clear();
        }
        SetClaims(removedClaims);
        writes.AddRange(series.Values.Where(ofSeries =>
            overlay.Keys.Any(name => name.Series == ofSeries.Series) && (ofSeries.Instances > 0 || ofSeries.ETag is not null)).Select(SeriesWrite));
        IsTooLarge = writes.Count >= TableRowSize.MaxBatchWrites
            || writes.Sum(write => (long)TableRowSize.Encoded(write.Row)) + TableRowSize.Encoded(state.ToRow()) > TableRowSize.MaxBatchBytes;
    }

    // Objects of several patients: all instances are asked who they are of, and the study's attributes are taken anew from those of its patient.
    private async Task FindPatientsAsync(CancellationToken cancellationToken)
    {
        state.Patients.Clear();
        await foreach (var instance in reader.AttributesAsync(null, null, cancellationToken))
            if (!overlay.ContainsKey(instance.Name)) state.Patients.Add(instance.PatientId, instance.Received, instance.Name);
        foreach (var content in overlay.Values.OfType<InstanceContent>()) state.Patients.Add(StudyPatients.IdIn(content.StudyAttributes), content.Received,
            content.Key.Name);
        await MergePatientAsync(cancellationToken);
    }

    private async Task MergePatientAsync(CancellationToken cancellationToken)
    {
        state.Attributes.Clear();
        await foreach (var instance in reader.AttributesAsync(null, null, cancellationToken))
            if (!overlay.ContainsKey(instance.Name)) Merge(instance, null);
    }

    // Only this reads other instances, and of each series only as far as one of them may be a source: their rows are in the order of SOP Instance UIDs.
    private async Task FindSourcesAsync(CancellationToken cancellationToken)
    {
        var modalities = lostOfSeries.Keys.ToDictionary(uid => uid, uid => series[uid].Modality);
        foreach (var (name, content) in overlay) if (content is not null) Merge(AttributesOf(content), series[name.Series]);
        // Studies written under an older configuration of query attributes are recomputed.
        var isWhole = !state.QueryValues.Covers(queryTags);
        if (isWhole) state.QueryValues.Reset(queryTags);
        foreach (var (name, content) in overlay) if (content is not null && isWhole) state.QueryValues.Merge(name, content.QueryValues);
        IEnumerable<Uid?> scopes = isWhole || lostOfStudy.Count + lostValues.Count > 0 ? [null] : lostOfSeries.Where(lost => lost.Value.Count > 0)
            .Select(lost => (Uid?)lost.Key).ToArray();
        foreach (var scope in scopes)
        {
            await foreach (var instance in reader.AttributesAsync(scope, name => isWhole || IsSought(name), cancellationToken))
                if (!overlay.ContainsKey(instance.Name)) Merge(instance, series.GetValueOrDefault(instance.Name.Series));
        }
        foreach (var (uid, modality) in modalities) CountModality(modality, series[uid].Modality);
    }

    // Whether an instance, or one behind it in its series, may be the source of something lost.
    private bool IsSought(InstanceName name) =>
        lostOfStudy.Any(tag => IsBefore(name, state.Attributes.SourceOf(tag)))
            || lostValues.Any(value => IsBefore(name, state.QueryValues.SourceOf(value.Key, value.Value)))
        || (lostOfSeries.TryGetValue(name.Series, out var lost) && lost.Any(tag => IsBefore(name, series[name.Series].Attributes.SourceOf(tag))));

    private static bool IsBefore(InstanceName name, InstanceName? source) => source is not { } present || name < present;

    private void Merge(InstanceAttributes instance, SeriesState? ofSeries)
    {
        if (state.Patients.Includes(instance.PatientId)) state.Attributes.Merge(instance.Name, instance.Study);
        state.QueryValues.Merge(instance.Name, instance.QueryValues);
        ofSeries?.Attributes.Merge(instance.Name, instance.Series);
    }

    private static InstanceAttributes AttributesOf(InstanceContent content) =>
        new(content.Key.Name, content.SopClassUid, content.Received, content.StudyAttributes, content.SeriesAttributes, content.QueryValues);

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

    private TableWrite SeriesWrite(SeriesState ofSeries) => ofSeries.Instances == 0
        ? TableWrite.Delete(study.Value, Layout.SeriesRowKey(ofSeries.Series), ofSeries.ETag!)
        : ofSeries.ETag is null ? TableWrite.Insert(ofSeries.ToRow()) : TableWrite.Replace(ofSeries.ToRow(), ofSeries.ETag);

    private TableWrite StudyWrite()
    {
        state.Version = Math.Max(state.Version + 1, clock.GetUtcNow().ToUnixTimeMilliseconds());
        return state.ETag is null ? TableWrite.Insert(state.ToRow()) : TableWrite.Replace(state.ToRow(), state.ETag);
    }

    private static bool Same(StudyState a, StudyState b) =>
        a.Instances == b.Instances && a.SeriesCount == b.SeriesCount && a.Modalities.SequenceEqual(b.Modalities) && a.SopClasses.SequenceEqual(b.SopClasses)
        && a.Claims.SetEquals(b.Claims) && a.Patients.IsSame(b.Patients) && (a.Instances == 0 || a.QueryValues.Same(b.QueryValues)) && a.Attributes.ToJson()
            .AsSpan().SequenceEqual(b.Attributes.ToJson());
}
