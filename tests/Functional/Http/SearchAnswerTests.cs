using System.Net;
using System.Text;
using System.Text.Json;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Http;

/// <summary>What is in a result (PS3.18 10.6.3.3; D2.10 to D2.14, D2.19, D2.20).</summary>
public sealed class SearchAnswerTests : IAsyncLifetime
{
    // Table 10.6.3-3: what a study's result always has, then what ours adds where it is known.
    private const string StudyRequired =
        "00080020 00080030 00080050 00080056 00080061 00080090 00081190 00100010 00100020 00100030 00100040 0020000D 00200010 00201206 00201208";
    // Table 10.6.3-4, and the study that the series is of.
    private const string SeriesRequired = "00080056 00080060 00081190 0020000D 0020000E 00200011 00201209",
        SeriesKnown = "00080201 0008103E 00400244 00400245 00400275";
    // Table 10.6.3-5, and the study and series that the instance is of.
    private const string InstanceRequired = "00080016 00080018 00080056 00081190 00083002 0020000D 0020000E 00200013",
        InstanceKnown = "00080201 00280008 00280010 00280011 00280100";

    private Server server = null!;

    public async ValueTask InitializeAsync() => server = await Server.StartAsync();

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    private static TestObject Full() => Server.Image("1.2", "1.2.1", "1.2.1.1").Add(0x00080030, "TM", "101112")
        .Add(0x00080050, "SH", "A1").Add(0x00080080, "LO", "General").Add(0x00080090, "PN", "REF^DOC")
        .Add(0x00080201, "SH", "+0100").Add(0x00081030, "LO", "CT chest").Add(0x0008103E, "LO", "AX")
            .Add(0x00100030, "DA", "19700101").Add(0x00100040, "CS", "F").Add(0x00104000, "LT", "Lives alone")
        .Add(0x00180050, "DS", "5.0").Add(0x00200010, "SH", "S1").Add(0x00200011, "IS", "3").Add(0x00280008, "IS", "1")
            .Add(0x00281050, "DS", "40\\300").Add(0x00400244, "DA", "20240102").Add(0x00400245, "TM", "1011")
        .Add(0x00400275, "SQ", [0xFE, 0xFF, 0x00, 0xE0, 12, 0, 0, 0, 0x40, 0, 0x09, 0, (byte)'S', (byte)'H', 4, 0, .. "SPS1"u8])
        .Add(0x00101002, "SQ", [0xFE, 0xFF, 0x00, 0xE0, 12, 0, 0, 0, 0x10, 0, 0x20, 0, (byte)'L', (byte)'O', 4, 0, .. "OLD1"u8]);

    private static TestObject Bare() => TestObject.Of("1.3", "1.3.1", "1.3.1.1");

    [Theory]
    [InlineData("/studies", StudyRequired, "00080201 00081030")]
    [InlineData("/studies/1.2/series", SeriesRequired, SeriesKnown)]
    [InlineData("/series", SeriesRequired + " " + StudyRequired, SeriesKnown + " 00081030")]
    [InlineData("/studies/1.2/series/1.2.1/instances", InstanceRequired, InstanceKnown)]
    [InlineData("/studies/1.2/instances", InstanceRequired + " " + SeriesRequired, InstanceKnown + " " + SeriesKnown)]
    [InlineData("/instances", InstanceRequired + " " + SeriesRequired + " " + StudyRequired, InstanceKnown + " " + SeriesKnown + " 00081030")]
    public async Task Each_resource_returns_the_attributes_of_its_table_with_their_values_and_the_levels_above_that_its_path_leaves_open(string path,
        string required, string known)
    {
        await StoreAsync(Full(), Bare());
        var full = Assert.Single(await AskAsync(path), item => Text(item, "0020000D") == "1.2");
        Assert.Equal(Tags(required, known), full.EnumerateObject().Select(attribute => attribute.Name));
        Assert.All(full.EnumerateObject(), attribute => Assert.True(attribute.Value.TryGetProperty("Value", out _), attribute.Name));
        // An object without any of it has the required ones all the same, empty (D2.14), and none of the others, but for the image's size.
        var bare = Assert.Single(await AskAsync(path.Replace("1.2", "1.3", StringComparison.Ordinal)), item => Text(item, "0020000D") == "1.3");
        Assert.Equal(Tags(required), bare.EnumerateObject().Select(attribute => attribute.Name));
        Assert.All(bare.EnumerateObject()
            .Where(attribute => attribute.Name is "00080020" or "00080050" or "00080060" or "00100010" or "00200011" or "00200013"), attribute =>
            Assert.Single(attribute.Value.EnumerateObject()));
    }

