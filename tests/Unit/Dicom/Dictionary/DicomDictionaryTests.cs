using System.Globalization;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Dicom;

public sealed class DicomDictionaryTests
{
    [Theory]
    [InlineData("00100010", Vr.PN)]
    [InlineData("00080005", Vr.CS)]
    [InlineData("7FE00010", Vr.OW)]
    [InlineData("60003000", Vr.OW)]
    [InlineData("601E3000", Vr.OW)]
    [InlineData("60020010", Vr.US)]
    [InlineData("50040030", Vr.SH)]
    [InlineData("00203104", Vr.CS)]
    [InlineData("00280106", Vr.US)]
    [InlineData("00283006", Vr.OW)]
    [InlineData("00080000", Vr.UL)]
    [InlineData("00090000", Vr.UL)]
    [InlineData("00090010", Vr.LO)]
    [InlineData("00091001", Vr.UN)]
    [InlineData("00090009", Vr.UN)]
    [InlineData("60013000", Vr.UN)]
    [InlineData("00089999", Vr.UN)]
    [InlineData("FFFEE000", Vr.None)]
    [InlineData("00000002", Vr.UI)]
    [InlineData("FFFFFFFF", Vr.UN)]
    [InlineData("00102162", Vr.UC)]
    [InlineData("0040B030", Vr.SQ)]
    [InlineData("00146020", Vr.UV)]
    [InlineData("300A0054", Vr.UI)]
    [InlineData("00000000", Vr.UL)]
    public void The_vr_of_a_tag_is_that_of_the_standard_or_the_rule_for_unknown_ones(string tag, Vr vr)
    {
        Assert.True(Tag.TryParse(tag, out var parsed));
        Assert.Equal(vr, DicomDictionary.VrOf(parsed));
    }

    [Fact]
    public void Every_line_of_the_table_is_found_by_tag_and_by_keyword_whatever_the_hint()
    {
        var random = new Random(1);
        var hint = 0;
        foreach (var line in File.ReadLines(Path.Combine(Repository.Root, "src/Dicom/Dictionary/attributes.tsv")).Skip(1))
        {
            var columns = line.Split('\t');
            var tag = new Tag(uint.Parse(columns[0].Replace('X', '2'), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
            var anyHint = random.Next(-5, 6000);
            Assert.True(DicomDictionary.TryFind(tag, out var entry), line);
            Assert.Equal((columns[1], columns[5], columns[3], columns[4] == "Y"), (entry.Keyword, entry.Name, entry.Vm, entry.IsRetired));
            Assert.Equal(entry.Vr, DicomDictionary.VrOf(tag, ref hint));
            Assert.Equal(entry.Vr, DicomDictionary.VrOf(tag, ref anyHint));
            if (columns[2] != "See") Assert.Contains(entry.Vr.Code(), columns[2].Split('|'));
            Assert.Equal(columns[2].Contains('|', StringComparison.Ordinal), entry.Vrs.IsAmbiguous);
            Assert.True(DicomDictionary.TryFindKeyword(columns[1], out var found), line);
            Assert.Equal(columns[0].Replace('X', '0'), found.ToString());
            Assert.True(DicomDictionary.TryFindKeyword(columns[1].ToUpperInvariant(), out found), line);
            Assert.Equal(columns[0].Replace('X', '0'), found.ToString());
        }
    }

    [Fact]
    public void Sign_decides_for_us_or_ss_only()
    {
        Assert.True(DicomDictionary.IsSignDependent(Tags.SmallestImagePixelValue));
        Assert.True(DicomDictionary.IsSignDependent(Tags.LUTDescriptor));
        Assert.False(DicomDictionary.IsSignDependent(Tags.Rows));
        Assert.False(DicomDictionary.IsSignDependent(Tags.LUTData));
        Assert.Equal(new VrChoice(Vr.OW, Vr.US, Vr.None), DicomDictionary.ChoiceOf(Tags.LUTData));
    }

    [Theory]
    [InlineData("")]
    [InlineData("PatientNam")]
    [InlineData("PatientNames")]
    [InlineData("Zzz")]
    [InlineData("PatientName\t")]
    [InlineData("PatientNamé")]
    [InlineData("\0")]
    public void What_is_no_keyword_is_not_found(string keyword) => Assert.False(DicomDictionary.TryFindKeyword(keyword, out _));

    [Fact]
    public void Generated_tags_are_the_standards()
    {
        Assert.Equal("00100010", Tags.PatientName.ToString());
        Assert.Equal("7FE00010", Tags.PixelData.ToString());
        Assert.Equal("00000800", Tags.CommandDataSetType.ToString());
    }

    [Fact]
    public void Uids_have_names_and_storage_classes_are_told_from_others()
    {
        Assert.Equal("CT Image Storage", UidNames.Find("1.2.840.10008.5.1.4.1.1.2"));
        Assert.Equal("CTImageStorage", UidNames.FindKeyword("1.2.840.10008.5.1.4.1.1.2"));
        Assert.Null(UidNames.Find("1.2.840.10008.5.1.4.1.1.2.99"));
        Assert.Null(UidNames.Find(""));
        Assert.True(UidNames.IsStorage("1.2.840.10008.5.1.4.1.1.2"));
        Assert.True(UidNames.IsStorage("1.2.840.10008.5.1.4.1.1.5"));
        Assert.True(UidNames.IsStorage("1.2.840.10008.5.1.4.38.1"));
        Assert.False(UidNames.IsStorage("1.2.840.10008.1.20.1"));
        Assert.False(UidNames.IsStorage("1.2.840.10008.1.1"));
        Assert.False(UidNames.IsStorage("1.2.840.10008.5.1.4.1.2.2.1"));
        Assert.False(UidNames.IsStorage("1.2.840.10008.5.1.4.1.1.201.2"));
        Assert.False(UidNames.IsStorage("1.2.840.10008.5.1.4.1.1.201.6"));
        Assert.InRange(UidNames.StorageSopClasses().Count(), 170, 230);
    }
}
