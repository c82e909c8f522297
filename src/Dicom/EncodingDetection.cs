namespace DicomServerless.Dicom;

/// <summary>Whether a data set has explicit VRs, by its first element; transfer syntaxes lie.</summary>
internal static class EncodingDetection
{
    /// <summary>Bytes that must be there.</summary>
    public const int BytesNeeded = 8;

    /// <param name="first">The first bytes of the data set.</param>
    /// <param name="declared">What the transfer syntax says; null where there is none.</param>
    public static DicomEncoding Detect(ReadOnlySpan<byte> first, DicomEncoding? declared)
    {
        if (declared is { } known && (known & DicomEncoding.BigEndian) != 0) return known;
        // PS3.5 7.1.2: capital letters at bytes 4 and 5 are a VR; as an implicit length they would be 16 KiB or more for the first element.
        if (((Vr)((first[4] << 8) | first[5])).IsKnown()) return DicomEncoding.ExplicitLittleEndian;
        var letters = char.IsAsciiLetterUpper((char)first[4]) && char.IsAsciiLetterUpper((char)first[5]);
        return declared == DicomEncoding.ExplicitLittleEndian && letters ? DicomEncoding.ExplicitLittleEndian : DicomEncoding.ImplicitLittleEndian;
    }
}
