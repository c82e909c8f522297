using System.Text;
using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

public sealed class Gb18030Tests
{
    private static string Decode(string hex) =>
        SpecificCharacterSet.Parse("GB18030"u8).Decode(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)), Vr.LT);

    // GB18030-2005, each end of each byte's range.
    [Theory]
    [InlineData("21 7F", "!\u007F")]
    [InlineData("8140", "丂")]
    [InlineData("817E", "亊")]
    [InlineData("8180", "亐")]
    [InlineData("81FE", "侢")]
    [InlineData("A1A1", "\u3000")]
    [InlineData("B0A1", "啊")]
    [InlineData("FE50", "⺁")]
    [InlineData("FE80", "䜣")]
    [InlineData("FEFE", "\uE4C5")]
    [InlineData("81308130", "\u0080")]
    [InlineData("81308139", "\u0089")]
    [InlineData("8130FE39", "\u0609")]
    [InlineData("81318130", "\u060A")]
    [InlineData("8139FE39", "㒢")]
    [InlineData("82308130", "㒣")]
    [InlineData("84318236", "︐")]
    [InlineData("90308130", "\U00010000")]
    [InlineData("90308139", "\U00010009")]
    [InlineData("9031FE39", "\U000109D7")]
    [InlineData("9139FE39", "\U0001626F")]
    [InlineData("E3329A35", "\U0010FFFF")]
    public void One_two_and_four_bytes_are_read_up_to_the_ends_of_their_ranges(string hex, string expected) =>
        Assert.Equal($"a{expected}b", Decode($"61{hex}62"));

    [Theory]
    [InlineData("80", "\uFFFD")]
    [InlineData("80 41", "\uFFFDA")]
    [InlineData("FF", "\uFFFD")]
    [InlineData("FF 41", "\uFFFDA")]
    [InlineData("81 3F", "\uFFFD?")]
    [InlineData("81 7F", "\uFFFD\u007F")]
    [InlineData("81 FF", "\uFFFD\uFFFD")]
    // Four bytes without a code point: after U+FFFF, before U+10000, after U+10FFFF.
    [InlineData("8431A530", "\uFFFD")]
    [InlineData("8F39FE39", "\uFFFD")]
    [InlineData("E3329A36", "\uFFFD")]
    [InlineData("FE39FE39", "\uFFFD")]
    // One of the four is outside its range.
    [InlineData("812F 8130", "\uFFFD/\uFFFD0")]
    [InlineData("813A 8130", "\uFFFD:\uFFFD0")]
    [InlineData("817F 8130", "\uFFFD\u007F\uFFFD0")]
    [InlineData("8130 8030", "\uFFFD0\uFFFD0")]
    [InlineData("8130 FF30", "\uFFFD0\uFFFD0")]
    [InlineData("8130 812F", "\uFFFD0\uFFFD/")]
    [InlineData("8130 813A", "\uFFFD0\uFFFD:")]
    // Cut after one, two and three bytes.
    [InlineData("81", "\uFFFD")]
    [InlineData("8130", "\uFFFD0")]
    [InlineData("813081", "\uFFFD0\uFFFD")]
    public void Bytes_that_are_no_character_cost_only_themselves(string hex, string expected) => Assert.Equal($"a{expected}", Decode($"61{hex}"));

    [Fact]
    public void The_last_code_points_of_the_first_plane_are_read() => Assert.Equal("\uFFFC\uFFFD\uFFFE\uFFFF", Decode("8431A436 8431A437 8431A438 8431A439"));

    [Fact]
    public void A_declared_gb18030_is_believed_even_if_the_bytes_are_utf8() => Assert.Equal("茅", Decode(Convert.ToHexString("é"u8)));

    [Fact]
    public void Escape_means_nothing() => Assert.Equal("\u001B$B;3\u001B(B王", Decode("1B 24 42 3B 33 1B 28 42 CDF5"));

    [Fact]
    public void A_text_longer_than_the_stack_holds_is_read_whole()
    {
        foreach (var count in new[] { 127, 128, 129, 3_000 })
            Assert.Equal(new string('王', count), Decode(new StringBuilder().Insert(0, "CDF5", count).ToString()));
    }
}
