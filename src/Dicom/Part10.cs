using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace DicomServerless.Dicom;

/// <summary>Writes what precedes a data set in a Part 10 file (PS3.10 7.1).</summary>
public static class Part10
{
    /// <summary>Our Implementation Class UID (PS3.7 D.3.3.2).</summary>
    public static readonly Uid ImplementationClass = Uid.Parse("2.25.217593817219045528730091345620883914562");

    /// <summary>Our Implementation Version Name; at most 16 characters.</summary>
    public const string ImplementationVersionName = "DCMSERVERLESS_1";

    /// <summary>Preamble, prefix and a group 0002 of our own; the data set's bytes follow.</summary>
    /// <param name="sopClass">Media Storage SOP Class UID.</param>
    /// <param name="sopInstance">Media Storage SOP Instance UID.</param>
    /// <param name="transferSyntax">That of the data set.</param>
    /// <param name="sourceAeTitle">Source Application Entity Title, when known.</param>
    /// <param name="sendingAeTitle">Sending Application Entity Title: who called, when it came over the network.</param>
    /// <param name="receivingAeTitle">Receiving Application Entity Title: who was called.</param>
    public static byte[] Header(Uid sopClass, Uid sopInstance, Uid transferSyntax,
        string? sourceAeTitle = null, string? sendingAeTitle = null, string? receivingAeTitle = null)
    {
        var builder = new DataSetBuilder();
        builder.Add(Tags.MediaStorageSOPClassUID, Vr.UI, Encoding.ASCII.GetBytes(sopClass.Value));
        builder.Add(Tags.MediaStorageSOPInstanceUID, Vr.UI, Encoding.ASCII.GetBytes(sopInstance.Value));
        AddAeTitle(Tags.SourceApplicationEntityTitle, sourceAeTitle);
        AddAeTitle(Tags.SendingApplicationEntityTitle, sendingAeTitle);
        AddAeTitle(Tags.ReceivingApplicationEntityTitle, receivingAeTitle);
        return Header(builder.Build(), transferSyntax);

        void AddAeTitle(Tag tag, string? title)
        {
            if (!string.IsNullOrEmpty(title)) builder.Add(tag, Vr.AE, Encoding.ASCII.GetBytes(title));
        }
    }

    /// <summary>The same for a data set that was converted: what the old group 0002 says stays, but for the transfer syntax and who wrote it.</summary>
    public static byte[] Header(FileMeta old, Uid transferSyntax) => Header(old.DataSet, transferSyntax);

    private static byte[] Header(DataSet kept, Uid transferSyntax)
    {
        var elements = new SortedDictionary<Tag, (Vr Vr, ReadOnlyMemory<byte> Value)>();
        foreach (var element in kept)
            if (element.Tag.Group == 2 && !element.IsSequence && !element.IsBulk) elements.TryAdd(element.Tag, (element.Vr, element.Value));
        elements.Remove(Tags.FileMetaInformationGroupLength);
        elements[Tags.FileMetaInformationVersion] = (Vr.OB, new byte[] { 0, 1 });
        elements[Tags.TransferSyntaxUID] = (Vr.UI, Encoding.ASCII.GetBytes(transferSyntax.Value));
        elements[Tags.ImplementationClassUID] = (Vr.UI, Encoding.ASCII.GetBytes(ImplementationClass.Value));
        elements[Tags.ImplementationVersionName] = (Vr.SH, Encoding.ASCII.GetBytes(ImplementationVersionName));

        var group = new ArrayBufferWriter<byte>(512);
        var writer = new DataSetWriter(group, DicomEncoding.ExplicitLittleEndian);
        foreach (var (tag, (vr, value)) in elements) writer.Write(tag, vr, value.Span);

        var output = new ArrayBufferWriter<byte>(128 + 4 + 12 + group.WrittenCount);
        output.GetSpan(128)[..128].Clear();
        output.Advance(128);
        output.Write("DICM"u8);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)group.WrittenCount);
        new DataSetWriter(output, DicomEncoding.ExplicitLittleEndian).Write(Tags.FileMetaInformationGroupLength, Vr.UL, length);
        output.Write(group.WrittenSpan);
        return output.WrittenSpan.ToArray();
    }
}
