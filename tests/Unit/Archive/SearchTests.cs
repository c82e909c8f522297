using System.Globalization;
using System.Text;
using System.Text.Json;
using DicomServerless.Archive;
using DicomServerless.Archive.Search;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Archive;

public sealed class SearchTests
{
    private static readonly string[] Last = ["Smith", "Smithson", "O'Brien", "Müller",
        "Łuczak", "Nguyen", "Li", "山田", "Sørensen", "Ivanov", "Иванов", "MC DONALD", "Le-Grand"];
    private static readonly string[] First = ["Anna", "Ben", "Élise", "J", "太郎", ""];
    private static readonly string[] Descriptions = ["CT CHEST W CONTRAST", "XCHEST", "MR BRAIN", "", "HAND_RT", "Thorax + abdomen", "a/b\\c#d?e"];

    private readonly MemoryWorld world = new(TimeProvider.System);

    [Fact]
    public async Task Whatever_key_a_search_takes_it_finds_what_a_look_at_every_study_finds()
    {
        var random = new Random(42);
        var archive = Archives.Open(world);
        var files = Enumerable.Range(0, 150).Select(i => Study(random, i)).ToArray();
        Assert.All(await archive.StoreAllAsync(files), result => Assert.True(result.IsStored, result.Problem));
        var all = (await RunAsync(archive, "limit=1000")).ToArray();
        Assert.Equal(150, all.Length);
        var (found, queries) = (0, Math.Min(1500, Archives.ModelHistories * 15));
        for (var i = 0; i < queries; i++)
        {
            var query = Query(random);
            var actual = (await RunAsync(archive, query)).Select(Uid).ToArray();
            var matches = QidoQuery.Parse(QidoLevel.Study, null, null, Parameters(query), out var errors);
            Assert.Empty(errors);
            var expected = all.Where(study => matches.Matches.All(match => match.Matches(study, matches.Fuzzy))).Select(Uid).ToArray();
            Assert.True(expected.SequenceEqual(actual), $"{query}: {expected.Length} expected, {actual.Length} found");
            found += actual.Length;
        }
        Assert.True(found > queries, "The queries hardly match anything.");
    }

    [Theory]
    [InlineData("PatientName=smith*", 2)]
    [InlineData("PatientName=*MIT*", 2)]
    [InlineData("PatientName=muller^anna", 1)]
    [InlineData("PatientName=Müller^Anna", 1)]
    [InlineData("PatientName=anna&fuzzymatching=true", 3)]
    [InlineData("PatientName=山田*", 1)]
    [InlineData("PatientName=*田^*", 1)]
    [InlineData("PatientName=S?ith^*", 1)]
    [InlineData("PatientName=", 4)]
    [InlineData("PatientName=*", 4)]
    [InlineData("StudyDate=20240101-20240131", 2)]
    [InlineData("StudyDate=-20240115", 1)]
    [InlineData("StudyDate=20240116-", 3)]
    [InlineData("StudyDate=20240110-20240120&StudyTime=1200-1100", 1)] // one interval: from noon of the 10th to 11 of the 20th
    [InlineData("StudyTime=0900-1000", 2)]
    [InlineData("ModalitiesInStudy=MR,PT", 2)]
    [InlineData("ModalitiesInStudy=MR%5CPT", 2)]
    [InlineData("StudyInstanceUID=1.2.3.4.1,1.2.3.4.3", 2)]
    [InlineData("StudyInstanceUID=1.2.3.4.1%5C1.2.3.4.3", 2)]
    [InlineData("00100020=ID*", 4)]
    [InlineData("patientid=ID1", 1)]
    [InlineData("PatientID=id1", 0)] // exact in case
    [InlineData("StudyDescription=*chest*", 0)]
    [InlineData("StudyDescription=*CHEST*", 2)]
    [InlineData("OtherPatientIDsSequence.PatientID=X2", 1)]
    [InlineData("RequestAttributesSequence.ScheduledProcedureStepID=none", 0)]
    [InlineData("limit=2", 2)]
    [InlineData("offset=3", 1)]
    [InlineData("limit=0", 0)]
    public async Task Keys_match_as_the_standard_says(string query, int count)
    {
        var archive = Archives.Open(world);
        await archive.StoreAllAsync(Four());
        Assert.Equal(count, (await RunAsync(archive, query)).Count());
    }

