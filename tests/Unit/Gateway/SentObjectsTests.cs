using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.Functional.Gateway;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Gateway;

/// <summary>What is kept after a destination has it: for so long, so much of it, and the oldest go first.</summary>
public sealed class SentObjectsTests
{
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task Without_a_retention_nothing_is_kept()
    {
        await using var test = new TestSpool(time: time);
        await SendAsync(test, 100);
        test.Spool.Sent.Trim();
        Assert.Equal((0, 0, 0), (test.Spool.Sent.Count, test.Files().Length, test.Files("sent").Length));
    }

    [Fact]
    public async Task An_object_is_kept_for_its_hours_to_the_second()
    {
        await using var test = Open(hours: 2);
        await SendAsync(test, 100);
        Assert.Equal((1, 100L, 0, 0L), (test.Spool.Sent.Count, test.Spool.Sent.Bytes, test.Files().Length, test.Spool.Limits.UsedBytes));
        Assert.Equal(100, new FileInfo(Assert.Single(test.Files("sent"))).Length);
        time.Advance(TimeSpan.FromHours(2) - TimeSpan.FromSeconds(1));
        test.Spool.Sent.Trim();
        Assert.Single(test.Files("sent"));
        time.Advance(TimeSpan.FromSeconds(1));
        test.Spool.Sent.Trim();
        Assert.Equal((0, 0L, 0), (test.Spool.Sent.Count, test.Spool.Sent.Bytes, test.Files("sent").Length));
        Assert.Empty(Directory.GetDirectories(Path.Combine(test.Spool.Root, "sent", "archive")));
    }

    [Fact]
    public async Task As_much_is_kept_as_was_allowed_and_the_oldest_go()
    {
        await using var test = Open(mebibytes: 1);
        await SendAsync(test, 1 << 19);
        await SendAsync(test, 1 << 19);
        test.Spool.Sent.Trim();
        Assert.Equal(2, test.Files("sent").Length);
        await SendAsync(test, 1);
        test.Spool.Sent.Trim();
        Assert.Equal(["000000000002", "000000000003"], Left(test));
        Assert.Equal((2, (1 << 19) + 1), (test.Spool.Sent.Count, test.Spool.Sent.Bytes));
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(100, 2)]
    [InlineData(101, 1)]
    [InlineData(1000, 0)]
    public async Task Room_that_is_wanted_is_made_and_no_more(long wanted, int left)
    {
        await using var test = Open();
        for (var i = 0; i < 3; i++) await SendAsync(test, 100);
        test.Spool.Sent.Trim(wanted);
        Assert.Equal((left, left, 100L * left), (test.Files("sent").Length, test.Spool.Sent.Count, test.Spool.Sent.Bytes));
    }

    [Fact]
    public async Task After_a_restart_the_oldest_still_go_first()
    {
        await using var test = Open();
        for (var i = 0; i < 3; i++) await SendAsync(test, 100);
        foreach (var (file, hours) in test.Files("sent").Order(StringComparer.Ordinal).Zip([1, 3, 2]))
            File.SetLastWriteTimeUtc(file, time.GetUtcNow().UtcDateTime - TimeSpan.FromHours(hours));
        await test.RestartAsync();
        Assert.Equal((3, 300L, 0L), (test.Spool.Sent.Count, test.Spool.Sent.Bytes, test.Spool.Limits.UsedBytes));
        test.Spool.Sent.Trim(1);
        Assert.Equal(["000000000001", "000000000003"], Left(test));
        test.Spool.Sent.Trim(1);
        Assert.Equal(["000000000001"], Left(test));
    }

    [Fact]
    public async Task An_object_that_is_not_there_is_not_kept()
    {
        await using var test = Open();
        await test.StoreAsync("1.2", "1.2.1");
        var entry = test.Spool.Waiting("archive", "1.2")[0];
        File.Delete(entry.Path);
        Assert.Equal(Posix.NotFound, test.Spool.Sent.Keep(entry));
        Assert.Equal(0, test.Spool.Sent.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_kept_makes_room_for_what_comes_where_there_is_none(bool isFull)
    {
        var test = Open();
        await SendAsync(test, 100);
        if (isFull) test.Spool.Limits.Found(1L << 40);
        test.Spool.Options.MaxSizeMiB = 1 << 10;
        await using (var writer = test.Spool.TryBegin(["archive"])) Assert.Equal(isFull, writer is null);
        await test.Spool.DisposeAsync(); // ends what was begun
        Assert.Equal(isFull ? 0 : 1, test.Files("sent").Length);
        Directory.Delete(test.Spool.Root, recursive: true);
    }

    // A CT series has room for each of its objects, and a large one in between has none for its rest.
    [Fact]
    public async Task What_is_kept_makes_room_for_the_rest_of_an_object_too()
    {
        var test = Open();
        await SendAsync(test, 100);
        test.Spool.Options.MaxSizeMiB = 1;
        await using (var writer = test.Spool.TryBegin(["archive"])!)
        {
            Assert.Equal(SpoolOutcome.Ok, writer.Append(new byte[1 << 20]));
            Assert.Single(test.Files("sent"));
            Assert.Equal(SpoolOutcome.OutOfResources, writer.Append(new byte[1]));
        }
        await test.Spool.DisposeAsync(); // ends what was begun
        Assert.Empty(test.Files("sent"));
        Directory.Delete(test.Spool.Root, recursive: true);
    }

    [Fact]
    public async Task What_cannot_be_kept_is_removed()
    {
        await using var test = Open();
        File.WriteAllText(Path.Combine(test.Spool.Root, "sent"), "no folder");
        await SendAsync(test, 100);
        Assert.Equal((0, 0L, 0), (test.Files().Length, test.Spool.Limits.UsedBytes, test.Spool.Sent.Count));
        await test.RestartAsync();
        Assert.Equal(0, test.Spool.Queue("archive").Count);
    }

    private TestSpool Open(int hours = 1000, long mebibytes = 1000) => new(time: time, configure: options =>
        (options.RetentionHours, options.RetentionMaxMiB) = (hours, mebibytes));

    private static IEnumerable<string> Left(TestSpool test) => test.Files("sent").Select(path => Path.GetFileName(path)[..12]).Order(StringComparer.Ordinal);

    private static async Task SendAsync(TestSpool test, int bytes)
    {
        await using var writer = test.Spool.TryBegin(["archive"])!;
        writer.Append(new byte[bytes]);
        await writer.CommitAsync(Uid.Parse("1.2"));
        await test.Spool.CompleteAsync(test.Spool.Waiting("archive", "1.2"));
    }
}
