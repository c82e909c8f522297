using System.Buffers;
using DicomServerless.Storage;

namespace DicomServerless.Functional.Storage;

/// <summary>What every engine's blob container does. A new engine derives a class and passes.</summary>
public abstract class BlobContract
{
    /// <summary>A new empty container.</summary>
    protected abstract Task<IBlobContainer> ContainerAsync();

    protected static readonly BlobWrite Absent = new(BlobCondition.Absent);
    protected static readonly BlobWrite Any = new(BlobCondition.None);

    protected static byte[] Bytes(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    protected static ReadOnlySequence<byte> Sequence(params byte[][] parts)
    {
        Segment? first = null, last = null;
        foreach (var part in parts) last = first is null ? first = new Segment(part, 0) : last!.Append(part);
        return first is null ? default : new(first, 0, last!, last!.Memory.Length);
    }

    protected static async Task<byte[]> ReadAsync(IBlobContainer container, string name, long offset = 0, long? length = null, string? ifMatch = null)
    {
        await using var read = await container.ReadAsync(name, offset, length, ifMatch, default);
        Assert.Equal(StorageStatus.Ok, read.Status);
        var bytes = new MemoryStream();
        await read.Content.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    protected static async Task<string> PutAsync(IBlobContainer container, string name, byte[] bytes, BlobWrite? write = null)
    {
        var written = await container.PutAsync(name, new(bytes), write ?? Any, default);
        Assert.Equal(StorageStatus.Ok, written.Status);
        return written.ETag!;
    }

    [Fact]
    public async Task A_blob_comes_back_with_its_bytes_and_properties()
    {
        var container = await ContainerAsync();
        var parts = new[] { Bytes(100_000), [], Bytes(1, 2), Bytes(425_000, 3) };
        var write = new BlobWrite(BlobCondition.Absent, new Dictionary<string, string>
            { ["sha256"] = "00ff", ["received"] = "2024-05-06T07:08:09Z" }, "application/dicom");
        var written = await container.PutAsync("a/b/c.dcm", Sequence(parts), write, default);
        Assert.Equal(StorageStatus.Ok, written.Status);
        Assert.DoesNotContain('"', written.ETag!);
        Assert.Equal(parts.SelectMany(part => part), await ReadAsync(container, "a/b/c.dcm"));
        await using var read = await container.ReadAsync("a/b/c.dcm", 10, 20, null, default);
        foreach (var info in new[] { (await container.HeadAsync("a/b/c.dcm", default))!, read.Info, await container.ListAsync("", default).SingleAsync() })
        {
            Assert.Equal(("a/b/c.dcm", 525_001, written.ETag), (info.Name, info.Length, info.ETag));
            Assert.Equal("00ff", info.Metadata["SHA256"]);
            Assert.Equal("2024-05-06T07:08:09Z", info.Metadata["received"]);
            Assert.InRange(info.LastModified, DateTimeOffset.UtcNow.AddMinutes(-15), DateTimeOffset.UtcNow.AddMinutes(15));
        }
    }

    [Fact]
    public async Task An_empty_blob_is_a_blob()
    {
        var container = await ContainerAsync();
        await PutAsync(container, "empty", []);
        Assert.Empty(await ReadAsync(container, "empty"));
        Assert.Equal(0, (await container.HeadAsync("empty", default))!.Length);
        await using var read = await container.ReadAsync("empty", 0, 1, null, default);
        Assert.Equal(StorageStatus.RangeNotSatisfiable, read.Status);
    }

    [Fact]
    public async Task What_is_not_there_is_a_value()
    {
        var container = await ContainerAsync();
        Assert.Null(await container.HeadAsync("absent", default));
        await using var read = await container.ReadAsync("absent", 0, null, null, default);
        Assert.Equal(StorageStatus.NotFound, read.Status);
        Assert.Equal(StorageStatus.NotFound, await container.DeleteAsync("absent", null, null, default));
        Assert.Empty(await container.ListAsync("", default).ToListAsync());
    }

    [Fact]
    public async Task A_put_if_absent_meets_what_is_there()
    {
        var container = await ContainerAsync();
        await PutAsync(container, "b", [1], Absent);
        Assert.Equal(StorageStatus.Conflict, (await container.PutAsync("b", new([2]), Absent, default)).Status);
        Assert.Equal([1], await ReadAsync(container, "b"));
    }

    [Fact]
    public async Task A_put_over_a_version_happens_only_on_that_version()
    {
        var container = await ContainerAsync();
        var first = await PutAsync(container, "b", [1]);
        var second = await PutAsync(container, "b", [2], new BlobWrite(BlobCondition.Match(first)));
        Assert.NotEqual(first, second);
        Assert.Equal(StorageStatus.PreconditionFailed, (await container.PutAsync("b", new([3]), new BlobWrite(BlobCondition.Match(first)), default)).Status);
        Assert.Equal([2], await ReadAsync(container, "b", ifMatch: second));
        var absent = (await container.PutAsync("absent", new([3]), new BlobWrite(BlobCondition.Match(first)), default)).Status;
        Assert.True(absent is StorageStatus.PreconditionFailed or StorageStatus.NotFound);
    }

    [Fact]
    public async Task A_delete_happens_only_on_its_version()
    {
        var container = await ContainerAsync();
        var first = await PutAsync(container, "b", [1]);
        await PutAsync(container, "b", [2]);
        Assert.Equal(StorageStatus.PreconditionFailed, await container.DeleteAsync("b", first, null, default));
        Assert.Equal(StorageStatus.Ok, await container.DeleteAsync("b", (await container.HeadAsync("b", default))!.ETag, "id-1", default));
        Assert.Null(await container.HeadAsync("b", default));
    }

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(0, 1000, 1000)]
    [InlineData(10, 20, 20)]
    [InlineData(999, 1, 1)]
    [InlineData(990, 100, 10)]
    [InlineData(500, null, 500)]
    [InlineData(0, 5000, 1000)]
    public async Task A_range_is_read_up_to_the_end_of_the_blob(long offset, int? length, int expected)
    {
        var container = await ContainerAsync();
        var bytes = Bytes(1000);
        var etag = await PutAsync(container, "b", bytes);
        Assert.Equal(bytes[(int)offset..((int)offset + expected)], await ReadAsync(container, "b", offset, length, etag));
    }

    [Fact]
    public async Task A_range_behind_the_end_or_of_another_version_is_refused()
    {
        var container = await ContainerAsync();
        var first = await PutAsync(container, "b", Bytes(1000));
        await using var behind = await container.ReadAsync("b", 1000, 10, null, default);
        Assert.Equal(StorageStatus.RangeNotSatisfiable, behind.Status);
        await PutAsync(container, "b", Bytes(1000, 2));
        await using var old = await container.ReadAsync("b", 0, 10, first, default);
        Assert.Equal(StorageStatus.PreconditionFailed, old.Status);
    }

    [Fact]
    public async Task Staged_blocks_become_a_blob_in_the_order_of_the_list()
    {
        var container = await ContainerAsync();
        byte[] a = Bytes(300_000, 1), b = Bytes(1, 2), c = Bytes(70_000, 3);
        var ids = new[] { "YWFhYQ==", "YmJiYg==", "Y2NjYw==" };
        Assert.Equal(StorageStatus.Ok, await container.StageBlockAsync("b", ids[2], new(c), default));
        Assert.Equal(StorageStatus.Ok, await container.StageBlockAsync("b", ids[0], Sequence(a[..5], a[5..]), default));
        Assert.Equal(StorageStatus.Ok, await container.StageBlockAsync("b", ids[1], new(b), default));
        Assert.Null(await container.HeadAsync("b", default));
        Assert.Empty(await container.ListAsync("", default).ToListAsync());
        var written = await container.CommitBlocksAsync("b", ids, new BlobWrite(BlobCondition.Absent, new Dictionary<string, string> { ["k"] = "v" }), default);
        Assert.Equal(StorageStatus.Ok, written.Status);
        Assert.Equal(a.Concat(b).Concat(c), await ReadAsync(container, "b", ifMatch: written.ETag));
        Assert.Equal("v", (await container.HeadAsync("b", default))!.Metadata["k"]);
    }

    [Fact]
    public async Task A_commit_obeys_its_condition_and_needs_its_blocks()
    {
        var container = await ContainerAsync();
        Assert.Equal(StorageStatus.Invalid, (await container.CommitBlocksAsync("b", ["YWFhYQ=="], Any, default)).Status);
        await container.StageBlockAsync("b", "YWFhYQ==", new([1]), default);
        await container.StageBlockAsync("b", "YmJiYg==", new([9]), default);
        // Another writer's commit discards the staged blocks.
        var etag = (await container.CommitBlocksAsync("b", ["YmJiYg=="], Any, default)).ETag!;
        Assert.Equal(StorageStatus.Invalid, (await container.CommitBlocksAsync("b", ["YWFhYQ=="], Any, default)).Status);
        await container.StageBlockAsync("b", "YWFhYQ==", new([1]), default);
        Assert.Equal(StorageStatus.Conflict, (await container.CommitBlocksAsync("b", ["YWFhYQ=="], Absent, default)).Status);
        Assert.Equal(StorageStatus.PreconditionFailed,
            (await container.CommitBlocksAsync("b", ["YWFhYQ=="], new BlobWrite(BlobCondition.Match("0x123")), default)).Status);
        Assert.Equal([9], await ReadAsync(container, "b"));
        Assert.Equal(StorageStatus.Ok, (await container.CommitBlocksAsync("b", ["YWFhYQ=="], new BlobWrite(BlobCondition.Match(etag)), default)).Status);
        Assert.Equal([1], await ReadAsync(container, "b"));
    }

    [Theory]
    [InlineData("a b+c%20d&e=f;g,h(i)j")]
    [InlineData("Müller/山田/😀.dcm")]
    [InlineData("O'Brien \"x\" #1?y")]
    [InlineData("%2F%3F")]
    [InlineData("a//b")]
    [InlineData("<xml>&amp;")]
    public async Task Odd_characters_in_names_are_kept(string name)
    {
        var container = await ContainerAsync();
        await PutAsync(container, name, [1]);
        Assert.Equal([1], await ReadAsync(container, name));
        Assert.Equal(name, (await container.ListAsync(name[..2], default).SingleAsync()).Name);
        Assert.Equal(StorageStatus.Ok, await container.DeleteAsync(name, null, null, default));
        Assert.Null(await container.HeadAsync(name, default));
    }

    [Fact]
    public async Task A_listing_is_ordinal_and_by_prefix()
    {
        var container = await ContainerAsync();
        var names = new[] { "p/1.2", "p/1.10", "p/1", "p/1.2/x", "p/A", "p/a", "p/_", "P/1", "p", "q/1" };
        foreach (var name in names) await PutAsync(container, name, [1]);
        var listed = await container.ListAsync("p/", default).Select(blob => blob.Name).ToListAsync();
        Assert.Equal(names.Where(name => name.StartsWith("p/", StringComparison.Ordinal)).Order(StringComparer.Ordinal), listed);
        Assert.Equal(["p/1.2", "p/1.2/x"], await container.ListAsync("p/1.2", default).Select(blob => blob.Name).ToListAsync());
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public Segment Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Segment(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
