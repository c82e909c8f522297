using DicomServerless.Archive;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Archive;

public sealed class StoreTests
{
    private readonly MemoryWorld world = new(TimeProvider.System);

    [Fact]
    public async Task Blob_holds_the_bytes_as_received()
    {
        var file = TestObject.Of("1.2.3.1", "1.2.3.2", "1.2.3.3").Add(0x00100010, "PN", "A^B").ToFile();
        var result = await Archives.Open(world).StoreAsync(file);
        Assert.Equal(StoreOutcome.Stored, result.Outcome);
        Assert.Equal(file, Assert.Single(world.Dicom.Blobs).Value.Bytes);
        new IndexCheck(world).Run();
    }

    [Fact]
    public async Task Same_data_set_with_another_group_2_is_success_and_leaves_the_blob()
    {
        var archive = Archives.Open(world);
        var made = TestObject.Of("1.2.3.1", "1.2.3.2", "1.2.3.3");
        await archive.StoreAsync(made.ToFile("2.25.1"));
        var again = await archive.StoreAsync(made.ToFile("2.25.99999"));
        Assert.Equal(StoreOutcome.AlreadyStored, again.Outcome);
        Assert.Equal(made.ToFile("2.25.1"), Assert.Single(world.Dicom.Blobs).Value.Bytes);
    }

    [Theory]
    [InlineData(DuplicatePolicy.Reject, StoreOutcome.Duplicate, "A")]
    [InlineData(DuplicatePolicy.KeepFirst, StoreOutcome.KeptFirst, "A")]
    [InlineData(DuplicatePolicy.Replace, StoreOutcome.Stored, "B")]
    public async Task Other_content_under_the_same_uid_follows_the_policy(DuplicatePolicy policy, StoreOutcome outcome, string kept)
    {
        var archive = Archives.Open(world);
        await archive.StoreAsync(TestObject.Of("1.2.3.1", "1.2.3.2", "1.2.3.3").Add(0x00100020, "LO", "A").ToFile());
        var result = await archive.StoreAsync(TestObject.Of("1.2.3.1", "1.2.3.2", "1.2.3.3").Add(0x00100020, "LO", "B").ToFile(), policy);
        Assert.Equal(outcome, result.Outcome);
        Assert.Equal(TestObject.Of("1.2.3.1", "1.2.3.2", "1.2.3.3").Add(0x00100020, "LO", kept).ToFile(), Assert.Single(world.Dicom.Blobs).Value.Bytes);
        new IndexCheck(world).Run();
    }

    /// <summary>PS3.5 10: the transfer syntax is part of what a data set says. Both blobs have the same data set bytes.</summary>
    [Theory]
    [InlineData(DuplicatePolicy.Reject, StoreOutcome.Duplicate, false)]
    [InlineData(DuplicatePolicy.KeepFirst, StoreOutcome.KeptFirst, false)]
    [InlineData(DuplicatePolicy.Replace, StoreOutcome.Stored, true)]
    public async Task Same_bytes_under_another_transfer_syntax_are_another_object(DuplicatePolicy policy, StoreOutcome outcome, bool isReplaced)
    {
        static byte[] Made(string syntax) => new TestObject { TransferSyntax = syntax }
            .Add(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7").Add(0x00080018, "UI", "1.2.3.3")
                .Add(0x0020000D, "UI", "1.2.3.1").Add(0x0020000E, "UI", "1.2.3.2").ToFile();
        const string first = "1.2.840.10008.1.2.4.50", second = "1.2.840.10008.1.2.4.51";
        var archive = Archives.Open(world);
        await archive.StoreAsync(Made(first));
        var result = await archive.StoreAsync(Made(second), policy);
        Assert.Equal(outcome, result.Outcome);
        Assert.Equal(Made(isReplaced ? second : first), Assert.Single(world.Dicom.Blobs).Value.Bytes);
        Assert.Equal(StoreOutcome.AlreadyStored, (await archive.StoreAsync(Made(isReplaced ? second : first))).Outcome);
        new IndexCheck(world).Run();
    }

    /// <summary>A blob of an earlier version says nothing of its transfer syntax; its row does, or its bytes.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_blob_without_its_transfer_syntax_in_the_metadata_is_recognised(bool isIndexed)
    {
        var archive = Archives.Open(world);
        var file = TestObject.Of("1.2.3.1", "1.2.3.2", "1.2.3.3").ToFile();
        await archive.StoreAsync(file);
        var (name, blob) = Assert.Single(world.Dicom.Blobs);
        world.Dicom.Blobs[name] = (blob.Info with { Metadata = blob.Info.Metadata.Where(item => item.Key != BlobMetadata.Syntax).ToDictionary() }, blob.Bytes);
        if (!isIndexed) world.Instances.Rows.Clear();
        Assert.Equal(StoreOutcome.AlreadyStored, (await Archives.Open(world).StoreAsync(file)).Outcome);
        new IndexCheck(world).Run();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3 * 1024 * 1024)]
    public async Task Object_that_was_cut_off_is_replaced_by_the_whole_one(int pixels)
    {
        // With 1 MiB blocks the large one goes as staged blocks, whose beginning has left memory when the stored one is met.
        var archive = Archives.Open(world, options: new ArchiveOptions { BlockMiB = 1 });
        var cut = TestObject.Of("1.2.3.1", "1.2.3.2", "1.2.3.3").Add(0x0020000E, "UI", "1.2.3.2").ToFile();
        var whole = TestObject.Of("1.2.3.1", "1.2.3.2", "1.2.3.3").Add(0x00200013, "IS", "1").Add(0x7FE00010, "OB", new byte[pixels + 10]).ToFile();
        await archive.StoreAsync(cut);
        var result = await archive.StoreAsync(whole);
        Assert.Equal(StoreOutcome.Stored, result.Outcome);
        Assert.Equal(whole, Assert.Single(world.Dicom.Blobs).Value.Bytes);
    }

