using System.Text;
using System.Text.Json;
using DicomServerless.Archive;
using DicomServerless.Archive.Search;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Archive;

/// <summary>Searches where the index ends: values that it does not list, rows on their way in or out, the edges of days and pages.</summary>
public sealed class SearchEdgeTests
{
    private readonly MemoryWorld world = new(TimeProvider.System);

    [Theory]
    [InlineData("PatientID=P1&StudyDate=20240102")]
    [InlineData("PatientID=P1&StudyDate=20240102-20240103")]
    [InlineData("PatientID=P1&StudyDate=20240101-20240102")]
    [InlineData("StudyDate=20240102")]
    public async Task A_study_without_a_time_is_of_its_day_and_one_of_the_last_moment_too(string query)
    {
        var archive = Archives.Open(world);
        await archive.StoreAllAsync([Made("1.2.1", 1).Add(0x00080020, "DA", "20240102").ToFile(),
            Made("1.2.2", 1).Add(0x00080020, "DA", "20240102").Add(0x00080030, "TM", "235959.999999").ToFile(),
            Made("1.2.3", 1).Add(0x00080020, "DA", "20231231").ToFile(), Made("1.2.4", 1).Add(0x00080020, "DA", "20240105").ToFile()]);
        Assert.Equal(["1.2.2", "1.2.1"], await StudiesAsync(archive, query));
    }

    /// <summary>A value of too many words, or too long for a key, is not listed with all of them; it is found all the same.</summary>
    [Theory]
    [InlineData("StudyDescription=*word399*", "")]
    [InlineData("StudyDescription=*word000 word001*", "")]
    [InlineData("PatientID=LONG*", "LONG")]
    [InlineData("PatientID=*LONGTAIL", "LONG")]
    public async Task A_value_that_keys_do_not_list_is_found(string query, string id)
    {
        var archive = Archives.Open(world);
        var words = string.Join(' ', Enumerable.Range(0, 400).Select(i => $"word{i:D3}"));
        await archive.StoreAllAsync([Made("1.2.1", 1).Add(0x00081030, "LO", words).Add(0x00100020, "LO", id + new string('X', 2_000) + "LONGTAIL").ToFile(),
            Made("1.2.2", 1).Add(0x00081030, "LO", "other").ToFile()]);
        Assert.Equal(["1.2.1"], await StudiesAsync(archive, query));
    }

    [Fact]
    public async Task A_long_identifier_is_found_by_its_whole_value()
    {
        var archive = Archives.Open(world);
        foreach (var length in (int[])[88, 89, 90, 91, 92, 2_000])
        {
            var id = new string('Y', length);
            await archive.StoreAsync(Made($"1.2.{length}", 1).Add(0x00100020, "LO", id).ToFile());
            Assert.Equal([$"1.2.{length}"], await StudiesAsync(archive, "PatientID=" + id));
        }
    }

    [Fact]
    public async Task A_study_that_was_deleted_is_not_found_by_its_uid_and_a_pointer_to_nothing_is_passed_over()
    {
        var archive = Archives.Open(world);
        await archive.StoreAllAsync([Made("1.2.1", 1).ToFile(), Made("1.2.2", 1).ToFile()]);
        await archive.Removal.DeleteAsync(Uid.Parse("1.2.1"), null, null, default);
        Assert.Equal(["1.2.2"], await StudiesAsync(archive, "StudyInstanceUID=1.2.1,1.2.2"));
        world.Studies.Rows.Clear(); // as for somebody whose search comes between two of a store's writes
        Assert.Empty(await StudiesAsync(archive, "PatientID=P1"));
    }

