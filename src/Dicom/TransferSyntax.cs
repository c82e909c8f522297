namespace DicomServerless.Dicom;

/// <summary>A transfer syntax (PS3.5 10, PS3.6 A): how a data set and its pixels stand in bytes.</summary>
public sealed class TransferSyntax
{
    private static readonly Dictionary<string, TransferSyntax> Known = Build();

    private TransferSyntax(Uid uid, string name) => (Uid, Name) = (uid, name);

    /// <summary>Implicit VR Little Endian, the DIMSE default (PS3.5 10.1).</summary>
    public static TransferSyntax ImplicitVrLittleEndian { get; } = Require("1.2.840.10008.1.2");

    /// <summary>Explicit VR Little Endian, the DICOMweb default (PS3.18 8.7.3.3).</summary>
    public static TransferSyntax ExplicitVrLittleEndian { get; } = Require("1.2.840.10008.1.2.1");

    /// <summary>Deflated Explicit VR Little Endian (PS3.5 A.5).</summary>
    public static TransferSyntax DeflatedExplicitVrLittleEndian { get; } = Require("1.2.840.10008.1.2.1.99");

    /// <summary>Explicit VR Big Endian, retired, still found in archives.</summary>
    public static TransferSyntax ExplicitVrBigEndian { get; } = Require("1.2.840.10008.1.2.2");

    /// <summary>Encapsulated Uncompressed Explicit VR Little Endian (PS3.5 A.4.11).</summary>
    public static TransferSyntax EncapsulatedUncompressed { get; } = Require("1.2.840.10008.1.2.1.98");

    /// <summary>GE's private syntax: as Implicit VR Little Endian, but the words of Pixel Data are big endian.</summary>
    public static TransferSyntax GeImplicitVrBigEndianPixels { get; } = Require("1.2.840.113619.5.2");

    /// <summary>JPEG Baseline, 8 bits, lossy.</summary>
    public static TransferSyntax JpegBaseline { get; } = Require("1.2.840.10008.1.2.4.50");

    /// <summary>JPEG Extended, 12 bits, lossy.</summary>
    public static TransferSyntax JpegExtended { get; } = Require("1.2.840.10008.1.2.4.51");

    /// <summary>JPEG Lossless, process 14, any predictor.</summary>
    public static TransferSyntax JpegLossless { get; } = Require("1.2.840.10008.1.2.4.57");

    /// <summary>JPEG Lossless, process 14, first-order prediction.</summary>
    public static TransferSyntax JpegLosslessSv1 { get; } = Require("1.2.840.10008.1.2.4.70");

    /// <summary>JPEG-LS Lossless.</summary>
    public static TransferSyntax JpegLsLossless { get; } = Require("1.2.840.10008.1.2.4.80");

    /// <summary>JPEG-LS Near-Lossless.</summary>
    public static TransferSyntax JpegLsNearLossless { get; } = Require("1.2.840.10008.1.2.4.81");

    /// <summary>JPEG 2000, lossless only.</summary>
    public static TransferSyntax Jpeg2000Lossless { get; } = Require("1.2.840.10008.1.2.4.90");

    /// <summary>JPEG 2000, lossy or not.</summary>
    public static TransferSyntax Jpeg2000 { get; } = Require("1.2.840.10008.1.2.4.91");

    /// <summary>High-Throughput JPEG 2000, lossless only.</summary>
    public static TransferSyntax HtJpeg2000Lossless { get; } = Require("1.2.840.10008.1.2.4.201");

    /// <summary>High-Throughput JPEG 2000 with RPCL options, lossless only.</summary>
    public static TransferSyntax HtJpeg2000LosslessRpcl { get; } = Require("1.2.840.10008.1.2.4.202");

    /// <summary>High-Throughput JPEG 2000, lossy or not.</summary>
    public static TransferSyntax HtJpeg2000 { get; } = Require("1.2.840.10008.1.2.4.203");

    /// <summary>RLE Lossless.</summary>
    public static TransferSyntax RleLossless { get; } = Require("1.2.840.10008.1.2.5");

    /// <summary>Deflated Image Frame Compression (PS3.5 A.4.13).</summary>
    public static TransferSyntax DeflatedImageFrame { get; } = Require("1.2.840.10008.1.2.8.1");

    /// <summary>All that are known.</summary>
    public static IReadOnlyCollection<TransferSyntax> All => Known.Values;

    /// <summary>The UID.</summary>
    public Uid Uid { get; }

    /// <summary>The standard's name.</summary>
    public string Name { get; }

    /// <summary>Whether elements carry their VR.</summary>
    public bool IsExplicitVr { get; private init; } = true;

    /// <summary>Whether numbers are big endian.</summary>
    public bool IsBigEndian { get; private init; }

    /// <summary>Whether the words of native Pixel Data are big endian: in big endian, and in a private syntax that is otherwise little endian.</summary>
    public bool HasBigEndianPixels { get; private init; }

    /// <summary>Whether the bytes after group 0002 are deflated (PS3.5 A.5).</summary>
    public bool IsDeflated { get; private init; }

    /// <summary>Whether Pixel Data is encapsulated in fragments (PS3.5 A.4).</summary>
    public bool IsEncapsulated { get; private init; }

    /// <summary>Whether pixels have lost something; null where the syntax leaves that to the writer.</summary>
    public bool? IsLossy { get; private init; } = false;

