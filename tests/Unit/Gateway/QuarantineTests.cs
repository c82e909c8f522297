using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.Functional.Gateway;

namespace DicomServerless.Unit.Gateway;

public sealed class QuarantineTests
{
    private static readonly QuarantineReason No = new() { Message = "No.", FailureReason = "A900", Status = 409 };

    [Fact]
    public async Task A_reason_that_cannot_be_written_leaves_the_object_in_the_queue()
    {
        await using var test = new TestSpool();
        await test.StoreAsync("1.2", "1.2.1");
        var entry = Assert.Single(test.Spool.Waiting("archive", "1.2"));
        var folder = Path.Combine(test.Spool.Root, "quarantine", "archive");
        // A folder that stands where the reason is to be written can be neither removed as a file nor written.
        var reason = Path.Combine(folder, Path.ChangeExtension(Path.GetFileName(entry.Path), ".json"));
        Directory.CreateDirectory(Path.Combine(reason, "x"));
        Assert.False(await test.Spool.Quarantine.PutAsync(entry, No));
        Assert.Equal((1, 0), (test.Spool.Queue("archive").Count, test.Spool.Quarantine.List().Total));
        Assert.True(File.Exists(entry.Path));
        Directory.Delete(reason, recursive: true);
        Assert.True(await test.Spool.Quarantine.PutAsync(entry, No));
        Assert.Equal("No.", Assert.Single(test.Spool.Quarantine.List().Items).Reason.Message);
    }

    [Fact]
    public async Task One_object_is_found_by_the_name_of_its_file_and_a_page_reads_only_its_own_reasons()
    {
        await using var test = new TestSpool();
        for (var i = 1; i <= 20; i++) await test.StoreAsync("1.2", $"1.2.{i}");
        foreach (var entry in test.Spool.Waiting("archive", "1.2")) await test.Spool.Quarantine.PutAsync(entry, No);
        var all = test.Spool.Quarantine.List("archive");
        // Reasons that nobody asks for are not opened: these would be an error.
        var folder = Path.Combine(test.Spool.Root, "quarantine", "archive");
        foreach (var item in all.Items.Skip(5))
        {
            var path = Path.ChangeExtension(item.Path, ".json");
            File.Delete(path);
            Directory.CreateSymbolicLink(path, path); // ELOOP when it is opened
        }
        var page = test.Spool.Quarantine.List("archive", 5);
        Assert.Equal((5, 20), (page.Items.Count, page.Total));
        Assert.All(page.Items, item => Assert.Equal("No.", item.Reason.Message));
        Assert.Equal(all.Items[3], test.Spool.Quarantine.Find("archive", all.Items[3].Sequence));
        Assert.Null(test.Spool.Quarantine.Find("archive", 999));
        Assert.Null(test.Spool.Quarantine.Find("..", all.Items[3].Sequence));
        Assert.Equal(20, test.Spool.Quarantine.Count()["archive"]);
        Assert.Equal(folder, Path.GetDirectoryName(page.Items[0].Path));
    }

    [Fact]
    public async Task An_object_that_somebody_else_has_purged_is_not_found_and_counted_once()
    {
        await using var test = new TestSpool();
        await test.StoreAsync("1.2", "1.2.1");
        await test.Spool.Quarantine.PutAsync(test.Spool.Waiting("archive", "1.2")[0], No);
        var item = test.Spool.Quarantine.List().Items[0];
        Assert.Equal(QuarantineOutcome.Done, await test.Spool.Quarantine.PurgeAsync(item));
        Assert.Equal(QuarantineOutcome.NotFound, await test.Spool.Quarantine.PurgeAsync(item));
        Assert.Equal(0, test.Spool.Limits.UsedBytes);
    }

