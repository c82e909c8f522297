using DicomServerless.Archive;
using DicomServerless.Archive.Retrieve;
using DicomServerless.Dicom;
using DicomServerless.Shared;
using DicomServerless.Storage;

namespace DicomServerless.Unit.Archive;

/// <summary>Single interleavings of two processes that random histories meet once in tens of thousands, kept as fixed ones.</summary>
public sealed class InterleavingTests
{
    private static readonly InstanceKey Key = new(Uid.Parse("1.2.3"), Uid.Parse("1.2.3.1"), Uid.Parse("1.2.3.1.1"));

    private readonly ManualTime clock = new(Archives.Start);
    private readonly MemoryWorld world;

    public InterleavingTests() => world = new MemoryWorld(clock);

    /// <summary>docs/design.md, rule 6: a delete takes exactly what it has listed.</summary>
    [Fact]
    public async Task A_replace_that_is_acknowledged_between_a_deletes_listing_and_its_delete_of_the_blob_stays()
    {
        await Archives.Open(world, clock).StoreAsync(Made("A"));
        var deleting = Archives.Open(world, clock, step: Once("delete " + Layout.BlobName(Key), async () =>
            Assert.Equal(StoreOutcome.Stored, (await Archives.Open(world, clock).StoreAsync(Made("B"), DuplicatePolicy.Replace)).Outcome)));
        Assert.True(await deleting.Removal.DeleteAsync(Key.Study, null, null, default));
        Assert.Equal(Made("B"), Assert.Single(world.Dicom.Blobs).Value.Bytes);
        new IndexCheck(world).Run();
    }

    /// <summary>
    /// docs/design.md, rule 2: the journal row is there before each blob, not only before the first: a sweep may have taken it in a long request.
    /// </summary>
    [Fact]
    public async Task The_journal_alone_heals_an_object_that_came_late_in_a_long_request()
    {
        var batch = Archives.Open(world, clock, Options).Store.Begin(new StoreRequest(null, DuplicatePolicy.Reject, "test"));
        await batch.ReceiveAsync(new MemoryStream(Made("A")), default);
        clock.Advance(TimeSpan.FromSeconds(25));
        await SweepAsync();
        await batch.ReceiveAsync(new MemoryStream(Made("A", 2)), default);
        // The process dies here: neither completed nor disposed of.
        Assert.Equal(2, world.Dicom.Blobs.Count);
        clock.Advance(TimeSpan.FromSeconds(25));
        await SweepAsync();
        new IndexCheck(world).Run();
    }

    /// <summary>docs/design.md, rule 2: the row does not come due while a blob is being written that was begun before.</summary>
    [Fact]
    public async Task The_journal_row_does_not_come_due_during_a_blob_commit_that_began_shortly_before()
    {
        var hasDied = false;
        var puts = 0;
        var archive = Archives.Open(world, clock, Options, step: async what =>
        {
            if (hasDied) await new TaskCompletionSource().Task;
            if (!what.StartsWith("put ", StringComparison.Ordinal) || ++puts < 2) return;
            clock.Advance(TimeSpan.FromSeconds(6)); // the row's first 20 seconds are over
            await SweepAsync();
            clock.Advance(TimeSpan.FromSeconds(1));
        });
        var batch = archive.Store.Begin(new StoreRequest(null, DuplicatePolicy.Reject, "test"));
        await batch.ReceiveAsync(new MemoryStream(Made("A")), default);
        clock.Advance(TimeSpan.FromSeconds(15));
        await batch.ReceiveAsync(new MemoryStream(Made("A", 2)), default);
        hasDied = true;
        Assert.Equal(2, world.Dicom.Blobs.Count);
        clock.Advance(TimeSpan.FromSeconds(25));
        await SweepAsync();
        new IndexCheck(world).Run();
    }

    /// <summary>
    /// docs/design.md, rule 7: a handler believes HEAD after its commit, too. The writer of what came in between has died, and its event is taken for one of
    /// our own.
    /// </summary>
    [Fact]
    public async Task A_blob_that_changes_between_an_events_look_and_its_commit_is_followed_at_once()
    {
        await PutAsync(Made("A"), null);
        var handling = Archives.Open(world, clock, step: Once("submit instances", () => PutAsync(Made("B"), BlobMetadata.OwnRequest + "1")));
        await handling.Events.HandleAsync(new BlobEvent(false, "dicom", Layout.BlobName(Key), clock.GetUtcNow(), null), default);
        new IndexCheck(world).Run();
    }

    /// <summary>
    /// docs/design.md, rule 5: the row in <c>studies</c> comes last, so that who wrote it knows whether a later commit has looked for the others before they
    /// were there.
    /// </summary>
    [Fact]
    public async Task A_delete_between_a_commit_and_its_search_rows_leaves_none_of_them()
    {
        var storing = Archives.Open(world, clock,
            step: Once("submit uids", async () => Assert.True(await Archives.Open(world, clock).Removal.DeleteAsync(Key.Study, null, null, default))));
        await storing.StoreAsync(Made("A"));
        Assert.Empty(world.Uids.Rows);
        Assert.Empty(world.Keys.Rows);
        Assert.Empty(world.Studies.Rows);
    }

