using System.Diagnostics;
using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway;

public sealed class SpoolTests
{
    private static readonly byte[] Block = new byte[64 * 1024];

    [Fact]
    public async Task A_restart_drops_what_was_not_committed_and_queues_the_rest_in_order()
    {
        await using var test = new TestSpool();
        for (var i = 1; i <= 5; i++) Assert.Equal(SpoolOutcome.Ok, (await test.StoreAsync("1.2", $"1.2.{i}")).Outcome);
        var before = test.Spool.Waiting("archive", "1.2");
        File.WriteAllText(Path.Combine(test.Spool.IncomingFolder, "000000000099.part"), "x");
        await test.RestartAsync();
        Assert.Empty(Directory.GetFiles(test.Spool.IncomingFolder));
        var after = test.Spool.Waiting("archive", "1.2");
        Assert.Equal(before.Select(entry => (entry.Sequence, entry.Checksum, entry.Size, entry.Path)),
            after.Select(entry => (entry.Sequence, entry.Checksum, entry.Size, entry.Path)));
        Assert.Equal(before.Sum(entry => entry.Size), test.Spool.Limits.UsedBytes);
        Assert.True((await test.StoreAsync("1.2", "1.2.6")).Sequence > after[^1].Sequence);
    }

    [Fact]
    public async Task Files_and_folders_are_the_owners_alone_and_hold_what_was_written()
    {
        await using var test = new TestSpool();
        await test.StoreAsync("1.2", "1.2.1");
        var entry = Assert.Single(test.Spool.Waiting("archive", "1.2"));
        Assert.Equal(TestSpool.File("1.2", "1.2.1"), await File.ReadAllBytesAsync(entry.Path));
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(entry.Path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(entry.Path)!));
    }

    [Fact]
    public async Task Several_destinations_have_a_name_each_on_bytes_that_count_once()
    {
        await using var test = new TestSpool();
        await test.StoreAsync("1.2", "1.2.1", "v1", "AE", "a", "b");
        var size = test.Spool.Waiting("a", "1.2")[0].Size;
        Assert.Equal(size, test.Spool.Limits.UsedBytes);
        await test.RestartAsync();
        Assert.Equal(size, test.Spool.Limits.UsedBytes);
        await test.Spool.CompleteAsync(test.Spool.Waiting("a", "1.2"));
        Assert.Equal((0, 1, size), (test.Spool.Queue("a").Count, test.Spool.Queue("b").Count, test.Spool.Limits.UsedBytes));
        await test.Spool.CompleteAsync(test.Spool.Waiting("b", "1.2"));
        Assert.Equal(0, test.Spool.Limits.UsedBytes);
        Assert.Empty(test.Files("a").Concat(test.Files("b")));
    }

    [Fact]
    public async Task An_object_that_is_given_up_leaves_neither_bytes_nor_promises()
    {
        await using var test = new TestSpool();
        await using (var writer = test.Spool.TryBegin(["archive"])!)
            for (var i = 0; i < 100; i++) writer.Append(Block);
        Assert.Equal(0, test.Spool.Limits.UsedBytes);
        Assert.Empty(Directory.GetFiles(test.Spool.IncomingFolder));
    }

    [Fact]
    public async Task The_limit_of_the_spool_holds_across_writers_and_what_is_given_back_can_be_used()
    {
        await using var test = new TestSpool(configure: options => options.MaxSizeMiB = 4);
        var writers = Enumerable.Range(0, 4).Select(_ => test.Spool.TryBegin(["archive"])!).ToArray();
        Assert.Null(test.Spool.TryBegin(["archive"]));
        for (var i = 0; i < 16; i++) Assert.Equal(SpoolOutcome.Ok, writers[0].Append(Block));
        Assert.Equal(SpoolOutcome.OutOfResources, writers[0].Append(Block));
        Assert.Equal(SpoolOutcome.OutOfResources, (await writers[0].CommitAsync(Uid.Parse("1.2"))).Outcome);
        foreach (var writer in writers) await writer.DisposeAsync();
        Assert.NotNull(test.Spool.TryBegin(["archive"]));
    }

    [Fact]
    public async Task Nothing_is_begun_below_the_low_water_mark()
    {
        await using var test = new TestSpool(configure: options => options.MinFreeMiB = 1L << 39);
        Assert.Null(test.Spool.TryBegin(["archive"]));
    }

    [Fact]
    public async Task Concurrent_commits_into_one_folder_are_all_durable_and_share_flushes()
    {
        await using var test = new TestSpool();
        await Task.WhenAll(Enumerable.Range(1, 200).Select(async i => Assert.Equal(SpoolOutcome.Ok, (await test.StoreAsync("1.2", $"1.2.{i}")).Outcome)));
        Assert.Equal(200, test.Files().Length);
        await test.RestartAsync();
        Assert.Equal(200, test.Spool.Queue("archive").Count);
    }

    [Fact]
    public async Task A_clock_that_jumps_changes_neither_order_nor_ages()
    {
        var time = new ManualTime(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
        await using var test = new TestSpool(time: time);
        await test.StoreAsync("1.2", "1.2.1");
        time.Advance(TimeSpan.FromDays(-400));
        await test.StoreAsync("1.2", "1.2.2");
        time.Advance(TimeSpan.FromDays(4000));
        await test.StoreAsync("1.2", "1.2.3");
        var order = test.Spool.Waiting("archive", "1.2").Select(entry => entry.Sequence).ToArray();
        Assert.Equal(order.Order(), order);
        await test.RestartAsync();
        Assert.Equal(order, test.Spool.Waiting("archive", "1.2").Select(entry => entry.Sequence));
        time.Advance(TimeSpan.FromDays(-9000));
        await test.RestartAsync();
        Assert.Equal(order, test.Spool.Waiting("archive", "1.2").Select(entry => entry.Sequence));
        Assert.Equal(0, test.Spool.Queue("archive").OldestAge.TotalSeconds, 1);
    }

    [Fact]
    public async Task A_full_disk_is_out_of_resources_and_loses_nothing_that_was_there()
    {
        using var mount = Mount.TryMake("size=2m");
        if (mount is null) return;
        await using var test = new TestSpool(mount.Path);
        Assert.Equal(SpoolOutcome.Ok, (await test.StoreAsync("1.2", "1.2.1")).Outcome);
        await using (var writer = test.Spool.TryBegin(["archive"])!)
        {
            test.Spool.Options.MinFreeMiB = 0;
            var outcome = SpoolOutcome.Ok;
            for (var i = 0; i < 64 && outcome == SpoolOutcome.Ok; i++) outcome = writer.Append(Block);
            if (outcome == SpoolOutcome.Ok) outcome = (await writer.CommitAsync(Uid.Parse("1.2"))).Outcome;
            Assert.Equal(SpoolOutcome.OutOfResources, outcome);
        }
        Assert.Equal(SpoolOutcome.Ok, (await test.StoreAsync("1.2", "1.2.2")).Outcome);
        Assert.Equal(2, test.Spool.Queue("archive").Count);
    }

    [Fact]
    public async Task A_disk_that_becomes_read_only_is_a_failed_store()
    {
        using var mount = Mount.TryMake("size=8m");
        if (mount is null) return;
        await using var test = new TestSpool(mount.Path);
        await test.StoreAsync("1.2", "1.2.1");
        mount.Remount("ro");
        Assert.Equal(SpoolOutcome.Failed, (await test.StoreAsync("1.2", "1.2.2")).Outcome);
        mount.Remount("rw");
        Assert.Equal(SpoolOutcome.Ok, (await test.StoreAsync("1.2", "1.2.3")).Outcome);
    }

    [Fact]
    public async Task A_second_process_is_kept_out()
    {
        await using var test = new TestSpool();
        Assert.Throws<IOException>(() => new TestSpool(test.Options.Path));
    }

    [Fact]
    public async Task Quarantine_keeps_the_reason_and_gives_back_replaces_and_purges()
    {
        await using var test = new TestSpool();
        for (var i = 1; i <= 3; i++) await test.StoreAsync("1.2", $"1.2.{i}");
        foreach (var entry in test.Spool.Waiting("archive", "1.2"))
            Assert.True(await test.Spool.Quarantine.PutAsync(entry, new QuarantineReason { Message = "No.", FailureReason = "A900", Status = 409 }));
        Assert.Equal((0, 3), (test.Spool.Queue("archive").Count, test.Spool.Quarantine.List().Total));
        await test.RestartAsync();
        Assert.True(test.Spool.Limits.UsedBytes > 0);
        var items = test.Spool.Quarantine.List("archive").Items;
        Assert.Equal(("No.", "A900", 409, "1.2"),
            (items[0].Reason.Message, items[0].Reason.FailureReason, items[0].Reason.Status, items[0].Reason.StudyInstanceUid));
        Assert.Equal(QuarantineOutcome.Done, await test.Spool.Quarantine.RetryAsync(items[0]));
        Assert.Equal(QuarantineOutcome.NotDicom, await test.Spool.Quarantine.ReplaceAsync(items[1], new MemoryStream(new byte[1000]), default));
        Assert.Equal(QuarantineOutcome.Done, await test.Spool.Quarantine.ReplaceAsync(items[1], new MemoryStream(TestSpool.File("1.2", "1.2.9")), default));
        Assert.Equal(QuarantineOutcome.Done, await test.Spool.Quarantine.PurgeAsync(items[2]));
        Assert.Equal(QuarantineOutcome.NotFound, await test.Spool.Quarantine.PurgeAsync(items[2]));
        Assert.Equal((2, 0), (test.Spool.Queue("archive").Count, test.Spool.Quarantine.List().Total));
        Assert.Equal(test.Spool.Queue("archive").Bytes, test.Spool.Limits.UsedBytes);
        Assert.Empty(Directory.GetFiles(Path.Combine(test.Spool.Root, "quarantine", "archive")));
    }

    [Fact]
    public async Task What_was_sent_is_kept_as_long_and_as_large_as_asked()
    {
        var time = new ManualTime(DateTimeOffset.UtcNow);
        await using var test = new TestSpool(time: time, configure: options => options.RetentionHours = 2);
        await test.StoreAsync("1.2", "1.2.1");
        await test.Spool.CompleteAsync(test.Spool.Waiting("archive", "1.2"));
        Assert.Single(test.Files("sent"));
        await test.RestartAsync();
        Assert.Equal((0, 1), (test.Spool.Queue("archive").Count, test.Spool.Sent.Count));
        test.Spool.Sent.Trim();
        Assert.Single(test.Files("sent"));
        time.Advance(TimeSpan.FromHours(3));
        test.Spool.Sent.Trim();
        Assert.Empty(test.Files("sent"));
    }

    [Fact]
    public async Task With_policy_association_a_flush_ends_when_the_disk_has_everything()
    {
        await using var test = new TestSpool(configure: options => options.Fsync = FsyncPolicy.Association);
        for (var i = 1; i <= 300; i++) Assert.Equal(SpoolOutcome.Ok, (await test.StoreAsync("1.2", $"1.2.{i}")).Outcome);
        Assert.True(await test.Spool.FlushAsync());
    }

    private sealed class Mount : IDisposable
    {
        private Mount(string path) => Path = path;
        public string Path { get; }

        public static Mount? TryMake(string options)
        {
            var path = Directory.CreateTempSubdirectory("spool-mount").FullName;
            if (Run("mount", "-t", "tmpfs", "-o", options, "tmpfs", path)) return new Mount(path);
            Directory.Delete(path);
            Peers.Report("The right to mount a file system", false);
            return null;
        }

        public void Remount(string mode) => Assert.True(Run("mount", "-o", "remount," + mode, Path));

        public void Dispose()
        {
            Run("umount", "-l", Path);
            Directory.Delete(Path);
        }

        private static bool Run(string tool, params string[] arguments)
        {
            using var process = Process.Start(new ProcessStartInfo(tool, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
    }
}
