using DicomServerless.Archive.Index;
using DicomServerless.Storage;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Archive;

/// <summary>Moves a blob that lies where its name says nothing to its place in <c>dicom</c>, or to <c>rejected</c> with the reason beside it.</summary>
internal sealed class Inbox(ArchiveStores stores, InstanceStore store, ArchiveOptions options, ILogger log)
{
    private const int CopyBytes = 4 * 1024 * 1024;

    /// <summary>Takes one blob. It goes only when it is safe elsewhere, and only the version that was read.</summary>
    /// <param name="from">Where it lies.</param>
    /// <param name="name">Its name.</param>
    /// <param name="judged">The ETag of the version that was found to be misplaced; null for whatever is there, under a name that says nothing.</param>
    /// <param name="cancellationToken">Ends the taking.</param>
    /// <returns>False if another version is there than was judged, or if it lies where it belongs after all: then its name is to be settled again.</returns>
    /// <exception cref="IOException">Storage failed; try again.</exception>
    public async Task<bool> TakeAsync(IBlobContainer from, string name, string? judged, CancellationToken cancellationToken)
    {
        if (await from.HeadAsync(name, cancellationToken) is not { } blob) return true;
        if (judged is not null && blob.ETag != judged) return false;
        var result = await StoreAsync(from, blob, cancellationToken);
        if (result is null) return judged is null;
        if (result.Outcome == StoreOutcome.TryAgain) throw new IOException("A blob from outside could not be stored.");
        // Stored "elsewhere" is only what is not stored right here: this may be the one copy that there is.
        if (result.Outcome != StoreOutcome.CannotUnderstand && from.Name == stores.Dicom.Name && name == Layout.BlobName(result.Uids.Key)) return false;
        if (!result.IsStored && result.Outcome != StoreOutcome.KeptFirst)
        {
            ArchiveLog.Rejected(log, result.Outcome.ToString());
            await RejectAsync(from, blob, result.Problem ?? result.Outcome.ToString(), cancellationToken);
        }
        return await from.DeleteAsync(name, blob.ETag, null, cancellationToken) != StorageStatus.PreconditionFailed || judged is null;
    }

    private async Task<StoreResult?> StoreAsync(IBlobContainer from, BlobInfo blob, CancellationToken cancellationToken)
    {
        if (blob.Length == 0) return new StoreResult(StoreOutcome.CannotUnderstand, default, "It is empty.", []);
        await using var read = await from.ReadAsync(blob.Name, 0, null, blob.ETag, cancellationToken);
        // Gone or changed: another event tells of that.
        if (read.Status is StorageStatus.NotFound or StorageStatus.PreconditionFailed) return null;
        await using var batch = store.Begin(new StoreRequest(null, options.DuplicatePolicy, from.Name));
        await batch.ReceiveAsync(read.Content, cancellationToken);
        return (await batch.CompleteAsync())[0];
    }

    private async Task RejectAsync(IBlobContainer from, BlobInfo blob, string reason, CancellationToken cancellationToken)
    {
        await using var read = await from.ReadAsync(blob.Name, 0, null, blob.ETag, cancellationToken);
        var write = new BlobWrite(BlobCondition.None,
            new Dictionary<string, string> { ["reason"] = new string([.. reason.Where(c => c is >= ' ' and < (char)127)]), ["container"] = from.Name });
        if (read.Status == StorageStatus.RangeNotSatisfiable)
        {
            await stores.Rejected.PutAsync(blob.Name, default, write, cancellationToken);
            return;
        }
        if (read.Status != StorageStatus.Ok) return;
        var buffer = new byte[CopyBytes];
        var blocks = new List<string>();
        for (int count; (count = await read.Content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken)) > 0;)
        {
            var id = Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes($"{blocks.Count:D8}"));
            await stores.Rejected.StageBlockAsync(blob.Name, id, new(buffer, 0, count), cancellationToken);
            blocks.Add(id);
        }
        var written = await stores.Rejected.CommitBlocksAsync(blob.Name, blocks, write, cancellationToken);
        if (written.Status != StorageStatus.Ok) throw new IOException($"A rejected blob could not be kept ({written.Status}).");
    }
}