    /// <summary>Old offsets never meet new bytes: the read carries the ETag of the row.</summary>
    [Fact]
    public async Task An_instance_that_is_replaced_between_its_row_and_its_bytes_is_never_a_mix_of_both()
    {
        var archive = Archives.Open(world, clock);
        await archive.StoreAsync(Image(1, 0x11));
        var frames = await archive.Retrieval.FramesAsync(Key, [1], default);
        var bulk = await archive.Retrieval.BulkAsync(Key, "7FE00010", default);
        var instance = (await archive.Retrieval.ListAsync(Key.Study, null, null, default))[0];
        await Archives.Open(world, clock).StoreAsync(Image(400, 0x22), DuplicatePolicy.Replace);
        await Assert.ThrowsAsync<InstanceChangedException>(async () =>
        {
            await foreach (var _ in frames.Frames) { }
        });
        await Assert.ThrowsAsync<InstanceChangedException>(() => bulk!.Open(0, bulk.Length, default));
        await Assert.ThrowsAsync<InstanceChangedException>(() => archive.Retrieval.OpenRangeAsync(instance, 0, instance.Length, default));
        await foreach (var opened in archive.Retrieval.OpenAllAsync([instance], default))
        {
            await using (opened)
            {
                var bytes = new MemoryStream();
                await opened.Content.CopyToAsync(bytes);
                Assert.Equal(Image(400, 0x22), bytes.ToArray());
            }
        }
    }

    /// <summary>docs/design.md, rule 10: what was judged misplaced is one version of a blob; another may lie under its name when it is taken away.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_object_that_is_acknowledged_between_the_judgement_of_a_misplaced_blob_and_its_removal_stays(bool isEvent)
    {
        var (name, good) = (Layout.BlobName(Key), Made("A"));
        await PutAsync(good[..^7], null);
        var isJudged = false;
        StoreResult? stored = null;
        var archive = Archives.Open(world, clock, step: async what =>
        {
            if (what == "answer to read " + name) isJudged = true;
            if (what != "head " + name || !isJudged || stored is not null) return;
            stored = await Archives.Open(world, clock).StoreAsync(good, DuplicatePolicy.Replace);
        });
        if (isEvent) await archive.Events.HandleAsync(new BlobEvent(false, "dicom", name, clock.GetUtcNow(), null), default);
        else await archive.Reconciler.ReconcileAsync(Key.Study, default);
        Assert.Equal(StoreOutcome.Stored, stored!.Outcome);
        Assert.Equal(good, Assert.Single(world.Dicom.Blobs).Value.Bytes);
        Assert.Empty(world.Rejected.Blobs);
        new IndexCheck(world).Run();
    }

    /// <summary>The same where the object is replaced by a foreign tool between the look at the version and the reading of its bytes.</summary>
    [Fact]
    public async Task A_misplaced_blob_that_is_put_right_before_it_is_read_is_indexed_and_stays()
    {
        var name = Layout.BlobName(Key);
        await PutAsync(Made("A")[..^7], null);
        var reads = 0;
        var archive = Archives.Open(world, clock, step: async what =>
        {
            if (what == "read " + name && ++reads == 2) await PutAsync(Made("A"), null);
        });
        Assert.Equal(1, await archive.Reconciler.ReconcileAsync(Key.Study, default));
        Assert.Equal(Made("A"), Assert.Single(world.Dicom.Blobs).Value.Bytes);
        new IndexCheck(world).Run();
    }

    private static ArchiveOptions Options => new() { JournalDueSeconds = 20, WritesPerRequest = 1 };

    private async Task SweepAsync()
    {
        var archive = Archives.Open(world, clock, Options);
        await archive.Sweeper.SweepAsync(default);
        await archive.CloseAsync();
    }

    private Task PutAsync(byte[] file, string? request) =>
        world.Client().Dicom.PutAsync(Layout.BlobName(Key), new(file), new BlobWrite(BlobCondition.None, ClientRequestId: request), default);

    // Something that happens just before an operation takes effect for the first time.
    private static Func<string, Task> Once(string operation, Func<Task> happens)
    {
        var hasHappened = false;
        return what =>
        {
            if (hasHappened || !what.StartsWith(operation, StringComparison.Ordinal)) return Task.CompletedTask;
            hasHappened = true;
            return happens();
        };
    }

    private static byte[] Made(string patient, int instance = 1) =>
        TestObject.Of("1.2.3", "1.2.3.1", $"1.2.3.1.{instance}").Add(0x00100020, "LO", patient).ToFile();

    private static byte[] Image(int commentLength, byte pixel) =>
        TestObject.Of("1.2.3", "1.2.3.1", "1.2.3.1.1").Add(0x00204000, "LT", new string('c', commentLength))
        .Add(0x00280010, "US", [4, 0]).Add(0x00280011, "US", [4, 0]).Add(0x00280002, "US", [1, 0])
            .Add(0x00280100, "US", [8, 0]).Add(0x00280101, "US", [8, 0]).Add(0x00280102, "US", [7, 0])
        .Add(0x7FE00010, "OB", [.. Enumerable.Repeat(pixel, 16)]).ToFile();
}
