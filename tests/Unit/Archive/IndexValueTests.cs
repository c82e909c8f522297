using System.Buffers;
using System.Text;
using System.Text.Json;
using DicomServerless.Archive;
using DicomServerless.Archive.Index;
using DicomServerless.Archive.Search;
using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Unit.Archive;

/// <summary>The values that rows and keys of the index are made of, each by itself.</summary>
public sealed class IndexValueTests
{
    private static readonly InstanceName First = Name("1.1", "1.1.1"), Second = Name("1.1", "1.1.2"), Third = Name("1.2", "1.2.1");

    [Theory]
    [InlineData("20260102", "101112.5", "79739897898887499999")]
    [InlineData("2026.01.02", "10:11:12.5", "79739897898887499999")]
    [InlineData("20260102", "10", "79739897899999999999")]
    [InlineData("20260102", "10x112", "79739897899999999999")]
    [InlineData("20260102", "235959.9999991", "79739897764040000000")]
    [InlineData("20260102", null, "79739897999999999999")]
    [InlineData("20260102", " 10 ", "79739897899999999999")]
    [InlineData("x", "101112", "99999999999999999999")]
    [InlineData(null, null, "99999999999999999999")]
    public void Studies_order_newest_first_by_what_can_be_read_of_date_and_time(string? date, string? time, string expected) =>
        Assert.Equal(expected, SearchText.NewestFirst(date, time));

    [Fact]
    public void Keys_are_folded_escaped_and_capped()
    {
        Assert.Equal("SMITH^ANNE", SearchText.Key("Smith^Anne"));
        Assert.Equal("~0023A~007C", SearchText.Key("#a|"));
        Assert.Equal("~5C71~7530", SearchText.Key("山田"));
        // A character goes in whole, or not at all.
        Assert.Equal(252, SearchText.Key(new string('A', 300)).Length);
        Assert.Equal(255, SearchText.Key(new string('山', 300)).Length);
    }

    [Fact]
    public void The_end_of_a_prefix_is_behind_every_key_that_starts_with_it()
    {
        Assert.Equal("AC", SearchText.Before("AB"));
        Assert.True(string.CompareOrdinal(SearchText.Before(""), SearchText.Key("~zz")) > 0);
    }

    [Fact]
    public void Words_and_their_suffixes()
    {
        Assert.Equal([("SMITH", 0), ("ANNE", 6), ("B", 11)], SearchText.WordsAt("SMITH^ANNE B"));
        Assert.Empty(SearchText.WordsAt(" ^=,.-_"));
        Assert.Equal(["MITH", "ITH"], SearchText.Suffixes("SMITH"));
        Assert.Equal(["~7530~592A", "~592A"], SearchText.Suffixes("~5C71~7530~592A"));
        Assert.Equal(["~5C71AB"], SearchText.Suffixes("A~5C71AB"));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(200)]
    public void A_bulk_table_gives_back_what_it_was_made_of_however_long_it_is(int count)
    {
        var values = Enumerable.Range(0, count).Select(i => new BulkValue($"0029{i:X4}", new Tag(0x0029, (ushort)i), i % 2 == 0 ? Vr.OW : Vr.UN, i * 1000L,
            i + 7, i % 3 == 0, i % 5 == 0)).ToArray();
        var table = BulkTable.Write(values)!;
        Assert.Equal(count > 100, table[0] == 'z');
        Assert.Equal(values.Select(value => new BulkEntry(value.Path, value.Vr, value.Offset, value.Length, value.IsBigEndian, value.IsEncapsulated)),
            BulkTable.Read(table));
        Assert.True(BulkTable.TryFind(table, values[^1].Path.ToLowerInvariant(), out var found));
        Assert.Equal(values[^1].Offset, found.Offset);
        Assert.False(BulkTable.TryFind(table, "7FE00010", out _));
        Assert.Null(BulkTable.Write([]));
        Assert.Empty(BulkTable.Read([]));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(61_440, 1)]
    [InlineData(61_441, 2)]
    [InlineData(200_000, 4)]
    public void Long_bytes_lie_in_pieces_under_the_names_that_a_select_asks_for(int length, int pieces)
    {
        var bytes = new byte[length];
        new Random(1).NextBytes(bytes);
        var row = new TableRow("p", "r");
        row.SetBytes("B", bytes);
        Assert.Equal(pieces, row.Values.Count);
        Assert.Equal(bytes, row.GetBytes("B"));
        Assert.Equal(row.Values.Keys.Order(StringComparer.Ordinal), RowBytes.Names("B", length));
        Assert.Equal(bytes, RowBytes.Decompress(RowBytes.Compress(bytes)));
        Assert.Null(row.GetBytes("C"));
    }

