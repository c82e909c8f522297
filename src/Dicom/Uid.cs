namespace DicomServerless.Dicom;

/// <summary>
/// A unique identifier (PS3.5 9.1), validated: <c>[0-9]+(\.[0-9]+)*</c>, 1 to 64 characters. Leading zeros in a component are tolerated, because real
/// objects have them. Nothing else ever passes, so a Uid is safe in a path, a blob name and a table key.
/// </summary>
public readonly record struct Uid : IComparable<Uid>
{
    /// <summary>The longest UID, in characters (PS3.5 9.1).</summary>
    public const int MaxLength = 64;

    private readonly string? value;

    private Uid(string value) => this.value = value;

    /// <summary>The text. Empty only for the default value.</summary>
    public string Value => value ?? "";

    /// <summary>True for the default value, which is no UID.</summary>
    public bool IsEmpty => value is null;

    /// <summary>Reads a UID; no padding is tolerated here (see <see cref="TryParsePadded"/>).</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Uid uid)
    {
        uid = default;
        if (!IsValid(text)) return false;
        uid = new Uid(text.ToString());
        return true;
    }

    /// <summary>Reads a UID as it stands in a data set: trailing NULs (PS3.5 9.1) and, because writers do it, spaces on both sides are padding.</summary>
    public static bool TryParsePadded(ReadOnlySpan<byte> bytes, out Uid uid)
    {
        uid = default;
        bytes = bytes.Trim(" \0"u8);
        if (bytes.Length is 0 or > MaxLength) return false;
        Span<char> text = stackalloc char[bytes.Length];
        for (var i = 0; i < bytes.Length; i++) text[i] = (char)bytes[i];
        return TryParse(text, out uid);
    }

    /// <summary>Reads a UID that is known to be right, such as a constant.</summary>
    /// <exception cref="FormatException">The text is no UID.</exception>
    public static Uid Parse(string text) => TryParse(text, out var uid)
        ? uid : throw new FormatException("Not a UID: digits and dots, at most 64 characters (PS3.5 9.1).");

    /// <summary>Whether the text is a UID.</summary>
    public static bool IsValid(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > MaxLength) return false;
        var afterDot = true;
        foreach (var c in text)
        {
            if (c == '.')
            {
                if (afterDot) return false;
                afterDot = true;
            }
            else if (char.IsAsciiDigit(c)) afterDot = false;
            else return false;
        }
        return !afterDot;
    }

    /// <summary>Ordinal order of the text.</summary>
    public int CompareTo(Uid other) => string.CompareOrdinal(Value, other.Value);

    /// <summary>The text.</summary>
    public override string ToString() => Value;

    /// <summary>Ordinal order.</summary>
    public static bool operator <(Uid a, Uid b) => a.CompareTo(b) < 0;

    /// <summary>Ordinal order.</summary>
    public static bool operator >(Uid a, Uid b) => a.CompareTo(b) > 0;

    /// <summary>Ordinal order.</summary>
    public static bool operator <=(Uid a, Uid b) => a.CompareTo(b) <= 0;

    /// <summary>Ordinal order.</summary>
    public static bool operator >=(Uid a, Uid b) => a.CompareTo(b) >= 0;
}
