namespace DicomServerless.Dicom;

/// <summary>A value that came apart from its metadata (PS3.18 8.6.1.2.2): one part of a store request.</summary>
/// <param name="MediaType">Its media type, lower case, without parameters.</param>
/// <param name="TransferSyntax">The <c>transfer-syntax</c> that it states; null for none.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Head">Its first bytes, eight or all of them.</param>
/// <param name="Open">Opens it.</param>
public sealed record BulkPart(string MediaType, Uid? TransferSyntax, long Length, ReadOnlyMemory<byte> Head, Func<Stream> Open)
{
    /// <summary>How many first bytes are kept.</summary>
    public const int HeadBytes = 8;

    /// <summary>
    /// Whether it is what stands between the header and the delimiter of encapsulated Pixel Data: items (PS3.5 A.4), the first of them the Basic Offset Table.
    /// </summary>
    internal bool IsItems => Head.Span.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF, 0x00, 0xE0]);

    /// <summary>
    /// The transfer syntax that a compressed part has: as stated, else its media type's default (PS3.18 table 8.7.3-5); null for what is not compressed.
    /// </summary>
    /// <param name="stated">What the metadata or the request state, for parts that do not.</param>
    internal TransferSyntax? CompressedSyntax(TransferSyntax? stated)
    {
        if (TransferSyntax is { } own) return Dicom.TransferSyntax.ForUnknown(own) is { IsEncapsulated: true } syntax ? syntax : null;
        if (stated is { IsEncapsulated: true } && (stated.FrameMediaType == MediaType || IsItems)) return stated;
        var uid = MediaType switch
        {
            "image/jpeg" or "image/jpg" => "1.2.840.10008.1.2.4.70",
            "image/dicom-rle" or "image/x-dicom-rle" => "1.2.840.10008.1.2.5",
            "image/jls" or "image/x-jls" => "1.2.840.10008.1.2.4.80",
            "image/jp2" or "image/j2c" => "1.2.840.10008.1.2.4.90",
            "image/jpx" => "1.2.840.10008.1.2.4.92",
            "image/jphc" or "image/jph" => "1.2.840.10008.1.2.4.201",
            "image/jxl" => "1.2.840.10008.1.2.4.110",
            "video/mpeg" or "video/mpeg2" => "1.2.840.10008.1.2.4.100",
            "video/mp4" => "1.2.840.10008.1.2.4.102",
            "video/h265" => "1.2.840.10008.1.2.4.107",
            _ => null,
        };
        return uid is null ? null : Dicom.TransferSyntax.Find(uid);
    }
}

/// <summary>A stretch of an assembled object: bytes of its header, or a part.</summary>
/// <param name="Bytes">The bytes; empty for a part.</param>
/// <param name="Part">The part; null for bytes.</param>
/// <param name="Offset">Where the stretch begins in the part.</param>
/// <param name="Length">Its bytes.</param>
public readonly record struct ObjectPiece(ReadOnlyMemory<byte> Bytes, BulkPart? Part, long Offset, long Length);
