using System.Globalization;
using System.Text;
using DicomServerless.Archive;
using DicomServerless.Archive.Index;
using DicomServerless.Archive.Search;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Matching;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Archive;

/// <summary>What a search costs is decided by what it looks at, and an instance is found by what its own object says.</summary>
public sealed class SearchCostTests
{
    private const int Studies = 1_000;

    private readonly MemoryWorld world = new(TimeProvider.System);
    private int requests;

    [Fact]
    public async Task A_search_by_a_key_without_pointers_makes_no_more_requests_for_one_result_than_for_many()
    {
        var archive = await OpenAsync();
        var one = await CountAsync(archive, "limit=1&InstitutionName=Rare");
        var many = await CountAsync(archive, "limit=200&InstitutionName=Rare");
        Assert.InRange(one, 1, many);
        Assert.InRange(one, 1, (Studies / 200) + 1);
    }

    [Fact]
    public async Task A_frequent_modality_costs_one_request_and_a_rare_one_is_followed_through_its_pointers()
    {
        var archive = await OpenAsync();
        Assert.Equal(1, await CountAsync(archive, "limit=100&ModalitiesInStudy=CT"));
        // A page of studies, a page of pointers, and the ten studies that they name.
        Assert.InRange(await CountAsync(archive, "limit=100&ModalitiesInStudy=NM"), 3, 15);
        foreach (var query in (string[])["ModalitiesInStudy=NM", "ModalitiesInStudy=NM,CT",
            "ModalitiesInStudy=NM&StudyDate=20240105-20240220", "ModalitiesInStudy=NM&PatientName=Doe*"])
        {
            var results = await SearchAsync(archive, query);
            Assert.Equal(await FromAllAsync(archive, query), results);
            Assert.NotEmpty(results);
        }
    }

    [Fact]
    public async Task Pages_of_a_rare_modality_are_whole_and_do_not_overlap()
    {
        var archive = await OpenAsync();
        var (found, after) = (new List<string>(), (SearchPlace?)null);
        do
        {
            var query = Parse("limit=3&ModalitiesInStudy=NM");
            query.After = after;
            var answer = await archive.Search.SearchAsync(query, "", default);
            found.AddRange(answer.Results.Select(Encoding.UTF8.GetString));
            after = answer.Next;
        }
        while (after is not null);
        Assert.Equal(await FromAllAsync(archive, "ModalitiesInStudy=NM"), found);
    }

    [Fact]
    public async Task A_date_is_applied_to_the_pointers_of_another_key_before_studies_are_read()
    {
        var archive = await OpenAsync();
        var cost = await CountAsync(archive, "PatientName=Doe*&StudyDate=20240105");
        Assert.InRange(cost, 1, 1 + 40); // the pointers, and the studies of that one day
    }

    [Theory]
    [InlineData("SoftwareVersions=2.0", "1.2.3.1.2")]
    [InlineData("SoftwareVersions=1.0", "1.2.3.1.1")]
    [InlineData("SeriesDescription=other", "1.2.3.1.2")]
    [InlineData("ReferringPhysicianName=Second", "1.2.3.1.2")]
    public async Task An_instance_is_found_by_what_its_own_object_says_and_shows_it(string key, string sop)
    {
        var archive = Archives.Open(world);
        await archive.StoreAllAsync(
        [
            Made("1.2.3", 1).Add(0x00181020, "LO", "1.0").Add(0x0008103E, "LO", "one").Add(0x00080090, "PN", "First").ToFile(),
            Made("1.2.3", 2).Add(0x00181020, "LO", "2.0").Add(0x0008103E, "LO", "other").Add(0x00080090, "PN", "Second").ToFile(),
        ]);
        // Without a study, names lead to the studies that have them as a whole.
        foreach (var study in key.StartsWith("Referring", StringComparison.Ordinal) ? (Uid?[])[Uid.Parse("1.2.3")] : [Uid.Parse("1.2.3"), null])
        {
            var query = QidoQuery.Parse(QidoLevel.Instance, study, null, [new(key.Split('=')[0], key.Split('=')[1])], out _);
            var found = Encoding.UTF8.GetString(Assert.Single((await archive.Search.SearchAsync(query, "", default)).Results));
            Assert.Contains($"\"00080018\":{{\"vr\":\"UI\",\"Value\":[\"{sop}\"]}}", found, StringComparison.Ordinal);
            Assert.Contains(key.Split('=')[1], found, StringComparison.Ordinal);
        }
        var all = QidoQuery.Parse(QidoLevel.Instance, Uid.Parse("1.2.3"), null, [new("includefield", "SoftwareVersions")], out _);
        var shown = (await archive.Search.SearchAsync(all, "", default)).Results.Select(Encoding.UTF8.GetString).ToArray();
        Assert.Contains("1.0", shown[0], StringComparison.Ordinal);
        Assert.Contains("2.0", shown[1], StringComparison.Ordinal);
    }

