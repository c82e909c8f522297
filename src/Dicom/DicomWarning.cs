namespace DicomServerless.Dicom;

/// <summary>What is wrong with an object that is accepted all the same.</summary>
public enum DicomWarningKind
{
    /// <summary>The 128 bytes of preamble are missing (PS3.10 7.1).</summary>
    NoPreamble,
    /// <summary>The file meta information is missing (PS3.10 7.1).</summary>
    NoFileMeta,
    /// <summary>(0002,0000) is missing or does not say where group 2 ends.</summary>
    FileMetaGroupLength,
    /// <summary>The file meta information names no valid transfer syntax; it was found by looking at the first element.</summary>
    TransferSyntaxGuessed,
    /// <summary>The data set is encoded with the other of implicit and explicit VR than the transfer syntax says.</summary>
    WrongVrEncoding,
    /// <summary>Single elements of an explicit VR data set are encoded with implicit VR.</summary>
    ImplicitElements,
    /// <summary>Elements have blanks or the like in place of their VR.</summary>
    PlaceholderVr,
    /// <summary>Encapsulated Pixel Data lacks the delimiter at its end (PS3.5 A.4); its fragments are complete.</summary>
    OpenPixelData,
    /// <summary>A delimiter without anything to close was skipped.</summary>
    StrayDelimiter,
    /// <summary>Bytes after the data set were ignored.</summary>
    TrailingBytes,
    /// <summary>A tag occurs twice in one data set or item; the first counts.</summary>
    DuplicateElement,
    /// <summary>The SOP Class or Instance UID of group 2 is not that of the data set.</summary>
    FileMetaMismatch,
    /// <summary>The Pixel Data length is not what rows, columns and frames need.</summary>
    PixelDataLength,
    /// <summary>An offset table does not fit the fragments and was ignored.</summary>
    OffsetTable,
    /// <summary>The fragments cannot be assigned to frames.</summary>
    FragmentsNotAssignable,
}

/// <summary>A deviation that does not stop an object from being stored. Holds no values.</summary>
/// <param name="Kind">What deviates.</param>
/// <param name="Path">The element, as in <see cref="DicomError.Path"/>; may be empty.</param>
/// <param name="Detail">A clause for a user.</param>
public sealed record DicomWarning(DicomWarningKind Kind, string Path, string Detail);
