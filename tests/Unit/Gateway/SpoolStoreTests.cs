using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.Functional.Gateway;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Gateway;

/// <summary>Objects on their way into the spool and out of it: what is on the disk, what is counted, and what is flushed.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class SpoolStoreTests
{
    private const int MiB = 1 << 20;
    private static readonly Uid Study = Uid.Parse("1.2");

    [Fact]
    public async Task An_object_has_the_bytes_that_came_in_pieces_of_any_size()
    {
        await using var test = new TestSpool();
        var bytes = new byte[(2 * MiB) + 12_345];
        new Random(1).NextBytes(bytes);
        foreach (var piece in new[] { 100_003, SpoolWriter.BufferSize, SpoolWriter.BufferSize + 1, bytes.Length })
        {
            await using var writer = test.Spool.TryBegin(["archive"])!;
            foreach (var part in bytes.Chunk(piece))
            {
                var before = writer.Length;
                Assert.Equal(SpoolOutcome.Ok, writer.Append(part));
                Assert.Equal(before + part.Length, writer.Length);
            }
            var commit = await writer.CommitAsync(Study);
            Assert.Equal((SpoolOutcome.Ok, writer.Sequence, (long)bytes.Length), (commit.Outcome, commit.Sequence, commit.Bytes));
            var entry = test.Spool.Waiting("archive", "1.2")[^1];
            Assert.Equal((writer.Sequence, (long)bytes.Length, System.IO.Hashing.XxHash128.HashToUInt128(bytes)), (entry.Sequence, entry.Size, entry.Checksum));
            Assert.True(File.ReadAllBytes(entry.Path).AsSpan().SequenceEqual(bytes));
        }
        Assert.Equal((4L * bytes.Length, 0L), (test.Spool.Limits.UsedBytes, test.Spool.Limits.PromisedBytes));
        Assert.Empty(Directory.GetFiles(test.Spool.IncomingFolder));
    }

    [Fact]
    public async Task Room_is_promised_as_an_object_grows_and_given_back_when_it_ends()
    {
        await using var test = new TestSpool();
        var limits = test.Spool.Limits;
        await using (var writer = test.Spool.TryBegin(["archive"])!)
        {
            writer.Append(new byte[MiB]);
            Assert.Equal((MiB, 0), (limits.UsedBytes, limits.PromisedBytes));
            writer.Append(new byte[1]);
            Assert.Equal((2 * MiB, MiB), (limits.UsedBytes, limits.PromisedBytes));
            await writer.CommitAsync(Study);
            Assert.Equal((MiB + 1, 0), (limits.UsedBytes, limits.PromisedBytes));
        }
        await using (var writer = test.Spool.TryBegin(["archive"])!)
        {
            writer.Append(new byte[MiB + 1]);
            Assert.Single(Directory.GetFiles(test.Spool.IncomingFolder));
            for (var i = 0; i < 2; i++) await writer.DisposeAsync();
        }
        await test.Spool.TryBegin(["archive"])!.DisposeAsync(); // nothing came of it
        Assert.Equal((MiB + 1, 0), (limits.UsedBytes, limits.PromisedBytes));
        Assert.Empty(Directory.GetFiles(test.Spool.IncomingFolder));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    public async Task An_object_may_fill_the_spool_to_the_last_byte_and_no_more(int growth)
    {
        await using var test = new TestSpool(configure: options => options.MaxSizeMiB = 2);
        test.Spool.Limits.Found(MiB - growth);
        await using (var writer = test.Spool.TryBegin(["archive"])!)
        {
            Assert.Equal(SpoolOutcome.Ok, writer.Append(new byte[MiB]));
            if (growth > 0) Assert.Equal(SpoolOutcome.Ok, writer.Append(new byte[growth])); // there is no room for twice as much, but for this
            Assert.Equal(2 * MiB, test.Spool.Limits.UsedBytes);
            for (var i = 0; i < 2; i++) Assert.Equal(SpoolOutcome.OutOfResources, writer.Append(new byte[1]));
            Assert.Equal(SpoolOutcome.OutOfResources, (await writer.CommitAsync(Study)).Outcome);
            Assert.Null(test.Spool.TryBegin(["archive"]));
        }
        Assert.Equal((MiB - growth, 0), (test.Spool.Limits.UsedBytes, test.Spool.Limits.PromisedBytes));
        Assert.Equal((0, 0), (test.Files().Length, test.Spool.Queue("archive").Count));
    }

    [Fact]
    public async Task After_its_end_a_writer_takes_nothing()
    {
        await using var test = new TestSpool();
        var writer = test.Spool.TryBegin(["archive"])!;
        await Assert.ThrowsAsync<ArgumentException>(() => writer.CommitAsync(default));
        await writer.CommitAsync(Study);
        Assert.Throws<ObjectDisposedException>(() => writer.Append("x"u8));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => writer.CommitAsync(Study));
        await writer.DisposeAsync();
        var other = test.Spool.TryBegin(["archive"])!;
        await other.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => other.Append("x"u8));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => other.CommitAsync(Study));
        Assert.Single(test.Files());
    }

    [Fact]
    public async Task Only_destinations_that_can_have_a_folder_are_taken()
    {
        await using var test = new TestSpool();
        foreach (var names in new string[][] { [], [".."], ["archive", "../x"], ["sent"] })
            Assert.Throws<ArgumentException>(() => test.Spool.TryBegin(names));
    }

    [Fact]
    public async Task One_object_for_several_destinations_is_counted_until_the_last_has_it()
    {
        await using var test = new TestSpool();
        await test.StoreAsync("1.2", "1.2.1", destinations: ["b", "a", "c"]);
        var size = new FileInfo(Assert.Single(test.Files("a"))).Length;
        Assert.Equal(["a", "b", "c"], test.Spool.Queues.Select(queue => queue.Destination));
        foreach (var (destination, used) in new[] { ("b", size), ("c", size), ("a", 0) })
        {
            await test.Spool.CompleteAsync([]);
            await test.Spool.CompleteAsync(test.Spool.Waiting(destination, "1.2"));
            Assert.Equal((0, 0, used), (test.Spool.Queue(destination).Count, test.Files(destination).Length, test.Spool.Limits.UsedBytes));
        }
        await test.StoreAsync("1.2", "1.2.1");
        Assert.Equal(size, test.Spool.Limits.UsedBytes);
        await test.RestartAsync();
        Assert.Equal(size, test.Spool.Limits.UsedBytes);
        await test.Spool.CompleteAsync(test.Spool.Waiting("archive", "1.2"));
        Assert.Equal(0, test.Spool.Limits.UsedBytes);
        Assert.Empty(Directory.GetFiles(test.Spool.IncomingFolder));
    }

    [Fact]
    public async Task A_destination_that_cannot_be_written_leaves_the_object_with_none()
    {
        await using var test = new TestSpool();
        File.WriteAllText(Path.Combine(test.Spool.Root, "b"), "no folder");
        Assert.Equal(SpoolOutcome.Failed, (await test.StoreAsync("1.2", "1.2.1", destinations: ["a", "b", "c"])).Outcome);
        Assert.Equal((0, 0, 0L), (test.Files("a").Length, test.Spool.Queue("a").Count, test.Spool.Limits.UsedBytes));
        Assert.Empty(Directory.GetFiles(test.Spool.IncomingFolder));
    }

    [Fact]
    public async Task An_object_whose_file_vanished_is_refused()
    {
        await using var test = new TestSpool();
        await using var writer = test.Spool.TryBegin(["archive"])!;
        writer.Append(new byte[SpoolWriter.BufferSize]);
        File.Delete(Assert.Single(Directory.GetFiles(test.Spool.IncomingFolder)));
        Assert.Equal(SpoolOutcome.Failed, (await writer.CommitAsync(Study)).Outcome);
        Assert.Equal(0, test.Spool.Queue("archive").Count);
    }

    [Fact]
    public async Task Every_name_of_an_object_is_flushed_before_it_is_acknowledged_and_after_it_was_sent()
    {
        var flushed = new List<string>();
        await using var test = new TestSpool(flushFolder: path => Flush(flushed, path));
        await test.StoreAsync("1.2", "1.2.1");
        var folder = Path.GetDirectoryName(test.Files()[0])!;
        var (hour, destination) = (Path.GetDirectoryName(folder)!, Path.Combine(test.Spool.Root, "archive"));
        Assert.Equal([test.Spool.Root, destination, hour, folder], flushed);
        await test.Spool.CompleteAsync(test.Spool.Waiting("archive", "1.2"));
        Assert.Equal([folder], flushed.Skip(4));
        Assert.True(await test.Spool.FlushAsync());
    }

    [Fact]
    public async Task Folders_are_flushed_by_one_policy_only()
    {
        foreach (var policy in new[] { FsyncPolicy.Association, FsyncPolicy.None })
        {
            var flushed = new List<string>();
            await using var test = new TestSpool(configure: options => options.Fsync = policy, flushFolder: path => Flush(flushed, path));
            Assert.Equal(SpoolOutcome.Ok, (await test.StoreAsync("1.2", "1.2.1")).Outcome);
            await test.Spool.CompleteAsync(test.Spool.Waiting("archive", "1.2"));
            Assert.Equal((0, true, 0), (flushed.Count, await test.Spool.FlushAsync(), test.Files().Length));
        }
    }

    [Theory]
    [InlineData(0, 0, 2)]
    [InlineData(Posix.NotFound, 0, 2)] // a folder that is gone has no names left
    [InlineData(5, 5, 1)]
    public async Task A_folder_that_cannot_be_flushed_is_told_of(int error, int told, int flushes)
    {
        var flushed = new List<string>();
        await using var test = new TestSpool(flushFolder: path =>
        {
            Flush(flushed, path);
            return error;
        });
        Assert.Equal(told, await test.Spool.FlushFoldersAsync([Path.Combine(test.Spool.Root, "a"), Path.Combine(test.Spool.Root, "b")]));
        Assert.Equal(flushes, flushed.Count);
    }

    [Theory]
    [InlineData(Posix.NoSpace, true)]
    [InlineData(Posix.QuotaExceeded, true)]
    [InlineData(Posix.ReadOnly, false)]
    [InlineData(5, false)]
    public async Task A_full_disk_is_told_from_a_broken_one(int error, bool isFull)
    {
        await using var test = new TestSpool();
        Assert.Equal(isFull ? SpoolOutcome.OutOfResources : SpoolOutcome.Failed, test.Spool.Failed("test", error));
    }

    [Fact]
    public async Task What_a_killed_process_left_of_its_probe_does_not_stand_in_the_way()
    {
        await using var test = new TestSpool();
        File.WriteAllText(Path.Combine(test.Spool.IncomingFolder, SpoolName.Probe), "");
        Assert.True(await test.Spool.CanWriteAsync());
        Assert.Empty(Directory.GetFiles(test.Spool.IncomingFolder));
    }

    [Fact]
    public async Task Only_its_owner_may_read_the_spool()
    {
        await using var test = new TestSpool();
        const UnixFileMode File = UnixFileMode.UserRead | UnixFileMode.UserWrite, Folder = File | UnixFileMode.UserExecute;
        Assert.Equal((Folder, Folder, File), (System.IO.File.GetUnixFileMode(test.Spool.Root), System.IO.File.GetUnixFileMode(test.Spool.IncomingFolder),
            System.IO.File.GetUnixFileMode(Path.Combine(test.Spool.Root, SpoolName.Ownership))));
    }

    [Fact]
    public async Task Limits_and_retention_change_while_it_runs_and_path_and_policy_do_not()
    {
        await using var test = new TestSpool();
        test.Spool.Apply(new SpoolOptions
        {
            Path = "/nowhere", Fsync = FsyncPolicy.None, MaxSizeMiB = 1, MinFreeMiB = 2, RetentionHours = 3, RetentionMaxMiB = 4,
        });
        var options = test.Spool.Options;
        Assert.Equal((1, 2, 3, 4), (options.MaxSizeMiB, options.MinFreeMiB, options.RetentionHours, options.RetentionMaxMiB));
        Assert.Equal((FsyncPolicy.Object, test.Options.Path), (options.Fsync, options.Path));
    }

    [Fact]
    public async Task After_a_change_that_another_part_refuses_the_old_limits_are_in_force()
    {
        await using var test = new TestSpool(configure: options => options.RetentionHours = 5);
        var (before, next) = (new GatewayOptions { Spool = test.Options }, new GatewayOptions { Spool = new() { MaxSizeMiB = 1, RetentionHours = 3 } });
        var users = new ConfigurationUsers();
        users.Add(_ => Task.FromResult<IReadOnlyList<string>>(["A certificate is missing."])); // the forwarder, which comes last
        users.Add(options =>
        {
            test.Spool.Apply(options.Spool);
            Assert.Equal(options.Spool.MaxSizeMiB, test.Spool.Options.MaxSizeMiB);
            return Task.FromResult<IReadOnlyList<string>>([]);
        });
        Assert.Equal(["A certificate is missing."], await users.ApplyAsync(before, next));
        Assert.Equal((0, 0, 5), (test.Spool.Options.MaxSizeMiB, test.Spool.Options.MinFreeMiB, test.Spool.Options.RetentionHours));
        test.Spool.Limits.Found(1L << 30);
        await using var writer = test.Spool.TryBegin(["archive"]);
        Assert.NotNull(writer);
    }

    [Fact]
    public async Task Every_minute_empty_folders_of_closed_hours_and_what_was_kept_for_too_long_go()
    {
        var time = new ManualTime(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
        var test = new TestSpool(time: time, configure: options => options.RetentionHours = 1);
        for (var i = 1; i <= 3; i++) await test.StoreAsync("1.2", $"1.2.{i}");
        // Every way out of the queue and back leaves the folders it used.
        var waiting = test.Spool.Waiting("archive", "1.2");
        await test.Spool.CompleteAsync([waiting[0]]);
        await test.Spool.Quarantine.PutAsync(waiting[1], new QuarantineReason { Message = "No." });
        Assert.Equal(QuarantineOutcome.Done, await test.Spool.Quarantine.RetryAsync(test.Spool.Quarantine.List().Items[0]));
        await test.Spool.CompleteAsync(test.Spool.Waiting("archive", "1.2"));
        Assert.Equal((0, 3), (test.Files().Length, test.Files("sent").Length));
        time.Advance(TimeSpan.FromHours(1));
        await test.Spool.DisposeAsync(); // ends what was begun
        Assert.Empty(Directory.GetDirectories(Path.Combine(test.Spool.Root, "archive")));
        Assert.Empty(test.Files("sent"));
        Directory.Delete(test.Spool.Root, recursive: true);
    }

    private static int Flush(List<string> flushed, string path)
    {
        lock (flushed) flushed.Add(path);
        return 0;
    }
}
