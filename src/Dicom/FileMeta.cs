using System.Text;

namespace DicomServerless.Dicom;

/// <summary>The file meta information of a Part 10 file (PS3.10 7.1), as far as it is there.</summary>
public sealed class FileMeta
{
    internal FileMeta(DataSet dataSet) => DataSet = dataSet;

    /// <summary>All of group 0002; empty where the file has none.</summary>
    public DataSet DataSet { get; }

    /// <summary>Transfer Syntax UID (0002,0010); null where absent or invalid.</summary>
    public Uid? TransferSyntax => UidOf(Tags.TransferSyntaxUID);

    /// <summary>Media Storage SOP Class UID (0002,0002).</summary>
    public Uid? MediaStorageSopClass => UidOf(Tags.MediaStorageSOPClassUID);

    /// <summary>Media Storage SOP Instance UID (0002,0003).</summary>
    public Uid? MediaStorageSopInstance => UidOf(Tags.MediaStorageSOPInstanceUID);

    /// <summary>Implementation Class UID (0002,0012).</summary>
    public Uid? ImplementationClass => UidOf(Tags.ImplementationClassUID);

    /// <summary>Implementation Version Name (0002,0013).</summary>
    public string? ImplementationVersionName => TextOf(Tags.ImplementationVersionName);

    /// <summary>Source Application Entity Title (0002,0016).</summary>
    public string? SourceApplicationEntityTitle => TextOf(Tags.SourceApplicationEntityTitle);

    /// <summary>Receiving Application Entity Title (0002,0018): the AE that was called.</summary>
    public string? ReceivingApplicationEntityTitle => TextOf(Tags.ReceivingApplicationEntityTitle);

    private Uid? UidOf(Tag tag) => DataSet.TryGetUid(tag, out var uid) ? uid : null;

    private string? TextOf(Tag tag)
    {
        var bytes = DataSet.ValueOf(tag).Span.Trim(" \0"u8);
        return bytes.IsEmpty ? null : Encoding.ASCII.GetString(bytes);
    }
}
