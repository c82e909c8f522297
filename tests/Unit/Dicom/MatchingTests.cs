using System.Text.Json;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Matching;

namespace DicomServerless.Unit.Dicom;

/// <summary>Keys against attributes (PS3.4 C.2.2.2), one object at a time.</summary>
public sealed class MatchingTests
{
    private const string Study =
        """
        {"00080020":{"vr":"DA","Value":["20240101"]},"00080030":{"vr":"TM","Value":["003000"]},"00080050":{"vr":"SH"},"00080201":{"vr":"SH","Value":["+0100"]},
         "0008002A":{"vr":"DT","Value":["20240101003000+0200"]},"00080008":{"vr":"CS","Value":["ORIGINAL","PRIMARY","AXIAL"]},"00080061":{"vr":"CS",
         "Value":["CT","MR"]},
         "00081030":{"vr":"LO","Value":["CT, chest"]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"Müller^Jürgen","Ideographic":"山田^太郎"}]},
         "00081060":{"vr":"PN","Value":[{"Alphabetic":"^^^^"}]},"00100030":{"vr":"DA","Value":["19700101"]},
         "00200013":{"vr":"IS","Value":[7]},"00280030":{"vr":"DS","Value":["0.50"]},"00400244":{"vr":"DA","Value":["20240110"]},
         "00400245":{"vr":"TM","Value":["1200"]},
         "00230010":{"vr":"LO","Value":["OTHER"]},"00230011":{"vr":"LO","Value":["ACME"]},"00231001":{"vr":"LO","Value":["Right"]},
         "00231101":{"vr":"LO","Value":["Left"]},"00231102":{"vr":"IS","Value":[5]},
         "00400275":{"vr":"SQ","Value":[{"00400009":{"vr":"SH","Value":["SPS1"]}},{"00400009":{"vr":"SH"}}]}}
        """;

    [Theory]
    [InlineData("ModalitiesInStudy", "CT,PT", true)]
    [InlineData("ModalitiesInStudy", "PT\\MR", true)]
    [InlineData("ModalitiesInStudy", "PT", false)]
    [InlineData("ModalitiesInStudy", "C?", true)]
    [InlineData("StudyDescription", "CT, chest", true)] // a comma is a character of LO
    [InlineData("StudyDescription", "CT*", true)]
    [InlineData("StudyDescription", "ct*", false)]
    [InlineData("StudyDescription", "*,*t", true)]
    [InlineData("PatientName", "muller^jurgen", true)]
    [InlineData("PatientName", "MÜLLER*", true)]
    [InlineData("PatientName", "山田*", true)]
    [InlineData("PatientName", "Müller", false)]
    [InlineData("InstanceNumber", "007", true)]
    [InlineData("InstanceNumber", "6,7", true)]
    [InlineData("PixelSpacing", "0.5", true)]
    [InlineData("RequestAttributesSequence.00400009", "SPS*", true)]
    [InlineData("00400275.ScheduledProcedureStepID", "SPS2", false)]
    [InlineData("StudyDate", "20240101", true)]
    [InlineData("StudyDate", "-20231231", false)]
    [InlineData("StudyTime", "00-01", true)]
    [InlineData("StudyDate", "*", true)]
    [InlineData("AccessionNumber", "*", true)]
    [InlineData("AccessionNumber", "\"\"", false)] // literal without emptyvaluematching
    [InlineData("StudyInstanceUID", "*", true)]
    public void Keys_match_as_the_standard_says(string key, string value, bool isMatch) => Assert.Equal(isMatch, Matches(key, value, default));

    [Theory]
    [InlineData("+0100", "StudyDate", "20240101", true)]
    [InlineData("+0000", "StudyDate", "20240101", false)] // half past midnight at +0100 is the day before in UTC
    [InlineData("+0000", "StudyDate", "20231231", true)]
    [InlineData("+0000", "StudyTime", "2330", true)]
    [InlineData("-0030", "StudyTime", "2300", true)]
    [InlineData("+0000", "PatientBirthDate", "19700101", true)] // no zone applies to it
    [InlineData("+0000", "AcquisitionDateTime", "202312312230", true)] // its own offset comes first
    public void The_zone_of_the_query_is_reckoned_with(string zone, string key, string value, bool isMatch)
    {
        Assert.True(DateTimeRange.TryZone(zone, out var offset));
        Assert.Equal(isMatch, Matches(key, value, new MatchOptions(Zone: offset)));
    }

    [Theory]
    [InlineData("20240101003000+0200", true)]
    [InlineData("20231231223000+0000", true)]
    [InlineData("20231231173000-0500-20231231173000-0500", true)]
    [InlineData("20231231173001-0500-", false)]
    [InlineData("-20231231173000-0500", true)]
    [InlineData("2023-2024", true)]
    [InlineData("-2023", false)]
    public void A_negative_offset_is_no_range(string value, bool isMatch) => Assert.Equal(isMatch, Matches("AcquisitionDateTime", value, default));