    [Fact]
    public void Values_of_configured_attributes_come_from_their_lowest_instance()
    {
        var tags = Configured("00101040 LO", "00081090 LO");
        var key = tags[0].KeyName;
        var values = new QueryTagValues();
        Assert.False(values.Covers(tags));
        values.Reset(tags);
        Assert.True(values.Covers(tags));
        Assert.False(values.Covers([tags[0]]));
        Assert.False(values.Covers([tags[0], Configured("00100010 PN")[0]]));
        values.Merge(Second, [(key, "MAIN"), ("not asked for", "X")]);
        values.Merge(Third, [(key, "MAIN"), (key, "SIDE")]);
        Assert.Equal(Second, values.SourceOf(key, "MAIN"));
        values.Merge(First, [(key, "MAIN")]);
        Assert.Equal((First, Third), (values.SourceOf(key, "MAIN"), values.SourceOf(key, "SIDE")));
        Assert.Null(values.SourceOf(key, "NONE"));
        Assert.Null(values.SourceOf("none", "MAIN"));
        Assert.Equal([(key, "MAIN"), (key, "SIDE")], values.Pointed);
        Assert.Equal([(key, "SIDE")], values.RemoveSource(Third));
        Assert.Equal([(key, "MAIN")], values.Pointed);
    }

    [Fact]
    public void An_attribute_with_too_many_values_has_none_and_stays_so()
    {
        var tags = Configured("00101040 LO");
        var key = tags[0].KeyName;
        var values = new QueryTagValues();
        values.Reset(tags);
        for (var i = 0; i < QueryTagValues.MaxValues; i++) values.Merge(First, [(key, $"V{i:D2}")]);
        Assert.Equal(QueryTagValues.MaxValues, values.Pointed.Count());
        var before = values.Copy();
        Assert.True(before.Same(values));
        values.Merge(Second, [(key, "ONE MORE")]);
        Assert.Equal([(key, "!")], values.Pointed);
        Assert.False(before.Same(values));
        Assert.False(values.Same(before));
        Assert.Equal(QueryTagValues.MaxValues, before.Pointed.Count());
        Assert.Empty(values.RemoveSource(First));
        Assert.Null(values.SourceOf(key, "V00"));
        foreach (var state in new[] { before, values, values.Copy() })
        {
            var read = new QueryTagValues();
            read.Read(Json(writer => state.Write(writer, "values")).GetProperty("values"));
            Assert.True(state.Same(read) && read.Same(state));
            Assert.Equal(state.Pointed, read.Pointed);
        }
    }

    [Fact]
    public void Values_are_the_same_only_with_the_same_sources()
    {
        var tags = Configured("00101040 LO");
        QueryTagValues With(InstanceName source, string value)
        {
            var values = new QueryTagValues();
            values.Reset(tags);
            values.Merge(source, [(tags[0].KeyName, value)]);
            return values;
        }
        Assert.True(With(First, "A").Same(With(First, "A")));
        Assert.False(With(First, "A").Same(With(Second, "A")));
        Assert.False(With(First, "A").Same(With(First, "B")));
        Assert.False(With(First, "A").Same(new QueryTagValues()));
    }

    [Fact]
    public void The_first_received_object_names_the_patient_of_a_study()
    {
        var patients = new StudyPatients();
        Assert.True(patients is { Study: null, AreSeveral: false } && patients.Includes("A") && !patients.IsOther("A"));
        patients.Add(null, 1, First);
        Assert.Null(patients.Study);
        patients.Add("B", 20, Second);
        Assert.True(patients.Study == "B" && patients.IsOther("A") && !patients.IsOther(null) && !patients.HasFirst(Second));
        patients.Add("A", 10, First);
        Assert.True(patients is { Study: "A", AreSeveral: true } && patients.HasFirst(First) && patients.HasFirst(Second) && !patients.HasFirst(Third));
        Assert.True(patients.Includes("A") && patients.Includes(null) && !patients.Includes("B"));
        // Of the same time, the lower name was first.
        patients.Add("C", 10, Third);
        Assert.Equal("A", patients.Study);
        var copy = patients.Copy();
        Assert.True(copy.IsSame(patients));
        copy.Add("B", 15, First);
        Assert.False(copy.IsSame(patients));
        var read = new StudyPatients();
        read.Read(Json(writer => patients.Write(writer, "patients")).GetProperty("patients"));
        Assert.True(read.IsSame(patients) && read.Ids.SequenceEqual(["A", "B", "C"]));
        patients.Clear();
        Assert.Null(patients.Study);
    }

