using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Index;

/// <summary>
/// What makes a study findable: its row in <c>studies</c>, its pointers in <c>keys</c> and <c>uids</c>. They follow the study's own row, which lists them as
/// claims. Used by one writer at a time.
/// </summary>
internal sealed class SearchRows(Uid study, ArchiveStores stores, InstanceRowReader reader, ConflictWait wait)
{
    private const int MaxAttempts = 40;

    private readonly HashSet<string> confirmed = new(StringComparer.Ordinal);
    private (string Claim, string ETag)? written;

    /// <summary>Old claims whose rows we have seen gone.</summary>
    public IReadOnlySet<string> Confirmed => confirmed;

    /// <summary>Someone else has changed the study: what was gone may have been there again.</summary>
    public void ForgetConfirmed() => confirmed.Clear();

    /// <summary>
    /// Writes what a commit added. The row in <c>studies</c> comes last and tells whether someone else's later commit was here before: then that one may have
    /// looked for what it had to remove before we wrote it, so we look ourselves. If it comes after us, it finds all of ours (its own removals follow its row
    /// in <c>studies</c>).
    /// </summary>
    public async Task WriteAsync(StudyState state, IReadOnlyCollection<InstanceName> added, IReadOnlyCollection<string> newClaims, IEnumerable<Uid> newSeries,
        CancellationToken cancellationToken)
    {
        if (state.Instances == 0) return;
        var series = newSeries.ToArray();
        confirmed.ExceptWith(state.Claims);
        confirmed.ExceptWith(added.Select(SearchClaims.OfInstance));
        confirmed.ExceptWith(series.Select(SearchClaims.OfSeries));
        var pointers = newClaims.SelectMany(claim => SearchClaims.Pointers(claim, study))
            .Concat(series.Select(uid => SearchClaims.SeriesPointer(uid, study))).ToArray();
        await Task.WhenAll(UpsertAsync(stores.Uids, added.Select(UidRow), cancellationToken), UpsertAsync(stores.Keys, pointers, cancellationToken));
        if (await WriteStudyAsync(state, cancellationToken)) return;
        await RemoveUnclaimedAsync(newClaims, cancellationToken);
        await RemoveSeriesAsync(series, cancellationToken);
        await RemoveUidsAsync(added, cancellationToken);
    }

    /// <summary>Removes where instances were, unless they are there again.</summary>
    public Task RemoveUidsAsync(IReadOnlyCollection<InstanceName> names, CancellationToken cancellationToken) =>
        RemoveAsync(stores.Uids, [.. names.Select(UidRow)], async rows =>
        {
            var present = await reader.ReadAsync([.. rows.Select(row => Layout.TryParseUidRowKey(row.Row, out var key) ? key.Name : default)],
                cancellationToken);
            return row => Layout.TryParseUidRowKey(row.Row, out var key) && present.ContainsKey(key.Name);
        }, cancellationToken);

    /// <summary>Removes the pointers of series that are gone.</summary>
    public Task RemoveSeriesAsync(IEnumerable<Uid> series, CancellationToken cancellationToken) =>
        RemoveAsync(stores.Keys, [.. series.Select(uid => SearchClaims.SeriesPointer(uid, study))], async rows =>
        {
            var present = await Concurrently.SelectAsync(rows, async row =>
                (row, IsThere: await stores.Instances.GetAsync(study.Value, Layout.SeriesRowKey(Uid.Parse(row.Row.Split(':')[0])), [Columns.Instances],
                    cancellationToken) is not null));
            var there = present.Where(item => item.IsThere).Select(item => item.row).ToHashSet();
            return there.Contains;
        }, cancellationToken);

    /// <summary>Removes the rows of claims that the study no longer has: first its row in <c>studies</c>, then pointers, then where instances were.</summary>
    public async Task RemoveOldAsync(IEnumerable<string> oldClaims, CancellationToken cancellationToken)
    {
        var claims = oldClaims.Where(claim => !confirmed.Contains(claim)).ToArray();
        await RemoveUnclaimedAsync(claims, cancellationToken);
        await RemoveSeriesAsync(SearchClaims.SeriesOf(claims), cancellationToken);
        await RemoveUidsAsync([.. SearchClaims.Instances(claims)], cancellationToken);
        confirmed.UnionWith(claims);
    }

    /// <summary>Whether the study's own row, as it is now, claims a row of <c>studies</c> or <c>keys</c>.</summary>
    public async Task<Func<(string Partition, string Row), bool>> ClaimedAsync(CancellationToken cancellationToken)
    {
        var row = await stores.Instances.GetAsync(study.Value, Layout.StudyRowKey, null, cancellationToken);
        if (row is null) return _ => false;
        var claimed = new HashSet<(string, string)>();
        foreach (var claim in StudyState.FromRow(row).Claims)
        {
            if (SearchClaims.TryStudyRow(claim, out var partition, out var key)) claimed.Add((partition, key));
            else claimed.UnionWith(SearchClaims.Pointers(claim, study));
        }
        return claimed.Contains;
    }

    private (string Partition, string Row) UidRow(InstanceName name) =>
        (Layout.UidPartition(name.Sop), Layout.UidRowKey(new InstanceKey(study, name.Series, name.Sop)));

