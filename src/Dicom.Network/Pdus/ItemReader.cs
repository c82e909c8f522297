using System.Buffers.Binary;
using System.Text;

namespace DicomServerless.Dicom.Network;

/// <summary>Walks over items of one type byte, a reserved byte and a length of 16 bits (PS3.8 9.3.2). Never reads past its span.</summary>
internal ref struct ItemReader(ReadOnlySpan<byte> items)
{
    private ReadOnlySpan<byte> rest = items;

    /// <summary>What is wrong; only after <see cref="TryNext"/> said no with bytes left.</summary>
    public PduError? Error { get; private set; }

    /// <summary>The next item; false at the end and on an error.</summary>
    public bool TryNext(out byte type, out ReadOnlySpan<byte> body)
    {
        type = 0;
        body = default;
        if (rest.IsEmpty) return false;
        if (rest.Length < 4) return Fail("Item header", rest.Length);
        type = rest[0];
        var length = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
        if (length > rest.Length - 4) return Fail($"Item-length of item {type:X2}H", length);
        body = rest.Slice(4, length);
        rest = rest[(4 + length)..];
        return true;
    }

    /// <summary>A UID without padding; empty when it is none, which no context and no SOP class ever matches.</summary>
    public static Uid ReadUid(ReadOnlySpan<byte> body) => Uid.TryParsePadded(body, out var uid) ? uid : default;

    /// <summary>An AE title: spaces around it are not significant (PS3.8 9.3.2); some writers pad with NUL.</summary>
    public static string ReadAeTitle(ReadOnlySpan<byte> field) => Encoding.Latin1.GetString(field.Trim(" \0"u8));

    /// <summary>A field of a 16-bit length and its bytes, as user information items have; false when it runs past the item.</summary>
    public static bool TryField(ref ReadOnlySpan<byte> body, out ReadOnlySpan<byte> field)
    {
        field = default;
        if (body.Length < 2) return false;
        var length = BinaryPrimitives.ReadUInt16BigEndian(body);
        if (length > body.Length - 2) return false;
        field = body.Slice(2, length);
        body = body[(2 + length)..];
        return true;
    }

    private bool Fail(string field, long value)
    {
        Error = new PduError(AbortReason.InvalidPduParameterValue, field, value);
        return false;
    }
}
