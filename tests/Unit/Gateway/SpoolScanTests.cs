using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Gateway;

/// <summary>What a start makes of the folders it finds.</summary>
public sealed class SpoolScanTests : IDisposable
{
    private static readonly TimeSpan Uptime = TimeSpan.FromSeconds(1);
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
    private readonly string root = Directory.CreateTempSubdirectory("scan-").FullName;
    private readonly Dictionary<string, SpoolQueue> queues = [];

    public SpoolScanTests() => Directory.CreateDirectory(Path.Combine(root, ".incoming"));

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void What_was_never_acknowledged_goes_and_what_is_not_the_spools_stays()
    {
        Put(".incoming/000000000001.part", 10);
        Put(".incoming/000000000002.part", 10);
        Put(".incoming/notes.txt", 10);
        var scan = Scan();
        Assert.Equal((2, 0, 0L), (scan.Dropped, scan.Waiting, scan.Bytes));
        Assert.Equal(["notes.txt"], Directory.GetFiles(Path.Combine(root, ".incoming")).Select(Path.GetFileName));
    }

    [Fact]
    public void Objects_wait_in_the_order_of_their_numbers_whatever_the_hours_say()
    {
        foreach (var sequence in new[] { 5, 3, 9, 1, 7, 2, 8, 4, 6 }) Put($"archive/20261121{10 + (sequence * 7 % 5)}/1.2/{Name(sequence)}", sequence);
        var scan = Scan();
        Assert.Equal(Enumerable.Range(1, 9).Select(i => ((long)i, (UInt128)i, (long)i)),
            queues["archive"].Waiting("1.2").Select(entry => (entry.Sequence, entry.Checksum, entry.Size)));
        Assert.Equal((9, 45L, 9L, 0), (scan.Waiting, scan.Bytes, scan.LastSequence, scan.Foreign));
        Assert.True(queues["archive"].Arrivals.TryRead(out _));
        Assert.All(queues["archive"].Waiting("1.2"), entry => Assert.True(File.Exists(entry.Path)));
    }

    [Fact]
    public void Bytes_with_several_names_are_counted_once_and_until_the_last_name_is_gone()
    {
        Put($"one/2026112112/1.2/{Name(1)}", 10);
        Put($"two/2026112112/1.2/{Name(1)}", 10);
        Put($"two/2026112112/1.2/{Name(2)}", 20);
        Put($"quarantine/two/{Name(3)}", 40);
        Put("quarantine/two/000000000003.json", 1000);
        Put("quarantine/two/strange.dcm", 1000);
        var scan = Scan();
        Assert.Equal((3, 70L, 3L), (scan.Waiting, scan.Bytes, scan.LastSequence));
        var (one, two, alone) = (queues["one"].Waiting("1.2")[0], queues["two"].Waiting("1.2")[0], queues["two"].Waiting("1.2")[1]);
        Assert.Same(one.Links, two.Links);
        Assert.False(one.Links!.Drop());
        Assert.True(two.Links!.Drop());
        Assert.True(alone.Links!.Drop());
    }

    [Theory]
    [InlineData("archive/2026112112/1.2/")]
    [InlineData("quarantine/archive/")]
    [InlineData("sent/archive/2026112112/")]
    public void New_numbers_begin_behind_all_that_is_there(string area)
    {
        Put($"archive/2026112112/1.2/{Name(5)}", 1);
        Put($"quarantine/archive/{Name(6)}", 1);
        Put($"sent/archive/2026112112/{Name(7)}", 1);
        Put(area + Name(20), 1);
        Assert.Equal(20, Scan().LastSequence);
    }

    [Theory]
    [InlineData("archive/lost+found/1.2/", "archive")]
    [InlineData("archive/2026112112/study/", "archive/2026112112")]
    public void Folders_whose_names_are_not_the_spools_are_left_alone_and_told_of(string folder, string told)
    {
        Put(folder + Name(1), 10);
        AssertForeign(told);
    }

    [Theory]
    [InlineData("notes.txt")]
    [InlineData("000000000001.dcm")]
    public void Files_whose_names_are_not_the_spools_are_left_alone_and_told_of_without_their_study(string file)
    {
        Put("archive/2026112112/1.2/" + file, 10);
        AssertForeign("archive/2026112112");
        Put("archive/2026112112/1.2/other", 10);
        Assert.Equal(2, Scan().Foreign);
    }

    [Fact]
    public void The_age_of_an_object_is_that_of_its_file_and_never_less_than_nothing()
    {
        Put($"archive/2026112112/1.2/{Name(1)}", 10, age: TimeSpan.FromHours(3));
        Put($"archive/2026112112/1.2/{Name(2)}", 10, age: TimeSpan.FromHours(-3)); // the clock was set back
        Put($"sent/archive/2026112112/{Name(3)}", 10, age: TimeSpan.FromHours(2));
        var scan = Scan();
        Assert.Equal([Uptime - TimeSpan.FromHours(3), Uptime], queues["archive"].Waiting("1.2").Select(entry => entry.QueuedAt));
        var sent = Assert.Single(scan.Sent);
        Assert.Equal((3, (UInt128)3, Uptime - TimeSpan.FromHours(2), 10L), (sent.Sequence, sent.Checksum, sent.At, sent.File.Length));
        Assert.Equal(20, scan.Bytes); // what is kept is no part of what waits
    }

    private void AssertForeign(string told)
    {
        var scan = Scan();
        Assert.Equal((1, Path.Combine(root, told), 0, 0L), (scan.Foreign, scan.ForeignFolder, scan.Waiting, scan.Bytes));
    }

    private static string Name(long sequence) => SpoolName.FileName(sequence, (UInt128)sequence);

    private void Put(string name, int size, TimeSpan age = default)
    {
        var path = Path.Combine(root, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, new byte[size]);
        File.SetLastWriteTimeUtc(path, (time.GetUtcNow() - age).UtcDateTime);
    }

    private SpoolScan Scan()
    {
        queues.Clear();
        var scan = new SpoolScan(root, name => queues[name] = new SpoolQueue(root, name, () => Uptime), time, Uptime);
        scan.Run();
        return scan;
    }
}