    /// <summary>A configured attribute of a study is decided on the whole study, also where one instance is named.</summary>
    [Fact]
    public async Task A_key_of_the_study_is_decided_on_all_its_instances_where_one_is_named()
    {
        AttributeMatch.TryPath("ConvolutionKernel", out var path);
        var archive = Archives.Open(world, options: new ArchiveOptions { QueryTags = [new QueryTag(path[0], Vr.SH, null, QidoLevel.Study)] });
        await archive.StoreAllAsync([Made("1.2.3", 1).Add(0x00181210, "SH", "B30").ToFile(), Made("1.2.3", 2).ToFile()]);
        var query = QidoQuery.Parse(QidoLevel.Instance, Uid.Parse("1.2.3"), null, [new("SOPInstanceUID", "1.2.3.1.2"), new("ConvolutionKernel", "B30")], out _);
        Assert.Single((await archive.Search.SearchAsync(query, "", default)).Results);
    }

    [Fact]
    public async Task Metadata_and_instances_of_a_series_larger_than_a_page_come_in_order()
    {
        const int instances = 2_500;
        var archive = Archives.Open(world);
        var numbers = Enumerable.Range(1, instances).ToArray();
        new Random(1).Shuffle(numbers);
        await archive.StoreAllAsync(numbers.Select((number, i) =>
            Made("1.2.3", i).Add(0x00200013, "IS", number.ToString(CultureInfo.InvariantCulture)).ToFile()));
        var metadata = await archive.Retrieval.MetadataAsync(Uid.Parse("1.2.3"), null, null, default);
        var seen = new List<int>();
        await foreach (var json in metadata!.ObjectsAsync("", default)) seen.Add(NumberIn(json));
        Assert.Equal(Enumerable.Range(1, instances), seen);
        var query = QidoQuery.Parse(QidoLevel.Instance, Uid.Parse("1.2.3"), null,
            [new("limit", "10"), new("offset", "1995"), new("includefield", "PatientName")], out _);
        Assert.Equal(Enumerable.Range(1996, 10), (await archive.Search.SearchAsync(query, "", default)).Results.Select(json => NumberIn(json)));
    }

    /// <summary>Rows can be large: what is in memory together is bounded in bytes too, whatever their number.</summary>
    [Fact]
    public async Task Metadata_of_large_rows_are_read_in_windows_of_so_many_bytes()
    {
        // More than a first page holds; the last of them are large.
        const int first = 10_001, instances = InstanceListing.WindowRows + 10, large = 90;
        var (random, value) = (new Random(1), new byte[675]);
        var archive = Archives.Open(world);
        foreach (var number in Enumerable.Range(first, instances))
        {
            var made = Made("1.2.3", number).Add(0x00200013, "IS", number.ToString(CultureInfo.InvariantCulture));
            foreach (var group in number < first + instances - large ? (uint[])[] : [0x00210000, 0x00230000, 0x00250000, 0x00270000])
                for (var element = 0x1001u; element <= 0x10B0; element++)
                {
                    random.NextBytes(value);
                    made.Add(group | element, "LT", Convert.ToBase64String(value));
                }
            await archive.StoreAsync(made.ToFile());
        }
        var rows = world.Instances.Rows.Where(row => row.Key.Row.StartsWith("i:", StringComparison.Ordinal)).ToDictionary(row => row.Key.Row, row =>
            (long)row.Value.Values.Values.OfType<byte[]>().Sum(bytes => bytes.Length));
        Assert.True(rows.Values.Sum() > InstanceListing.WindowBytes * 6 / 5, $"{rows.Values.Sum()} bytes are too few for this test.");
        var metadata = await archive.Retrieval.MetadataAsync(Uid.Parse("1.2.3"), null, null, default);
        var (sinceLast, most, seen) = (0L, 0L, new List<int>());
        world.Instances.Read = row => most = Math.Max(most, sinceLast += rows.GetValueOrDefault(row));
        await foreach (var json in metadata!.ObjectsAsync("", default))
        {
            seen.Add(NumberIn(json));
            sinceLast = 0;
        }
        world.Instances.Read = null;
        Assert.Equal(Enumerable.Range(first, instances), seen);
        Assert.InRange(most, 1, InstanceListing.WindowBytes);
    }

