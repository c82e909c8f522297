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
}
