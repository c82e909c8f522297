using DicomServerless.Archive.Search;
using DicomServerless.Dicom;

namespace DicomServerless.Unit.Archive;

/// <summary>How the parameters of a search are read, and what of its patterns the keys of the index can be searched for.</summary>
public sealed class SearchQueryTests
{
    [Theory]
    // PS3.18 8.3.4.1, PS3.5 7.8.1: a private key comes with its creator, at each step of its path.
    [InlineData("00230010=ACME&00231001=X", "00231001", "")]
    [InlineData("00230010=ACME&00231000=X", "00231000", "")]
    [InlineData("00230010=ACME&002310FF=X", "002310FF", "")]
    [InlineData("00231001=X", "", "00231001 is private: give its creator too, as 00230010=name")]
    [InlineData("00230010=&00231001=X", "", "00231001 is private")]
    [InlineData("00230011=ACME&00231001=X", "", "00231001 is private")]
    [InlineData("00230010=ACME&00231101=X", "", "00231101 is private: give its creator too, as 00230011=name")]
    [InlineData("00250010=ACME&00231001=X", "", "00231001 is private")]
    [InlineData("00400275.00230010=ACME&00400275.00231001=X", "00400275", "")]
    [InlineData("00230010=ACME&00400275.00231001=X", "", "00400275.00231001 is private: give its creator too, as 00400275.00230010=name")]
    [InlineData("PatientID=1&patientid=2", "00100020", "00100020 is there twice")]
    [InlineData("TimezoneOffsetFromUTC=%2B0100&StudyDate=20240101", "00080020", "")]
    [InlineData("TimezoneOffsetFromUTC=0100", "", "TimezoneOffsetFromUTC must be an offset from UTC")]
    [InlineData("00080201=", "", "")]
    [InlineData("limit=&PatientID=1", "00100020", "limit must be a number")]
    [InlineData("limit=1x&PatientID=1", "00100020", "limit must be a number")]
    [InlineData("fuzzymatching=1", "", "fuzzymatching must be true or false")]
    public void Keys_are_taken_or_named(string query, string keys, string problem)
    {
        var parsed = Parse(query, out var errors);
        Assert.Equal(keys, string.Join(' ', parsed.Keys.Select(key => key.Tag)));
        if (problem.Length == 0) Assert.Empty(errors);
        else Assert.Contains(problem, Assert.Single(errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("00230010=ACME", 1)]
    [InlineData("00230010=ACME&00231001=X", 0)]
    [InlineData("00230010=ACME&00230011=OTHER&00231001=X", 1)]
    [InlineData("00230010=ACME&00250010=ACME&00231001=X", 1)]
    [InlineData("00400275.00230010=ACME&00400275.00231001=X", 0)]
    [InlineData("00400275.00230010=ACME&00230010=ACME&00231001=X", 1)]
    [InlineData("00400275.00230010=ACME&00400275=", 1)]
    [InlineData("NoSuchAttribute=1", 1)]
    public void A_creator_without_a_key_and_an_unknown_key_are_warned_of(string query, int warnings)
    {
        var parsed = Parse(query, out var errors);
        Assert.Empty(errors);
        Assert.Equal(warnings, parsed.Warnings.Count);
        Assert.Equal(query.StartsWith("No", StringComparison.Ordinal), parsed.HasUnknownKeys);
    }

    [Fact]
    public void Fields_are_split_trimmed_and_named_once_and_an_empty_zone_is_a_field()
    {
        var parsed = Parse("includefield=PatientID, StudyID ,,PatientID&includefield=00230010&00230010=ACME&00231002=&includefield=00231001"
            + "&includefield=00400275.00080050&includefield=NoSuchAttribute&timezoneoffsetfromutc=", out var errors);
        Assert.Empty(errors);
        Assert.Equal(["00100020", "00200010", "00230010", "00231001 ACME", "00400275", "00080201"],
            parsed.Fields.Select(field => $"{field.Tag} {field.Creator}".Trim()));
        Assert.Equal("00231002 ACME", $"{Assert.Single(parsed.Keys).Tag} {parsed.Keys[0].Creator}");
        Assert.False(parsed.IncludeAll);
        Assert.True(Parse("includefield=All", out _).IncludeAll);
    }

    [Fact]
    public void A_cursor_repeats_the_parameters_in_one_spelling_and_order()
    {
        var parsed = Parse("studyid=2&PatientID=1&includefield=b&includefield=a&offset=5&LIMIT=3&accept=x&_=1&code=key&fuzzymatching=TRUE", out _);
        Assert.Equal("00100020=1&00200010=2&fuzzymatching=TRUE&includefield=a&includefield=b&limit=3",
            string.Join('&', parsed.Parameters.Select(item => $"{item.Key}={item.Value}")));
        Assert.Equal((5, 3, true), (parsed.Offset, parsed.Limit, parsed.Fuzzy));
        Assert.Equal(int.MaxValue, Parse("limit=99999999999", out _).Limit);
    }

    /// <summary>Text, then S where it begins a word, then W where it is the whole of it.</summary>
    [Theory]
    [InlineData("PatientName", "SMITH^ANNA", true, false, "SMITH SW|ANNA SW")]
    [InlineData("PatientName", "SMITH^ANNA", true, true, "SMITH S|ANNA S")]
    [InlineData("PatientName", "SMITH*", true, false, "SMITH S")]
    [InlineData("PatientName", "*SMITH", true, false, "SMITH")]
    [InlineData("PatientName", "SM?TH^ANNA", true, false, "SM S|TH|ANNA SW")]
    [InlineData("PatientName", "SMITH^*", true, false, "SMITH SW")]
    [InlineData("PatientName", "*^ANNA*", true, false, "ANNA S")]
    [InlineData("PatientName", "**", true, false, "")]
    [InlineData("PatientID", "A B*", false, false, "A B S")]
    [InlineData("PatientID", "A B", false, false, "A B SW")]
    // Before a wildcard a bare kana may match a voiced one; at the end it cannot.
    [InlineData("PatientName", "ﾔﾏｶ*", true, false, "~30E4~30DE S")]
    [InlineData("PatientName", "ｶ*", true, false, "")]
    public void A_pattern_is_cut_into_what_keys_begin_with(string key, string pattern, bool asWords, bool fuzzy, string expected)
    {
        var match = Parse($"{key}={Uri.EscapeDataString(pattern)}", out _).Matches.Single();
        var fragments = match.Patterns.SelectMany(value => value.KeyFragments(asWords, fuzzy)).ToArray();
        Assert.Equal(expected.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(text => text.TrimEnd()),
            fragments.Select(fragment => $"{fragment.Text} {(fragment.AtStart ? "S" : "")}{(fragment.IsWhole ? "W" : "")}".TrimEnd()));    }

    private static QidoQuery Parse(string query, out IReadOnlyList<string> errors) => QidoQuery.Parse(QidoLevel.Study, null, null,
        query.Split('&').Select(pair => pair.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], Uri.UnescapeDataString(pair[1]))), out errors);
}
