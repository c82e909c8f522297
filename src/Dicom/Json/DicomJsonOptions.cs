namespace DicomServerless.Dicom;

/// <summary>What a <see cref="DicomJsonWriter"/> needs to know besides the data.</summary>
public sealed class DicomJsonOptions
{
    /// <summary>No prefix: the URIs of bulk values are their paths.</summary>
    public static DicomJsonOptions Default { get; } = new();

    /// <summary>
    /// UTF-8 bytes that stand before the path in each BulkDataURI, such as <c>../bulkdata/</c>. Written as they are, not escaped, so that a marker can be
    /// replaced later in the written bytes.
    /// </summary>
    public ReadOnlyMemory<byte> BulkDataUriPrefix { get; init; }

    /// <summary>What to read texts without a known Specific Character Set with; null for UTF-8 or Latin 1, whichever they are.</summary>
    public SpecificCharacterSet? FallbackCharacterSet { get; init; }
}
