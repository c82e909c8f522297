namespace DicomServerless.Dicom;

/// <summary>What a scan keeps, hashes and tolerates.</summary>
public sealed class ScanOptions
{
    /// <summary>The caps.</summary>
    public DicomLimits Limits { get; set; } = DicomLimits.Default;

    /// <summary>Values of bulk-permitted VRs longer than this are noted, not kept. Bytes. Default 1,024. Pixel Data is never kept.</summary>
    public int BulkThreshold { get; set; } = 1024;

    /// <summary>When set, the SHA-256 of this many first bytes of the data set is computed too, if it has as many. Bytes. Default none.</summary>
    public long? PrefixLength { get; set; }

    /// <summary>
    /// Whether the SHA-256 of the data set is computed. Default true. A receiver that has a checksum of its own saves half of its processor time without.
    /// </summary>
    public bool ComputeHash { get; set; } = true;
}
