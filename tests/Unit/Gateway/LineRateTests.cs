using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Gateway;

/// <summary>How large a request is, and how long it may stand still.</summary>
public sealed class LineRateTests
{
    private const long MiB = 1 << 20;
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
    private readonly DestinationOptions options = new() { Url = "http://archive", TimeoutSeconds = 240, Parallelism = 4 };

    [Fact]
    public void The_first_request_gets_through_a_line_of_a_megabit_within_its_limit()
    {
        var line = new LineRate(new Bandwidth(time));
        var bytes = line.BatchBytes(options);
        Assert.True(bytes / (1_000_000 / 8.0) < line.TimeLimit(bytes, options).TotalSeconds, $"{bytes} bytes");
    }

    [Fact]
    public void The_first_measurement_replaces_the_guess_and_the_next_ones_are_averaged()
    {
        var line = new LineRate(new Bandwidth(time));
        line.Measure(1000, TimeSpan.FromSeconds(10)); // so small a request measures the latency
        Assert.Equal(10 * MiB, line.BatchBytes(options));
        line.Measure(2 * MiB, TimeSpan.FromSeconds(1));
        Assert.Equal(40 * MiB, line.BatchBytes(options));
        line.Measure(MiB, TimeSpan.FromSeconds(1));
        Assert.Equal((long)(1.7 * 20 * MiB), line.BatchBytes(options), MiB / 100.0);
        line.Measure(10_000 * MiB, TimeSpan.FromSeconds(1));
        Assert.Equal((long)options.MaxBatchMiB << 20, line.BatchBytes(options));
    }

    [Theory]
    [InlineData((MiB / 4) - 1, 0.125, 10 * MiB)] // the first guess
    [InlineData(MiB / 4, 0.125, 40 * MiB)]
    [InlineData(MiB, 0, 10 * MiB)]
    public void A_request_says_something_of_the_line_from_a_quarter_of_a_mebibyte_and_where_it_took_time(long bytes, double seconds, long next)
    {
        var line = new LineRate(new Bandwidth(time));
        line.Measure(bytes, TimeSpan.FromSeconds(seconds));
        Assert.Equal(next, line.BatchBytes(options));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    public void The_limit_of_a_large_object_counts_in_the_measured_rate_as_well_as_the_configured_one(double megabits)
    {
        var line = new LineRate(new Bandwidth(time) { BytesPerSecond = megabits * 1_000_000 / 8 });
        line.Measure(2 * MiB, TimeSpan.FromSeconds(2));
        var rate = megabits > 0 ? Math.Min(MiB, megabits * 1_000_000 / 8 / options.Parallelism) : MiB;
        Assert.Equal(240 + (2 * 2048 * MiB / rate), line.TimeLimit(2048 * MiB, options).TotalSeconds, 1.0);
    }

    [Fact]
    public void A_request_that_goes_on_has_no_end_and_one_that_stands_still_has()
    {
        using var limit = new RequestLimit(TimeSpan.FromSeconds(240), time, CancellationToken.None);
        for (var block = 0; block < 100; block++)
        {
            time.Advance(TimeSpan.FromSeconds(200));
            Assert.False(limit.Token.IsCancellationRequested);
            limit.Renew();
        }
        time.Advance(TimeSpan.FromSeconds(241));
        Assert.True(limit.Token.IsCancellationRequested);
    }

    [Fact]
    public void A_request_ends_when_its_caller_wants_it()
    {
        using var stop = new CancellationTokenSource();
        using var limit = new RequestLimit(TimeSpan.FromSeconds(240), time, stop.Token);
        stop.Cancel();
        Assert.True(limit.Token.IsCancellationRequested);
    }
}
