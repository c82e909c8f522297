using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive;

/// <summary>
/// One store request: objects are received one after the other, written a few at a time while the next ones arrive, and indexed in groups by study. Not for
/// use by several threads. <see cref="CompleteAsync"/> gives the results; a batch that is disposed of without it, for whatever reason, still indexes what it
/// has stored.
/// </summary>
public sealed class StoreBatch : IAsyncDisposable
{
    private const int MaxAttempts = 10;

    private const string StoredForOther =
        "Its Patient ID (0010,0020) is not that of its study, which belongs to another patient. It was stored; "
        + "only searches for instances find it by its own Patient ID.";

    private readonly InstanceStore store;
    private readonly StoreRequest request;
    private readonly SemaphoreSlim writes;
    private readonly List<Task<StoreResult>> results = [];
    private readonly Dictionary<InstanceKey, Task> lastWrites = [];
    private readonly Dictionary<Uid, StudyGroup> groups = [];
    private readonly Lock gate = new();

    internal StoreBatch(InstanceStore store, StoreRequest request)
    {
        (this.store, this.request) = (store, request);
        writes = new SemaphoreSlim(store.Options.WritesPerRequest);
    }

    /// <summary>
    /// Receives one object. Returns when its bytes have been read and, if as many as allowed are under way, when one of the writes before it has ended. What is
    /// wrong with the object is part of the result, never an exception.
    /// </summary>
    /// <param name="part">Its Part 10 bytes.</param>
    /// <param name="cancellationToken">Ends the receiving.</param>
    /// <param name="original">What was changed in it on its way here, for the result; null if nothing.</param>
    /// <exception cref="IOException">The bytes could not be read.</exception>
    /// <exception cref="TooManyPartsException">The request has as many results as it may have.</exception>
    public async Task ReceiveAsync(Stream part, CancellationToken cancellationToken, DataSet? original = null)
    {
        CheckRoom();
        await writes.WaitAsync(CancellationToken.None); // for a write of this request, which ends
        var upload = store.NewUpload();
        Task<StoreResult>? writing = null;
        try
        {
            await upload.ReceiveAsync(part, request, cancellationToken);
            if (upload.Problem is { } problem) results.Add(Task.FromResult(new StoreResult(problem.Outcome, upload.Uids, problem.Text, [])));
            else results.Add(writing = WriteAsync(upload, original, cancellationToken));
        }
        catch (InvalidDataException exception)
        {
            results.Add(Task.FromResult(new StoreResult(StoreOutcome.CannotUnderstand, upload.Uids, exception.Message, [])));
        }
        finally
        {
            if (writing is null)
            {
                upload.Dispose();
                writes.Release();
            }
        }
    }

    /// <summary>Adds a result for something of which no object was made.</summary>
    /// <exception cref="TooManyPartsException">The request has as many results as it may have.</exception>
    public void AddFailure(StoreOutcome outcome, string problem, InstanceUids uids = default)
    {
        CheckRoom();
        results.Add(Task.FromResult(new StoreResult(outcome, uids, problem, [])));
    }

    /// <summary>Waits for what is under way, indexes what is not indexed yet, and gives a result for each object, in order.</summary>
    public async Task<IReadOnlyList<StoreResult>> CompleteAsync()
    {
        await FlushAsync();
        return await Task.WhenAll(results);
    }

    /// <summary>Gives what was stored to the index, whatever became of the request, and lets go of the studies. A study's writer ends the work.</summary>
    public async ValueTask DisposeAsync()
    {
        await FlushAsync();
        foreach (var group in groups.Values) group.Lease.Dispose();
    }

    private void CheckRoom()
    {
        if (results.Count >= store.Options.MaxPartsPerRequest) throw new TooManyPartsException(store.Options.MaxPartsPerRequest);
    }

    // The blobs of this batch are there, so a change that nobody enqueues would be an object that nobody finds (docs/design.md, rule 2).
    private async Task FlushAsync()
    {
        foreach (var write in lastWrites.Values) await write;
        lock (gate) foreach (var group in groups.Values) group.Flush();
    }

