using DicomServerless.Archive;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Archive;

/// <summary>A request that breaks off loses nothing that it has stored (docs/design.md, rule 2).</summary>
public sealed class StoreFailureTests
{
    private readonly MemoryWorld world = new(TimeProvider.System);

    [Fact]
    public async Task A_batch_that_is_dropped_by_a_failed_block_indexes_what_it_has_stored()
    {
        var archive = Archives.Open(world, options: new ArchiveOptions { BlockMiB = 1, KeepStudySeconds = 0 }, step: what =>
            what.StartsWith("stage", StringComparison.Ordinal) ? throw new StorageFault() : Task.CompletedTask);
        var small = TestObject.Of("1.2.3.1", "1.2.3.2", "1.2.3.3").ToFile();
        var large = TestObject.Of("1.2.3.9", "1.2.3.8", "1.2.3.7").Add(0x7FE00010, "OB", new byte[3 * 1024 * 1024]).ToFile();
        await Assert.ThrowsAsync<StorageFault>(() => StoreAsync(archive, small, large));
        await archive.CloseAsync();
        Assert.Single(world.Dicom.Blobs);
        new IndexCheck(world).Run();
    }

    /// <summary>What waits for the index is in a budget: a fast sender and a slow table do not let memory grow with the request.</summary>
    [Fact]
    public async Task A_slow_index_holds_back_the_receiving()
    {
        var open = new TaskCompletionSource();
        var archive = Archives.Open(world, options: new ArchiveOptions { UploadMemoryMiB = 8 }, step: what =>
            what.StartsWith("submit instances", StringComparison.Ordinal) ? open.Task : Task.CompletedTask);
        var random = new Random(1);
        var files = Enumerable.Range(0, 100).Select(i =>
        {
            var made = TestObject.Of("1.2.3.1", "1.2.3.2", $"1.2.3.3.{i}");
            for (var tag = 0x00211001u; tag < 0x00211050; tag++)
                made.Add(tag, "LO", System.Text.Encoding.ASCII.GetString([.. Enumerable.Range(0, 800).Select(_ => (byte)random.Next('0', 'z'))])
                    .Replace('\\', 'x'));
            return made.ToFile();
        }).ToArray();
        var storing = archive.StoreAllAsync(files);
        Assert.False(storing.IsCompleted);
        Assert.InRange(world.Dicom.Blobs.Count, 10, 90); // 2 MiB of what the index takes from them, and those being written
        open.SetResult();
        Assert.All(await storing, result => Assert.Equal(StoreOutcome.Stored, result.Outcome));
        new IndexCheck(world).Run();
    }

    // As a request handler does that does not catch.
    private static async Task StoreAsync(DicomArchive archive, params byte[][] files)
    {
        await using var batch = archive.Store.Begin(new StoreRequest(null, DuplicatePolicy.Reject, "test"));
        foreach (var file in files) await batch.ReceiveAsync(new MemoryStream(file), CancellationToken.None);
        await batch.CompleteAsync();
    }
}
