namespace DicomServerless.Dicom;

/// <summary>What one pass over the bytes of a Part 10 instance found.</summary>
public sealed class InstanceScan
{
    /// <summary>The file meta information.</summary>
    public required FileMeta FileMeta { get; init; }

    /// <summary>The transfer syntax of the data set: that of the file meta information, else a guess.</summary>
    public required TransferSyntax TransferSyntax { get; init; }

    /// <summary>How the headers are encoded in fact, which may differ from what the transfer syntax says.</summary>
    public required DicomEncoding Encoding { get; init; }

    /// <summary>The four UIDs; a missing or invalid one is empty.</summary>
    public required ScannedUids Uids { get; init; }

    /// <summary>Where the data set begins in the file. Bytes.</summary>
    public required long DataSetOffset { get; init; }

    /// <summary>The data set as stored, still deflated if it is. Bytes.</summary>
    public required long DataSetLength { get; init; }

    /// <summary>SHA-256 of the data set's bytes as stored; empty without <see cref="ScanOptions.ComputeHash"/>.</summary>
    public required byte[] DataSetHash { get; init; }

    /// <summary>
    /// SHA-256 of the first <see cref="ScanOptions.PrefixLength"/> bytes of the data set; null when not asked for or the data set is shorter.
    /// </summary>
    public required byte[]? PrefixHash { get; init; }

    /// <summary>The header: every element, large values noted only.</summary>
    public required DataSet DataSet { get; init; }

    /// <summary>The values that <see cref="DataSet"/> does not keep, in the order of the bytes.</summary>
    public required IReadOnlyList<BulkValue> BulkValues { get; init; }

    /// <summary>Where the frames of the top-level Pixel Data are; null where there is none.</summary>
    public required FrameTable? Frames { get; init; }

    /// <summary>What deviates from the standard.</summary>
    public required IReadOnlyList<DicomWarning> Warnings { get; init; }

    /// <summary>Whether the data set is deflated, so that offsets count inflated bytes and are no ranges of the file.</summary>
    public required bool IsDeflated { get; init; }
}
