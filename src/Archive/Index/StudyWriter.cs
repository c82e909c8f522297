using DicomServerless.Dicom;
using DicomServerless.Storage;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Archive.Index;

/// <summary>
/// All of this process's work on one study's rows. Changes that arrive while a commit is under way go together into the next. The study's state of the last
/// commit is kept, so that in a burst nothing is read; its ETag guards every commit, so that a change by anyone else is noticed.
/// <code>
///   StoreBatch, InstanceRemoval          BlobEventHandler, Reconciler, InstanceRetrieval
///        | 1 GuardAsync: journal row, study row         | 1 HoldAsync: journal row
///        | 2 the blob is put or deleted                 | 2 somebody else has changed the blob
///        | 3 StudyChange.Put or .Deleted                | 3 StudyChange.Look
///        +---------------------+------------------------+
///                              | 4 Enqueue, RunAsync: changes that arrive together become one batch
///                              | 5 StudyCommit.PrepareAsync: what do the blobs say, and what the rows (InstanceRowReader)?
///                              | 6 StudyCommit.SubmitAsync: instance, series and study rows in one transaction; refused: again from 5
///                              | 7 SearchRows: uids and keys, then studies, then what is no longer claimed (SearchClaims)
///                              | 8 StudyChange.Complete: whoever waits goes on
///   nobody holds the writer:   | 9 DisposeAsync: the journal row goes, unless something was left to the sweep
/// </code>
/// </summary>
internal sealed class StudyWriter(
    Uid study, ArchiveStores stores, ArchiveOptions options, InstanceContentReader contents, JournalEntry journal, StudyIndex index,
    TimeProvider clock, Func<Guid> newGuid, ILogger log) : IAsyncDisposable
{
    private const int MaxAttempts = 40;

    // A row holds no more; a delete of a whole study on which others work has so many.
    private const int MaxOldClaims = 5_000;

    private readonly Lock gate = new();
    private readonly SemaphoreSlim oneAtATime = new(1);
    private readonly Queue<StudyChange> queue = [];
    private readonly Dictionary<InstanceName, long> committedAt = [];
    private readonly InstanceRowReader reader = new(study, stores, contents);
    private readonly ConflictWait wait = new(clock, newGuid);
    private readonly SearchRows searchRows = new(study, stores, new InstanceRowReader(study, stores, contents), new ConflictWait(clock, newGuid));
    private StudyRows? known;
    private long foreignChanges;
    private long commits;
    private bool isRunning;
    private bool journalMustStay;
    private bool hasPurgeEntry;

    public Uid Study => study;

    /// <summary>Requests that hold this writer. Guarded by the index's lock, like <see cref="Idle"/>.</summary>
    public int Users { get; set; }

    public ITimer? Idle { get; set; }

    /// <summary>Before a blob is changed: the journal row is there and will stay long enough.</summary>
    public Task HoldAsync(CancellationToken cancellationToken) => journal.HoldAsync(cancellationToken);

    /// <summary>Before a blob is changed: the journal row is there, and the study's row is known, so that whatever happens in between is noticed.</summary>
    public async Task<StudyGuard> GuardAsync(CancellationToken cancellationToken)
    {
        // 1
        await journal.HoldAsync(cancellationToken);
        lock (gate) if (known is not null) return new StudyGuard(foreignChanges, commits, known?.Study.Patients);
        await oneAtATime.WaitAsync(CancellationToken.None); // for a commit, which is bounded
        try
        {
            if (known is null) await ReadStudyRowAsync(cancellationToken);
            lock (gate) return new StudyGuard(foreignChanges, commits, known?.Study.Patients);
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    /// <summary>Something may have happened to a blob that this writer will not settle: the journal row stays, and the sweep or an event does it.</summary>
    public void LeaveToSweep() => journalMustStay = true;

    /// <summary>The same, where an exception is why.</summary>
    public void LeaveToSweep(Exception exception)
    {
        journalMustStay = true;
        ArchiveLog.NotStored(log, exception);
    }

    /// <summary>
    /// Takes changes up; each one's Settled tells when it is done. The caller holds a lease during the call; from then on the commits hold one of their own.
    /// </summary>
    public void Enqueue(IEnumerable<StudyChange> changes)
    {
        lock (gate)
        {
            foreach (var change in changes) queue.Enqueue(change); // 4
            if (isRunning || queue.Count == 0) return;
            isRunning = true;
        }
        _ = RunAsync();
    }

    /// <summary>
    /// Writes the study's and its series' rows anew from all instance rows where they differ, and every search row (crash recovery and rebuild).
    /// </summary>
    public async Task VerifyAsync(CancellationToken cancellationToken)
    {
        await oneAtATime.WaitAsync(CancellationToken.None); // for a commit, which is bounded
        try
        {
            for (var attempt = 0; ; attempt++)
            {
                if (attempt == MaxAttempts) throw new IOException("The study changed too often while it was verified.");
                await journal.HoldAsync(cancellationToken);
                var rows = await ReadStudyRowAsync(cancellationToken);
                var commit = new StudyCommit(study, rows, stores, reader, options.QueryTags, clock);
                await commit.RecountAsync(cancellationToken);
                if (commit.HasWrites && !await SubmitAsync(commit, cancellationToken))
                {
                    await wait.BeforeNextAsync(attempt, cancellationToken);
                    continue;
                }
                var state = known!.Study;
                if (state.Instances == 0) await LeaveTombstoneAsync(state, cancellationToken);
                await searchRows.WriteAsync(state, commit.AllInstances, state.Claims, commit.AllInstances.Select(name => name.Series)
                    .Distinct(), cancellationToken);
                await searchRows.RemoveOldAsync(state.OldClaims, cancellationToken);
                return;
            }
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    /// <summary>The end: nobody uses the writer any more.</summary>
    public async ValueTask DisposeAsync()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30), clock);
        if (!journalMustStay)
        {
            await ForgetRemovedClaimsAsync(timeout.Token);
            await journal.RemoveAsync(timeout.Token); // 9
        }
        journal.Dispose();
        oneAtATime.Dispose();
    }

    private async Task RunAsync()
    {
        // Whoever waits for these commits may stop waiting, and give its lease back, before they end: the journal row must outlive them all the same
        // (docs/design.md, rule 2).
        using var lease = index.Extend(this);
        while (true)
        {
            List<StudyChange> batch;
            lock (gate)
            {
                batch = TakeBatch();
                if (batch.Count == 0)
                {
                    isRunning = false;
                    return;
                }
            }
            // Whose request brought a change does not matter here: all of them wait for this commit, so no one's token cancels it.
            await oneAtATime.WaitAsync();
            try
            {
                await CommitAsync(batch, CancellationToken.None);
            }
            catch (Exception exception)
            {
                ArchiveLog.NotSettled(log, exception);
                lock (gate)
                {
                    journalMustStay = true;
                    known = null;
                    foreignChanges++;
                }
                foreach (var change in batch) change.Fail(exception);
            }
            finally
            {
                oneAtATime.Release();
            }
        }
    }

    // One batch of rows, each name once: a name that comes again waits for the next, so that it is handled in order.
    private List<StudyChange> TakeBatch()
    {
        var names = new HashSet<InstanceName>();
        var batch = new List<StudyChange>();
        while (batch.Count < StudyCommit.MaxChanges && queue.TryPeek(out var change) && names.Add(change.Name)) batch.Add(queue.Dequeue());
        return batch;
    }

    private async Task CommitAsync(List<StudyChange> batch, CancellationToken cancellationToken)
    {
        var next = 0;
        var size = batch.Count;
        var rowsMayExist = false;
        for (var attempt = 0; next < batch.Count; attempt++)
        {
            if (attempt == MaxAttempts + batch.Count) throw new IOException("The study changed too often to be settled.");
            // A commit that waited for long must not run on a row that the sweep has taken for abandoned.
            await journal.HoldAsync(cancellationToken);
            var rows = known ?? await ReadStudyRowAsync(cancellationToken);
            var part = batch.GetRange(next, Math.Min(size, batch.Count - next));
            var commit = new StudyCommit(study, rows, stores, reader, options.QueryTags, clock);
            // 5
            await commit.PrepareAsync(part, change =>
                IsTrusted(change), rowsMayExist, await ForgettableAsync(rows.Study, cancellationToken), cancellationToken);
            if (commit.IsTooLarge && part.Count > 1)
            {
                size = part.Count / 2;
                continue;
            }
            // 6
            var written = commit.HasWrites ? await TrySubmitAsync(commit, cancellationToken) : StorageStatus.Ok;
            if (written is StorageStatus.TooLarge or StorageStatus.Invalid && part.Count > 1)
            {
                size = part.Count / 2;
                continue;
            }
            if (written is StorageStatus.Conflict or StorageStatus.PreconditionFailed or StorageStatus.NotFound)
            {
                rowsMayExist = true;
                await wait.BeforeNextAsync(attempt, cancellationToken);
                continue;
            }
            if (written != StorageStatus.Ok) throw new IOException($"A row of the index was refused ({written}).");
            RememberCommit(part);
            ArchiveLog.Settled(log, part.Count, attempt + 1);
            if (commit.HasWrites) await WriteSearchRowsAsync(commit, cancellationToken); // 7
            for (var i = 0; i < part.Count; i++) part[i].Complete(commit.Results[i]); // 8
            next += part.Count;
        }
    }

    // What our own put or delete did still holds if nobody else has changed the study since before it, and no later commit of ours was of the same name.
    private bool IsTrusted(StudyChange change)
    {
        lock (gate)
        {
            return change.Guard is { } guard && guard.ForeignChanges == foreignChanges
                && (!committedAt.TryGetValue(change.Name, out var at) || at <= guard.Commits);
        }
    }

    // From here on, whoever put or deleted one of these names before must look again: also where a delete found no row to remove.
    private void RememberCommit(List<StudyChange> settled)
    {
        lock (gate)
        {
            commits++;
            foreach (var change in settled) committedAt[change.Name] = commits;
        }
    }

    private async Task<StudyRows> ReadStudyRowAsync(CancellationToken cancellationToken)
    {
        var row = await stores.Instances.GetAsync(study.Value, Layout.StudyRowKey, null, cancellationToken);
        var rows = new StudyRows(row is null ? new StudyState(study) : StudyState.FromRow(row));
        searchRows.ForgetConfirmed();
        lock (gate)
        {
            // Guards taken on the old state are void: a changed row counts like a refused commit.
            if (known is { } before && before.Study.ETag != rows.Study.ETag) foreignChanges++;
            known = rows;
        }
        return rows;
    }

    private async Task<bool> SubmitAsync(StudyCommit commit, CancellationToken cancellationToken) => await TrySubmitAsync(commit, cancellationToken) switch
    {
        StorageStatus.Ok => true,
        StorageStatus.Conflict or StorageStatus.PreconditionFailed or StorageStatus.NotFound => false,
        var status => throw new IOException($"A row of the index was refused ({status})."),
    };

    private async Task<StorageStatus> TrySubmitAsync(StudyCommit commit, CancellationToken cancellationToken)
    {
        var (status, rows) = await commit.SubmitAsync(cancellationToken);
        lock (gate)
        {
            if (status == StorageStatus.Ok)
            {
                known = rows;
            }
            else if (status is StorageStatus.Conflict or StorageStatus.PreconditionFailed or StorageStatus.NotFound)
            {
                known = null;
                foreignChanges++;
            }
        }
        return status;
    }

    // The rows are right: now everything that is found by them.
    private async Task WriteSearchRowsAsync(StudyCommit commit, CancellationToken cancellationToken)
    {
        var state = known!.Study;
        if (state.Instances == 0) await LeaveTombstoneAsync(state, cancellationToken);
        await searchRows.WriteAsync(state, commit.Added, commit.NewClaims, commit.NewSeries, cancellationToken);
        await searchRows.RemoveOldAsync(state.OldClaims, cancellationToken);
        await Concurrently.ForEachAsync(commit.DerivedToRemove, name => stores.Derived.DeleteAsync(name, null, null, cancellationToken));
    }

    // The empty row stays for a while, so that a put which started before the delete notices it; a journal row sees to its end.
    private async Task LeaveTombstoneAsync(StudyState state, CancellationToken cancellationToken)
    {
        if (hasPurgeEntry || state.ETag is null) return;
        var row = JournalEntry.Row(study, "purge-" + newGuid().ToString("n"), JournalEntry.Purge, clock.GetUtcNow() + options.Tombstone);
        await stores.Journal.SubmitAsync([TableWrite.Upsert(row)], cancellationToken);
        hasPurgeEntry = true;
    }

    private async Task ForgetRemovedClaimsAsync(CancellationToken cancellationToken)
    {
        if (known is not { } rows || !rows.Study.OldClaims.Overlaps(searchRows.Confirmed)) return;
        var forgettable = await ForgettableAsync(rows.Study, cancellationToken);
        if (forgettable.Count == 0) return;
        var state = rows.Study.Copy();
        state.OldClaims.ExceptWith(forgettable);
        // If someone else has changed the row, the old claims are theirs to forget.
        await stores.Instances.SubmitAsync([TableWrite.Replace(state.ToRow(), state.ETag!)], cancellationToken);
    }

    // A process that committed before us and has not ended its work may still write a search row that we have just seen gone, and die before it takes the row
    // back. Then its journal row is still there, and who works that off must find the claim. So claims are forgotten only when nobody else is at work on the
    // study.
    private async Task<IReadOnlySet<string>> ForgettableAsync(StudyState state, CancellationToken cancellationToken)
    {
        if (!state.OldClaims.Overlaps(searchRows.Confirmed)) return new HashSet<string>();
        return state.OldClaims.Count > MaxOldClaims || await journal.IsAloneAsync(cancellationToken) ? searchRows.Confirmed : new HashSet<string>();
    }
}