    [Fact]
    public async Task What_is_put_here_has_left_the_queue_and_is_listed_by_number()
    {
        await using var test = new TestSpool();
        Assert.Equal((0, 0), (test.Spool.Quarantine.List().Total, test.Spool.Quarantine.Count().Count));
        foreach (var i in new[] { 5, 3, 9, 1, 7, 2, 8, 4, 6 }) await test.StoreAsync("1.2", $"1.2.{i}");
        var waiting = test.Spool.Waiting("archive", "1.2");
        foreach (var i in new[] { 5, 3, 1, 7, 2, 4, 6 }) Assert.True(await test.Spool.Quarantine.PutAsync(waiting[i], No));
        Assert.Equal([waiting[0], waiting[8]], test.Spool.Waiting("archive", "1.2"));
        Assert.Equal((2, waiting[0].Size + waiting[8].Size), (test.Spool.Queue("archive").Count, test.Spool.Queue("archive").Bytes));
        var listed = test.Spool.Quarantine.List().Items;
        Assert.Equal(waiting.Skip(1).Take(7).Select(entry => (entry.Sequence, entry.Checksum, entry.Size)),
            listed.Select(item => (item.Sequence, item.Checksum, item.Size)));
        Assert.All(listed, item => Assert.Equal(("archive", "1.2"), (item.Reason.Destination, item.Reason.StudyInstanceUid)));
        Assert.Null(test.Spool.Quarantine.Find("nowhere", 1));
    }

    [Fact]
    public async Task No_file_outside_is_found()
    {
        await using var test = new TestSpool();
        await test.StoreAsync("1.2", "1.2.1");
        await test.Spool.Quarantine.PutAsync(test.Spool.Waiting("archive", "1.2")[0], No);
        var item = test.Spool.Quarantine.List().Items[0];
        File.Copy(item.Path, Path.Combine(test.Spool.Root, Path.GetFileName(item.Path)));
        Assert.Null(test.Spool.Quarantine.Find("..", item.Sequence));
        Assert.NotNull(test.Spool.Quarantine.Find("archive", item.Sequence));
    }

    [Fact]
    public async Task Bytes_are_counted_here_and_where_they_still_wait()
    {
        await using var test = new TestSpool();
        await test.StoreAsync("1.2", "1.2.1", destinations: ["a", "b"]);
        var size = test.Spool.Limits.UsedBytes;
        await test.Spool.Quarantine.PutAsync(test.Spool.Waiting("a", "1.2")[0], No);
        Assert.Equal(2 * size, test.Spool.Limits.UsedBytes);
        await test.Spool.Quarantine.PutAsync(test.Spool.Waiting("b", "1.2")[0], No);
        Assert.Equal(2 * size, test.Spool.Limits.UsedBytes);
        await test.RestartAsync();
        Assert.Equal(2 * size, test.Spool.Limits.UsedBytes);
        foreach (var item in test.Spool.Quarantine.List().Items) Assert.Equal(QuarantineOutcome.Done, await test.Spool.Quarantine.PurgeAsync(item));
        Assert.Equal(0, test.Spool.Limits.UsedBytes);
        Assert.Empty(Directory.GetFiles(Path.Combine(test.Spool.Root, "quarantine"), "*", SearchOption.AllDirectories)); // nor a reason
    }

