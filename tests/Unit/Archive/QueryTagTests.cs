using System.Text;
using DicomServerless.Archive;
using DicomServerless.Archive.Index;
using DicomServerless.Archive.Search;
using DicomServerless.Dicom;
using DicomServerless.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Unit.Archive;

/// <summary>Configured query attributes: their pointers, and the build over studies that are there.</summary>
public sealed class QueryTagTests
{
    private static readonly QueryTag Address = new(new Tag(0x00101040), Vr.LO, null, QidoLevel.Study);
    private static readonly QueryTag Side = new(new Tag(0x00231001), Vr.LO, "ACME", QidoLevel.Series);
    private static readonly QueryTag Kernel = new(new Tag(0x00181210), Vr.SH, null, QidoLevel.Instance);
    private static readonly QueryTag Acquired = new(new Tag(0x00080022), Vr.DA, null, QidoLevel.Instance);

    private readonly MemoryWorld world = new(TimeProvider.System);

    [Theory]
    [InlineData("PatientAddress=Main Street3x", 1)]
    [InlineData("PatientAddress=*Street3x*", 1)]
    [InlineData("PatientAddress=*treet3x*", 1)]
    [InlineData("00230010=ACME&00231001=Left 5x", 1)]
    [InlineData("00230010=ACME&00231001=* 5x", 1)]
    [InlineData("ConvolutionKernel=B7", 1)]
    [InlineData("ConvolutionKernel=B7b", 1)]
    [InlineData("AcquisitionDate=20240103-20240104", 2)]
    public async Task A_search_by_it_opens_only_the_studies_that_its_pointers_lead_to(string query, int count)
    {
        await OpenAsync(Tags(Address, Side, Kernel, Acquired), build: true);
        await Archives.Open(world, options: Options(Address, Side, Kernel, Acquired)).StoreAllAsync(Enumerable.Range(1, 20).SelectMany(Study));
        var touched = new HashSet<string>();
        var archive = Open(what => { if (what.StartsWith("query instances", StringComparison.Ordinal)) touched.Add(what); return Task.CompletedTask; },
            Address, Side, Kernel, Acquired);
        var answer = await SearchAsync(archive, query);
        Assert.Equal(count, answer.Results.Count);
        Assert.False(answer.Unready);
        Assert.Equal(count, touched.Count);
        // The key comes back with its value.
        foreach (var result in answer.Results)
            Assert.Contains(query.Split('&')[^1].StartsWith("0023", StringComparison.Ordinal) ? "ACME" : "Value",
                Encoding.UTF8.GetString(result), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Studies_from_before_are_found_by_a_scan_until_the_build_is_done_wherever_it_was_cut_off()
    {
        await Archives.Open(world).StoreAllAsync(Enumerable.Range(1, 120).SelectMany(Study));
        const string query = "PatientAddress=Main Street77x";
        var before = await SearchAsync(Open(null, Address, Side), query);
        Assert.True(before.Unready);
        Assert.Single(before.Results);

        // Cut off after more and more operations, until one run comes through.
        var runs = 0;
        for (var allowed = 60; ; allowed += 150)
        {
            using var stop = new CancellationTokenSource();
            var left = allowed;
            var cut = Open(_ => Interlocked.Decrement(ref left) == 0 ? stop.CancelAsync() : Task.CompletedTask, Address, Side);
            runs++;
            try
            {
                if ((await cut.QueryTags.RunAsync(stop.Token)).IsFinished) break;
            }
            catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException) { }
            var status = await cut.QueryTags.StatusAsync(default);
            Assert.All(status, tag => Assert.True(tag is { State: QueryTagState.Building, Finished: null } && tag.Done <= 120));
        }
        Assert.True(runs > 3, $"{runs} runs");
        var archive = Open(null, Address, Side);
        Assert.All(await archive.QueryTags.StatusAsync(default), tag =>
            Assert.True(tag is { State: QueryTagState.Ready, Done: 120, Seen: 120, Finished: not null }, tag.ToString()));
        var after = await SearchAsync(archive, query);
        Assert.False(after.Unready);
        Assert.Single(after.Results);
        await archive.CloseAsync();
        new IndexCheck(world).Run();
        Assert.True((await archive.QueryTags.RunAsync(default)) is { Done: 0, IsFinished: true });

        // No longer configured: its pointers go, and those of the other stay.
        var fewer = Open(null, Side);
        Assert.Equal(QueryTagState.Removing, (await fewer.QueryTags.StatusAsync(default)).Single(tag => tag.Id == Address.Id).State);
        while (!(await fewer.QueryTags.RunAsync(default)).IsFinished) { }
        Assert.Equal([Side.Id], (await fewer.QueryTags.StatusAsync(default)).Select(tag => tag.Id));
        Assert.DoesNotContain(world.Keys.Rows.Keys, key => key.Partition == Address.KeyName);
        Assert.Contains(world.Keys.Rows.Keys, key => key.Partition == Side.KeyName);
        await fewer.CloseAsync();
        new IndexCheck(world).Run();
    }

    [Fact]
    public async Task Pointers_follow_stores_and_deletes_in_any_order()
    {
        var archive = await OpenAsync(Tags(Address, Kernel), build: true);
        byte[] Made(int instance, string kernel) => TestObject.Of("1.2.9", "1.2.9.1", $"1.2.9.1.{instance}").Add(0x00181210, "SH", kernel).ToFile();
        await archive.StoreAllAsync([Made(3, "B30"), Made(1, "B40"), Made(2, "B30")]);
        Assert.Equal(["B30", "B40"], Whole());
        await archive.Removal.DeleteAsync(DicomServerless.Dicom.Uid.Parse("1.2.9"),
            DicomServerless.Dicom.Uid.Parse("1.2.9.1"), DicomServerless.Dicom.Uid.Parse("1.2.9.1.1"), default);
        Assert.Equal(["B30"], Whole());
        await archive.Removal.DeleteAsync(DicomServerless.Dicom.Uid.Parse("1.2.9"),
            DicomServerless.Dicom.Uid.Parse("1.2.9.1"), DicomServerless.Dicom.Uid.Parse("1.2.9.1.2"), default);
        Assert.Equal(["B30"], Whole());
        // An object of before comes to a study that a process with another list has written.
        await Open(null).StoreAllAsync([Made(4, "B50")]);
        await archive.CloseAsync();
        await Open(null, Address, Kernel).StoreAllAsync([Made(5, "B60")]);
        Assert.Equal(["B30", "B50", "B60"], Whole());
        await archive.Removal.DeleteAsync(DicomServerless.Dicom.Uid.Parse("1.2.9"), null, null, default);
        Assert.Empty(Whole());

        string[] Whole() => [.. world.Keys.Rows.Keys.Where(key => key.Partition == Kernel.KeyName)
            .Select(key => key.Row.Split(':')[0]).Where(value => !value.EndsWith('!'))];
    }

    [Fact]
    public async Task An_attribute_with_too_many_values_has_one_pointer_and_is_found_all_the_same()
    {
        var archive = await OpenAsync(Tags(Kernel), build: true);
        await archive.StoreAllAsync(Enumerable.Range(1, 40)
            .Select(i => TestObject.Of("1.2.9", "1.2.9.1", $"1.2.9.1.{i}").Add(0x00181210, "SH", $"K{i}").ToFile()));
        Assert.Equal([SearchClaims.Overflow], world.Keys.Rows.Keys.Where(key => key.Partition == Kernel.KeyName).Select(key => key.Row.Split(':')[0]));
        Assert.Single((await SearchAsync(archive, "ConvolutionKernel=K37")).Results);
        Assert.Empty((await SearchAsync(archive, "ConvolutionKernel=K41")).Results);
    }

    // Two objects of one series. The private block is the first in one, the second in the other.
    private static IEnumerable<byte[]> Study(int i)
    {
        var (study, date) = ($"1.2.8.{i}", $"2024{1 + (i % 12):D2}01");
        yield return TestObject.Of(study, study + ".1", study + ".1.1").Add(0x00080020, "DA", date)
            .Add(0x00101040, "LO", $"Main Street{i}x").Add(0x00181210, "SH", $"B{i}").Add(0x00080022, "DA", $"202401{1 + (i % 28):D2}")
            .Add(0x00230010, "LO", "OTHER").Add(0x00230011, "LO", "ACME").Add(0x00231001, "LO", "Right").Add(0x00231101, "LO", $"Left {i}x").ToFile();
        yield return TestObject.Of(study, study + ".1", study + ".1.2").Add(0x00080020, "DA", date).Add(0x00101040, "LO", $"Main Street{i}x")
            .Add(0x00181210, "SH", $"B{i}b").Add(0x00230010, "LO", "ACME").Add(0x00231001, "LO", "Both").ToFile();
    }

    private static QueryTag[] Tags(params QueryTag[] tags) => tags;

    private static ArchiveOptions Options(params QueryTag[] tags) => new() { QueryTags = tags, KeepStudySeconds = 0 };

    private DicomArchive Open(Func<string, Task>? step, params QueryTag[] tags) =>
        new(world.Client(step), Options(tags), TimeProvider.System, Guid.NewGuid, NullLogger<DicomArchive>.Instance);

    private async Task<DicomArchive> OpenAsync(QueryTag[] tags, bool build)
    {
        var archive = Open(null, tags);
        while (build && !(await archive.QueryTags.RunAsync(default)).IsFinished) { }
        return archive;
    }

    private static async Task<SearchAnswer> SearchAsync(DicomArchive archive, string text)
    {
        var parameters = text.Split('&').Select(pair => KeyValuePair.Create(pair.Split('=')[0], pair.Split('=')[1]));
        var query = QidoQuery.Parse(QidoLevel.Study, null, null, parameters, out var errors);
        Assert.Empty(errors);
        return await archive.Search.SearchAsync(query, "http://test/dicomweb", default);
    }
}
