using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Query;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Commitment;

/// <summary>
/// Asks the archive for the objects of a request. One that it gives out is confirmed. One that it does not have is failed only when nothing that came before the request
/// still waits for it; until then it stays open.
/// </summary>
internal sealed class CommitmentCheck(Archives archives, Spool spool)
{
    private const int PerSearch = 50;

    /// <summary>Decides what can be decided.</summary>
    /// <exception cref="ArchiveException">The archive cannot be asked now.</exception>
    public async Task DecideAsync(CommitmentRequest request, CancellationToken cancellationToken)
    {
        var archive = archives.Of(request.Archive) ?? throw new ArchiveException("The archive of the request is no longer configured.");
        // Read before the archive is asked: what is sent in between is then found there.
        var mayWait = spool.Queue(request.Archive).OldestSequence is { } oldest && oldest <= request.Sequence;
        foreach (var chunk in request.Items.Where(item => !item.IsConfirmed && item.Failure is null).Chunk(PerSearch))
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
                {
                    if (!mayWait) item.Failure = DimseStatus.NoSuchSopInstance;
                }
                else if (there.SopClass != item.SopClass) item.Failure = DimseStatus.ClassInstanceConflict;
                else item.IsConfirmed = true;
            }
        }
    }

    private static InstanceKey? InstanceKeyOf(DataSet found) =>
        found.TryGetUid(Tags.StudyInstanceUID, out var study) && found.TryGetUid(Tags.SeriesInstanceUID, out var series) && found.TryGetUid(Tags.SOPInstanceUID, out var sop) ? new InstanceKey(study, series, sop) : null;
}
