using System.Buffers;
using System.Text;
using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

/// <summary>Every value representation against bytes written by hand from PS3.5 tables 7.1-1, 7.1-2 and 6.2-1, in reading and in writing.</summary>
public sealed class VrTests
{
    private const string ShortLength = "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US";
    private const string LongLength = "OB OD OF OL OV OW SV UC UN UR UT UV";

    public static TheoryData<string, bool, int> All()
    {
        var data = new TheoryData<string, bool, int>();
        foreach (var vr in ShortLength.Split(' ')) data.Add(vr, false, Width(vr));
        foreach (var vr in LongLength.Split(' ')) data.Add(vr, true, Width(vr));
        return data;
    }

    // What PS3.5 7.3 turns around together in big endian.
    private static int Width(string vr) => vr switch
    {
        "AT" or "OW" or "SS" or "US" => 2,
        "FL" or "OF" or "OL" or "SL" or "UL" => 4,
        "FD" or "OD" or "OV" or "SV" or "UV" => 8,
        _ => 1,
    };

    [Fact]
    public void There_are_34()
    {
        var known = Enum.GetValues<Vr>().Where(vr => vr != Vr.None).Select(vr => vr.Code()).Order(StringComparer.Ordinal);
        Assert.Equal($"{ShortLength} {LongLength} SQ".Split(' ').Order(StringComparer.Ordinal), known);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_header_has_the_length_of_its_form_and_the_value_its_width(string vr, bool isLong, int width)
    {
        byte[] value = [1, 2, 3, 4, 5, 6, 7, 8];
        foreach (var encoding in new[] { DicomEncoding.ExplicitLittleEndian, DicomEncoding.ExplicitBigEndian })
        {
            var big = encoding == DicomEncoding.ExplicitBigEndian;
            byte[] tag = big ? [0x00, 0x09, 0x10, 0x01] : [0x09, 0x00, 0x01, 0x10];
            byte[] length = (big, isLong) switch
            {
                (false, false) => [8, 0],
                (false, true) => [0, 0, 8, 0, 0, 0],
                (true, false) => [0, 8],
                (true, true) => [0, 0, 0, 0, 0, 8],
            };
            byte[] element = [.. tag, .. Encoding.ASCII.GetBytes(vr), .. length, .. value];

            var tokenizer = new DicomTokenizer(element, new TokenizerState(encoding));
            Assert.Equal(TokenStatus.Token, tokenizer.Read(out var token));
            Assert.Equal((TokenKind.Element, new Tag(0x00091001), vr, 8L, (long)(element.Length - 8)),
                (token.Kind, token.Tag, token.Vr.Code(), token.Length, token.ValueOffset));

            // Written from a little endian value, and compared with the bytes by hand: words of its width are turned around for big endian.
            var output = new ArrayBufferWriter<byte>();
            new DataSetWriter(output, encoding).Write(new Tag(0x00091001), token.Vr, value);
            var turned = big && vr != "UN" ? value.Chunk(width).SelectMany(word => word.Reverse()).ToArray() : value;
            Assert.Equal(Convert.ToHexString([.. element[..^8], .. turned]), Convert.ToHexString(output.WrittenSpan));
            Assert.Equal(width, token.Vr.WordSize());
            Assert.Equal(isLong, token.Vr.HasLongLength());
        }
    }

    [Theory]
    [InlineData(DicomEncoding.ExplicitLittleEndian, "09000110 5351 0000 00000000")]
    [InlineData(DicomEncoding.ExplicitBigEndian, "00091001 5351 0000 00000000")]
    public void A_sequence_has_a_long_length(DicomEncoding encoding, string hex)
    {
        var tokenizer = new DicomTokenizer(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), new TokenizerState(encoding));
        Assert.Equal(TokenStatus.Token, tokenizer.Read(out var token));
        Assert.Equal((TokenKind.SequenceStart, 0L, 12), (token.Kind, token.Length, tokenizer.Consumed));
    }
}
