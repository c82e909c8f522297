using System.Security.Cryptography;
using System.Text;
using DicomServerless.Storage;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Archive;

/// <summary>Moves a blob that lies where its name says nothing to its place in <c>dicom</c>, or to <c>rejected</c> with the reason beside it.</summary>
internal sealed class Inbox(ArchiveStores stores, InstanceStore store, ArchiveOptions options, ILogger log)
{
    // What a blob of `rejected` has in its metadata beside what it had before.
    private const string OfContainer = "container", OfVersion = "etag";

    private const int CopyBytes = 4 * 1024 * 1024, MaxNameLength = 1024, MaxReasonLength = 1024, MaxMetadataBytes = 8 * 1024, MaxAttempts = 6;

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
        if (!result.IsStored)
        {
            ArchiveLog.Rejected(log, result.Outcome.ToString());
            if (!await RejectAsync(from, blob, result.Problem ?? result.Outcome.ToString(), cancellationToken)) return judged is null;
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

    // Nothing in `rejected` is ever overwritten: the container's name stands in front, and behind a name that is taken by another version the ETag. False if
    // the blob is gone or was changed.
    private async Task<bool> RejectAsync(IBlobContainer from, BlobInfo blob, string reason, CancellationToken cancellationToken)
    {
        var write = new BlobWrite(BlobCondition.Absent, MetadataOf(from, blob, reason));
        string[] names = [NameOf($"{from.Name}/{blob.Name}", ""), NameOf($"{from.Name}/{blob.Name}", "." + blob.ETag)];
        for (var (attempt, taken) = (0, 0); attempt < MaxAttempts && taken < names.Length; attempt++)
        {
            if (await stores.Rejected.HeadAsync(names[taken], cancellationToken) is { } there)
            {
                // Kept by an attempt that was cut off before its end, or by somebody who takes it as we do.
                if (there.Length == blob.Length && there.Metadata.GetValueOrDefault(OfContainer) == from.Name
                    && there.Metadata.GetValueOrDefault(OfVersion) == blob.ETag) return true;
                taken++;
                continue;
            }
            if (await CopyAsync(from, blob, names[taken], write, cancellationToken) is not { } status) return false;
            if (status == StorageStatus.Ok) return true;
            // Somebody has taken the name since, and our blocks with it.
            if (status is not (StorageStatus.Conflict or StorageStatus.Invalid)) throw new IOException($"A rejected blob could not be kept ({status}).");
        }
        throw new IOException("A rejected blob could not be kept under any of its names.");
    }

    // How the copy came out; null if the blob is gone or was changed.
    private async Task<StorageStatus?> CopyAsync(IBlobContainer from, BlobInfo blob, string name, BlobWrite write, CancellationToken cancellationToken)
    {
        await using var read = await from.ReadAsync(blob.Name, 0, null, blob.ETag, cancellationToken);
        if (read.Status == StorageStatus.RangeNotSatisfiable) return (await stores.Rejected.PutAsync(name, default, write, cancellationToken)).Status;
        if (read.Status != StorageStatus.Ok) return null;
        var buffer = new byte[CopyBytes];
        var blocks = new List<string>();
        // Another version of the same name may be on its way there at the same time: its blocks have other ids.
        var version = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{from.Name}/{blob.ETag}")))[..16];
        for (int count; (count = await read.Content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken)) > 0;)
        {
            var id = Convert.ToBase64String(Encoding.ASCII.GetBytes($"{version}{blocks.Count:D8}"));
            await stores.Rejected.StageBlockAsync(name, id, new(buffer, 0, count), cancellationToken);
            blocks.Add(id);
        }
        return (await stores.Rejected.CommitBlocksAsync(name, blocks, write, cancellationToken)).Status;
    }

    // A name that is too long with what is put around it is cut; its end tells versions apart all the same.
    private static string NameOf(string name, string end)
    {
        var room = MaxNameLength - end.Length;
        if (name.Length > room) name = name[..(char.IsHighSurrogate(name[room - 1]) ? room - 1 : room)];
        return name + end;
    }

    // Why and where from, and what the blob had itself, as far as there is room.
    private static Dictionary<string, string> MetadataOf(IBlobContainer from, BlobInfo blob, string reason)
    {
        var metadata = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["reason"] = Ascii(reason[..Math.Min(reason.Length, MaxReasonLength)]), [OfContainer] = from.Name, [OfVersion] = blob.ETag,
        };
        var size = metadata.Sum(pair => pair.Key.Length + pair.Value.Length);
        foreach (var (name, text) in blob.Metadata)
        {
            var value = Ascii(text);
            var added = name.Length + value.Length;
            if (value.Length == 0 || size + added > MaxMetadataBytes || !metadata.TryAdd(name, value)) continue;
            size += added;
        }
        return metadata;
    }

    private static string Ascii(string text) => new string([.. text.Where(c => c is >= ' ' and < (char)127)]).Trim();
}