    [Fact]
    public async Task Studies_come_newest_first_and_pages_do_not_overlap()
    {
        var archive = Archives.Open(world);
        await archive.StoreAllAsync(Four());
        var whole = (await RunAsync(archive, "")).Select(Uid).ToArray();
        Assert.Equal(["1.2.3.4.4", "1.2.3.4.3", "1.2.3.4.2", "1.2.3.4.1"], whole);
        var paged = new List<string>();
        for (var offset = 0; offset < 4; offset++) paged.AddRange((await RunAsync(archive, $"limit=1&offset={offset}")).Select(Uid));
        Assert.Equal(whole, paged);
        var query = QidoQuery.Parse(QidoLevel.Study, null, null, Parameters("limit=3"), out _);
        Assert.True((await archive.Search.SearchAsync(query, "http://x", default)).HasMore);
    }

    [Theory]
    [InlineData("limit=-1")]
    [InlineData("limit=abc")]
    [InlineData("offset=-5")]
    [InlineData("fuzzymatching=perhaps")]
    [InlineData("StudyDate=notadate")]
    [InlineData("StudyDate=-")]
    [InlineData("StudyInstanceUID=1..2")]
    [InlineData("StudyInstanceUID=1.2*")]
    [InlineData("PatientID=1&00100020=2")]
    public void Wrong_parameters_are_named(string query)
    {
        QidoQuery.Parse(QidoLevel.Study, null, null, Parameters(query), out var errors);
        Assert.NotEmpty(errors);
    }

    [Fact]
    public void What_is_no_attribute_is_ignored_with_a_warning() =>
        Assert.Single(QidoQuery.Parse(QidoLevel.Study, null, null, Parameters("Nonsense=1"), out _).Warnings);

    [Fact]
    public async Task Series_and_instances_match_at_their_own_level_with_the_study_s_counts()
    {
        var archive = Archives.Open(world);
        byte[] Made(int series, int instance, string modality) =>
            TestObject.Of("1.2.3.9", $"1.2.3.9.{series}", $"1.2.3.9.{series}.{instance}").Add(0x00080060, "CS", modality)
            .Add(0x00200011, "IS", series.ToString(CultureInfo.InvariantCulture))
                .Add(0x00200013, "IS", instance.ToString(CultureInfo.InvariantCulture)).ToFile();
        await archive.StoreAllAsync([Made(10, 1, "CT"), Made(2, 1, "MR"), Made(2, 10, "MR"), Made(2, 9, "MR")]);
        Assert.Equal(["1.2.3.9.2", "1.2.3.9.10"], (await RunAsync(archive, "", QidoLevel.Series, "1.2.3.9")).Select(item => Text(item, "0020000E")));
        Assert.Equal(["1.2.3.9.2.1", "1.2.3.9.2.9", "1.2.3.9.2.10"],
            (await RunAsync(archive, "Modality=MR", QidoLevel.Instance, "1.2.3.9")).Select(item => Text(item, "00080018")));
        Assert.Equal(["1.2.3.9.2"], (await RunAsync(archive, "Modality=MR", QidoLevel.Series)).Select(item => Text(item, "0020000E")));
        Assert.Equal(["1.2.3.9.2.9"], (await RunAsync(archive, "SOPInstanceUID=1.2.3.9.2.9", QidoLevel.Instance)).Select(item => Text(item, "00080018")));
        var study = Assert.Single(await RunAsync(archive, "ModalitiesInStudy=MR"));
        Assert.Equal("2 4 CT\\MR", $"{study.GetProperty("00201206").GetProperty("Value")[0]} {study.GetProperty("00201208").GetProperty("Value")[0]} "
            + $"{string.Join('\\', study.GetProperty("00080061").GetProperty("Value").EnumerateArray())}");
    }

    private static byte[][] Four() =>
    [
        Make("1.2.3.4.1", "Smith^John", "ID1", "20240110", "090000", "CT", "CT CHEST"),
        Make("1.2.3.4.2", "Müller^Anna", "ID2", "20240120", "093000", "MR", "XCHEST", "X2"),
        Make("1.2.3.4.3", "山田^Anna", "ID3", "20240201", "1200", "PT", "PET"),
        Make("1.2.3.4.4", "Smithson^Anna Maria", "ID4", "20240301", "140000", "CT", "HEAD"),
    ];

