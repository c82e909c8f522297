using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

public sealed class DataSetTests
{
    // (0008,0005) CS "ISO_IR 100", (0008,1140) SQ of undefined length: an item of defined length with (0008,0005) "ISO_IR 192" and (0008,1155) UI "1.2",
    // an item of undefined length with (0020,0013) IS "7 "; then (0028,0010) US 512.
    private const string Golden =
        "08000500 4353 0A00 49534F5F495220313030" +
        "08004011 5351 0000 FFFFFFFF" +
        "FEFF00E0 1E000000  08000500 4353 0A00 49534F5F495220313932  08005511 5549 0400 312E3200" +
        "FEFF00E0 FFFFFFFF  20001300 4953 0200 3720  FEFF0DE0 00000000" +
        "FEFFDDE0 00000000" +
        "28001000 5553 0200 0002";

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    [Fact]
    public void Elements_items_and_numbers_are_read_where_they_stand()
    {
        Assert.True(DataSet.TryParse(Bytes(Golden), DicomEncoding.ExplicitLittleEndian, null, out var set, out var error), error?.Message);
        Assert.Equal(["00080005", "00081140", "00280010"], set.Select(e => e.Tag.ToString()));
        Assert.True(set.TryGet(Tags.Rows, out var rows));
        Assert.True(rows.TryGetUInt16(0, out var count));
        Assert.Equal(512, count);
        Assert.False(rows.TryGetUInt16(1, out _));
        Assert.True(set.TryGet(new Tag(0x00081140), out var sequence));
        Assert.True(sequence.IsSequence);
        var items = sequence.Items.ToList();
        Assert.Equal(2, items.Count);
        Assert.Equal("ISO_IR 192"u8, items[0].SpecificCharacterSet.Span);
        Assert.Equal("ISO_IR 100"u8, items[1].SpecificCharacterSet.Span);
        Assert.True(items[1].TryGet(new Tag(0x00200013), out var number));
        Assert.Equal("00081140/2/00200013", number.Path);
        Assert.Equal("7 "u8, number.Value.Span);
    }

    [Fact]
    public void A_cut_inside_an_element_names_the_element_and_its_offset()
    {
        var bytes = Bytes(Golden);
        Assert.False(DataSet.TryParse(bytes.AsSpan(0, 66), DicomEncoding.ExplicitLittleEndian, null, out _, out var error));
        Assert.Equal(DicomErrorKind.Truncated, error!.Kind);
        Assert.Equal(("(0008,1140)[1].(0008,1155)", 56L), (error.Path, error.Offset));
    }

    [Fact]
    public void A_private_element_finds_its_creator_in_the_same_data_set()
    {
        var builder = new DataSetBuilder();
        builder.Add(new Tag(0x00290010), Vr.LO, "ACME"u8);
        builder.Add(new Tag(0x00291001), Vr.UN, [1, 2]);
        var set = builder.Build();
        Assert.Equal("ACME"u8, set.PrivateCreatorOf(new Tag(0x00291001)).Span);
        Assert.True(set.PrivateCreatorOf(new Tag(0x00291101)).IsEmpty);
    }
}
