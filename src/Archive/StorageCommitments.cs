using System.Buffers;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive;

/// <summary>An instance for which storage commitment is asked.</summary>
/// <param name="SopClassUid">Its SOP Class UID.</param>
/// <param name="Sop">Its SOP Instance UID.</param>
public readonly record struct CommitmentItem(string SopClassUid, Uid Sop);

/// <summary>Whether storage of an instance is committed (PS3.3 C.14.1.1).</summary>
public enum CommitmentOutcome
{
    /// <summary>It is there: whoever asked may erase its copy.</summary>
    Committed,
    /// <summary>There is no such instance.</summary>
    NoSuchInstance,
    /// <summary>The instance is of another SOP class.</summary>
    ClassConflict,
}

/// <summary>
/// Storage commitment (PS3.18 chapter 13). An instance is committed when its row in the index and its blob are both there now. Results are kept for a week, for
/// a client that did not hear the answer.
/// </summary>
public sealed class StorageCommitments
{
    private const string Prefix = "commitments/", Suffix = ".json";
    private static readonly TimeSpan Kept = TimeSpan.FromDays(7);

    private readonly ArchiveStores stores;
    private readonly TimeProvider clock;

    internal StorageCommitments(ArchiveStores stores, TimeProvider clock) => (this.stores, this.clock) = (stores, clock);

    /// <summary>Looks for the instances; the outcomes are in the order of the items.</summary>
    public Task<CommitmentOutcome[]> CheckAsync(IReadOnlyList<CommitmentItem> items, CancellationToken cancellationToken) =>
        Concurrently.SelectAsync(items, item => CheckAsync(item, cancellationToken));

    /// <summary>Keeps the result of a request. False if the Transaction UID is in use.</summary>
    public async Task<bool> TryKeepAsync(Uid transaction, ReadOnlyMemory<byte> result, CancellationToken cancellationToken)
    {
        var written = await stores.Derived.PutAsync(NameOf(transaction), new ReadOnlySequence<byte>(result),
            new BlobWrite(BlobCondition.Absent, ContentType: "application/dicom+json"), cancellationToken);
        return written.Status == StorageStatus.Ok;
    }

    /// <summary>The result that was kept of a request; null if there is none.</summary>
    public async Task<byte[]?> KeptAsync(Uid transaction, CancellationToken cancellationToken)
    {
        await using var read = await stores.Derived.ReadAsync(NameOf(transaction), 0, null, null, cancellationToken);
        if (read.Status != StorageStatus.Ok) return null;
        var result = new MemoryStream();
        await read.Content.CopyToAsync(result, cancellationToken);
        return result.ToArray();
    }

    /// <summary>Removes results that have been kept long enough. Part of every sweep.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var before = clock.GetUtcNow() - Kept;
        await foreach (var blob in stores.Derived.ListAsync(Prefix, cancellationToken))
            if (blob.LastModified < before) await stores.Derived.DeleteAsync(blob.Name, blob.ETag, null, cancellationToken);
    }

    private async Task<CommitmentOutcome> CheckAsync(CommitmentItem item, CancellationToken cancellationToken)
    {
        // The same SOP Instance UID may be in several studies; one that fits is enough.
        var outcome = CommitmentOutcome.NoSuchInstance;
        var query = new TableQuery
            { PartitionKey = Layout.UidPartition(item.Sop), RowKeyFrom = item.Sop + ":", RowKeyBefore = item.Sop + ";", Select = [Columns.SchemaVersion] };
        await foreach (var found in stores.Uids.RowsAsync(query, cancellationToken))
        {
            if (!Layout.TryParseUidRowKey(found.RowKey, out var key)) continue;
            var row = await stores.Instances.GetAsync(key.Study.Value, Layout.InstanceRowKey(key.Name), [Columns.SopClass, Columns.BlobETag],
                cancellationToken);
            // The version that the row is about: another one may be of another class, or no object at all.
            if (row is null || await stores.Dicom.HeadAsync(Layout.BlobName(key), cancellationToken) is not { } blob
                || blob.ETag != row.Text(Columns.BlobETag)) continue;
            if (row.Text(Columns.SopClass) == item.SopClassUid) return CommitmentOutcome.Committed;
            outcome = CommitmentOutcome.ClassConflict;
        }
        return outcome;
    }

    private static string NameOf(Uid transaction) => Prefix + transaction.Value + Suffix;
}
