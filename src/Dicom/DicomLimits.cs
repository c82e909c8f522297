namespace DicomServerless.Dicom;

/// <summary>
/// Caps on what one object may make us hold or do. Every parser takes them; exceeding one refuses the object with an error that names the element.
/// </summary>
public sealed class DicomLimits
{
    /// <summary>The defaults.</summary>
    public static DicomLimits Default { get; } = new();

    /// <summary>The longest value that has to be kept in memory because its VR may not be bulk data, such as LO or UI. Bytes. Default 1,048,576.</summary>
    public int MaxElementLength { get; set; } = 1 << 20;

    /// <summary>How deep sequences may nest. Default 128 (real objects stay below 20; DCMTK's own default is unlimited).</summary>
    public int MaxDepth { get; set; } = 128;

    /// <summary>Elements, items and fragments together. Default 4,000,000.</summary>
    public int MaxElements { get; set; } = 4_000_000;

    /// <summary>What a parsed header may take in memory, values and index together. Bytes. Default 67,108,864.</summary>
    public long MaxHeaderBytes { get; set; } = 64L << 20;

    /// <summary>What a deflated data set may inflate to. Bytes. Default 4,294,967,296.</summary>
    public long MaxInflatedBytes { get; set; } = 4L << 30;

    /// <summary>
    /// How many times its stored size, counted in steps of 64 KiB, a deflated data set may inflate to. Default 500. Deflate ends at about 1,032, which only
    /// constant data reaches; since the first step allows 32 MiB, an empty segmentation passes.
    /// </summary>
    public int MaxInflateRatio { get; set; } = 500;

    /// <summary>Fragments of encapsulated Pixel Data. Default 1,000,000.</summary>
    public int MaxFragments { get; set; } = 1_000_000;
}
