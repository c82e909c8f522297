using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.Functional.Gateway;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Gateway;

#pragma warning disable CA1001 // disposed of by DisposeAsync
public sealed class StudyQueueTests : IAsyncLifetime
#pragma warning restore CA1001
{
    private static readonly BatchLimits Wide = new(64 << 20, 100 << 20, TakesLarge: true);
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
    private readonly TestSpool test = new();
    private StudyQueue queue = null!;

    public Task InitializeAsync()
    {
        queue = new StudyQueue(time);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await test.DisposeAsync();

    [Fact]
    public async Task Files_are_read_before_planning_and_never_by_it()
    {
        await StoreAsync(10);
        Assert.Null(queue.Plan("1.2", Waiting, Wide, _ => null, Now, out var needsHeads));
        Assert.True(needsHeads);
        Assert.Equal(10, queue.Unread(Waiting, Wide.Bytes, Now).Count);
        Assert.Single(queue.Unread(Waiting, 1, Now)); // about as many as one request takes
        Learn();
        Assert.Empty(queue.Unread(Waiting, Wide.Bytes, Now));
        Assert.Equal(10, Plan()!.Entries.Count);
    }

    [Fact]
    public async Task A_version_stays_behind_the_older_one_until_that_has_its_final_answer()
    {
        await test.StoreAsync("1.2", "1.2.1", "v1");
        await test.StoreAsync("1.2", "1.2.1", "v2");
        await test.StoreAsync("1.2", "1.2.2");
        Learn();
        var first = Plan()!;
        Assert.Equal([0, 2], first.Entries.Select(entry => Waiting.ToList().IndexOf(entry)));
        Assert.Null(Plan());
        queue.End(first);
        await test.Spool.CompleteAsync(first.Entries);
        foreach (var entry in first.Entries) queue.Forget(entry);
        Learn();
        Assert.Single(Plan()!.Entries);
    }

    [Fact]
    public async Task A_wait_that_ends_between_two_looks_at_the_clock_still_has_its_next_try()
    {
        await StoreAsync(1);
        Learn();
        queue.TroubleOf(Waiting[0]).Fail(0, true, null);
        var round = Now;
        Assert.Null(queue.Plan("1.2", Waiting, Wide, _ => null, round, out _));
        time.Advance(TimeSpan.FromSeconds(5)); // the wait of at most a second is over by now
        Assert.NotNull(queue.NextTry(round));
        Assert.Null(queue.NextTry(Now));
        Assert.NotNull(Plan());
    }

    [Fact]
    public async Task An_object_that_was_accused_goes_alone_and_others_go_without_it()
    {
        await StoreAsync(3);
        Learn();
        queue.TroubleOf(Waiting[0]).Fail(0, mustGoAlone: true, null);
        var others = Plan()!;
        Assert.Equal(2, others.Entries.Count);
        time.Advance(TimeSpan.FromSeconds(1));
        var alone = Plan()!;
        Assert.Equal([Waiting[0]], alone.Entries);
        Assert.True(queue.IsSingledOut(alone));
        Assert.False(queue.IsSingledOut(others));
    }

    [Fact]
    public async Task An_object_that_cannot_be_read_waits_is_looked_at_again_and_holds_up_no_other()
    {
        await StoreAsync(3);
        queue.Learn(Waiting[0], new SpoolHead(FileState.Unreadable));
        foreach (var entry in Waiting.Skip(1)) queue.Learn(entry, SpoolHead.Read(entry));
        Assert.Equal(Waiting.Skip(1), Plan()!.Entries);
        Assert.Equal(1, queue.Unreadable);
        Assert.NotNull(queue.NextTry(Now));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([Waiting[0]], queue.Unread(Waiting, Wide.Bytes, Now));
        Learn();
        Assert.Equal([Waiting[0]], Plan()!.Entries);
        Assert.Equal(0, queue.Unreadable);
    }

    [Fact]
    public async Task Requests_become_smaller_by_halves_and_grow_again_when_one_is_taken()
    {
        await StoreAsync(40);
        Learn();
        var batch = Plan()!;
        queue.Apply(new RetryDecision { Split = BatchSplit.Objects, StudyWaits = true }, batch, new BatchResult(BatchOutcome.Broken, 500, ""));
        Assert.Equal((20, 1, false), (queue.ObjectLimit, queue.Backoff.Failures, queue.AsksFirst));
        Assert.False(queue.IsFree(Now));
        queue.Apply(new RetryDecision { Split = BatchSplit.Bytes }, batch, new BatchResult(BatchOutcome.TooLarge, 413, ""));
        Assert.Equal((batch.Bytes / 2, true), (queue.ByteLimit, queue.AsksFirst));
        queue.Apply(default, batch, new BatchResult(BatchOutcome.Answered, 202, ""));
        Assert.False(queue.AsksFirst);
        queue.Succeed();
        Assert.Equal((40, 0), (queue.ObjectLimit, queue.Backoff.Failures));
        Assert.True(queue.ByteLimit < long.MaxValue);
    }

    [Fact]
    public async Task Two_requests_go_at_a_time_and_one_while_the_study_is_in_trouble()
    {
        await StoreAsync(4);
        Learn();
        queue.Apply(new RetryDecision { Split = BatchSplit.Objects },
            new Batch("1.2", null, Waiting, new Dictionary<SpoolEntry, SpoolHead>(), false), new BatchResult(BatchOutcome.Refused, 400, ""));
        Assert.NotNull(Plan());
        Assert.True(queue.IsFree(Now));
        Assert.NotNull(Plan());
        Assert.False(queue.IsFree(Now));
    }

    private long Now => time.GetTimestamp();

    private IReadOnlyList<SpoolEntry> Waiting => test.Spool.Waiting("archive", "1.2");

    private Batch? Plan() => queue.Plan("1.2", Waiting, Wide, _ => null, Now, out _);

    private void Learn()
    {
        foreach (var entry in queue.Unread(Waiting, Wide.Bytes, Now)) queue.Learn(entry, SpoolHead.Read(entry));
    }

    private async Task StoreAsync(int count)
    {
        for (var i = 1; i <= count; i++) await test.StoreAsync("1.2", $"1.2.{i}");
    }
}
