using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace DicomServerless.Dicom.Network;

/// <summary>Writes PDUs (PS3.8 9.3). A field that does not fit its length is an error, never cut.</summary>
public static class PduWriter
{
    /// <summary>Writes a PDU.</summary>
    /// <exception cref="ArgumentException">A field is longer than its length can say, or an AE title longer than 16 characters.</exception>
    public static void Write(Pdu pdu, IBufferWriter<byte> output)
    {
        var body = new ArrayBufferWriter<byte>();
        switch (pdu)
        {
            case AssociateRequest request:
                Begin(body, request.ProtocolVersion, request.CalledAeTitle, request.CallingAeTitle, request.ApplicationContext);
                foreach (var context in request.Contexts) Item(body, ItemType.ProposedContext, Proposed(context));
                Item(body, ItemType.UserInformation, UserInformationWriter.Write(request.User));
                break;
            case AssociateAccept accept:
                Begin(body, accept.ProtocolVersion, accept.CalledAeTitle, accept.CallingAeTitle, accept.ApplicationContext);
                foreach (var context in accept.Contexts) Item(body, ItemType.ContextResult, Result(context));
                Item(body, ItemType.UserInformation, UserInformationWriter.Write(accept.User));
                break;
            case AssociateReject reject:
                body.Write((ReadOnlySpan<byte>)[0, reject.Reason.Result, reject.Reason.Source, reject.Reason.Reason]);
                break;
            case DataTransfer data:
                foreach (var value in data.Values)
                {
                    var header = body.GetSpan(PduReader.ValueHeaderLength);
                    WriteValueHeader(header, new ValueHeader(value.ContextId, value.IsCommand, value.IsLast, (uint)value.Data.Length));
                    body.Advance(PduReader.ValueHeaderLength);
                    body.Write(value.Data.Span);
                }
                break;
            case ReleaseRequest or ReleaseResponse:
                body.Write((ReadOnlySpan<byte>)[0, 0, 0, 0]);
                break;
            case Abort abort:
                body.Write((ReadOnlySpan<byte>)[0, 0, (byte)abort.Source, (byte)abort.Reason]);
                break;
            default:
                throw new ArgumentException("Not a PDU of PS3.8.", nameof(pdu));
        }
        WriteHeader(output.GetSpan(PduReader.HeaderLength), pdu.Type, (uint)body.WrittenCount);
        output.Advance(PduReader.HeaderLength);
        output.Write(body.WrittenSpan);
    }

    /// <summary>Writes type, reserved byte and length.</summary>
    internal static void WriteHeader(Span<byte> target, PduType type, uint length)
    {
        target[0] = (byte)type;
        target[1] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(target[2..], length);
    }

    /// <summary>Writes the header of a presentation data value.</summary>
    internal static void WriteValueHeader(Span<byte> target, ValueHeader header)
    {
        BinaryPrimitives.WriteUInt32BigEndian(target, header.Length + 2);
        target[4] = header.ContextId;
        target[5] = (byte)((header.IsCommand ? 1 : 0) | (header.IsLast ? 2 : 0));
    }

    /// <summary>Writes an item of a type byte, a reserved byte, a length and its body.</summary>
    internal static void Item(IBufferWriter<byte> output, byte type, ReadOnlySpan<byte> body)
    {
        var header = output.GetSpan(4);
        (header[0], header[1]) = (type, 0);
        BinaryPrimitives.WriteUInt16BigEndian(header[2..], Length(body, $"item {type:X2}H"));
        output.Advance(4);
        output.Write(body);
    }

    /// <summary>Writes a 16-bit length and bytes.</summary>
    internal static void Field(IBufferWriter<byte> output, ReadOnlySpan<byte> field, string name)
    {
        BinaryPrimitives.WriteUInt16BigEndian(output.GetSpan(2), Length(field, name));
        output.Advance(2);
        output.Write(field);
    }

    internal static byte[] Bytes(Uid uid) => Encoding.ASCII.GetBytes(uid.Value);

    private static ushort Length(ReadOnlySpan<byte> bytes, string name) =>
        bytes.Length <= ushort.MaxValue ? (ushort)bytes.Length
            : throw new ArgumentException($"{name} has {bytes.Length} bytes; its length field ends at 65,535.", nameof(bytes));

    private static void Begin(ArrayBufferWriter<byte> body, ushort version, string called, string calling, Uid applicationContext)
    {
        // PS3.8 9.3.2 bytes 7-74: version, reserved, called and calling AE title, reserved.
        var field = body.GetSpan(68)[..68];
        field.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(field, version);
        AeTitle(called, field.Slice(4, 16));
        AeTitle(calling, field.Slice(20, 16));
        body.Advance(68);
        Item(body, ItemType.ApplicationContext, Bytes(applicationContext));
    }

    private static void AeTitle(string title, Span<byte> field)
    {
        if (title.Length > field.Length) throw new ArgumentException("An AE title has at most 16 characters (PS3.5 6.2).", nameof(title));
        field.Fill((byte)' ');
        Encoding.Latin1.GetBytes(title, field);
    }

    private static ReadOnlySpan<byte> Proposed(ProposedContext context)
    {
        var body = new ArrayBufferWriter<byte>();
        body.Write((ReadOnlySpan<byte>)[context.Id, 0, 0, 0]);
        Item(body, ItemType.AbstractSyntax, Bytes(context.AbstractSyntax));
        foreach (var syntax in context.TransferSyntaxes) Item(body, ItemType.TransferSyntax, Bytes(syntax));
        return body.WrittenSpan;
    }

    private static ReadOnlySpan<byte> Result(ContextResult context)
    {
        var body = new ArrayBufferWriter<byte>();
        body.Write((ReadOnlySpan<byte>)[context.Id, 0, (byte)context.Result, 0]);
        Item(body, ItemType.TransferSyntax, Bytes(context.TransferSyntax));
        return body.WrittenSpan;
    }
}
