using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Gateway;

public sealed class BackoffTests
{
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public void Waits_double_from_a_second_to_five_minutes_and_half_of_each_is_random()
    {
        var backoff = new Backoff(time);
        for (var i = 0; i < 20; i++)
        {
            backoff.Fail();
            var longest = Math.Min(300, Math.Pow(2, i));
            Assert.InRange(backoff.Remaining(time.GetTimestamp()).TotalSeconds, longest / 2, longest);
            time.Advance(TimeSpan.FromSeconds(300));
            Assert.False(backoff.IsWaiting(time.GetTimestamp()));
        }
        Assert.Equal(20, backoff.Failures);
    }

    [Fact]
    public void After_a_success_the_next_wait_is_about_a_second_again()
    {
        var backoff = new Backoff(time);
        for (var i = 0; i < 8; i++)
        {
            backoff.Fail();
            time.Advance(TimeSpan.FromSeconds(300));
        }
        backoff.Succeed();
        Assert.Equal((0, TimeSpan.Zero), (backoff.Failures, backoff.Remaining(time.GetTimestamp())));
        backoff.Fail();
        Assert.Equal(1, backoff.Failures);
        Assert.InRange(backoff.Remaining(time.GetTimestamp()).TotalSeconds, 0.5, 1);
    }

    [Fact]
    public void Failures_during_a_wait_are_the_same_trouble_and_a_server_may_ask_for_more()
    {
        var backoff = new Backoff(time);
        for (var i = 0; i < 4; i++) backoff.Fail();
        Assert.Equal(1, backoff.Failures);
        Assert.True(backoff.Remaining(time.GetTimestamp()) <= TimeSpan.FromSeconds(1));
        backoff.Fail(TimeSpan.FromSeconds(90));
        Assert.InRange(backoff.Remaining(time.GetTimestamp()).TotalSeconds, 90, 90.1); // a tenth of its own wait more
        Assert.Equal(1, backoff.Failures);
    }

    [Fact]
    public void A_wait_ends_to_the_tick_however_many_failures_come_in_meanwhile()
    {
        var backoff = new Backoff(time);
        backoff.Fail();
        var wait = backoff.Remaining(time.GetTimestamp());
        var part = TimeSpan.FromSeconds(0.49);
        time.Advance(part);
        for (var i = 0; i < 200; i++) backoff.Fail();
        time.Advance(wait - part - TimeSpan.FromTicks(1));
        Assert.True(backoff.IsWaiting(time.GetTimestamp()));
        time.Advance(TimeSpan.FromTicks(1));
        Assert.False(backoff.IsWaiting(time.GetTimestamp()));
    }

    [Fact]
    public void One_moment_has_one_answer_however_late_it_is_asked_for()
    {
        var backoff = new Backoff(time);
        backoff.Fail();
        var round = time.GetTimestamp();
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(backoff.IsWaiting(round));
        Assert.True(backoff.Remaining(round) > TimeSpan.Zero);
        Assert.False(backoff.IsWaiting(time.GetTimestamp()));
    }
}