    private async Task<StoreResult> WriteAsync(InstanceUpload upload, DataSet? original, CancellationToken cancellationToken)
    {
        var key = upload.Uids.Key;
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // The same UID twice in a request: the second waits for the first, so that they are handled in part order.
        var before = lastWrites.GetValueOrDefault(key);
        lastWrites[key] = done.Task;
        var group = GroupOf(key.Study);
        var (isWriting, isThere) = (true, false);
        var held = 0L;
        try
        {
            PutResult put;
            var warnings = upload.Scan.Warnings;
            try
            {
                if (before is not null) await before;
                put = await PutAsync(upload, key, group, cancellationToken);
                isThere = put.Outcome is StoreOutcome.Stored or StoreOutcome.AlreadyStored;
            }
            finally
            {
                upload.Dispose();
                // What was not stored has no say in whose study it is.
                if (!isThere) lock (gate) group.Forget(upload);
            }
            if (put.Change is { } change && store.Options.OnStore == IndexingOnStore.Commit)
            {
                // What waits for the index has its share of memory, too: without it the next object is not received before this one is indexed.
                held = store.Settling.TryTake(change.HeldBytes) ? change.HeldBytes : 0;
                lock (gate)
                {
                    group.Add(change);
                    if (held == 0) foreach (var waiting in groups.Values) waiting.Flush();
                }
                done.SetResult();
                if (held > 0) ReleaseWrite();
                await change.Settled;
            }
            var isStored = put.Outcome == StoreOutcome.Stored;
            return new StoreResult(put.Outcome, upload.Uids, put.IsOfOtherPatient ? StoredForOther : Problem(put.Outcome), warnings)
            {
                IsNew = isStored && put.Change?.IsNew == true, Original = isStored ? original : null, IsOfOtherPatient = put.IsOfOtherPatient,
            };
        }
        catch (Exception exception)
        {
            // The blob may be there all the same.
            group.Lease.Writer.LeaveToSweep(exception);
            if (exception is OperationCanceledException && cancellationToken.IsCancellationRequested) throw;
            return new StoreResult(StoreOutcome.TryAgain, upload.Uids, "Storage failed; send it again.", []);
        }
        finally
        {
            store.Settling.Return(held);
            done.TrySetResult();
            ReleaseWrite();
        }

        void ReleaseWrite()
        {
            if (isWriting) writes.Release();
            isWriting = false;
        }
    }

    private StudyGroup GroupOf(Uid study)
    {
        lock (gate)
        {
            if (!groups.TryGetValue(study, out var group)) groups[study] = group = new StudyGroup(store.Index.Enter(study));
            return group;
        }
    }

