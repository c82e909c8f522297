using System.Buffers.Binary;
using System.Text;

namespace DicomServerless.Dicom.Network;

/// <summary>Reads the user information item (PS3.8 D.1, PS3.7 D.3.3). Sub-items of unknown types are ignored (PS3.7 D.3.3).</summary>
internal static class UserInformationReader
{
    public static UserInformation? Read(ReadOnlySpan<byte> item, PduLimits limits, out PduError error)
    {
        var user = new UserInformation();
        var roles = new List<RoleSelection>();
        var extended = new List<ExtendedNegotiation>();
        var common = new List<CommonExtendedNegotiation>();
        var parts = new ItemReader(item);
        for (var count = 1; parts.TryNext(out var type, out var part); count++)
        {
            if (count > limits.MaxUserItems) return Hostile("number of user information sub-items", count, out error);
            switch (type)
            {
                case ItemType.MaxLength when part.Length == 4:
                    user = user with { MaxPduLength = BinaryPrimitives.ReadUInt32BigEndian(part) };
                    break;
                case ItemType.ImplementationClass:
                    user = user with { ImplementationClass = ItemReader.ReadUid(part) };
                    break;
                case ItemType.ImplementationVersion:
                    user = user with { ImplementationVersion = Encoding.Latin1.GetString(part[..Math.Min(part.Length, 16)].Trim(" \0"u8)) };
                    break;
                case ItemType.AsynchronousOperations when part.Length == 4:
                    user = user with { AsynchronousOperations =
                        new(BinaryPrimitives.ReadUInt16BigEndian(part), BinaryPrimitives.ReadUInt16BigEndian(part[2..])) };
                    break;
                case ItemType.RoleSelection when ItemReader.TryField(ref part, out var sopClass) && part.Length >= 2:
                    roles.Add(new(ItemReader.ReadUid(sopClass), part[0] == 1, part[1] == 1));
                    break;
                case ItemType.ExtendedNegotiation when ItemReader.TryField(ref part, out var sopClass):
                    extended.Add(new(ItemReader.ReadUid(sopClass), part.ToArray()));
                    break;
                case ItemType.CommonExtendedNegotiation when ReadCommon(part, limits) is { } negotiation:
                    common.Add(negotiation);
                    break;
                case ItemType.UserIdentity when part.Length >= 2 && ReadIdentity(part) is { } identity:
                    user = user with { UserIdentity = identity };
                    break;
                case ItemType.UserIdentityResponse when ItemReader.TryField(ref part, out var response):
                    user = user with { UserIdentityResponse = response.ToArray() };
                    break;
                case >= ItemType.MaxLength and <= ItemType.UserIdentityResponse:
                    return Hostile($"user information sub-item {type:X2}H", part.Length, out error);
            }
        }
        error = parts.Error ?? default;
        return parts.Error is null ? user with { Roles = roles, ExtendedNegotiations = extended, CommonExtendedNegotiations = common } : null;
    }

    // PS3.7 D.3.3.6: SOP class, service class, related general SOP classes, each with its length.
    private static CommonExtendedNegotiation? ReadCommon(ReadOnlySpan<byte> part, PduLimits limits)
    {
        if (!ItemReader.TryField(ref part, out var sopClass) || !ItemReader.TryField(ref part, out var serviceClass)) return null;
        var related = new List<Uid>();
        if (part.IsEmpty) return new(ItemReader.ReadUid(sopClass), ItemReader.ReadUid(serviceClass), related);
        if (!ItemReader.TryField(ref part, out var list)) return null;
        while (!list.IsEmpty)
        {
            if (related.Count == limits.MaxUserItems || !ItemReader.TryField(ref list, out var general)) return null;
            related.Add(ItemReader.ReadUid(general));
        }
        return new(ItemReader.ReadUid(sopClass), ItemReader.ReadUid(serviceClass), related);
    }

    // PS3.7 D.3.3.7.1: type, whether an answer is wanted, two fields with their lengths.
    private static UserIdentity? ReadIdentity(ReadOnlySpan<byte> part)
    {
        var (type, answer) = ((UserIdentityType)part[0], part[1] == 1);
        part = part[2..];
        if (!ItemReader.TryField(ref part, out var primary)) return null;
        ItemReader.TryField(ref part, out var secondary);
        return new(type, answer, primary.ToArray(), secondary.ToArray());
    }

    private static UserInformation? Hostile(string field, long value, out PduError error)
    {
        error = new PduError(AbortReason.InvalidPduParameterValue, field, value);
        return null;
    }
}
