using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using DicomServerless.Dicom;

namespace DicomServerless.EdgeGateway.Commitment;

/// <summary>The data set of an N-EVENT-REPORT (PS3.4 J.3.3, table J.3-2).</summary>
internal static class CommitmentReport
{
    /// <summary>1 when everything was confirmed, 2 when something failed.</summary>
    public static ushort EventType(CommitmentRequest request) => (ushort)(request.Items.TrueForAll(item => item.IsConfirmed) ? 1 : 2);

    /// <summary>Writes it.</summary>
    public static byte[] Write(CommitmentRequest request, DicomEncoding encoding)
    {
        var output = new ArrayBufferWriter<byte>(4096);
        var writer = new DataSetWriter(output, encoding);
        writer.Write(Tags.TransactionUID, Vr.UI, Encoding.ASCII.GetBytes(request.Transaction));
        WriteItems(writer, Tags.FailedSOPSequence, request.Items.Where(item => !item.IsConfirmed));
        WriteItems(writer, Tags.ReferencedSOPSequence, request.Items.Where(item => item.IsConfirmed));
        return output.WrittenSpan.ToArray();
    }

    private static void WriteItems(DataSetWriter writer, Tag sequence, IEnumerable<CommitmentItem> items)
    {
        var isOpen = false;
        var reason = new byte[2];
        foreach (var item in items)
        {
            if (!isOpen) writer.BeginSequence(sequence);
            isOpen = true;
            writer.BeginItem();
            writer.Write(Tags.ReferencedSOPClassUID, Vr.UI, Encoding.ASCII.GetBytes(item.SopClass));
            writer.Write(Tags.ReferencedSOPInstanceUID, Vr.UI, Encoding.ASCII.GetBytes(item.Sop));
            if (item.Failure is { } failure)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(reason, failure);
                writer.Write(Tags.FailureReason, Vr.US, reason);
            }
            writer.EndItem();
        }
        if (isOpen) writer.EndSequence();
    }
}
