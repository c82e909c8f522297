using System.Globalization;
using System.Text.Json;
using DicomServerless.Archive;
using DicomServerless.Archive.Index;
using DicomServerless.Archive.Search;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Archive;

/// <summary>Searches of all three levels, compared with a look at every object that knows nothing of the index, its keys or its matching.</summary>
public sealed class SearchOracleTests
{
    private const string Ct = "1.2.840.10008.5.1.4.1.1.2", Mr = "1.2.840.10008.5.1.4.1.1.4";

    // Kept apart for studies and series as a whole: one on any instance of it is enough, also where something below is searched.
    private static readonly QueryTag[] Configured =
        [new(new Tag(0x00101040), Vr.LO, null, QidoLevel.Study), new(new Tag(0x00181210), Vr.SH, null, QidoLevel.Series)];

    private readonly MemoryWorld world = new(TimeProvider.System);

    [Fact]
    public async Task Searches_of_every_level_find_what_a_look_at_every_object_finds_in_order_and_page_by_page()
    {
        var random = new Random(7);
        var objects = Enumerable.Range(0, 30).SelectMany(study => Objects(random, study)).ToArray();
        var archive = Archives.Open(world, options: new ArchiveOptions { QueryTags = Configured });
        Assert.All(await archive.StoreAllAsync(objects.Select(item => item.File())), result => Assert.True(result.IsStored, result.Problem));
        var (found, paged, searches) = (0, 0, Math.Min(900, Archives.ModelHistories * 10));
        for (var i = 0; i < searches; i++)
        {
            var asked = Asked.Random(random, objects);
            var expected = asked.Find(objects);
            var whole = await PagesAsync(archive, asked, 1000);
            Assert.True(expected.SequenceEqual(whole.Single()),
                $"{asked}\nexpected {string.Join(' ', expected)}\nfound {string.Join(' ', whole.Single())}");
            found += expected.Length;
            if (expected.Length < 2) continue;
            var pages = await PagesAsync(archive, asked, random.Next(1, 4));
            Assert.True(expected.SequenceEqual(pages.SelectMany(page => page)), $"by pages: {asked}");
            paged += pages.Count;
            var offset = random.Next(1, expected.Length);
            Assert.Equal(expected[offset..], (await PagesAsync(archive, asked, 1000, offset)).Single());
        }
        Assert.True(found > 2 * searches && paged > searches / 2, $"{found} found on {paged} pages");
    }

    private static async Task<List<string[]>> PagesAsync(DicomArchive archive, Asked asked, int limit, int offset = 0)
    {
        var pages = new List<string[]>();
        SearchPlace? after = null;
        do
        {
            var parameters = asked.Keys.Select(key => KeyValuePair.Create(key.Name, key.Value))
                .Append(KeyValuePair.Create("limit", $"{limit}")).Append(KeyValuePair.Create("offset", $"{offset}"));
            var query = QidoQuery.Parse(asked.Level, asked.Study is null ? null : Uid.Parse(asked.Study), asked.Series is null ? null : Uid.Parse(asked.Series),
                parameters, out var errors);
            Assert.Empty(errors);
            query.After = after;
            var answer = await archive.Search.SearchAsync(query, "http://test/dicomweb", default);
            Assert.Equal(answer.HasMore, answer.Next is not null);
            pages.Add([.. answer.Results.Select(json => Name(json, asked.Level))]);
            after = answer.Next;
        }
        while (after is not null);
        return pages;
    }