    [Theory]
    [InlineData("20240109-20240110", "1300-1100", false)] // from 13:00 of the 9th to 11:00 of the 10th
    [InlineData("20240109-20240110", "1300-1300", true)]
    [InlineData("20240110-", "1201-", false)]
    [InlineData("-20240110", "-1159", false)]
    [InlineData("20240110", "1100-1300", true)]
    public void Ranges_of_a_date_and_its_time_are_one_interval(string date, string time, bool isMatch)
    {
        var keys = DateTimeRange.Combine([Key("PerformedProcedureStepStartDate", date, default), Key("PerformedProcedureStepStartTime", time, default)]);
        Assert.Equal(date.Contains('-', StringComparison.Ordinal) ? 1 : 2, keys.Count);
        Assert.Equal(isMatch, keys.All(key => key.Matches(Object(), false)));
    }

    [Theory]
    [InlineData("AccessionNumber", true)]
    [InlineData("StudyID", true)]
    [InlineData("StudyDescription", false)]
    [InlineData("StudyDate", false)]
    [InlineData("RequestAttributesSequence.ScheduledProcedureStepID", true)]
    [InlineData("PatientName", false)]
    [InlineData("NameOfPhysiciansReadingStudy", true)] // delimiters alone
    [InlineData("RequestAttributesSequence", false)]
    public void Two_quotation_marks_ask_for_what_is_empty_or_absent(string key, bool isMatch)
    {
        Assert.Equal(isMatch, Matches(key, "\"\"", new MatchOptions(EmptyValues: true)));
        Assert.True(Matches(key, "", new MatchOptions(EmptyValues: true))); // universal all the same (C.2.2.2.3)
    }

    [Theory]
    [InlineData("ImageType", "AXIAL\\ORIGINAL", true)]
    [InlineData("ImageType", "AXIAL\\DERIVED", false)]
    [InlineData("ImageType", "AXIAL,DERIVED", true)]
    [InlineData("ModalitiesInStudy", "CT\\MR", true)]
    public void Multiple_values_must_all_be_there(string key, string value, bool isMatch) =>
        Assert.Equal(isMatch, Matches(key, value, new MatchOptions(MultipleValues: true)));

    [Theory]
    [InlineData("00231001", "ACME", "Left", true)] // whatever block its creator has
    [InlineData("00231001", "ACME", "Right", false)]
    [InlineData("00231001", "OTHER", "R*", true)]
    [InlineData("00231002", "ACME", "05", true)] // by the VR that the object gives
    [InlineData("0023FF01", "ACME", "Left", true)]
    [InlineData("00231001", "NOBODY", "Left", false)]
    public void A_private_element_is_found_in_its_creator_s_block(string key, string creator, string value, bool isMatch)
    {
        Assert.True(AttributeMatch.TryPath(key, out var path));
        Assert.True(AttributeMatch.TryParse(path, [creator], value, default, out var match, out _));
        Assert.Equal(isMatch, match!.Matches(Object(), false));
    }

    private static bool Matches(string key, string value, MatchOptions options) => Key(key, value, options).Matches(Object(), false);

    private static AttributeMatch Key(string key, string value, MatchOptions options)
    {
        Assert.True(AttributeMatch.TryPath(key, out var path));
        Assert.True(AttributeMatch.TryParse(path, null, value, options, out var match, out var problem), problem);
        return match!;
    }

    private static JsonElement Object()
    {
        using var document = JsonDocument.Parse(Study);
        return document.RootElement.Clone();
    }

    [Theory]
    [InlineData("Wang^XiaoDong=王^小東", "Wang^XiaoDong=王^小東", true)]
    [InlineData("Wang^XiaoDong=王^小東=", "Wang^XiaoDong=王^小東", true)] // an empty group at the end does not count (PS3.5 6.2.1.2)
    [InlineData("Wang^XiaoDong=王^小東", "=王^小東", true)]
    [InlineData("Wang^XiaoDong=王^小東", "=王*", true)]
    [InlineData("Wang^XiaoDong=王^小東", "王^小東", true)]
    [InlineData("Wang^XiaoDong=王^小東", "Wang*=山*", false)]
    [InlineData("Wang^XiaoDong=王^小東", "==王*", false)]
    [InlineData("Wang^XiaoDong", "=王*", false)]
    [InlineData("Wang^XiaoDong", "Wang^XiaoDong^^^", true)]
    [InlineData("^^^^", "^^^^", true)]
    [InlineData("^^^^", "^", true)]
    [InlineData("", "^^^^", true)]
    [InlineData("A", "^^^^", false)]
    [InlineData("ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎", "ﾔﾏﾀ*", true)]     // the voiced mark is a character of its own in half-width katakana
    [InlineData("ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎", "ﾔﾏﾀﾞ*", true)]
    [InlineData("ヤマダ^タロウ", "ﾔﾏﾀ*", true)]
    [InlineData("ヤマダ^タロウ", "ヤマタ*", false)]       // in full width ﾀ and ﾀﾞ are two letters
    public void Names_are_compared_group_by_group(string name, string key, bool expected) =>
        Assert.Equal(expected, new WildcardPattern(key, Vr.PN).Matches(name, fuzzy: false));
}
