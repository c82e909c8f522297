using System.Buffers.Binary;

namespace DicomServerless.Dicom.Network;

/// <summary>Reads PDUs from bytes (PS3.8 9.3). Pure: no I/O, nothing is consumed until a PDU is whole.</summary>
public static class PduReader
{
    /// <summary>Type, a reserved byte and the length of what follows.</summary>
    public const int HeaderLength = 6;

    /// <summary>Length, context id and message control header of a presentation data value (PS3.8 9.3.5.1, E.2).</summary>
    public const int ValueHeaderLength = 6;

    /// <summary>Reads a header and judges it: the type must exist, the length must be one that such a PDU may have.</summary>
    public static PduStatus TryReadHeader(ReadOnlySpan<byte> input, PduLimits limits, out PduType type, out uint length, out PduError error)
    {
        (type, length, error) = (0, 0, default);
        if (input.IsEmpty) return PduStatus.NeedMore;
        type = (PduType)input[0];
        if (type is < PduType.AssociateRequest or > PduType.Abort) return Fail(AbortReason.UnrecognizedPdu, "PDU-type", input[0], out error);
        if (input.Length < HeaderLength) return PduStatus.NeedMore;
        length = BinaryPrimitives.ReadUInt32BigEndian(input[2..]);
        var allowed = type switch
        {
            PduType.AssociateRequest or PduType.AssociateAccept => length >= 68 && length <= limits.MaxAssociateLength,
            // The smallest value: its header and no byte.
            PduType.DataTransfer => length >= ValueHeaderLength && length <= limits.MaxDataLength,
            _ => length == 4,
        };
        return allowed ? PduStatus.Done : Fail(AbortReason.InvalidPduParameterValue, "PDU-length", length, out error);
    }

    /// <summary>Reads a whole PDU from the beginning of the input.</summary>
    public static PduStatus TryRead(ReadOnlySpan<byte> input, PduLimits limits, out Pdu? pdu, out int consumed, out PduError error)
    {
        (pdu, consumed) = (null, 0);
        var status = TryReadHeader(input, limits, out var type, out var length, out error);
        if (status != PduStatus.Done) return status;
        if (input.Length - HeaderLength < length) return PduStatus.NeedMore;
        status = TryReadBody(type, input.Slice(HeaderLength, (int)length), limits, out pdu, out error);
        if (status == PduStatus.Done) consumed = HeaderLength + (int)length;
        return status;
    }

    /// <summary>Reads what follows a header.</summary>
    internal static PduStatus TryReadBody(PduType type, ReadOnlySpan<byte> body, PduLimits limits, out Pdu? pdu, out PduError error)
    {
        error = default;
        pdu = type switch
        {
            PduType.AssociateRequest => AssociateReader.ReadRequest(body, limits, out error),
            PduType.AssociateAccept => AssociateReader.ReadAccept(body, limits, out error),
            // PS3.8 9.3.4 bytes 8-10: result, source, reason.
            PduType.AssociateReject => new AssociateReject(new RejectReason(body[1], body[2], body[3])),
            PduType.DataTransfer => ReadValues(body, out error),
            PduType.ReleaseRequest => new ReleaseRequest(),
            PduType.ReleaseResponse => new ReleaseResponse(),
            // PS3.8 9.3.8 bytes 9-10: source, reason.
            _ => new Abort((AbortSource)body[2], (AbortReason)body[3]),
        };
        return pdu is null ? PduStatus.Hostile : PduStatus.Done;
    }

    /// <summary>Reads the header of a presentation data value; <paramref name="available"/> is what is left of the PDU, this header included.</summary>
    internal static PduStatus TryReadValueHeader(ReadOnlySpan<byte> input, long available, out ValueHeader header, out PduError error)
    {
        (header, error) = (default, default);
        if (available < ValueHeaderLength) return Fail(AbortReason.InvalidPduParameterValue, "Presentation-data-value item", available, out error);
        if (input.Length < ValueHeaderLength) return PduStatus.NeedMore;
        var length = BinaryPrimitives.ReadUInt32BigEndian(input);
        // The length counts the context id and the message control header too (PS3.8 9.3.5.1).
        if (length < 2 || length > available - 4) return Fail(AbortReason.InvalidPduParameterValue, "Presentation-data-value item-length", length, out error);
        header = new ValueHeader(input[4], (input[5] & 1) != 0, (input[5] & 2) != 0, length - 2);
        return PduStatus.Done;
    }

    private static DataTransfer? ReadValues(ReadOnlySpan<byte> body, out PduError error)
    {
        error = default;
        var values = new List<PresentationDataValue>();
        while (!body.IsEmpty)
        {
            if (TryReadValueHeader(body, body.Length, out var header, out error) != PduStatus.Done) return null;
            values.Add(new(header.ContextId, header.IsCommand, header.IsLast, body.Slice(ValueHeaderLength, (int)header.Length).ToArray()));
            body = body[(ValueHeaderLength + (int)header.Length)..];
        }
        return new DataTransfer(values);
    }

    private static PduStatus Fail(AbortReason reason, string field, long value, out PduError error)
    {
        error = new PduError(reason, field, value);
        return PduStatus.Hostile;
    }
}

/// <summary>The header of a presentation data value; the length is that of the fragment.</summary>
internal readonly record struct ValueHeader(byte ContextId, bool IsCommand, bool IsLast, uint Length);
