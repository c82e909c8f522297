using System.Globalization;
using System.Numerics;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Query;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Commitment;

/// <summary>
/// Asks the archive for the objects of a request. One that it gives out is confirmed, or one that it commits to, where it takes storage commitment over the
/// web. One that still waits in the spool is neither confirmed nor failed, whatever the archive has under its UID: it may be another version of the object.
/// </summary>
internal sealed class CommitmentCheck(Archives archives, WaitingObjects waiting, Spool spool, Func<Guid> newId)
{
    private const int PerSearch = 50, PerCommitment = 1_000;

    /// <summary>Decides what can be decided.</summary>
    /// <exception cref="ArchiveException">The archive cannot be asked now.</exception>
    public async Task DecideAsync(CommitmentRequest request, CancellationToken cancellationToken)
    {
        var archive = archives.Of(request.Archive) ?? throw new ArchiveException("The archive of the request is no longer configured.");
        // Read before the archive is asked, so that what is sent in between is found there; and both before and after the quarantine, since an object may move
        // either way.
        var waits = waiting.SopInstances(request.Archive, cancellationToken);
        // What lies in quarantine is not what the archive has under its UID: the only copy of it may be here, and the modality's.
        var quarantined = spool.Quarantine.SopInstances(request.Archive);
        waits.UnionWith(waiting.SopInstances(request.Archive, cancellationToken));
        foreach (var item in request.Items.Where(item => !item.IsConfirmed && quarantined.Contains(item.Sop))) item.Failure = DimseStatus.ProcessingFailure;
        var asked = request.Items.Where(item => !item.IsConfirmed && item.Failure is null && !waits.Contains(item.Sop)).ToList();
        if (archive.TakesCommitmentRequests)
        {
            await CommitAsync(asked, archive, cancellationToken);
            return;
        }
        foreach (var chunk in asked.Chunk(PerSearch))
        {
            var found = new Dictionary<string, (InstanceKey Key, string SopClass)>(StringComparer.Ordinal);
            KeyValuePair<string, string>[] keys = [new(Tags.SOPInstanceUID.ToString(), string.Join(',', chunk.Select(item => item.Sop)))];
            await foreach (var instance in archive.SearchAsync("instances", keys, [], false, cancellationToken))
            {
                if (InstanceKeyOf(instance) is { } key) found[key.Sop.Value] = (key, instance.GetString(Tags.SOPClassUID) ?? "");
            }
            foreach (var item in chunk)
            {
                if (!found.TryGetValue(item.Sop, out var there) || !await archive.HasAsync(there.Key, cancellationToken))
                    item.Failure = DimseStatus.NoSuchSopInstance;
                else if (there.SopClass != item.SopClass) item.Failure = DimseStatus.ClassInstanceConflict;
                else item.IsConfirmed = true;
            }
        }
    }

    private async Task CommitAsync(List<CommitmentItem> asked, ArchiveClient archive, CancellationToken cancellationToken)
    {
        foreach (var chunk in asked.Chunk(PerCommitment))
        {
            // A Transaction UID counts once (PS3.18 13.4.3), and a request may take several attempts; PS3.5 B.2 makes one of a UUID.
            var transaction = Uid.Parse("2.25." + new BigInteger(newId().ToByteArray(bigEndian: true), isUnsigned: true, isBigEndian: true)
                .ToString(CultureInfo.InvariantCulture));
            var decided = await archive.CommitAsync(transaction, [.. chunk.Select(item => (item.SopClass, item.Sop))], cancellationToken);
            foreach (var item in chunk)
            {
                if (!decided.TryGetValue(item.Sop, out var failure)) continue;
                if (failure is null) item.IsConfirmed = true;
                else item.Failure = failure;
            }
        }
    }

    private static InstanceKey? InstanceKeyOf(DataSet found) =>
        found.TryGetUid(Tags.StudyInstanceUID, out var study) && found.TryGetUid(Tags.SeriesInstanceUID, out var series)
            && found.TryGetUid(Tags.SOPInstanceUID, out var sop) ? new InstanceKey(study, series, sop) : null;
}
