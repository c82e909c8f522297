using System.Globalization;
using System.Text;
using System.Text.Json;
using DicomServerless.Archive;
using DicomServerless.Archive.Search;
using DicomServerless.Dicom;
using DicomServerless.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Unit.Archive;

/// <summary>Pages by cursor: what they cost, and whose they are.</summary>
public sealed class SearchPagingTests
{
    private readonly MemoryWorld world = new(TimeProvider.System);

    [Theory]
    [InlineData("limit=5", "Study")]
    [InlineData("limit=5&PatientName=SMITH*", "Study")]
    [InlineData("limit=5&StudyDate=20200101-20241231", "Study")]
    [InlineData("limit=5", "Series")]
    [InlineData("limit=5", "Instance")]
    public async Task A_late_page_costs_as_many_storage_operations_as_an_early_one(string text, string resource)
    {
        var level = Enum.Parse<QidoLevel>(resource);
        await Archives.Open(world).StoreAllAsync(Studies(300));
        var operations = 0;
        var archive = Counting(() => operations++);
        var costs = new List<int>();
        SearchPlace? place = null;
        var seen = new List<string>();
        do
        {
            operations = 0;
            var query = QidoQuery.Parse(level, null, null, Parameters(text), out var errors);
            Assert.Empty(errors);
            query.After = place;
            var answer = await archive.Search.SearchAsync(query, "http://test/dicomweb", default);
            costs.Add(operations);
            seen.AddRange(answer.Results.Select(json => Url(json)));
            place = answer.Next;
        }
        while (place is not null);
        Assert.True(costs.Count > 50, $"{costs.Count} pages");
        Assert.Equal(300, seen.Distinct().Count());
        Assert.Equal(300, seen.Count);
        Assert.InRange(costs[49], 1, costs[1] + 1); // the one: the end of a month's partition
        Console.WriteLine($"{level} {text}: page 2 costs {costs[1]} operations, page 50 {costs[49]}");
    }

    [Fact]
    public async Task A_search_that_stops_at_its_bound_goes_on_from_there_and_loses_nothing()
    {
        await Archives.Open(world).StoreAllAsync(Studies(120));
        var archive = Archives.Open(world, options: new ArchiveOptions { MaxOpenedStudies = 100 });
        // Decided on series, so that every study must be opened. The two that match are the oldest, and one of them is to be passed over.
        var query = QidoQuery.Parse(QidoLevel.Study, null, null, Parameters("Modality=MR&offset=1"), out _);
        var first = await archive.Search.SearchAsync(query, "http://test/dicomweb", default);
        Assert.True(first is { IsIncomplete: true, HasMore: true, Results.Count: 0, Next.Skip: 1 }, first.ToString());
        var second = QidoQuery.Parse(QidoLevel.Study, null, null, Parameters("Modality=MR"), out _);
        second.After = first.Next;
        var answer = await archive.Search.SearchAsync(second, "http://test/dicomweb", default);
        Assert.True(answer is { IsIncomplete: false, HasMore: false, Next: null, Results.Count: 1 }, answer.ToString());
    }