    [Fact]
    public async Task An_object_goes_back_to_the_end_of_the_queue_or_stays_here()
    {
        await using var test = new TestSpool();
        var quarantine = test.Spool.Quarantine;
        for (var i = 1; i <= 2; i++) await test.StoreAsync("1.2", $"1.2.{i}");
        var (first, second) = (test.Spool.Waiting("archive", "1.2")[0], test.Spool.Waiting("archive", "1.2")[1]);
        await quarantine.PutAsync(first, No);
        var item = quarantine.List().Items[0];
        Assert.Equal(QuarantineOutcome.NotDicom, await quarantine.RetryAsync(item with { Reason = item.Reason with { StudyInstanceUid = "" } }));
        Assert.Equal(QuarantineOutcome.Failed, await quarantine.RetryAsync(item with { Destination = ".lock" })); // a file, in which no folder can be
        Assert.Equal(item, quarantine.List().Items[0]);
        Assert.Equal(QuarantineOutcome.Done, await quarantine.RetryAsync(item));
        var waiting = test.Spool.Waiting("archive", "1.2");
        Assert.Equal([second.Sequence, test.Spool.LastSequence], waiting.Select(entry => entry.Sequence));
        Assert.Equal((first.Checksum, first.Size, true), (waiting[1].Checksum, waiting[1].Size, File.Exists(waiting[1].Path)));
        Assert.Equal(first.Size + second.Size, test.Spool.Limits.UsedBytes);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(item.Path)!));
        Assert.Equal(QuarantineOutcome.NotFound, await quarantine.RetryAsync(item));
        Assert.Equal(2, test.Spool.Queue("archive").Count);
    }

    [Fact]
    public async Task A_corrected_file_takes_the_place_of_the_refused_one()
    {
        await using var test = new TestSpool();
        var item = await PutOneAsync(test);
        var corrected = TestSpool.File("1.2", "1.2.9", pixels: 200_000);
        Assert.Equal(QuarantineOutcome.Done, await ReplaceAsync(test, item, corrected));
        Assert.Equal(corrected, File.ReadAllBytes(Assert.Single(test.Spool.Waiting("archive", "1.2")).Path));
        Assert.Equal((0, corrected.Length), (test.Spool.Quarantine.List().Total, test.Spool.Limits.UsedBytes));
    }

    [Fact]
    public async Task What_cannot_take_its_place_leaves_the_refused_one_here()
    {
        await using var test = new TestSpool();
        var item = await PutOneAsync(test);
        var corrected = TestSpool.File("1.2", "1.2.9", pixels: 3 << 20);
        byte[][] files = [[], "text"u8.ToArray(), new byte[300_000], corrected[..^1], corrected[..400]];
        foreach (var file in files) Assert.Equal(QuarantineOutcome.NotDicom, await ReplaceAsync(test, item, file));
        test.Spool.Options.MaxSizeMiB = 2;
        Assert.Equal(QuarantineOutcome.OutOfResources, await ReplaceAsync(test, item, corrected)); // while it comes
        test.Spool.Limits.Found(2 << 20);
        Assert.Equal(QuarantineOutcome.OutOfResources, await ReplaceAsync(test, item, corrected));
        test.Spool.Options.MaxSizeMiB = 0;
        Directory.Delete(test.Spool.IncomingFolder);
        Assert.Equal(QuarantineOutcome.Failed, await ReplaceAsync(test, item, corrected));
        Assert.Equal(QuarantineOutcome.Failed, await ReplaceAsync(test, item, TestSpool.File("1.2", "1.2.9"))); // so small that it fails at the end
        Directory.CreateDirectory(test.Spool.IncomingFolder);
        Assert.Equal(item, Assert.Single(test.Spool.Quarantine.List().Items));
        Assert.Equal((0, item.Size + (2 << 20)), (test.Spool.Queue("archive").Count, test.Spool.Limits.UsedBytes));
    }

    [Fact]
    public async Task What_cannot_be_removed_stays_counted()
    {
        await using var test = new TestSpool();
        var item = await PutOneAsync(test);
        // A folder in its place cannot be removed as a file.
        Assert.Equal(QuarantineOutcome.Failed, await test.Spool.Quarantine.PurgeAsync(item with { Path = Path.GetDirectoryName(item.Path)! }));
        Assert.Equal((1, item.Size), (test.Spool.Quarantine.List().Total, test.Spool.Limits.UsedBytes));
    }

    [Fact]
    public async Task A_reason_replaces_that_of_a_try_before_and_one_that_cannot_be_read_is_not_known()
    {
        await using var test = new TestSpool();
        await test.StoreAsync("1.2", "1.2.1");
        var entry = test.Spool.Waiting("archive", "1.2")[0];
        var reason = Path.Combine(test.Spool.Root, "quarantine", "archive", Path.ChangeExtension(Path.GetFileName(entry.Path), ".json"));
        Directory.CreateDirectory(Path.GetDirectoryName(reason)!);
        File.WriteAllText(reason, "{}");
        Assert.True(await test.Spool.Quarantine.PutAsync(entry, No));
        Assert.Equal(("No.", 409, "A900"), Read());
        File.WriteAllText(reason, "{");
        Assert.Equal(("The reason is not known.", null, null), Read());
        File.Delete(reason);
        Assert.Equal(("The reason is not known.", null, null), Read());

        (string, int?, string?) Read()
        {
            var found = test.Spool.Quarantine.List().Items[0].Reason;
            return (found.Message, found.Status, found.FailureReason);
        }
    }

    private static async Task<QuarantinedObject> PutOneAsync(TestSpool test)
    {
        await test.StoreAsync("1.2", "1.2.1");
        await test.Spool.Quarantine.PutAsync(test.Spool.Waiting("archive", "1.2")[0], No);
        return test.Spool.Quarantine.List().Items[0];
    }

    private static async Task<QuarantineOutcome> ReplaceAsync(TestSpool test, QuarantinedObject item, byte[] file)
    {
        using var stream = new MemoryStream(file);
        return await test.Spool.Quarantine.ReplaceAsync(item, stream, default);
    }
}
