using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Gateway;

public sealed class DestinationStateTests
{
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
    private readonly DestinationState state;

    public DestinationStateTests() => state = new DestinationState(time);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_failure_follows_another_where_other_objects_failed_and_nothing_was_taken_in_between(bool isUpload)
    {
        Assert.False(Fail(1, isUpload)); // the first
        Assert.False(Fail(1, isUpload)); // the same again
        Assert.True(Fail(2, isUpload));
        Assert.True(Fail(3, isUpload));
        Assert.False(Fail(3, isUpload));
        Assert.False(Fail(4, !isUpload)); // another service
        Assert.True(Fail(5, isUpload));
        state.Succeed(1, isUpload);
        Assert.False(Fail(6, isUpload));
        Assert.True(Fail(7, isUpload));
    }

    [Fact]
    public void A_store_that_was_taken_says_nothing_of_uploads_and_an_upload_says_that_the_destination_is_there()
    {
        state.Apply(new RetryDecision { UploadsWait = true, DestinationWaits = true }, Broken);
        Assert.Equal((1, 1), (state.Backoff.Failures, state.Uploads.Failures));
        Fail(1, isUpload: true);
        Fail(2, isUpload: false);
        state.Succeed(3, isUpload: false);
        Assert.Equal((0, 1, 3L), (state.Backoff.Failures, state.Uploads.Failures, state.Taken));
        Assert.True(Fail(3, isUpload: true)); // no upload was taken in between
        state.Succeed(2, isUpload: true);
        Assert.Equal((0, 0, 5L), (state.Backoff.Failures, state.Uploads.Failures, state.Taken));
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Only_what_was_decided_waits(bool destination, bool uploads)
    {
        state.Apply(new RetryDecision { DestinationWaits = destination, UploadsWait = uploads }, Broken with { RetryAfter = TimeSpan.FromSeconds(100) });
        var now = time.GetTimestamp();
        Assert.Equal((destination, uploads), (state.Backoff.Remaining(now).TotalSeconds >= 100, state.Uploads.Remaining(now).TotalSeconds >= 100));
        Assert.Equal((destination, uploads), (state.Backoff.IsWaiting(now), state.Uploads.IsWaiting(now)));
    }

    [Fact]
    public void The_alarm_of_uploads_stays_while_stores_are_taken_and_ends_with_the_next_upload()
    {
        state.Apply(new RetryDecision { UploadsWait = true, Alarm = "uploads" }, Broken);
        state.Succeed(1, isUpload: false);
        Assert.Equal("uploads", Read().Alarm);
        state.Succeed(1, isUpload: true);
        Assert.Null(Read().Alarm);
    }

    [Fact]
    public void An_alarm_stays_until_the_next_or_until_objects_are_taken()
    {
        Assert.Null(Read().Alarm);
        Assert.Contains("cannot be read", Read(unreadable: 1).Alarm, StringComparison.Ordinal);
        state.Apply(new RetryDecision { Alarm = "first" }, Broken);
        Assert.Equal(("first", "first"), (Read().Alarm, Read(unreadable: 1).Alarm));
        state.Apply(default, Broken);
        Assert.Equal("first", Read().Alarm);
        state.Apply(new RetryDecision { Alarm = "second" }, Broken);
        Assert.Equal("second", Read().Alarm);
        state.Succeed(1, isUpload: false);
        Assert.Null(Read().Alarm);
    }

    [Fact]
    public void The_status_has_the_last_error_the_last_success_and_the_counts()
    {
        var status = Read();
        Assert.Equal((true, 0L, null, null, null), (status.IsConfigured, status.Retries, status.LastError, status.LastErrorAt, status.LastSuccess));
        Fail(1, isUpload: false);
        Assert.Equal(("No connection.", time.GetUtcNow(), BatchOutcome.Unavailable), (Read().LastError, Read().LastErrorAt, Read().LastErrorKind));
        state.Fail(LooseEntries.Batch("1.2.1"), new BatchResult(BatchOutcome.Answered, 409, ""), isUpload: false);
        Assert.Equal(("409: Some instances were refused.", 2L), (Read().LastError, Read().Retries));
        time.Advance(TimeSpan.FromSeconds(30));
        state.Succeed(1, isUpload: false);
        Assert.Equal(time.GetUtcNow(), Read().LastSuccess);
    }

    private static BatchResult Broken => new(BatchOutcome.Broken, 500, "The destination failed.");

    private bool Fail(long sequence, bool isUpload) => state.Fail(
        new Batch("1.2", null, [LooseEntries.Entry(sequence)], new Dictionary<SpoolEntry, SpoolHead>(), isUpload),
            new BatchResult(BatchOutcome.Unavailable, null, "No connection."), isUpload);

    private DestinationStatus Read(int unreadable = 0) => state.Read(LooseEntries.Queue(), 0, false, unreadable);
}
