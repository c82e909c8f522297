using System.Buffers.Binary;

namespace DicomServerless.Dicom.Network;

/// <summary>Reads the bodies of A-ASSOCIATE-RQ and -AC (PS3.8 9.3.2, 9.3.3). Null with an error for bytes that are hostile.</summary>
internal static class AssociateReader
{
    // Version, reserved, two AE titles of 16, 32 reserved: body bytes 0-67, PDU bytes 7-74.
    private const int FixedLength = 68;

    public static AssociateRequest? ReadRequest(ReadOnlySpan<byte> body, PduLimits limits, out PduError error)
    {
        var contexts = new List<ProposedContext>();
        var (applicationContext, user) = (default(Uid), new UserInformation());
        var items = new ItemReader(body[FixedLength..]);
        while (items.TryNext(out var type, out var item))
        {
            switch (type)
            {
                case ItemType.ApplicationContext:
                    applicationContext = ItemReader.ReadUid(item);
                    break;
                case ItemType.ProposedContext:
                    if (contexts.Count == PduLimits.MaxContexts)
                        return Hostile<AssociateRequest>("number of presentation contexts", contexts.Count + 1, out error);
                    if (ReadProposed(item, limits, out error) is not { } context) return null;
                    contexts.Add(context);
                    break;
                case ItemType.UserInformation:
                    if (UserInformationReader.Read(item, limits, out error) is not { } information) return null;
                    user = information;
                    break;
            }
            // Items of other types are ignored (PS3.8 9.3.1).
        }
        if (items.Error is { } wrong)
        {
            error = wrong;
            return null;
        }
        error = default;
        return new AssociateRequest
        {
            ProtocolVersion = BinaryPrimitives.ReadUInt16BigEndian(body),
            CalledAeTitle = ItemReader.ReadAeTitle(body.Slice(4, 16)),
            CallingAeTitle = ItemReader.ReadAeTitle(body.Slice(20, 16)),
            ApplicationContext = applicationContext,
            Contexts = contexts,
            User = user,
        };
    }

    public static AssociateAccept? ReadAccept(ReadOnlySpan<byte> body, PduLimits limits, out PduError error)
    {
        var contexts = new List<ContextResult>();
        var (applicationContext, user) = (default(Uid), new UserInformation());
        var items = new ItemReader(body[FixedLength..]);
        while (items.TryNext(out var type, out var item))
        {
            switch (type)
            {
                case ItemType.ApplicationContext:
                    applicationContext = ItemReader.ReadUid(item);
                    break;
                case ItemType.ContextResult:
                    if (contexts.Count == PduLimits.MaxContexts)
                        return Hostile<AssociateAccept>("number of presentation contexts", contexts.Count + 1, out error);
                    if (ReadResult(item, out error) is not { } context) return null;
                    contexts.Add(context);
                    break;
                case ItemType.UserInformation:
                    if (UserInformationReader.Read(item, limits, out error) is not { } information) return null;
                    user = information;
                    break;
            }
        }
        if (items.Error is { } wrong)
        {
            error = wrong;
            return null;
        }
        error = default;
        return new AssociateAccept
        {
            ProtocolVersion = BinaryPrimitives.ReadUInt16BigEndian(body),
            CalledAeTitle = ItemReader.ReadAeTitle(body.Slice(4, 16)),
            CallingAeTitle = ItemReader.ReadAeTitle(body.Slice(20, 16)),
            ApplicationContext = applicationContext,
            Contexts = contexts,
            User = user,
        };
    }

    // PS3.8 9.3.2.2: id, three reserved bytes, an abstract syntax, transfer syntaxes.
    private static ProposedContext? ReadProposed(ReadOnlySpan<byte> item, PduLimits limits, out PduError error)
    {
        if (item.Length < 4) return Hostile<ProposedContext>("Presentation context item-length", item.Length, out error);
        var id = item[0];
        if (id % 2 == 0) return Hostile<ProposedContext>("Presentation-context-ID", id, out error);
        var abstractSyntax = default(Uid);
        var transferSyntaxes = new List<Uid>();
        var parts = new ItemReader(item[4..]);
        while (parts.TryNext(out var type, out var part))
        {
            if (type == ItemType.AbstractSyntax) abstractSyntax = ItemReader.ReadUid(part);
            else if (type == ItemType.TransferSyntax)
            {
                if (transferSyntaxes.Count == limits.MaxTransferSyntaxes)
                    return Hostile<ProposedContext>("number of transfer syntaxes", transferSyntaxes.Count + 1, out error);
                transferSyntaxes.Add(ItemReader.ReadUid(part));
            }
        }
        error = parts.Error ?? default;
        return parts.Error is null ? new ProposedContext(id, abstractSyntax, transferSyntaxes) : null;
    }

    // PS3.8 9.3.3.2: id, reserved, result, reserved, one transfer syntax.
    private static ContextResult? ReadResult(ReadOnlySpan<byte> item, out PduError error)
    {
        if (item.Length < 4) return Hostile<ContextResult>("Presentation context item-length", item.Length, out error);
        var id = item[0];
        if (id % 2 == 0) return Hostile<ContextResult>("Presentation-context-ID", id, out error);
        var transferSyntax = default(Uid);
        var parts = new ItemReader(item[4..]);
        while (parts.TryNext(out var type, out var part))
            if (type == ItemType.TransferSyntax) transferSyntax = ItemReader.ReadUid(part);
        error = parts.Error ?? default;
        return parts.Error is null ? new ContextResult(id, (ContextReason)item[2], transferSyntax) : null;
    }

    private static T? Hostile<T>(string field, long value, out PduError error) where T : class
    {
        error = new PduError(AbortReason.InvalidPduParameterValue, field, value);
        return null;
    }
}
