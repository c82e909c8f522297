using DicomServerless.Dicom;
using DicomServerless.Archive.Index;
using DicomServerless.Storage;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Archive;

/// <summary>That a blob was created or deleted, as the storage account tells it: at least once, late, in any order.</summary>
/// <param name="IsDeleted">Deleted; else created or replaced.</param>
/// <param name="Container">The container's name.</param>
/// <param name="Name">The blob's name.</param>
/// <param name="Time">When it happened.</param>
/// <param name="ClientRequestId">The id that the writer gave its request, if any.</param>
public sealed record BlobEvent(bool IsDeleted, string Container, string Name, DateTimeOffset Time, string? ClientRequestId);

/// <summary>Makes the index follow blobs that anyone changes (docs/design.md, rule 7). An event only says where to look.</summary>
public sealed class BlobEventHandler
{
    private const int MaxLooks = 20;

    private readonly ArchiveStores stores;
    private readonly StudyIndex index;
    private readonly Inbox inbox;
    private readonly ArchiveOptions options;
    private readonly TimeProvider clock;
    private readonly ILogger log;

    internal BlobEventHandler(ArchiveStores stores, StudyIndex index, Inbox inbox, ArchiveOptions options, TimeProvider clock, ILogger log) =>
        (this.stores, this.index, this.inbox, this.options, this.clock, this.log) = (stores, index, inbox, options, clock, log);

    /// <summary>Handles one event. When it throws, the event must come again.</summary>
    public async Task HandleAsync(BlobEvent blobEvent, CancellationToken cancellationToken)
    {
        if (blobEvent.Container == stores.Inbox.Name)
        {
            if (!blobEvent.IsDeleted) await inbox.TakeAsync(stores.Inbox, blobEvent.Name, null, cancellationToken);
            return;
        }
        if (blobEvent.Container != stores.Dicom.Name) return;
        if (!Layout.TryParseBlobName(blobEvent.Name, out var key))
        {
            // docs/design.md, rule 10: a name that we would not have given.
            if (!blobEvent.IsDeleted) await inbox.TakeAsync(stores.Dicom, blobEvent.Name, null, cancellationToken);
            return;
        }
        // The journal row of our own put or delete guards it until it is due.
        var isOwn = blobEvent.ClientRequestId?.StartsWith(BlobMetadata.OwnRequest, StringComparison.Ordinal) == true;
        if (isOwn && options.TrustOwnEvents && options.OnStore == IndexingOnStore.Commit && clock.GetUtcNow() - blobEvent.Time < options.JournalDue) return;
        await FollowAsync(key, blobEvent.IsDeleted, cancellationToken);
    }

    private async Task FollowAsync(InstanceKey key, bool isDeleted, CancellationToken cancellationToken)
    {
        var rowKey = Layout.InstanceRowKey(key.Name);
        for (var look = 0; look < MaxLooks; look++)
        {
            var row = await stores.Instances.GetAsync(key.Study.Value, rowKey, [Columns.BlobETag], cancellationToken);
            var blob = await stores.Dicom.HeadAsync(Layout.BlobName(key), cancellationToken);
            if (row?.Text(Columns.BlobETag) == blob?.ETag)
            {
                // Neither blob nor row: the row may be on its way, written by someone who does not know yet.
                if (blob is null && isDeleted) await JournalAsync(key, cancellationToken);
                return;
            }
            var settled = (await index.SettleAsync(key.Study, [key.Name], cancellationToken))[0];
            if (settled.As == SettledAs.NotUnderstood)
            {
                ArchiveLog.NotUnderstood(log);
                return;
            }
            if (settled.As == SettledAs.Misplaced && await inbox.TakeAsync(stores.Dicom, Layout.BlobName(key), settled.ETag, cancellationToken)) return;
        }
        throw new IOException("The blob changed too often while its event was handled.");
    }

    private async Task JournalAsync(InstanceKey key, CancellationToken cancellationToken)
    {
        var row = JournalEntry.Row(key.Study, "event", JournalEntry.Reconcile, clock.GetUtcNow() + options.JournalDue);
        await stores.Journal.SubmitAsync([TableWrite.Upsert(row)], cancellationToken);
    }
}