    [Fact]
    public async Task A_cursor_holds_the_query_and_is_of_one_resource_and_of_one_archive_and_says_nothing()
    {
        var cursors = new SearchCursors(world.Client().Derived, null);
        var place = new SearchPlace("79759898876969999999", Uid.Parse("1.2.3"), new NumberedUid(4, Uid.Parse("1.2.3.4")));
        var query = Parse("PatientName=SMITH*&limit=5&offset=2&accept=application/json&includefield=00081030&NoSuchKey=");
        var cursor = (await cursors.ProtectAsync(place, query, default))!;
        var bytes = Encoding.Latin1.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(cursor));
        Assert.DoesNotContain("1.2.3", bytes);
        Assert.DoesNotContain("SMITH", bytes);
        var read = await cursors.ReadAsync(cursor, QidoLevel.Study, null, null, default);
        Assert.Equal(place, read!.Place);
        Assert.Equal("00100010=SMITH*&includefield=00081030&limit=5&nosuchkey=", string.Join('&', read.Parameters.Select(item => $"{item.Key}={item.Value}")));
        Assert.NotEqual(cursor, await cursors.ProtectAsync(place, query, default));
        Assert.Null(await cursors.ReadAsync(cursor, QidoLevel.Series, null, null, default));
        Assert.Null(await cursors.ReadAsync(cursor, QidoLevel.Study, Uid.Parse("1.2"), null, default));
        Assert.NotNull(await new SearchCursors(world.Client().Derived, null).ReadAsync(cursor, QidoLevel.Study, null, null, default)); // another process
        Assert.Null(await new SearchCursors(new MemoryWorld(TimeProvider.System).Client().Derived, null)
            .ReadAsync(cursor, QidoLevel.Study, null, null, default));
        Assert.Null(await new SearchCursors(world.Client().Derived, new byte[32]).ReadAsync(cursor, QidoLevel.Study, null, null, default));
        for (var i = 0; i < cursor.Length - 1; i++) // the last character may have bits that say nothing
            Assert.Null(await cursors.ReadAsync(cursor[..i] + (cursor[i] == 'A' ? 'B' : 'A') + cursor[(i + 1)..], QidoLevel.Study, null, null, default));
        foreach (var wrong in new[] { "", "x", "é", "AAAA", cursor[..20], cursor + "AAAA", new string('A', 50_000) })
            Assert.Null(await cursors.ReadAsync(wrong, QidoLevel.Study, null, null, default));
    }

    [Fact]
    public async Task The_cursor_of_the_longest_query_fits_a_request_line()
    {
        const int requestLine = 88 * 1024;
        var random = new Random(1);
        var uids = new StringBuilder();
        while (uids.Length < requestLine - 200)
            uids.Append(uids.Length == 0 ? "" : ",").Append($"1.2.826.0.1.{random.NextInt64()}.{random.NextInt64()}.{random.NextInt64()}"[..50]);
        var place = new SearchPlace(new string('7', 20), Uid.Parse(new string('1', 64)),
            new NumberedUid(4, Uid.Parse(new string('2', 64))), new NumberedUid(4, Uid.Parse(new string('3', 64))));
        var cursors = new SearchCursors(world.Client().Derived, null);
        var cursor = await cursors.ProtectAsync(place, Parse("StudyInstanceUID=" + uids), default);
        Assert.True(cursor!.Length < requestLine - 200, $"{cursor.Length}");
        Assert.Equal(uids.ToString(), (await cursors.ReadAsync(cursor, QidoLevel.Study, null, null, default))!.Parameters[0].Value);
    }

    [Fact]
    public async Task A_query_that_is_too_long_for_a_cursor_has_none()
    {
        var random = new Random(1);
        var uids = string.Join(',', Enumerable.Range(0, 4_000).Select(_ => $"1.2.826.{random.NextInt64()}.{random.NextInt64()}"));
        var cursors = new SearchCursors(world.Client().Derived, null);
        Assert.Null(await cursors.ProtectAsync(new SearchPlace(new string('7', 20), Uid.Parse("1.2")), Parse("StudyInstanceUID=" + uids), default));
    }

    [Fact]
    public async Task The_secret_of_cursors_outlives_reconciling_and_rebuilding()
    {
        var archive = Archives.Open(world, options: new ArchiveOptions { DerivedGraceSeconds = 1 });
        await archive.StoreAllAsync(Studies(2));
        var cursors = new SearchCursors(world.Client().Derived, null);
        await cursors.ProtectAsync(new SearchPlace(new string('9', 20), Uid.Parse("1.2")), Parse(""), default);
        var secret = world.Derived.Blobs[SearchCursors.SecretName].Bytes;
        Assert.Equal(default, await archive.Rebuild.RunAsync(default));
        Assert.Equal(secret, world.Derived.Blobs[SearchCursors.SecretName].Bytes);
    }

    private DicomArchive Counting(Action count) => new(
        world.Client(what =>
        {
            if (!what.StartsWith("answer", StringComparison.Ordinal)) count();
            return Task.CompletedTask;
        }), new ArchiveOptions(), TimeProvider.System, Guid.NewGuid, NullLogger<DicomArchive>.Instance);

    private static IEnumerable<byte[]> Studies(int count) => Enumerable.Range(0, count)
        .Select(i => TestObject.Of($"1.2.7.{i}", $"1.2.7.{i}.1", $"1.2.7.{i}.1.1")
        .Add(0x00080020, "DA", string.Create(CultureInfo.InvariantCulture, $"2024{(i % 3) + 1:D2}{(i % 28) + 1:D2}"))
            .Add(0x00080060, "CS", i % 84 == 0 ? "MR" : "CT").Add(0x00100010, "PN", "SMITH^ANNE").ToFile());

    private static QidoQuery Parse(string text) => QidoQuery.Parse(QidoLevel.Study, null, null, Parameters(text), out _);

    private static IEnumerable<KeyValuePair<string, string>> Parameters(string query) =>
        query.Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => KeyValuePair.Create(pair.Split('=')[0], pair[(pair.IndexOf('=', StringComparison.Ordinal) + 1)..]));

    private static string Url(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty("00081190").GetProperty("Value")[0].GetString()!;
    }
}
