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
/// Where the file of a waiting object cannot be read, nothing of its study is confirmed.
/// </summary>
internal sealed class CommitmentCheck(Archives archives, WaitingObjects waiting, Spool spool, Func<Guid> newId) : IDisposable
{
    private const int PerSearch = 50, PerCommitment = 1_000;

    // The spool is looked through for one request at a time: many may be open, and after a restart all of them begin together.
    private readonly SemaphoreSlim looking = new(1);

    public void Dispose() => looking.Dispose();

    /// <summary>Decides what can be decided.</summary>
    /// <exception cref="ArchiveException">The archive cannot be asked now.</exception>
    public async Task DecideAsync(CommitmentRequest request, CancellationToken cancellationToken)
    {
        var archive = archives.Of(request.Archive) ?? throw new ArchiveException("The archive of the request is no longer configured.");
        var open = request.Items.Where(item => !item.IsConfirmed && item.Failure is null).ToList();
        // Looked at before the archive is asked, so that what is sent in between is found there.
        var (waits, unknown) = await LookAsync(request.Archive, open, cancellationToken);
        var asked = open.Where(item => item.Failure is null && !waits.Contains(item.Sop)).ToList();
        // Whose objects cannot be read is told by the study in which the archive finds an object, which its commitment does not name.
        if (archive.TakesCommitmentRequests && unknown.Count == 0)
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
                else if (unknown.Contains(there.Key.Study.Value)) continue;
                else if (there.SopClass != item.SopClass) item.Failure = DimseStatus.ClassInstanceConflict;
                else item.IsConfirmed = true;
            }
        }
    }

    // The UIDs of objects that wait, and the studies with waiting objects that cannot be read now. Objects that lie in quarantine are failed: what the archive
    // has under their UIDs is another version, and the only copy may be here. The quarantine is looked at twice, because an object may move either way
    // meanwhile: one that has just left it is neither failed nor decided.
    private async Task<(HashSet<string> Waits, HashSet<string> Unknown)> LookAsync(string destination, List<CommitmentItem> items,
        CancellationToken cancellationToken)
    {
        await looking.WaitAsync(cancellationToken);
        try
        {
            var before = spool.Quarantine.SopInstances(destination);
            var (waits, unknown) = waiting.Among(destination, items.Select(item => item.Sop).ToHashSet(StringComparer.Ordinal), cancellationToken);
            var quarantined = spool.Quarantine.SopInstances(destination);
            waits.UnionWith(before.Where(sop => !quarantined.Contains(sop)));
            foreach (var item in items.Where(item => quarantined.Contains(item.Sop))) item.Failure = DimseStatus.ProcessingFailure;
            return (waits, unknown);
        }
        finally
        {
            looking.Release();
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
