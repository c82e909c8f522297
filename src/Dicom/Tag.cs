using System.Globalization;

namespace DicomServerless.Dicom;

/// <summary>A data element tag: group and element number (PS3.5 7.1). Ordered as in a data set.</summary>
/// <param name="Value">Group in the upper 16 bits, element in the lower.</param>
public readonly record struct Tag(uint Value) : IComparable<Tag>
{
    /// <summary>Makes a tag from its two numbers.</summary>
    public Tag(ushort group, ushort element) : this(((uint)group << 16) | element) { }

    /// <summary>The group number.</summary>
    public ushort Group => (ushort)(Value >> 16);

    /// <summary>The element number.</summary>
    public ushort Element => (ushort)Value;

    /// <summary>True for odd groups (PS3.5 7.8.1).</summary>
    public bool IsPrivate => (Value & 0x10000) != 0;

    /// <summary>True for (gggg,0010-00FF) of an odd group, which reserve a block of private elements (PS3.5 7.8.1).</summary>
    public bool IsPrivateCreator => IsPrivate && Element is >= 0x10 and <= 0xFF;

    /// <summary>True for (gggg,0000), the retired group length (PS3.5 7.2).</summary>
    public bool IsGroupLength => Element == 0;

    /// <inheritdoc />
    public int CompareTo(Tag other) => Value.CompareTo(other.Value);

    /// <summary>Reads eight hexadecimal digits of either case.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Tag tag)
    {
        tag = default;
        if (text.Length != 8 || !uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)) return false;
        tag = new Tag(value);
        return true;
    }

    /// <summary>Eight upper-case hexadecimal digits, as in DICOM JSON (PS3.18 F.2.2).</summary>
    public override string ToString() => Value.ToString("X8", CultureInfo.InvariantCulture);

    /// <summary>Whether a stands before b in a data set.</summary>
    public static bool operator <(Tag a, Tag b) => a.Value < b.Value;

    /// <summary>Whether a stands after b in a data set.</summary>
    public static bool operator >(Tag a, Tag b) => a.Value > b.Value;

    /// <summary>Whether a stands before b in a data set or is the same.</summary>
    public static bool operator <=(Tag a, Tag b) => a.Value <= b.Value;

    /// <summary>Whether a stands after b in a data set or is the same.</summary>
    public static bool operator >=(Tag a, Tag b) => a.Value >= b.Value;
}
