namespace DicomServerless.Dicom;

/// <summary>What a <see cref="DicomTokenizer"/> found.</summary>
public enum TokenKind : byte
{
    /// <summary>The header of an element with a value; its bytes follow.</summary>
    Element,
    /// <summary>A sequence begins; items follow.</summary>
    SequenceStart,
    /// <summary>The sequence is complete.</summary>
    SequenceEnd,
    /// <summary>An item begins; elements follow.</summary>
    ItemStart,
    /// <summary>The item is complete.</summary>
    ItemEnd,
    /// <summary>Encapsulated data begins (PS3.5 A.4); fragments follow, the first is the Basic Offset Table.</summary>
    FragmentsStart,
    /// <summary>The header of a fragment; its bytes follow.</summary>
    Fragment,
    /// <summary>The encapsulated data is complete.</summary>
    FragmentsEnd,
}

/// <summary>The three results of reading a token, and a fourth for what follows the data set.</summary>
public enum TokenStatus : byte
{
    /// <summary>A token was read.</summary>
    Token,
    /// <summary>The input holds no complete header; nothing of it was consumed.</summary>
    NeedMore,
    /// <summary>The bytes are refused; see <see cref="TokenizerState.Error"/>.</summary>
    Hostile,
    /// <summary>What follows is not part of the data set (zeros, or rubbish after Pixel Data); nothing of it was consumed.</summary>
    Trailing,
}

/// <summary>One step through a data set.</summary>
public struct Token
{
    /// <summary>Length of values whose end is marked by a delimiter.</summary>
    public const long Undefined = -1;

    /// <summary>What was found.</summary>
    public TokenKind Kind { get; internal set; }
    /// <summary>True where the numbers of the value are big endian.</summary>
    public bool IsBigEndian { get; internal set; }
    /// <summary>True where the element carries no VR, so that <see cref="Vr"/> is the dictionary's.</summary>
    public bool IsImplicitVr { get; internal set; }
    /// <summary>The VR: the explicit one, or the dictionary's for implicit VR. SQ for every sequence.</summary>
    public Vr Vr { get; internal set; }
    /// <summary>The element's tag; for ends and items that of the sequence.</summary>
    public Tag Tag { get; internal set; }
    /// <summary>Bytes of the value, or <see cref="Undefined"/>.</summary>
    public long Length { get; internal set; }
    /// <summary>The first byte of the header, counted from the start of the data set.</summary>
    public long Offset { get; internal set; }
    /// <summary>The first byte of the value, counted from the start of the data set.</summary>
    public long ValueOffset { get; internal set; }
}