    /// <summary>After a release that writes metadata in another way, clients must not keep what they have.</summary>
    [Fact]
    public async Task The_etag_of_metadata_changes_with_the_form_of_the_rows()
    {
        var archive = Archives.Open(world);
        await archive.StoreAsync(Made("1.2.3", 1).ToFile());
        var before = (await archive.Retrieval.MetadataAsync(Uid.Parse("1.2.3"), null, null, default))!.ETag;
        world.Instances.Rows.Single(row => row.Key.Row.StartsWith("i:", StringComparison.Ordinal)).Value["SV"] = Layout.SchemaVersion + 1;
        Assert.NotEqual(before, (await archive.Retrieval.MetadataAsync(Uid.Parse("1.2.3"), null, null, default))!.ETag);
    }

    private async Task<DicomArchive> OpenAsync()
    {
        await Archives.Open(world).StoreAllAsync(Enumerable.Range(0, Studies).Select(i =>
        {
            var made = Made($"1.2.8.{i}", 1).Add(0x00080060, "CS", i % 100 == 7 ? "NM" : "CT")
                .Add(0x00080020, "DA", $"2024{(i / 28 % 12) + 1:D2}{(i % 28) + 1:D2}").Add(0x00100010, "PN", $"Doe^{i}");
            return (i == 3 ? made.Add(0x00080080, "LO", "Rare") : made).ToFile();
        }));
        return Archives.Open(world, step: what =>
        {
            if (!what.StartsWith("answer", StringComparison.Ordinal)) Interlocked.Increment(ref requests);
            return Task.CompletedTask;
        });
    }

    private async Task<int> CountAsync(DicomArchive archive, string query)
    {
        requests = 0;
        await SearchAsync(archive, query);
        return requests;
    }

    private static async Task<IReadOnlyList<string>> SearchAsync(DicomArchive archive, string query) =>
        [.. (await archive.Search.SearchAsync(Parse(query), "", default)).Results.Select(Encoding.UTF8.GetString)];

    // What a match of every study gives.
    private static async Task<IReadOnlyList<string>> FromAllAsync(DicomArchive archive, string query)
    {
        var keys = string.Join('&', Parse(query).Keys.Select(key => "includefield=" + key.Tag));
        return [.. (await SearchAsync(archive, keys))
            .Where(json => Parse(query).Matches.All(match => match.Matches(System.Text.Json.JsonDocument.Parse(json).RootElement, false)))];
    }

    private static QidoQuery Parse(string query) =>
        QidoQuery.Parse(QidoLevel.Study, null, null, query.Split('&').Select(part => KeyValuePair.Create(part.Split('=')[0], part.Split('=')[1])), out _);

    private static int NumberIn(ReadOnlyMemory<byte> json)
    {
        var element = System.Text.Json.JsonDocument.Parse(json).RootElement.GetProperty("00200013").GetProperty("Value")[0];
        return int.Parse(element.GetRawText().Trim('"'), CultureInfo.InvariantCulture);
    }

    private static TestObject Made(string study, int instance) =>
        TestObject.Of(study, study + ".1", string.Create(CultureInfo.InvariantCulture, $"{study}.1.{instance}")).Add(0x00100020, "LO", "ID");
}
