using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

public sealed class TransferSyntaxTests
{
    [Theory]
    //          uid                        explicit big    deflated encapsulated lossy  media type
    [InlineData("1.2.840.10008.1.2", false, false, false, false, false, "application/octet-stream")]
    [InlineData("1.2.840.10008.1.2.1", true, false, false, false, false, "application/octet-stream")]
    [InlineData("1.2.840.10008.1.2.1.98", true, false, false, true, false, "application/octet-stream")]
    [InlineData("1.2.840.10008.1.2.1.99", true, false, true, false, false, "application/octet-stream")]
    [InlineData("1.2.840.10008.1.2.2", true, true, false, false, false, "application/octet-stream")]
    [InlineData("1.2.840.10008.1.2.4.50", true, false, false, true, true, "image/jpeg")]
    [InlineData("1.2.840.10008.1.2.4.51", true, false, false, true, true, "image/jpeg")]
    [InlineData("1.2.840.10008.1.2.4.53", true, false, false, true, true, "image/jpeg")]
    [InlineData("1.2.840.10008.1.2.4.57", true, false, false, true, false, "image/jpeg")]
    [InlineData("1.2.840.10008.1.2.4.70", true, false, false, true, false, "image/jpeg")]
    [InlineData("1.2.840.10008.1.2.4.80", true, false, false, true, false, "image/jls")]
    [InlineData("1.2.840.10008.1.2.4.81", true, false, false, true, true, "image/jls")]
    [InlineData("1.2.840.10008.1.2.4.90", true, false, false, true, false, "image/jp2")]
    [InlineData("1.2.840.10008.1.2.4.91", true, false, false, true, null, "image/jp2")]
    [InlineData("1.2.840.10008.1.2.4.93", true, false, false, true, null, "image/jpx")]
    [InlineData("1.2.840.10008.1.2.4.95", true, false, true, false, null, "application/octet-stream")]
    [InlineData("1.2.840.10008.1.2.4.100", true, false, false, true, true, "video/mpeg")]
    [InlineData("1.2.840.10008.1.2.4.102.1", true, false, false, true, true, "video/mp4")]
    [InlineData("1.2.840.10008.1.2.4.107", true, false, false, true, true, "video/H265")]
    [InlineData("1.2.840.10008.1.2.4.110", true, false, false, true, false, "image/jxl")]
    [InlineData("1.2.840.10008.1.2.4.202", true, false, false, true, false, "image/jphc")]
    [InlineData("1.2.840.10008.1.2.5", true, false, false, true, false, "image/dicom-rle")]
    [InlineData("1.2.840.10008.1.20", false, false, false, false, false, "application/octet-stream")]
    [InlineData("1.2.840.113619.5.2", false, false, false, false, false, "application/octet-stream")]
    public void A_syntax_is_described_as_the_standard_has_it(string uid, bool isExplicit,
        bool big, bool deflated, bool encapsulated, bool? lossy, string mediaType)
    {
        var syntax = TransferSyntax.Find(uid);
        Assert.NotNull(syntax);
        Assert.Same(syntax, TransferSyntax.Find(Uid.Parse(uid)));
        Assert.Equal((isExplicit, big, deflated, encapsulated, lossy, mediaType),
            (syntax.IsExplicitVr, syntax.IsBigEndian, syntax.IsDeflated, syntax.IsEncapsulated, syntax.IsLossy, syntax.FrameMediaType));
        Assert.Equal(lossy != false, syntax.MayBeLossy);
    }

    [Fact]
    public void What_is_not_known_is_not_found_and_is_read_as_explicit_little_endian()
    {
        Assert.Null(TransferSyntax.Find("1.2.3"));
        var unknown = TransferSyntax.ForUnknown(Uid.Parse("1.2.3"));
        Assert.True(unknown is { IsExplicitVr: true, IsBigEndian: false, MayBeLossy: true });
        Assert.Same(TransferSyntax.JpegBaseline, TransferSyntax.ForUnknown(TransferSyntax.JpegBaseline.Uid));
    }

    [Fact]
    public void Only_two_syntaxes_have_big_endian_pixels() =>
        Assert.Equal(["1.2.840.10008.1.2.2", "1.2.840.113619.5.2"], TransferSyntax.All.Where(s => s.HasBigEndianPixels).Select(s => s.Uid.Value).Order());
}
