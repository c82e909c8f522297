using DicomServerless.Storage;

namespace DicomServerless.Archive;

/// <summary>The containers and tables of one archive (docs/design.md, "Blobs", "The index").</summary>
/// <param name="Dicom">The objects: the truth.</param>
/// <param name="Derived">What can be recomputed and is too large for a row.</param>
/// <param name="Inbox">The drop zone.</param>
/// <param name="Rejected">What came through the drop zone, or lay under a name that is not its own, and could not be stored.</param>
/// <param name="Instances">Study, series and instance rows, one partition per study.</param>
/// <param name="Studies">Studies, newest first.</param>
/// <param name="Keys">Pointers from values to studies.</param>
/// <param name="Uids">Where an instance is.</param>
/// <param name="Journal">Work that must end.</param>
public sealed record ArchiveStores(
    IBlobContainer Dicom, IBlobContainer Derived, IBlobContainer Inbox, IBlobContainer Rejected,
    ITable Instances, ITable Studies, ITable Keys, ITable Uids, ITable Journal)
{
    /// <summary>Makes what is not there yet.</summary>
    public async Task CreateIfAbsentAsync(CancellationToken cancellationToken)
    {
        foreach (var container in (IBlobContainer[])[Dicom, Derived, Inbox, Rejected]) await container.CreateIfAbsentAsync(cancellationToken);
        foreach (var table in (ITable[])[Instances, Studies, Keys, Uids, Journal]) await table.CreateIfAbsentAsync(cancellationToken);
    }
}
