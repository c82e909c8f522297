using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Gateway;

public sealed class SpoolLimitsTests
{
    [Fact]
    public async Task What_many_associations_promise_write_and_give_back_at_once_adds_up_to_nothing()
    {
        var limits = new SpoolLimits(new SpoolOptions { Path = Path.GetTempPath(), MinFreeMiB = 0 }, TimeProvider.System);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 200_000; i++)
            {
                Assert.True(limits.TryReserve(10));
                limits.Written(7);
                limits.GiveBack(3);
                limits.Removed(7);
            }
        })));
        Assert.Equal((0, 0), (limits.UsedBytes, limits.PromisedBytes));
    }

    [Fact]
    public void No_more_is_promised_than_the_spool_may_hold()
    {
        var limits = new SpoolLimits(new SpoolOptions { Path = Path.GetTempPath(), MinFreeMiB = 0, MaxSizeMiB = 1 }, TimeProvider.System);
        Assert.True(limits.TryReserve(1 << 20));
        Assert.False(limits.HasRoom);
        Assert.False(limits.TryReserve(1));
        limits.GiveBack(1);
        Assert.True(limits.TryReserve(1));
    }

    [Fact]
    public void What_is_stored_promised_and_found_is_told_apart()
    {
        var options = new SpoolOptions { Path = Path.GetTempPath(), MinFreeMiB = 0, MaxSizeMiB = 1 };
        var limits = new SpoolLimits(options, TimeProvider.System);
        Assert.True(limits.HasRoom);
        Assert.True(limits.TryReserve(100));
        limits.Written(60);
        Assert.Equal((100, 40), (limits.UsedBytes, limits.PromisedBytes));
        limits.Found(7);
        limits.GiveBack(40);
        Assert.Equal((67, 0), (limits.UsedBytes, limits.PromisedBytes));
        Assert.True(limits.HasRoom);
        limits.Found((1 << 20) - 67);
        Assert.False(limits.HasRoom);
        options.MaxSizeMiB = 0;
        Assert.True(limits.HasRoom);
    }

    [Fact]
    public void What_would_not_stay_free_on_the_disk_is_not_promised()
    {
        var options = new SpoolOptions { Path = Path.GetTempPath(), MinFreeMiB = 0 };
        var limits = new SpoolLimits(options, new ManualTime(DateTimeOffset.UnixEpoch)); // whose disk is looked at once
        var free = limits.FreeBytes;
        Assert.True(free > 1 << 20, "the disk is not full");
        options.MinFreeMiB = free / 2 >> 20;
        Assert.True(limits.HasRoom);
        Assert.False(limits.TryReserve(free / 10 * 6));
        Assert.True(limits.TryReserve(free / 10 * 3));
        Assert.False(limits.TryReserve(free / 10 * 3)); // what was promised is as good as written
        options.MinFreeMiB = free / 10 * 9 >> 20;
        Assert.False(limits.HasRoom);
        limits.Written(free / 10 * 3);
        Assert.True(limits.HasRoom);
        options.MinFreeMiB = (free >> 20) + 1;
        Assert.False(limits.HasRoom);
        Assert.False(limits.TryReserve(0));
    }

    [Fact]
    public void The_disk_is_looked_at_again_after_a_quarter_of_a_second()
    {
        var time = new ManualTime(DateTimeOffset.UnixEpoch);
        var file = Path.Combine(Path.GetTempPath(), "limits-" + Guid.NewGuid().ToString("n"));
        var limits = new SpoolLimits(new SpoolOptions { Path = Path.GetTempPath() }, time);
        var free = limits.FreeBytes;
        try
        {
            using (var stream = File.Create(file))
            {
                stream.Write(new byte[1 << 20]);
                stream.Flush(flushToDisk: true);
            }
            time.Advance(TimeSpan.FromMilliseconds(249));
            Assert.Equal(free, limits.FreeBytes);
            time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.NotEqual(free, limits.FreeBytes);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Where_the_disk_cannot_be_asked_the_write_that_follows_says_what_is_wrong()
    {
        var limits = new SpoolLimits(new SpoolOptions { Path = "/nowhere/at/all" }, TimeProvider.System);
        Assert.True(limits.HasRoom);
        Assert.True(limits.TryReserve(1 << 20));
    }
}