    private static byte[] Make(string study, string name, string id, string date, string time, string modality, string description, string? otherId = null)
    {
        var made = TestObject.Of(study, study + ".1", study + ".1.1").Add(0x00080005, "CS", "ISO_IR 192")
            .Add(0x00080020, "DA", date).Add(0x00080030, "TM", time).Add(0x00080060, "CS", modality)
            .Add(0x00081030, "LO", description).Add(0x00100010, "PN", name).Add(0x00100020, "LO", id);
        if (otherId is null) return made.ToFile();
        // A sequence of one item: item tag, its length, and one element.
        var inner = new TestObject().Add(0x00100020, "LO", otherId).DataSet();
        return made.Add(0x00101002, "SQ", [0xFE, 0xFF, 0x00, 0xE0, (byte)inner.Length, 0, 0, 0, .. inner]).ToFile();
    }

    private static byte[] Study(Random random, int number)
    {
        var name = $"{Last[random.Next(Last.Length)]}^{First[random.Next(First.Length)]}";
        var date = random.Next(8) == 0 ? ""
            : string.Create(CultureInfo.InvariantCulture, $"{2020 + random.Next(3)}{1 + random.Next(12):D2}{1 + random.Next(28):D2}");
        return Make($"1.2.3.5.{number}", name, $"MRN{random.Next(40)}", date,
            string.Create(CultureInfo.InvariantCulture, $"{random.Next(24):D2}{random.Next(60):D2}00"), random.Next(2) == 0
            ? "CT" : "MR", Descriptions[random.Next(Descriptions.Length)]);
    }

    private static string Query(Random random)
    {
        var parts = new List<string> { "limit=1000" };
        if (random.Next(2) == 0)
            parts.Add("PatientName=" + Uri.EscapeDataString(Pattern(random, $"{Last[random.Next(Last.Length)]}^{First[random.Next(First.Length)]}")));
        if (random.Next(4) == 0) parts.Add("PatientID=" + Pattern(random, $"MRN{random.Next(40)}"));
        if (random.Next(4) == 0) parts.Add("StudyDescription=" + Uri.EscapeDataString(Pattern(random, Descriptions[random.Next(Descriptions.Length)])));
        if (random.Next(4) == 0) parts.Add("ModalitiesInStudy=" + (random.Next(2) == 0 ? "CT" : "CT,MR"));
        if (random.Next(4) == 0) parts.Add(random.Next(2) == 0 ? "StudyDate=20201115-20210220" : "StudyDate=-2021" + "0601");
        if (random.Next(4) == 0) parts.Add("fuzzymatching=true");
        return string.Join('&', parts);
    }

    // The value, a part of it between wildcards, or with a character left open.
    private static string Pattern(Random random, string value)
    {
        if (value.Length == 0) return "*";
        var start = random.Next(value.Length);
        var part = value.Substring(start, random.Next(1, value.Length - start + 1));
        return random.Next(6) switch { 0 => value, 1 => value.ToUpperInvariant(), 2 => "*" + part + "*", 3 =>
            value[..(start + 1)] + "*", 4 => "*" + value[start..], _ => value[..start] + "?" + value[(start + 1)..] };
    }

    private static async Task<IEnumerable<JsonElement>> RunAsync(DicomArchive archive, string query, QidoLevel level = QidoLevel.Study, string? study = null)
    {
        var parsed = QidoQuery.Parse(level, study is null ? null : DicomServerless.Dicom.Uid.Parse(study), null, Parameters(query), out var errors);
        Assert.Empty(errors);
        return (await archive.Search.SearchAsync(parsed, "http://test/dicomweb", default))
            .Results.Select(json => JsonDocument.Parse(Encoding.UTF8.GetString(json)).RootElement);
    }

    private static IEnumerable<KeyValuePair<string, string>> Parameters(string query) =>
        query.Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => KeyValuePair.Create(pair.Split('=')[0], Uri.UnescapeDataString(pair[(pair.IndexOf('=', StringComparison.Ordinal) + 1)..])));

    private static string Uid(JsonElement study) => Text(study, "0020000D");

    private static string Text(JsonElement item, string tag) => item.GetProperty(tag).GetProperty("Value")[0].GetString()!;
}
