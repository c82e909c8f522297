using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Gateway;

/// <summary>How fast it may go out, and how fast it went.</summary>
public sealed class BandwidthTests
{
    private readonly ManualTime time = new(default);

    [Fact]
    public void Without_a_limit_nothing_waits()
    {
        var bandwidth = new Bandwidth(time);
        for (var i = 0; i < 3; i++) Assert.True(Take(bandwidth, 1 << 30).IsCompleted);
    }

    [Fact]
    public void What_was_taken_is_waited_for_by_the_next_to_the_millisecond()
    {
        var bandwidth = new Bandwidth(time) { BytesPerSecond = 1000 };
        for (var round = 0; round < 2; round++)
        {
            Assert.True(Take(bandwidth, 500).IsCompleted);
            var next = Take(bandwidth, 250);
            var last = Take(bandwidth, 0);
            time.Advance(TimeSpan.FromMilliseconds(499));
            Assert.False(next.IsCompleted);
            time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.True(next.IsCompleted);
            time.Advance(TimeSpan.FromMilliseconds(249));
            Assert.False(last.IsCompleted);
            time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.True(last.IsCompleted);
            time.Advance(TimeSpan.FromMinutes(1)); // a line that stood idle has nothing saved up
        }
    }

    [Theory]
    [InlineData(19, false)]
    [InlineData(20, true)]
    public void A_wait_that_a_timer_cannot_keep_is_made_up_by_the_next(int milliseconds, bool waits)
    {
        var bandwidth = new Bandwidth(time) { BytesPerSecond = 1000 };
        Assert.True(Take(bandwidth, milliseconds).IsCompleted);
        Assert.Equal(!waits, Take(bandwidth, milliseconds).IsCompleted);
        Assert.False(Take(bandwidth, 1).IsCompleted);
    }

    [Fact]
    public void The_last_minute_is_told_from_what_was_before_and_both_are_in_the_total()
    {
        var throughput = new Throughput(time);
        throughput.Add(6, 600);
        time.Advance(TimeSpan.FromSeconds(7));
        throughput.Add(2, 200);
        throughput.Add(1, 100);
        time.Advance(TimeSpan.FromSeconds(52.9));
        Assert.Equal((9 / 60.0, 900 / 60.0), throughput.PerSecond);
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal((3 / 60.0, 300 / 60.0), throughput.PerSecond);
        throughput.Add(4, 400); // where the first stood
        Assert.Equal((7 / 60.0, 700 / 60.0), throughput.PerSecond);
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal((0.0, 0.0), throughput.PerSecond);
        Assert.Equal((13, 1300), (throughput.TotalObjects, throughput.TotalBytes));
    }

    private static Task Take(Bandwidth bandwidth, int bytes) => bandwidth.TakeAsync(bytes, default).AsTask();
}