    [Theory]
    // Repeated, with commas, as keyword, as tag; a path returns the sequence that it starts with.
    [InlineData("/studies", "includefield=PatientComments,00080080&includefield=OtherPatientIDsSequence.PatientID", "00080080 00101002 00104000")]
    // Above the level is returned, below it never; what nobody knows is silently absent.
    [InlineData("/studies/1.2/series", "includefield=PatientName,StudyDescription,SliceThickness,NoSuchKeyword,00091001", "00081030 00100010")]
    [InlineData("/studies", "includefield=Modality,Rows,00281050", "")]
    [InlineData("/studies/1.2/series/1.2.1/instances", "includefield=WindowCenter,00180050,PatientID,Modality", "00080060 00100020 00180050 00281050")]
    public async Task Includefield_adds_attributes_of_the_resource_and_above(string path, string query, string added)
    {
        await StoreAsync(Full());
        var usual = Assert.Single(await AskAsync(path)).EnumerateObject().Select(attribute => attribute.Name);
        using var response = await server.GetAsync($"{path}?{query}");
        Assert.False(response.Headers.Contains("Warning"));
        var asked = Assert.Single((await Server.JsonAsync(response)).EnumerateArray());
        Assert.Equal(added.Split(' ', StringSplitOptions.RemoveEmptyEntries), asked.EnumerateObject().Select(attribute => attribute.Name).Except(usual));
        if (added.Contains("00101002", StringComparison.Ordinal)) Assert.Equal("OLD1", Text(asked.GetProperty("00101002").GetProperty("Value")[0], "00100020"));
        if (added.Contains("00281050", StringComparison.Ordinal)) Assert.Equal(300, asked.GetProperty("00281050").GetProperty("Value")[1].GetDouble());
    }

    [Theory]
    [InlineData("/studies", "00080080 00101002 00104000", "00080060 00180050 00200013 00280010 00281050")]
    [InlineData("/studies/1.2/series", "00080080 0008103E 00400275", "00180050 00200013 00280010 00281050")]
    [InlineData("/studies/1.2/instances", "00080060 00180050 00280010 00281050", "7FE00010")]
    public async Task Includefield_all_adds_everything_of_the_resource_and_nothing_below_it(string path, string there, string absent)
    {
        await StoreAsync(Full());
        var item = Assert.Single(await AskAsync(path + "?includefield=all"));
        Assert.All(there.Split(' '), tag => Assert.True(item.TryGetProperty(tag, out _), tag));
        Assert.All(absent.Split(' '), tag => Assert.False(item.TryGetProperty(tag, out _), tag));
    }

    [Theory]
    [InlineData("/studies?PatientComments=Lives*&InstitutionName=", "00104000=Lives alone|00080080=General")]
    [InlineData("/studies?Modality=CT&00181030=", "00080060=CT|00181030=")] // of a lower level: the one that matched; unknown to the study: empty
    [InlineData("/studies/1.2/series?StudyDescription=CT chest&ProtocolName=", "00081030=CT chest|00181030=")]
    [InlineData("/instances?SliceThickness=5&PatientWeight=", "00180050=5.0|00101030=")]
    [InlineData("/studies/1.2/series/1.2.1/instances?OtherPatientIDsSequence.PatientID=", "00101002=[]")]
    public async Task Every_key_comes_back_empty_where_there_is_no_value(string url, string expected)
    {
        await StoreAsync(Full());
        var item = Assert.Single(await AskAsync(url));
        foreach (var pair in expected.Split('|').Select(pair => pair.Split('=')))
        {
            var attribute = item.GetProperty(pair[0]);
            if (pair[1] == "[]") Assert.Equal("OLD1", Text(attribute.GetProperty("Value")[0], "00100020"));
            else if (pair[1].Length == 0) Assert.Single(attribute.EnumerateObject());
            else if (attribute.GetProperty("Value")[0] is { ValueKind: JsonValueKind.Number } number)
                Assert.Equal(double.Parse(pair[1], null), number.GetDouble());
            else Assert.Equal(pair[1], attribute.GetProperty("Value")[0].GetString());
        }
    }