    private static Task UpsertAsync(ITable table, IEnumerable<(string Partition, string Row)> rows, CancellationToken cancellationToken) =>
        Concurrently.ForEachAsync(SearchClaims.Upserts(rows).ToArray(), async batch =>
        {
            var result = await table.SubmitAsync(batch, cancellationToken);
            if (!result.IsOk) throw new IOException($"Search rows were refused ({result.Status}).");
        });

    // Replaced only by a higher Version. In a burst our own last ETag tells that nobody else was there, and nothing is read. False if someone else's commit
    // is ahead.
    private async Task<bool> WriteStudyAsync(StudyState state, CancellationToken cancellationToken)
    {
        var claim = state.Claims.First(text => SearchClaims.TryStudyRow(text, out _, out _));
        SearchClaims.TryStudyRow(claim, out var partition, out var key);
        var row = new TableRow(partition, key) { [Columns.SchemaVersion] = Layout.SchemaVersion, [Columns.Version] = state.Version };
        row.SetBytes(Columns.Attributes, StudyAnswer.Of(state));
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            string? etag;
            if (written is { } last && last.Claim == claim) etag = last.ETag;
            else
            {
                var present = await stores.Studies.GetAsync(partition, key, [Columns.Version], cancellationToken);
                if (present?.Number(Columns.Version) > state.Version) return false;
                etag = present?.ETag;
            }
            written = null;
            var result = await stores.Studies.SubmitAsync([etag is null ? TableWrite.Insert(row) : TableWrite.Replace(row, etag)], cancellationToken);
            if (result.Status is StorageStatus.Conflict or StorageStatus.PreconditionFailed or StorageStatus.NotFound)
            {
                await wait.BeforeNextAsync(attempt, cancellationToken);
                continue;
            }
            if (!result.IsOk) throw new IOException($"The study's search row was refused ({result.Status}).");
            written = (claim, result.ETags[0]!);
            if (etag is not null) return true;
            // docs/design.md, rule 5: the study may have been deleted, or have moved, while we were about to insert.
            if ((await stores.Instances.GetAsync(study.Value, Layout.StudyRowKey, [Columns.Version], cancellationToken))?.Number(
                Columns.Version) == state.Version) return true;
            await RemoveUnclaimedAsync([claim], cancellationToken);
            return false;
        }
        throw new IOException("The study's search row changed too often.");
    }

    private async Task RemoveUnclaimedAsync(IReadOnlyCollection<string> claims, CancellationToken cancellationToken)
    {
        if (claims.Count == 0) return;
        var studyRows = new List<(string Partition, string Row)>();
        foreach (var claim in claims) if (SearchClaims.TryStudyRow(claim, out var partition, out var row)) studyRows.Add((partition, row));
        await RemoveAsync(stores.Studies, studyRows, _ => ClaimedAsync(cancellationToken), cancellationToken);
        await RemoveAsync(stores.Keys, [.. claims.SelectMany(claim => SearchClaims.Pointers(claim, study)).Distinct()], _ =>
            ClaimedAsync(cancellationToken), cancellationToken);
    }

    // docs/design.md, rule 5: a row goes only with the ETag that was read before it was seen that nothing claims it. When it has changed meanwhile, both are
    // read again.
    private async Task RemoveAsync(
        ITable table, IReadOnlyList<(string Partition, string Row)> rows, Func<IReadOnlyList<(string Partition, string Row)>,
        Task<Func<(string Partition, string Row), bool>>> readClaims,
        CancellationToken cancellationToken)
    {
        for (var attempt = 0; rows.Count > 0 && attempt < MaxAttempts; attempt++)
        {
            var etags = await Concurrently.SelectAsync(rows, async row =>
                (await table.GetAsync(row.Partition, row.Row, [Columns.SchemaVersion], cancellationToken))?.ETag);
            var present = rows.Zip(etags).Where(pair => pair.Second is not null).ToArray();
            if (present.Length == 0) return;
            var isClaimed = await readClaims([.. present.Select(pair => pair.First)]);
            var again = new List<(string Partition, string Row)>();
            foreach (var partition in present.Where(pair => !isClaimed(pair.First)).GroupBy(pair => pair.First.Partition))
            {
                foreach (var chunk in partition.Select(pair => TableWrite.Delete(pair.First.Partition, pair.First.Row, pair.Second!))
                    .Chunk(TableRowSize.MaxBatchWrites))
                    if (!(await table.SubmitAsync(chunk, cancellationToken)).IsOk) await RemoveOneByOneAsync(table, chunk, again, cancellationToken);
            }
            rows = again;
            if (again.Count > 0) await wait.BeforeNextAsync(attempt, cancellationToken);
        }
    }

    private static Task RemoveOneByOneAsync(ITable table, TableWrite[] deletes, List<(string Partition, string Row)> again,
        CancellationToken cancellationToken) =>
        Concurrently.ForEachAsync(deletes, async delete =>
        {
            if ((await table.SubmitAsync([delete], cancellationToken)).IsOk) return;
            lock (again) again.Add((delete.Row.PartitionKey, delete.Row.RowKey));
        });
}