    // Put if absent; what is there decides the rest.
    private async Task<PutResult> PutAsync(InstanceUpload upload, InstanceKey key, StudyGroup group, CancellationToken cancellationToken)
    {
        var name = Layout.BlobName(key);
        var hash = Convert.ToHexStringLower(upload.Scan.DataSetHash);
        var syntax = upload.Scan.StatedTransferSyntax();
        BlobInfo? replaced = null;
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var guard = await GuardAsync(key.Study, group, cancellationToken);
            var received = store.Clock.GetUtcNow();
            var content = await upload.Header.MakeAsync(() =>
                store.Contents.From(upload.Scan, key, upload.Uids.SopClassUid, upload.Length, received.ToUnixTimeMilliseconds()), cancellationToken);
            // What replaces an object of the study is a correction of it, of its patient too.
            var isOther = replaced is null && IsOfOtherPatient(group, upload, content, guard);
            if (isOther && store.Options.SecondPatient == SecondPatientPolicy.Refuse && await store.Stores.Dicom.HeadAsync(name, cancellationToken) is null)
                return new(StoreOutcome.OtherPatient, null);
            var condition = replaced is null ? BlobCondition.Absent : BlobCondition.Match(replaced.ETag);
            var written = await upload.CommitAsync(name, condition, request.Source, received, cancellationToken);
            if (written.Status == StorageStatus.Ok) return new(StoreOutcome.Stored, StudyChange.Put(content, written.ETag!, replaced is null, guard), isOther);
            // Another upload of the same name took our staged blocks with its commit.
            if (written.Status == StorageStatus.Invalid) return new(StoreOutcome.TryAgain, null);
            if (written.Status == StorageStatus.TooLarge) return new(StoreOutcome.TooLarge, null);
            replaced = null;
            if (await store.Stores.Dicom.HeadAsync(name, cancellationToken) is not { } stored) continue;
            var there = await StoredDataSetAsync(key, stored, cancellationToken);
            // The same bytes in another transfer syntax are another data set (PS3.5 10).
            var isSameSyntax = there.Hash.Length > 0 && there.TransferSyntax == syntax;
            if (isSameSyntax && there.Hash == hash) return new(StoreOutcome.AlreadyStored, StudyChange.Look(key.Name));
            if (request.DuplicatePolicy != DuplicatePolicy.Replace && !(isSameSyntax && upload.IsContinuationOf(stored.Length - there.Offset, there.Hash)))
                return new(request.DuplicatePolicy == DuplicatePolicy.KeepFirst ? StoreOutcome.KeptFirst : StoreOutcome.Duplicate, null);
            replaced = stored;
        }
        return new(StoreOutcome.TryAgain, null);
    }

    // The patients of the study as the index knows them, and the first one that this request names for it.
    private bool IsOfOtherPatient(StudyGroup group, InstanceUpload upload, InstanceContent content, StudyGuard guard)
    {
        if (StudyPatients.IdIn(content.StudyAttributes) is not { } patient) return false;
        lock (gate) return patient != group.FirstPatient(upload, patient, guard.Patients?.Study) || guard.Patients?.IsOther(patient) == true;
    }

    private async Task<StudyGuard> GuardAsync(Uid study, StudyGroup group, CancellationToken cancellationToken)
    {
        var writer = group.Lease.Writer;
        if (store.Options.OnStore == IndexingOnStore.Commit) return await writer.GuardAsync(cancellationToken);
        await writer.HoldAsync(cancellationToken);
        writer.LeaveToSweep();
        return new StudyGuard(0, 0, await group.PatientsAsync(async () =>
            await store.Stores.Instances.GetAsync(study.Value, Layout.StudyRowKey, null, cancellationToken) is { } row
                ? StudyState.FromRow(row).Patients : new StudyPatients()));
    }

    // A blob that someone else put has no hash in its metadata, and one of an earlier version no transfer syntax: its row tells, or it is read
    // (docs/design.md, rule 10).
    private async Task<StoredDataSet> StoredDataSetAsync(InstanceKey key, BlobInfo blob, CancellationToken cancellationToken)
    {
        if (BlobMetadata.TryRead(blob, out var hash, out var offset))
        {
            if (blob.Metadata.GetValueOrDefault(BlobMetadata.Syntax) is { Length: > 0 } stated) return new(hash, offset, stated);
            var row = await store.Stores.Instances.GetAsync(key.Study.Value, Layout.InstanceRowKey(key.Name), [Columns.BlobETag, Columns.TransferSyntax],
                cancellationToken);
            if (row?.Text(Columns.BlobETag) == blob.ETag && row?.Text(Columns.TransferSyntax) is { } indexed) return new(hash, offset, indexed);
        }
        var read = await store.Contents.ReadAsync(store.Stores.Dicom, blob.Name, cancellationToken);
        return read.Content is { } content ? new(content.DataSetHash, content.DataSetOffset, content.TransferSyntaxUid) : new("", 0, "");
    }

    private readonly record struct StoredDataSet(string Hash, long Offset, string TransferSyntax);

    private readonly record struct PutResult(StoreOutcome Outcome, StudyChange? Change, bool IsOfOtherPatient = false);

    private static string? Problem(StoreOutcome outcome) => outcome switch
    {
        StoreOutcome.Duplicate => "Another object is there under its SOP Instance UID.",
        StoreOutcome.KeptFirst => "Another object is there under its SOP Instance UID and was kept.",
        StoreOutcome.TryAgain => "It was changed by others meanwhile; send it again.",
        StoreOutcome.TooLarge => "It is larger than the store takes.",
        StoreOutcome.OtherPatient => "Its Patient ID (0010,0020) is not that of its study, which belongs to another patient.",
        _ => null,
    };

    // The changes of one study in this request, given to its writer when there are enough for a commit, or at the end.
    private sealed class StudyGroup(StudyLease lease)
    {
        private readonly List<StudyChange> pending = [];
        // By upload and not by UID: one that is refused as a duplicate must not take away the vote of the object that is there.
        private readonly List<(string Patient, HashSet<InstanceUpload> Objects)> named = [];
        private string? ofIndex;
        private Task<StudyPatients>? patients;

        public StudyLease Lease => lease;

        /// <summary>The study's patients where no commit tells them: read for the first object of the request, and again after a failure.</summary>
        public Task<StudyPatients> PatientsAsync(Func<Task<StudyPatients>> read)
        {
            lock (pending) return patients is null or { IsFaulted: true } or { IsCanceled: true } ? patients = read() : patients;
        }

        /// <summary>
        /// The study's patient: the one that the index had when this request first named one, or else the first that an object of the request names, which is
        /// stored or on its way.
        /// </summary>
        public string FirstPatient(InstanceUpload upload, string patient, string? indexed)
        {
            if (named.Count == 0) ofIndex ??= indexed;
            var objects = named.Find(other => other.Patient == patient).Objects;
            if (objects is null) named.Add((patient, objects = []));
            objects.Add(upload);
            return ofIndex ?? named[0].Patient;
        }

        /// <summary>An object that named a patient was not stored.</summary>
        public void Forget(InstanceUpload upload)
        {
            foreach (var (_, objects) in named) objects.Remove(upload);
            named.RemoveAll(patient => patient.Objects.Count == 0);
        }

        public void Add(StudyChange change)
        {
            pending.Add(change);
            if (pending.Count >= StudyCommit.MaxChanges) Flush();
        }

        public void Flush()
        {
            lease.Writer.Enqueue(pending);
            pending.Clear();
        }
    }
}