    [Theory]
    [InlineData("OtherPatientIDsSequence.PatientID=X2&OtherPatientIDsSequence.TypeOfPatientID=TEXT", "1.2.1")]
    [InlineData("OtherPatientIDsSequence.PatientID=X2&OtherPatientIDsSequence.TypeOfPatientID=BARCODE", "")]
    [InlineData("emptyvaluematching=true&AccessionNumber=%22%22", "1.2.2")]
    [InlineData("emptyvaluematching=true&PatientID=P1&AccessionNumber=%22%22", "1.2.2")]
    [InlineData("PatientName=&PatientID=P1", "1.2.2 1.2.1")]
    [InlineData("00230010=ACME&00231001=Left", "1.2.1")]
    [InlineData("00230010=OTHER&00231001=Left", "")]
    public async Task Keys_that_no_pointer_answers_are_left_to_the_match(string query, string expected)
    {
        var archive = Archives.Open(world);
        var inner = new TestObject().Add(0x00100020, "LO", "X2").Add(0x00100022, "CS", "TEXT").DataSet();
        await archive.StoreAllAsync([
            Made("1.2.1", 1).Add(0x00080020, "DA", "20240101").Add(0x00080050, "SH", "A1").Add(0x00230012, "LO", "ACME").Add(0x00231201, "LO", "Left")
                .Add(0x00101002, "SQ", [0xFE, 0xFF, 0x00, 0xE0, (byte)inner.Length, 0, 0, 0, .. inner]).ToFile(),
            Made("1.2.2", 1).Add(0x00080020, "DA", "20240102").Add(0x00080050, "SH", "").ToFile(),
        ]);
        Assert.Equal(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries), await StudiesAsync(archive, query));
    }

    /// <summary>PS3.18 8.3.4: a private key comes back with its creator, in the block in which the object has it; else empty.</summary>
    [Theory]
    [InlineData("00230010=ACME&00231001=", "00230012=ACME 00231201=Left")]
    [InlineData("00230010=NOBODY&00231001=", "00230010=NOBODY 00231001=")]
    [InlineData("00230010=ACME&00231002=", "00230010=ACME 00231002=")]
    [InlineData("00230010=ACME&00231001=&00231002=", "00230010=ACME 00230012=ACME 00231002= 00231201=Left")]
    [InlineData("00230012=NOBODY&00231201=&00230010=ACME&00231001=", "00230012=ACME 00231201=Left")]
    public async Task A_private_key_comes_back_in_its_block(string query, string expected)
    {
        var archive = Archives.Open(world);
        await archive.StoreAsync(Made("1.2.1", 1).Add(0x00230012, "LO", "ACME").Add(0x00231201, "LO", "Left").ToFile());
        using var result = JsonDocument.Parse(Assert.Single((await SearchAsync(archive, QidoLevel.Instance, query)).Results));
        var ofGroup = result.RootElement.EnumerateObject().Where(attribute => attribute.Name.StartsWith("0023", StringComparison.Ordinal));
        Assert.Equal(expected, string.Join(' ', ofGroup.Select(attribute =>
            $"{attribute.Name}={(attribute.Value.TryGetProperty("Value", out var value) ? value[0] : "")}")));
    }

    /// <summary>An instance shows what its own object says, and nothing of its neighbours but counts.</summary>
    [Fact]
    public async Task An_instance_without_an_attribute_does_not_show_that_of_its_study()
    {
        var archive = Archives.Open(world);
        await archive.StoreAllAsync([Made("1.2.1", 1).Add(0x00080050, "SH", "A1").Add(0x00081030, "LO", "Head").Add(0x0008103E, "LO", "Axial").ToFile(),
            Made("1.2.1", 2).ToFile()]);
        var results = (await SearchAsync(archive, QidoLevel.Instance, "StudyDescription=&SeriesDescription=&includefield=00081010")).Results;
        Assert.Equal(["A1 Head Axial 2", "   2"], results.Select(json =>
        {
            using var result = JsonDocument.Parse(json);
            return string.Join(' ', ((string[])["00080050", "00081030", "0008103E", "00201208"]).Select(tag =>
                result.RootElement.GetProperty(tag).TryGetProperty("Value", out var value) ? value[0].ToString() : ""));
        }));
        // What a key of a lower level found comes back with its value.
        var study = Encoding.UTF8.GetString(Assert.Single((await SearchAsync(archive, QidoLevel.Study, "SeriesDescription=Ax*&ImageComments=")).Results));
        Assert.Contains("\"Axial\"", study, StringComparison.Ordinal);
    }

    /// <summary>Behind the newest studies a rare modality is followed through its pointers, also from a place within a study.</summary>
    [Fact]
    public async Task Pages_of_a_rare_modality_go_on_within_a_study()
    {
        const int newer = 230, older = 3, series = 3;
        var archive = Archives.Open(world);
        await archive.StoreAllAsync(Enumerable.Range(0, newer).Select(i =>
            Made($"1.2.9.{i}", 1).Add(0x00080020, "DA", "20240601").Add(0x00080060, "CS", "CT").ToFile()));
        await archive.StoreAllAsync(Enumerable.Range(0, older).SelectMany(i => Enumerable.Range(1, series).Select(j =>
            TestObject.Of($"1.2.8.{i}", $"1.2.8.{i}.{j}", $"1.2.8.{i}.{j}.1").Add(0x00080020, "DA", $"2020060{i + 1}").Add(0x00080060, "CS", "NM").ToFile())));
        foreach (var query in (string[])["limit=2&ModalitiesInStudy=NM", "limit=2&ModalitiesInStudy=NM&StudyDate=20200602-20240701"])
        {
            var (found, after) = (new List<string>(), (SearchPlace?)null);
            do
            {
                var answer = await SearchAsync(archive, QidoLevel.Series, query, after);
                found.AddRange(answer.Results.Select(json => Text(json, "0020000E")));
                after = answer.Next;
            }
            while (after is not null);
            var first = query.Contains("StudyDate", StringComparison.Ordinal) ? 1 : 0;
            Assert.Equal(Enumerable.Range(first, older - first).Reverse().SelectMany(i => Enumerable.Range(1, series).Select(j => $"1.2.8.{i}.{j}")), found);
        }
    }

    /// <summary>What an offset passed over before the bound of work is not passed over once more behind it.</summary>
    [Fact]
    public async Task An_offset_is_counted_across_a_search_that_stopped_at_its_bound()
    {
        await Archives.Open(world).StoreAllAsync(Enumerable.Range(0, 12).Select(i =>
            Made($"1.2.7.{i}", 1).Add(0x00080020, "DA", $"202401{28 - i:D2}").Add(0x00080060, "CS", i % 2 == 0 ? "MR" : "CT").ToFile()));
        var archive = Archives.Open(world, options: new ArchiveOptions { MaxOpenedStudies = 4 });
        var (found, after) = (new List<string>(), (SearchPlace?)null);
        do
        {
            var answer = await SearchAsync(archive, QidoLevel.Study, after is null ? "Modality=MR&offset=3" : "Modality=MR", after);
            found.AddRange(answer.Results.Select(json => Text(json, "0020000D")));
            after = answer.Next;
        }
        while (after is not null);
        Assert.Equal(["1.2.7.6", "1.2.7.8", "1.2.7.10"], found);
    }

    [Fact]
    public async Task A_search_for_no_results_says_nothing_of_more()
    {
        var archive = Archives.Open(world);
        await archive.StoreAsync(Made("1.2.1", 1).ToFile());
        Assert.Equal(new SearchAnswer([], false, false, null, false), await SearchAsync(archive, QidoLevel.Study, "limit=0"));
    }

    /// <summary>One of two configured attributes that is still being built is enough for an answer that says so, whatever other keys there are.</summary>
    [Fact]
    public async Task A_key_that_is_being_built_is_told_beside_one_that_is_ready()
    {
        QueryTag[] tags = [new(new Tag(0x00101040), Vr.LO, null, QidoLevel.Study), new(new Tag(0x00181210), Vr.SH, null, QidoLevel.Study)];
        var before = Archives.Open(world, options: new ArchiveOptions { QueryTags = tags[..1] });
        await before.StoreAsync(Made("1.2.1", 1).Add(0x00101040, "LO", "Here").Add(0x00181210, "SH", "K1").ToFile());
        while (!(await before.QueryTags.RunAsync(default)).IsFinished) { }
        var archive = Archives.Open(world, options: new ArchiveOptions { QueryTags = tags });
        foreach (var (query, isUnready) in new[] { ("PatientAddress=Here&PatientID=P1", false), ("PatientAddress=Here&ConvolutionKernel=K1&PatientID=P1", true),
            ("PatientAddress=Here&ConvolutionKernel=", false) })
        {
            var answer = await SearchAsync(archive, QidoLevel.Study, query);
            Assert.Single(answer.Results);
            Assert.Equal(isUnready, answer.Unready);
        }
    }

    private static TestObject Made(string study, int instance) =>
        TestObject.Of(study, study + ".1", $"{study}.1.{instance}").Add(0x00100020, "LO", "P1");

    private static Task<SearchAnswer> SearchAsync(DicomArchive archive, QidoLevel level, string query, SearchPlace? after = null)
    {
        var parsed = QidoQuery.Parse(level, null, null, query.Split('&').Select(pair => pair.Split('=', 2))
            .Select(pair => KeyValuePair.Create(pair[0], Uri.UnescapeDataString(pair[1]))), out var errors);
        Assert.Empty(errors);
        parsed.After = after;
        return archive.Search.SearchAsync(parsed, "http://test/dicomweb", default);
    }

    private static async Task<string[]> StudiesAsync(DicomArchive archive, string query) =>
        [.. (await SearchAsync(archive, QidoLevel.Study, query)).Results.Select(json => Text(json, "0020000D"))];

    private static string Text(byte[] json, string tag)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty(tag).GetProperty("Value")[0].GetString()!;
    }
}