    [Fact]
    public async Task Large_object_goes_as_blocks_and_comes_out_whole()
    {
        var archive = Archives.Open(world, options: new ArchiveOptions { BlockMiB = 1 });
        var pixels = new byte[5_000_000];
        new Random(1).NextBytes(pixels);
        var file = TestObject.Of("1.2.3.1", "1.2.3.2", "1.2.3.3").Add(0x7FE00010, "OB", pixels).ToFile();
        Assert.Equal(StoreOutcome.Stored, (await archive.StoreAsync(file)).Outcome);
        Assert.Equal(file, Assert.Single(world.Dicom.Blobs).Value.Bytes);
        Assert.Empty(world.Dicom.Blocks);
        Assert.Equal(StoreOutcome.AlreadyStored, (await archive.StoreAsync(file)).Outcome);
    }

    [Fact]
    public async Task Bad_objects_do_not_lose_their_neighbours()
    {
        var archive = Archives.Open(world);
        var good = TestObject.Of("1.2.3.1", "1.2.3.2", "1.2.3.3").ToFile();
        var results = await archive.StoreAllAsync(
            [[1, 2, 3], good, [], good[..^3], TestObject.Of("../../etc", "1.2", "1.3").ToFile(), TestObject.Of("1.2.3.1", "1.2.3.2", "1.2.3.4").ToFile()]);
        Assert.Equal(
            [StoreOutcome.CannotUnderstand, StoreOutcome.Stored, StoreOutcome.CannotUnderstand,
                StoreOutcome.CannotUnderstand, StoreOutcome.CannotUnderstand, StoreOutcome.Stored],
            results.Select(result => result.Outcome));
        Assert.All(results.Where(result => !result.IsStored), result => Assert.False(string.IsNullOrEmpty(result.Problem)));
        Assert.Equal(2, world.Dicom.Blobs.Count);
        new IndexCheck(world).Run();
    }

    [Fact]
    public async Task Same_uid_twice_in_a_request_is_handled_in_part_order()
    {
        var archive = Archives.Open(world);
        byte[] Made(string id) => TestObject.Of("1.2.3.1", "1.2.3.2", "1.2.3.3").Add(0x00100020, "LO", id).ToFile();
        var results = await archive.StoreAllAsync([Made("A"), Made("B"), Made("A")], DuplicatePolicy.Replace);
        Assert.All(results, result => Assert.Equal(StoreOutcome.Stored, result.Outcome));
        Assert.Equal(Made("A"), Assert.Single(world.Dicom.Blobs).Value.Bytes);
        new IndexCheck(world).Run();
    }

    [Fact]
    public async Task Object_of_another_study_than_the_resource_is_refused_alone()
    {
        var results = await Archives.Open(world)
            .StoreAllAsync([TestObject.Of("1.2.3.1", "1.2.3.2", "1.2.3.3").ToFile(), TestObject.Of("1.2.3.9", "1.2.3.2", "1.2.3.4").ToFile()],
            study: "1.2.3.9");
        Assert.Equal([StoreOutcome.StudyMismatch, StoreOutcome.Stored], results.Select(result => result.Outcome));
    }

    [Fact]
    public async Task Thousand_instances_of_a_study_are_committed_in_groups()
    {
        var commits = 0;
        var archive = new DicomArchive(world.Client(what =>
        {
            if (what.StartsWith("submit instances", StringComparison.Ordinal)) commits++;
            return Task.CompletedTask;
        }), new ArchiveOptions(), TimeProvider.System, Guid.NewGuid, Microsoft.Extensions.Logging.Abstractions.NullLogger<DicomArchive>.Instance);
        await archive.StoreAllAsync(Enumerable.Range(1, 1000).Select(i => TestObject.Of("1.2.3.1", "1.2.3.2", $"1.2.3.3.{i}").ToFile()));
        Assert.InRange(commits, 10, 14);
        new IndexCheck(world).Run();
    }
}