    [Fact]
    public async Task Values_that_are_none_of_their_vr_appear_as_they_were_given_and_hide_nothing()
    {
        var wrong = new (uint Tag, string Vr, string Value)[]
        {
            (0x00080020, "DA", "last week"), (0x00080030, "TM", "25:61"), (0x00080050, "SH", "far longer than sixteen characters"),
                (0x00080060, "CS", "ct?lower"), (0x00100030, "DA", "1970-01-01"),
            (0x00100040, "CS", "female"), (0x00200011, "IS", "three"), (0x00200013, "IS", "1.5x"), (0x00400244, "DA", "20241340"),
        };
        var item = Bare();
        foreach (var (tag, vr, value) in wrong) item.Add(tag, vr, value);
        using (var stored = await server.StoreAsync(item.ToFile()))
            Assert.True(stored.StatusCode is HttpStatusCode.OK or HttpStatusCode.Accepted, $"{stored.StatusCode}");
        var found = Assert.Single(await AskAsync("/instances"));
        foreach (var (tag, _, value) in wrong) Assert.Equal(value, Text(found, tag.ToString("X8", null)));
        Assert.Single(await AskAsync("/studies?AccessionNumber=far longer than sixteen characters"));
        Assert.Single(await AskAsync("/studies?PatientSex=female"));
        Assert.Single(await AskAsync("/series?SeriesNumber=three"));
        // A date that is none is in no range.
        Assert.Empty(await AskAsync("/studies?StudyDate=19000101-"));
    }

    // PS3.5 H, I, J and K: the bytes of the standard's own examples.
    [Theory]
    [InlineData("ISO_IR 100", "Buc^J\u00E9r\u00F4me", "Buc^Jérôme", null, null)]
    [InlineData("\\ISO 2022 IR 87", "Yamada^Tarou=\e$B;3ED\e(B^\e$BB@O:\e(B=\e$B$d$^$@\e(B^\e$B$?$m$&\e(B", "Yamada^Tarou", "山田^太郎", "やまだ^たろう")]
    [InlineData("\\ISO 2022 IR 149", "Hong^Gildong=\e$)C\u00FB\u00F3^\e$)C\u00D1\u00CE\u00D4\u00D7=\e$)C\u00C8\u00AB^\e$)C\u00B1\u00E6\u00B5\u00BF",
        "Hong^Gildong", "洪^吉洞", "홍^길동")]
    [InlineData("GB18030", "Wang^XiaoDong=\u00CD\u00F5^\u00D0\u00A1\u00B6\u00AB", "Wang^XiaoDong", "王^小东", null)]
    public async Task Names_of_every_character_set_come_as_utf8_by_group_and_are_found_by_any_of_them(string characterSet,
        string bytes, string alphabetic, string? ideographic, string? phonetic)
    {
        await StoreAsync(Bare().Add(0x00080005, "CS", characterSet).Add(0x00100010, "PN", Encoding.Latin1.GetBytes(bytes)));
        using var response = await server.GetAsync("/studies");
        var raw = Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync());
        using var document = JsonDocument.Parse(raw);
        var item = document.RootElement[0];
        // Of what is not there the standard asks nothing; of another character set than UTF-8 it forbids (PS3.18 F.2).
        Assert.False(item.TryGetProperty("00080005", out _));
        foreach (var whole in await AskAsync("/instances?includefield=all"))
            Assert.True(!whole.TryGetProperty("00080005", out _) || Text(whole, "00080005") == "ISO_IR 192");
        var name = item.GetProperty("00100010").GetProperty("Value")[0];
        string[] groups = [alphabetic, ideographic ?? "", phonetic ?? ""];
        string[] members = ["Alphabetic", "Ideographic", "Phonetic"];
        foreach (var (member, group) in members.Zip(groups))
        {
            Assert.Equal(group, name.TryGetProperty(member, out var text) ? text.GetString() : "");
            if (group.Length == 0) continue;
            foreach (var key in new[] { group, group[..1] + "*", group.Split('^')[0] + "^*" })
                Assert.Single(await AskAsync("/studies?PatientName=" + Uri.EscapeDataString(key)));
        }
    }

    private async Task StoreAsync(params TestObject[] objects)
    {
        using var response = await server.StoreAsync([.. objects.Select(item => item.ToFile())]);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private async Task<JsonElement[]> AskAsync(string url)
    {
        using var response = await server.GetAsync(url);
        if (response.StatusCode == HttpStatusCode.NoContent) return [];
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return [.. (await Server.JsonAsync(response)).EnumerateArray()];
    }

    private static string Text(JsonElement item, string tag) => item.GetProperty(tag).GetProperty("Value")[0].ToString();

    private static string[] Tags(params string[] lists) => [.. lists.SelectMany(list => list.Split(' ')).Distinct().Order(StringComparer.Ordinal)];
}
