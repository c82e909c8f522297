using System.Globalization;

namespace DicomServerless.Dicom;

/// <summary>Why bytes are refused.</summary>
public enum DicomErrorKind
{
    /// <summary>Neither a preamble with DICM nor anything that begins like a data set.</summary>
    NotDicom,
    /// <summary>The bytes end inside an element's header or value.</summary>
    Truncated,
    /// <summary>A sequence, an item or encapsulated Pixel Data is not closed.</summary>
    Unclosed,
    /// <summary>A value, item or sequence runs past the end of what contains it.</summary>
    RunsPastEnd,
    /// <summary>Undefined length on a VR that cannot have it (PS3.5 7.1.1).</summary>
    UndefinedLength,
    /// <summary>An item tag where an element belongs, or the reverse.</summary>
    UnexpectedTag,
    /// <summary>A value that has to be kept is longer than allowed.</summary>
    ValueTooLong,
    /// <summary>Sequences nest deeper than allowed.</summary>
    TooDeep,
    /// <summary>More elements, items or fragments than allowed.</summary>
    TooManyElements,
    /// <summary>The header takes more memory than allowed.</summary>
    HeaderTooLarge,
    /// <summary>A deflated data set inflates to more than allowed.</summary>
    InflatesTooFar,
    /// <summary>A deflated data set is not a deflate stream (RFC 1951).</summary>
    BadDeflate,
    /// <summary>The transfer syntax cannot be converted.</summary>
    TransferSyntaxNotSupported,
}

/// <summary>What is wrong with an object and where. Holds no values, so it may be logged and sent to a client.</summary>
/// <param name="Kind">What is wrong.</param>
/// <param name="Path">The element, such as <c>(0008,1140)[2].(0008,1150)</c>; empty where there is none.</param>
/// <param name="Offset">The element's first byte, counted from the start of the input (for a deflated data set: of the inflated bytes).</param>
/// <param name="Detail">What is wrong, as a clause.</param>
public sealed record DicomError(DicomErrorKind Kind, string Path, long Offset, string Detail)
{
    /// <summary>A sentence for a user.</summary>
    public string Message => Path.Length == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{Detail} (at byte {Offset}).")
        : string.Create(CultureInfo.InvariantCulture, $"Element {Path} at byte {Offset}: {Detail}.");

    /// <inheritdoc />
    public override string ToString() => Message;

    /// <summary>A tag as in error paths and the standard's text: <c>(0008,1150)</c>.</summary>
    internal static string Format(Tag tag) => string.Create(CultureInfo.InvariantCulture, $"({tag.Group:X4},{tag.Element:X4})");
}