    /// <summary>Whether pixels may have lost something, so that the syntax must not be chosen while another is offered.</summary>
    public bool MayBeLossy => IsLossy != false;

    /// <summary>Whether frames are one video stream (PS3.5 8.2.5 to 8.2.13).</summary>
    public bool IsVideo => FrameMediaType.StartsWith("video/", StringComparison.Ordinal);

    /// <summary>The media type of a frame as it is stored (PS3.18 8.7.3.3, table 8.7.3-5); application/octet-stream where there is no other.</summary>
    public string FrameMediaType { get; private init; } = OctetStream;

    private const string OctetStream = "application/octet-stream";

    /// <summary>Finds a transfer syntax; null when it is not known. Padding is not tolerated.</summary>
    public static TransferSyntax? Find(ReadOnlySpan<char> uid) => Known.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(uid, out var syntax)
        ? syntax : null;

    /// <summary>Finds a transfer syntax; null when it is not known.</summary>
    public static TransferSyntax? Find(Uid uid) => Known.GetValueOrDefault(uid.Value);

    /// <summary>
    /// What to read a data set with whose transfer syntax is not known: explicit VR little endian, as every encapsulated syntax is (PS3.5 A.4).
    /// </summary>
    public static TransferSyntax ForUnknown(Uid uid) => Find(uid)
        ?? new TransferSyntax(uid, "Unknown transfer syntax") { IsEncapsulated = true, IsLossy = null };

    /// <summary>The UID.</summary>
    public override string ToString() => Uid.Value;

    private static TransferSyntax Require(string uid) => Known[uid];

    private static Dictionary<string, TransferSyntax> Build()
    {
        var known = new Dictionary<string, TransferSyntax>(80, StringComparer.Ordinal);
        foreach (var (uid, _, name) in UidNames.TransferSyntaxes()) known.Add(uid, Describe(Uid.Parse(uid), name));
        var ge = Uid.Parse("1.2.840.113619.5.2");
        known.Add(ge.Value, new TransferSyntax(ge, "Implicit VR Little Endian with big endian pixels (GE private)")
            { IsExplicitVr = false, HasBigEndianPixels = true });
        return known;
    }

    private static TransferSyntax Describe(Uid uid, string name)
    {
        const string root = "1.2.840.10008.1.2";
        var arc = uid.Value.StartsWith(root + ".", StringComparison.Ordinal) ? uid.Value[(root.Length + 1)..] : uid.Value[root.Length..];
        return arc switch
        {
            "" => new(uid, name) { IsExplicitVr = false },
            "1" => new(uid, name),
            "1.98" => new(uid, name) { IsEncapsulated = true },
            "1.99" => new(uid, name) { IsDeflated = true },
            "2" => new(uid, name) { IsBigEndian = true, HasBigEndianPixels = true },
            "5" => Encapsulated("image/dicom-rle", lossy: false),
            "8.1" => Encapsulated(OctetStream, lossy: false),
            // JPEG processes 14 and 15, 28 and 29 are lossless; the others are not (PS3.5 8.2.1).
            "4.57" or "4.58" or "4.65" or "4.66" or "4.70" => Encapsulated("image/jpeg", lossy: false),
            "4.80" => Encapsulated("image/jls", lossy: false),
            "4.81" => Encapsulated("image/jls", lossy: true),
            "4.90" => Encapsulated("image/jp2", lossy: false),
            "4.91" => Encapsulated("image/jp2", lossy: null),
            "4.92" => Encapsulated("image/jpx", lossy: false),
            "4.93" => Encapsulated("image/jpx", lossy: null),
            "4.110" => Encapsulated("image/jxl", lossy: false),
            // A JPEG XL that came from a JPEG bit stream loses nothing more, but the JPEG did.
            "4.111" => Encapsulated("image/jxl", lossy: true),
            "4.112" => Encapsulated("image/jxl", lossy: null),
            "4.201" or "4.202" => Encapsulated("image/jphc", lossy: false),
            "4.203" => Encapsulated("image/jphc", lossy: null),
            // JPIP: the data set holds a reference (0028,7FE0) instead of pixels.
            "4.94" or "4.204" => new(uid, name) { IsLossy = null },
            "4.95" or "4.205" => new(uid, name) { IsLossy = null, IsDeflated = true },
            _ when arc.StartsWith("4.100", StringComparison.Ordinal)
                || arc.StartsWith("4.101", StringComparison.Ordinal) => Encapsulated("video/mpeg", lossy: true),
            _ when arc.StartsWith("4.107", StringComparison.Ordinal)
                || arc.StartsWith("4.108", StringComparison.Ordinal) => Encapsulated("video/H265", lossy: true),
            _ when arc.StartsWith("4.10", StringComparison.Ordinal) => Encapsulated("video/mp4", lossy: true),
            _ when arc.StartsWith("4.5", StringComparison.Ordinal)
                || arc.StartsWith("4.6", StringComparison.Ordinal) => Encapsulated("image/jpeg", lossy: true),
            // PS3.6: Papyrus 3, RFC 2557 and XML are retired, SMPTE ST 2110 is never stored (PS3.22).
            _ => new(uid, name) { IsExplicitVr = !name.Contains("Implicit", StringComparison.Ordinal) },
        };

        TransferSyntax Encapsulated(string mediaType, bool? lossy) => new(uid, name) { IsEncapsulated = true, FrameMediaType = mediaType, IsLossy = lossy };
    }
}
