using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace DicomServerless.Dicom.Network;

/// <summary>Writes the user information item (PS3.8 D.1, PS3.7 D.3.3).</summary>
internal static class UserInformationWriter
{
    public static ReadOnlySpan<byte> Write(UserInformation user)
    {
        var body = new ArrayBufferWriter<byte>();
        Span<byte> number = stackalloc byte[4];
        if (user.MaxPduLength is { } max)
        {
            BinaryPrimitives.WriteUInt32BigEndian(number, max);
            PduWriter.Item(body, ItemType.MaxLength, number);
        }
        if (!user.ImplementationClass.IsEmpty) PduWriter.Item(body, ItemType.ImplementationClass, PduWriter.Bytes(user.ImplementationClass));
        if (user.AsynchronousOperations is { } window)
        {
            BinaryPrimitives.WriteUInt16BigEndian(number, window.Invoked);
            BinaryPrimitives.WriteUInt16BigEndian(number[2..], window.Performed);
            PduWriter.Item(body, ItemType.AsynchronousOperations, number);
        }
        foreach (var role in user.Roles) PduWriter.Item(body, ItemType.RoleSelection, Role(role));
        if (user.ImplementationVersion is { } version) PduWriter.Item(body, ItemType.ImplementationVersion, Encoding.Latin1.GetBytes(version));
        foreach (var extended in user.ExtendedNegotiations) PduWriter.Item(body, ItemType.ExtendedNegotiation, Extended(extended));
        foreach (var common in user.CommonExtendedNegotiations)
        {
            // PS3.7 D.3.3.6: the second byte of this item is its version, 0.
            PduWriter.Item(body, ItemType.CommonExtendedNegotiation, Common(common));
        }
        if (user.UserIdentity is { } identity) PduWriter.Item(body, ItemType.UserIdentity, Identity(identity));
        if (user.UserIdentityResponse is { } response)
        {
            var field = new ArrayBufferWriter<byte>();
            PduWriter.Field(field, response.Span, "Server-response");
            PduWriter.Item(body, ItemType.UserIdentityResponse, field.WrittenSpan);
        }
        return body.WrittenSpan;
    }

    private static ReadOnlySpan<byte> Role(RoleSelection role)
    {
        var body = new ArrayBufferWriter<byte>();
        PduWriter.Field(body, PduWriter.Bytes(role.SopClass), "SOP-class-uid");
        body.Write((ReadOnlySpan<byte>)[role.Scu ? (byte)1 : (byte)0, role.Scp ? (byte)1 : (byte)0]);
        return body.WrittenSpan;
    }

    private static ReadOnlySpan<byte> Extended(ExtendedNegotiation extended)
    {
        var body = new ArrayBufferWriter<byte>();
        PduWriter.Field(body, PduWriter.Bytes(extended.SopClass), "SOP-class-uid");
        body.Write(extended.Information.Span);
        return body.WrittenSpan;
    }

    private static ReadOnlySpan<byte> Common(CommonExtendedNegotiation common)
    {
        var body = new ArrayBufferWriter<byte>();
        PduWriter.Field(body, PduWriter.Bytes(common.SopClass), "SOP-class-uid");
        PduWriter.Field(body, PduWriter.Bytes(common.ServiceClass), "Service-class-uid");
        var related = new ArrayBufferWriter<byte>();
        foreach (var general in common.RelatedGeneralSopClasses) PduWriter.Field(related, PduWriter.Bytes(general), "Related-general-sop-class-uid");
        PduWriter.Field(body, related.WrittenSpan, "Related-general-sop-class-identification");
        return body.WrittenSpan;
    }

    private static ReadOnlySpan<byte> Identity(UserIdentity identity)
    {
        var body = new ArrayBufferWriter<byte>();
        body.Write((ReadOnlySpan<byte>)[(byte)identity.Type, identity.PositiveResponseRequested ? (byte)1 : (byte)0]);
        PduWriter.Field(body, identity.Primary.Span, "Primary-field");
        PduWriter.Field(body, identity.Secondary.Span, "Secondary-field");
        return body.WrittenSpan;
    }
}