    [Fact]
    public void Of_one_patient_it_does_not_matter_which_object_was_first()
    {
        StudyPatients Of(string id, long received, InstanceName name)
        {
            var patients = new StudyPatients();
            patients.Add(id, received, name);
            return patients;
        }
        Assert.True(Of("A", 1, First).IsSame(Of("A", 2, Second)));
        Assert.False(Of("A", 1, First).IsSame(Of("B", 1, First)));
    }

    [Fact]
    public void The_patients_that_came_last_are_left_out_where_there_are_too_many()
    {
        var patients = new StudyPatients();
        for (var i = 0; i <= StudyPatients.MaxPatients; i++) patients.Add($"P{i:D2}", i, First);
        Assert.Equal(StudyPatients.MaxPatients, patients.Ids.Count());
        Assert.DoesNotContain($"P{StudyPatients.MaxPatients:D2}", patients.Ids);
    }

    [Fact]
    public void Series_are_the_same_with_the_same_counts_and_attributes()
    {
        SeriesState Of(int instances, string modality)
        {
            var state = new SeriesState(Uid.Parse("1"), Uid.Parse("1.1")) { Instances = instances, ETag = Guid.NewGuid().ToString() };
            state.Attributes.Merge(First, [KeyValuePair.Create(Tags.Modality, Encoding.UTF8.GetBytes($$"""{"vr":"CS","Value":["{{modality}}"]}"""))]);
            return state;
        }
        Assert.True(Of(2, "CT").IsSame(Of(2, "CT")));
        Assert.False(Of(2, "CT").IsSame(Of(3, "CT")));
        Assert.False(Of(2, "CT").IsSame(Of(2, "MR")));
        Assert.Equal(64, Of(1, new string('X', 100)).Modality!.Length);
    }

    [Theory]
    [InlineData("79739897898887499999 0 1.2")]
    [InlineData("79739897898887499999 3 1.2 4 1.2.3")]
    [InlineData("79739897898887499999 0 1.2 -4 1.2.3 9223372036854775807 1.2.3.4")]
    public void A_place_comes_back_from_its_text(string text)
    {
        Assert.True(SearchPlace.TryParse(text, out var place));
        Assert.Equal(text, place!.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("7973989789888749999 0 1.2")]
    [InlineData("79739897898887499999 -1 1.2")]
    [InlineData("79739897898887499999 0 x")]
    [InlineData("79739897898887499999 0 1.2 4")]
    [InlineData("79739897898887499999 0 1.2 x 1.2.3")]
    [InlineData("79739897898887499999 0 1.2 4 x")]
    [InlineData("79739897898887499999 0 1.2 4 1.2.3 x 1.2.3.4")]
    [InlineData("79739897898887499999 0 1.2 4 1.2.3 5 x")]
    [InlineData("79739897898887499999 0 1.2 4 1.2.3 5 1.2.3.4 6 1.2")]
    public void What_is_no_place_is_refused(string text)
    {
        Assert.False(SearchPlace.TryParse(text, out var place));
        Assert.Null(place);
    }

    [Fact]
    public void A_study_is_behind_a_place_by_date_then_uid_and_its_own_goes_on_only_within_it()
    {
        var (older, newer) = ("79739898" + new string('9', 12), "79739896" + new string('9', 12));
        var at = "79739897" + new string('9', 12);
        var whole = new SearchPlace(at, Uid.Parse("1.5"));
        var within = whole with { Series = new NumberedUid(1, Uid.Parse("1.5.1")) };
        foreach (var place in new[] { whole, within })
        {
            Assert.True(place.IsBefore(older, Uid.Parse("1.1")) && place.IsBefore(at, Uid.Parse("1.6")));
            Assert.False(place.IsBefore(newer, Uid.Parse("1.9")) || place.IsBefore(at, Uid.Parse("1.4")));
        }
        Assert.False(whole.IsBefore(at, Uid.Parse("1.5")));
        Assert.True(within.IsBefore(at, Uid.Parse("1.5")));
    }

    private static InstanceName Name(string series, string sop) => new(Uid.Parse(series), Uid.Parse(sop));

    private static QueryTag[] Configured(params string[] ids) =>
        [.. ids.Select(id => new QueryTag(Tag.TryParse(id.AsSpan(0, 8), out var tag) ? tag : default, Enum.Parse<Vr>(id[9..]), null, QidoLevel.Study))];

    private static JsonElement Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }
        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        return document.RootElement.Clone();
    }
}