    private static string Name(byte[] json, QidoLevel level)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty(level switch { QidoLevel.Study => "0020000D", QidoLevel.Series => "0020000E", _ => "00080018" })
            .GetProperty("Value")[0].GetString()!;
    }

    private static IEnumerable<Made> Objects(Random random, int number)
    {
        var study = $"1.2.3.{number}";
        var (patient, day, time) = ($"P{random.Next(12)}", random.Next(9) == 0 ? "" : $"2024{1 + random.Next(3):D2}{1 + random.Next(28):D2}",
            $"{random.Next(24):D2}0000");
        var name = new[] { "Doe^Jane", "Doe^John", "Roe^Richard", "Do^Li" }[random.Next(4)];
        for (var series = random.Next(1, 4); series > 0; series--)
        {
            var (modality, seriesNumber, part) = (random.Next(3) == 0 ? "MR" : "CT", random.Next(4) is 0 ? "" : $"{random.Next(1, 12)}",
                random.Next(2) == 0 ? "CHEST" : "HEAD");
            for (var instance = random.Next(1, 4); instance > 0; instance--)
            {
                yield return new Made(study, $"{study}.{series}", $"{study}.{series}.{instance}", patient, name, day, time, $"A{number / 2}", modality,
                    seriesNumber, part, random.Next(5) is 0 ? "" : $"{random.Next(-1, 12)}", modality == "MR" ? Mr : Ct, $"C{random.Next(4)}",
                    $"K{random.Next(3)}", $"{random.Next(3)} Main Street");
            }
        }
    }

    private sealed record Made(string Study, string Series, string Sop, string PatientId, string Name, string Day, string Time, string Accession,
        string Modality, string SeriesNumber, string Part, string Number, string SopClass, string Comments, string Kernel, string Address)
    {
        public byte[] File() => Object().ToFile();

        public TestObject Object() => TestObject.Of(Study, Series, Sop).Add(0x00080016, "UI", SopClass).Add(0x00080020, "DA", Day).Add(0x00080030, "TM", Time)
            .Add(0x00080050, "SH", Accession).Add(0x00080060, "CS", Modality).Add(0x00100010, "PN", Name).Add(0x00100020, "LO", PatientId)
            .Add(0x00101040, "LO", Address).Add(0x00180015, "CS", Part).Add(0x00181210, "SH", Kernel).Add(0x00200011, "IS", SeriesNumber)
            .Add(0x00200013, "IS", Number).Add(0x00204000, "LT", Comments);
    }

    // Where a key is decided, and how; the level below which it is decided for all of a study or series, if it is a configured one.
    private sealed record Key(string Name, string Value, QidoLevel Level, Func<Made, bool> Matches, bool IsConfigured = false)
    {
        public override string ToString() => $"{Name}={Value}";
    }

    private sealed record Asked(QidoLevel Level, string? Study, string? Series, Key[] Keys)
    {
        public override string ToString() => $"{Level} {Study} {Series} {string.Join('&', (object[])Keys)}";

        public static Asked Random(Random random, Made[] objects)
        {
            var (some, level) = (objects[random.Next(objects.Length)], (QidoLevel)random.Next(3));
            var study = level != QidoLevel.Study && random.Next(4) == 0 ? some.Study : null;
            var series = level == QidoLevel.Instance && study is not null && random.Next(2) == 0 ? some.Series : null;
            var keys = new List<Key>();
            if (random.Next(4) == 0) keys.Add(new("PatientID", some.PatientId, QidoLevel.Study, made => made.PatientId == some.PatientId));
            if (random.Next(5) == 0) keys.Add(new("PatientName", "Doe^J*", QidoLevel.Study, made => made.Name.StartsWith("Doe^J", StringComparison.Ordinal)));
            if (random.Next(5) == 0) keys.Add(new("PatientName".ToLowerInvariant(), "*o*", QidoLevel.Study, _ => true));
            if (random.Next(5) == 0) keys.Add(new("AccessionNumber", some.Accession, QidoLevel.Study, made => made.Accession == some.Accession));
            if (random.Next(4) == 0)
                keys.Add(new("StudyDate", "20240110-20240210", QidoLevel.Study,
                    made => made.Day.Length > 0 && string.CompareOrdinal(made.Day, "20240110") >= 0 && string.CompareOrdinal(made.Day, "20240210") <= 0));
            if (random.Next(6) == 0) keys.Add(new("ModalitiesInStudy", "MR", QidoLevel.Study, made => objects.Any(other => other.Study == made.Study
                && other.Modality == "MR")));
            if (random.Next(9) == 0) keys.Add(new("StudyInstanceUID", $"{some.Study},1.2.3.4", QidoLevel.Study, made => made.Study == some.Study
                || made.Study == "1.2.3.4"));
            if (random.Next(9) == 0) keys.Add(new("NumberOfStudyRelatedSeries", "2", QidoLevel.Study, made => objects.Where(other => other.Study == made.Study)
                .DistinctBy(other => other.Series).Count() == 2));
            if (random.Next(5) == 0) keys.Add(new("Modality", "MR", QidoLevel.Series, made => made.Modality == "MR"));
            if (random.Next(6) == 0) keys.Add(new("BodyPartExamined", "CHEST", QidoLevel.Series, made => made.Part == "CHEST"));
            if (random.Next(9) == 0) keys.Add(new("SeriesInstanceUID", some.Series, QidoLevel.Series, made => made.Series == some.Series));
            if (random.Next(9) == 0) keys.Add(new("NumberOfSeriesRelatedInstances", "2", QidoLevel.Series,
                made => objects.Count(other => other.Series == made.Series) == 2));
            if (random.Next(6) == 0) keys.Add(new("SOPClassUID", Mr, QidoLevel.Instance, made => made.SopClass == Mr));
            if (random.Next(9) == 0) keys.Add(new("SOPInstanceUID", some.Sop, QidoLevel.Instance, made => made.Sop == some.Sop));
            if (random.Next(6) == 0) keys.Add(new("ImageComments", some.Comments, QidoLevel.Instance, made => made.Comments == some.Comments));
            if (random.Next(6) == 0) keys.Add(new("PatientAddress", some.Address, QidoLevel.Study, made => made.Address == some.Address, IsConfigured: true));
            if (random.Next(6) == 0) keys.Add(new("ConvolutionKernel", some.Kernel, QidoLevel.Series, made => made.Kernel == some.Kernel, IsConfigured: true));
            return new Asked(level, study, series, [.. keys.DistinctBy(key => key.Name.ToUpperInvariant())]);
        }

        public string[] Find(Made[] objects)
        {
            var ordered = objects.Where(made => (Study is null || made.Study == Study) && (Series is null || made.Series == Series))
                .OrderByDescending(made => made.Day.Length > 0 ? made.Day + made.Time : "", StringComparer.Ordinal)
                .ThenBy(made => made.Study, StringComparer.Ordinal)
                .ThenBy(made => Number(made.SeriesNumber)).ThenBy(made => made.Series, StringComparer.Ordinal)
                .ThenBy(made => Number(made.Number)).ThenBy(made => made.Sop, StringComparer.Ordinal);
            return Level switch
            {
                QidoLevel.Study => [.. ordered.GroupBy(made => made.Study).Where(study => HasOne(study, objects)).Select(study => study.Key)],
                QidoLevel.Series => [.. ordered.GroupBy(made => made.Series).Where(series => Of(QidoLevel.Study).All(key => key.IsConfigured
                    ? objects.Any(other => other.Study == series.First().Study && key.Matches(other)) : key.Matches(series.First()))
                    && HasOne(series, objects)).Select(series => series.Key)],
                _ => [.. ordered.Where(made => Keys.All(key => key.IsConfigured
                    ? objects.Any(other => key.Level == QidoLevel.Study ? other.Study == made.Study && key.Matches(other)
                        : other.Series == made.Series && key.Matches(other))
                    : key.Matches(made))).Select(made => made.Sop)],
            };
        }

        // One series that all keys of series fit, and in it one instance that all others fit; those of the study fit any.
        private bool HasOne(IEnumerable<Made> group, Made[] objects)
        {
            var below = Keys.Where(key => key.Level > Level || (key.IsConfigured && key.Level == Level)).ToArray();
            var here = Keys.Where(key => !key.IsConfigured && key.Level == Level).ToArray();
            return group.Any(made => here.All(key => key.Matches(made))
                && below.Where(key => !key.IsConfigured && key.Level == QidoLevel.Series).All(key => key.Matches(made))
                && below.Where(key => key.IsConfigured || key.Level == QidoLevel.Instance).All(key => key.Matches(made)));
        }

        private IEnumerable<Key> Of(QidoLevel level) => Keys.Where(key => key.Level == level);

        private static long Number(string text) => text.Length == 0 ? long.MaxValue : long.Parse(text, CultureInfo.InvariantCulture);
    }

    /// <summary>PS3.18 tables 10.6.3-3 to -5, keys and includefield: exactly these attributes come back, and nothing else.</summary>
    [Theory]
    [InlineData("Study", null, null, "", "00080020 00080030 00080050 00080056 00080061 00080090 00081190 00100010 00100020 00100030 00100040 0020000D 00200010 "
        + "00201206 00201208")]
    [InlineData("Study", null, null, "includefield=StudyDescription,00081010,00101040", "00080020 00080030 00080050 00080056 00080061 00080090 00081190 "
        + "00100010 00100020 00100030 00100040 0020000D 00200010 00201206 00201208")]
    [InlineData("Study", null, null, "Modality=CT&ImageComments=C1", "00080020 00080030 00080050 00080056 00080060 00080061 00080090 00081190 00100010 "
        + "00100020 00100030 00100040 0020000D 00200010 00201206 00201208 00204000")]
    [InlineData("Study", null, null, "Modality=&NamesOfIntendedRecipientsOfResults=&00081030=",
        "00080020 00080030 00080050 00080056 00080060 00080061 00080090 "
        + "00081030 00081190 00100010 00100020 00100030 00100040 0020000D 00200010 00201206 00201208 00401010")]
    [InlineData("Series", "1.2.3", null, "", "00080056 00080060 00081190 0020000D 0020000E 00200011 00201209")]
    [InlineData("Series", null, null, "", "00080020 00080030 00080050 00080056 00080060 00080061 00080090 00081190 00100010 00100020 00100030 00100040 "
        + "0020000D 0020000E 00200010 00200011 00201206 00201208 00201209")]
    [InlineData("Series", "1.2.3", null, "includefield=PatientID&ImageComments=C1&BodyPartExamined=", "00080056 00080060 00081190 00100020 00180015 0020000D "
        + "0020000E 00200011 00201209 00204000")]
    [InlineData("Instance", "1.2.3", "1.2.3.1", "", "00080016 00080018 00080056 00081190 00083002 0020000D 0020000E 00200013 00280010")]
    [InlineData("Instance", "1.2.3", null, "", "00080016 00080018 00080056 00080060 00081190 00083002 0020000D 0020000E 00200011 00200013 00201209 00280010")]
    [InlineData("Instance", "1.2.3", "1.2.3.1", "includefield=ImageComments,PatientID", "00080016 00080018 00080056 00081190 00083002 00100020 0020000D "
        + "0020000E 00200013 00204000 00280010")]
    [InlineData("Instance", "1.2.3", "1.2.3.1", "includefield=00083002,NumberOfStudyRelatedSeries", "00080016 00080018 00080056 00081190 00083002 0020000D "
        + "0020000E 00200013 00201206 00280010")]
    [InlineData("Instance", null, null, "", "00080016 00080018 00080020 00080030 00080050 00080056 00080060 00080061 00080090 00081190 00083002 00100010 "
        + "00100020 00100030 00100040 0020000D 0020000E 00200010 00200011 00200013 00201206 00201208 00201209 00280010")]
    [InlineData("Instance", "1.2.3", "1.2.3.1", "includefield=all",
        "00080016 00080018 00080020 00080030 00080050 00080056 00080060 00080061 00080062 00081190 "
        + "00083002 00100010 00100020 00101040 00180015 00181210 0020000D 0020000E 00200011 00200013 00201206 00201208 00201209 00204000 00280010")]
    public async Task A_result_has_the_attributes_of_the_tables_the_keys_and_those_asked_for(string level, string? study, string? series, string query,
        string expected)
    {
        var archive = Archives.Open(world);
        await archive.StoreAsync(new Made("1.2.3", "1.2.3.1", "1.2.3.1.1", "P1", "Doe^Jane", "20240101", "100000", "A1", "CT", "1", "CHEST", "1", Ct, "C1",
            "K1", "1 Main Street").Object().Add(0x00280010, "US", [1, 0]).ToFile());
        var parameters = query.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => KeyValuePair.Create(pair.Split('=')[0], pair.Split('=')[1]));
        var parsed = QidoQuery.Parse(Enum.Parse<QidoLevel>(level), study is null ? null : Uid.Parse(study), series is null ? null : Uid.Parse(series),
            parameters, out var errors);
        Assert.Empty(errors);
        var answer = await archive.Search.SearchAsync(parsed, "http://test/dicomweb", default);
        using var result = JsonDocument.Parse(Assert.Single(answer.Results));
        Assert.Equal(expected, string.Join(' ', result.RootElement.EnumerateObject().Select(attribute => attribute.Name)));
    }
}
