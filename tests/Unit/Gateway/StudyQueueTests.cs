using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.Functional.Gateway;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Gateway;

public sealed class StudyQueueTests : IAsyncLifetime
{
    private static readonly BatchLimits Wide = new(64 << 20, 100 << 20, TakesLarge: true);
    private readonly ManualTime time = new(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
    private readonly TestSpool test = new();
    private StudyQueue queue = null!;

    public ValueTask InitializeAsync()
    {
        queue = new StudyQueue(time);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync() => await test.DisposeAsync();

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
        Waiting[0].Describe(Description("1.2.1")); // as a commit does
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

    [Theory]
    [InlineData("committed")]
    [InlineData("read before")]
    public void A_version_stays_behind_an_older_one_that_cannot_be_read_for_a_moment(string known)
    {
        var waiting = LearnAll(Loose(10, 10, 10), entry => new SpoolHead(FileState.Intact, entry.Sequence == 3 ? "1.2.3" : "1.2.1"));
        if (known == "committed")
        {
            queue.Forget(waiting[0]);
            waiting[0].Description = Description("1.2.1");
        }
        queue.Learn(waiting[0], new SpoolHead(FileState.Unreadable));
        Assert.Equal("3", Planned(Wide));
        Assert.Equal("", Planned(Wide));
        time.Advance(TimeSpan.FromSeconds(1));
        queue.Learn(waiting[0], new SpoolHead(FileState.Intact, "1.2.1"));
        Assert.Equal("1", Planned(Wide));
    }

    [Fact]
    public void Behind_an_object_that_cannot_be_read_and_is_not_known_no_younger_one_of_the_study_goes()
    {
        var waiting = LearnAll(Loose(10, 10, 10), entry => entry.Sequence == 2 ? new SpoolHead(FileState.Unreadable)
            : new SpoolHead(FileState.Intact, $"1.2.{entry.Sequence}"));
        Assert.Equal("1", Planned(Wide)); // the third may be a newer version of the second
        Assert.Equal("", Planned(Wide));
        Assert.NotNull(queue.NextTry(Now));
        time.Advance(TimeSpan.FromSeconds(1));
        queue.Learn(waiting[1], new SpoolHead(FileState.Intact, "1.2.2"));
        Assert.Equal("2,3", Planned(Wide));
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

    [Fact]
    public void A_request_takes_what_fits_to_the_byte_and_passes_over_what_does_not()
    {
        LearnAll(Loose(10, 10, 11, 10));
        Assert.Equal("1,2,4", Planned(new BatchLimits(30, 100, false)));
        LearnAll(Loose(10, 10, 10, 10));
        Assert.Equal("1,2,3", Planned(new BatchLimits(100, 30, false))); // the destination takes no more in one body
        LearnAll(Loose(10, 10, 10, 10));
        queue.Apply(new RetryDecision { Split = BatchSplit.Bytes }, Of(Loose(40)), new BatchResult(BatchOutcome.TooLarge, 413, ""));
        Assert.Equal("1,2", Planned(new BatchLimits(100, 100, false)));
    }

    [Fact]
    public void An_object_too_large_for_a_body_goes_by_itself_or_is_passed_over()
    {
        var waiting = LearnAll(Loose(101, 100, 100));
        Assert.Equal("2", Planned(new BatchLimits(50, 100, TakesLarge: false)));
        var batch = queue.Plan("1.2", waiting, new BatchLimits(50, 100, TakesLarge: true), _ => null, Now, out var needsHeads)!;
        Assert.Equal((1, true, false, 101), (batch.Entries[0].Sequence, batch.IsUpload, needsHeads, batch.Bytes));
        Assert.True(queue.IsSingledOut(batch));
        batch = queue.Plan("1.2", waiting, new BatchLimits(50, 100, TakesLarge: true), _ => null, Now, out _)!;
        Assert.Equal((3, false), (batch.Entries[0].Sequence, batch.IsUpload));
    }

    [Fact]
    public void A_request_has_at_most_500_objects_and_so_many_heads_are_read()
    {
        var waiting = Loose([.. Enumerable.Repeat(10, 501)]);
        Assert.Equal(500, queue.Unread(waiting, long.MaxValue, Now).Count);
        Assert.Equal(2, queue.Unread(waiting, 20, Now).Count);
        LearnAll(waiting);
        Assert.Equal(500, queue.Plan("1.2", waiting, Wide, _ => null, Now, out _)!.Entries.Count);
    }

    [Theory]
    [InlineData(63, "1,65")]
    [InlineData(64, "1")]
    public void Objects_of_another_policy_are_passed_over_and_not_very_many_of_them(int others, string planned)
    {
        var waiting = LearnAll(Loose([.. Enumerable.Repeat(10, others + 2)]), entry => new SpoolHead(FileState.Intact, $"1.2.{entry.Sequence}",
            CalledAe: entry.Sequence == 1 || entry.Sequence == others + 2 ? "ONE" : "TWO"));
        var batch = queue.Plan("1.2", waiting, Wide, called => called == "ONE" ? "reject" : "replace", Now, out _)!;
        Assert.Equal(("reject", planned), (batch.Policy, string.Join(',', batch.Entries.Select(entry => entry.Sequence))));
    }

    [Fact]
    public void An_object_without_a_name_or_one_that_failed_goes_without_company()
    {
        var waiting = LearnAll(Loose(10, 10, 10, 10), entry => new SpoolHead(FileState.Intact, entry.Sequence is 2 ? null : $"1.2.{entry.Sequence}"));
        queue.TroubleOf(waiting[2]).Fail(0, mustGoAlone: true, null);
        queue.TroubleOf(waiting[3]).Fail(0, mustGoAlone: false, null); // it could not be read, say
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(["1,4", "2", "3"], [Planned(Wide), Planned(Wide), Planned(Wide)]);
    }

    [Fact]
    public void After_its_end_a_request_leaves_room_for_the_next_and_its_files_are_looked_at_again()
    {
        var waiting = LearnAll(Loose(10, 10));
        queue.TroubleOf(waiting[1]).Fail(0, mustGoAlone: false, null);
        time.Advance(TimeSpan.FromSeconds(1));
        for (var round = 1; round <= 3; round++)
        {
            var batch = queue.Plan("1.2", waiting, Wide, _ => null, Now, out _)!;
            Assert.Equal((2, 1, round), (batch.Entries.Count, queue.Requests, queue.SentOf(waiting[0])));
            queue.End(batch);
            Assert.Equal(0, queue.Requests);
            // The head of one that failed is kept; it is known already.
            Assert.Equal([waiting[0]], queue.Unread(waiting, long.MaxValue, Now));
            queue.Learn(waiting[0], new SpoolHead(FileState.Intact, "1.2.1"));
        }
        Assert.Equal(1, queue.TroubleOf(waiting[1]).Failures);
        foreach (var entry in waiting) queue.Forget(entry);
        Assert.Equal((0, 0), (queue.TroubleOf(waiting[1]).Failures, queue.SentOf(waiting[1])));
        Assert.Equal(waiting, queue.Unread(waiting, long.MaxValue, Now));
    }

    [Fact]
    public void The_next_try_is_the_earliest_of_all_waits_and_none_is_left_when_all_are_ended()
    {
        var waiting = LearnAll(Loose(10, 10, 10));
        Assert.Null(queue.NextTry(Now));
        queue.Backoff.Fail(TimeSpan.FromSeconds(100));
        Assert.InRange(queue.NextTry(Now)!.Value.TotalSeconds, 100, 100.1);
        foreach (var (entry, seconds) in waiting.Zip([60, 10, 30])) queue.TroubleOf(entry).Fail(0, false, TimeSpan.FromSeconds(seconds));
        Assert.InRange(queue.NextTry(Now)!.Value.TotalSeconds, 10, 10.1);
        Assert.False(queue.IsFree(Now));
        queue.RetryNow();
        Assert.Null(queue.NextTry(Now));
        Assert.True(queue.IsFree(Now));
        Assert.Equal("1,2,3", Planned(Wide));
    }

    [Fact]
    public void A_study_in_trouble_has_one_request_and_may_begin_that()
    {
        var waiting = LearnAll(Loose(10, 10));
        queue.Backoff.Fail();
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(queue.IsFree(Now));
        Assert.NotNull(queue.Plan("1.2", [waiting[0]], Wide, _ => null, Now, out _));
        Assert.False(queue.IsFree(Now));
    }

    [Fact]
    public void A_request_with_one_object_is_singled_out_where_a_search_or_a_failure_made_it_so()
    {
        var waiting = LearnAll(Loose(10, 10));
        Assert.False(queue.IsSingledOut(Of(waiting[..1]))); // nothing else waits
        queue.TroubleOf(waiting[0]).Fail(0, mustGoAlone: false, null);
        Assert.False(queue.IsSingledOut(Of(waiting[..1])));
        queue.TroubleOf(waiting[0]).Fail(0, mustGoAlone: true, null);
        Assert.True(queue.IsSingledOut(Of(waiting[..1])));
        Assert.False(queue.IsSingledOut(Of(waiting))); // planned before
        queue.Apply(new RetryDecision { Split = BatchSplit.Objects }, Of(waiting), new BatchResult(BatchOutcome.Broken, 500, ""));
        Assert.Equal((1, long.MaxValue), (queue.ObjectLimit, queue.ByteLimit));
        Assert.True(queue.IsSingledOut(Of(waiting[1..])));
        Assert.False(queue.IsSingledOut(Of(waiting)));
    }

    [Fact]
    public void A_request_that_was_taken_asks_no_more_before_it_sends()
    {
        queue.Apply(default, Of(Loose(10)), new BatchResult(BatchOutcome.TooLarge, 413, ""));
        Assert.True(queue.AsksFirst);
        queue.Succeed();
        Assert.False(queue.AsksFirst);
    }

    [Fact]
    public void The_record_of_an_object_begins_with_its_first_failure_and_it_stays_alone()
    {
        var trouble = new ObjectTrouble(time);
        Assert.Equal(new ObjectHistory(1, TimeSpan.Zero, false), trouble.Fail(taken: 5, mustGoAlone: true, null));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(new ObjectHistory(2, TimeSpan.FromMinutes(1), false), trouble.Fail(taken: 5, mustGoAlone: true, null));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(new ObjectHistory(3, TimeSpan.FromMinutes(2), true), trouble.Fail(taken: 6, mustGoAlone: false, null));
        Assert.True(trouble.MustGoAlone);
    }

    [Fact]
    public void A_batch_knows_its_bytes_its_policy_and_what_is_left_of_it()
    {
        var waiting = Loose(10, 20, 30);
        var batch = Of(waiting);
        Assert.Equal(60, batch.Bytes);
        Assert.Same(batch, batch.Without(new HashSet<SpoolEntry>()));
        var left = batch.Without(new HashSet<SpoolEntry> { waiting[1] });
        Assert.Equal([waiting[0], waiting[2]], left.Entries);
        using var request = new HttpRequestMessage();
        batch.AddPolicy(request);
        Assert.False(request.Headers.Contains("Duplicate-Policy"));
        (batch with { Policy = "replace" }).AddPolicy(request);
        Assert.Equal(["replace"], request.Headers.GetValues("Duplicate-Policy"));
    }

    private static ObjectDescription Description(string sop) => new(new InstanceKey(Uid.Parse("1.2"), Uid.Parse("1.2.9"), Uid.Parse(sop)), default, default,
        "CT", new PatientKey("P1", ""));

    private long Now => time.GetTimestamp();

    private List<SpoolEntry> last = [];

    private static List<SpoolEntry> Loose(params int[] sizes) => [.. sizes.Select((size, i) => LooseEntries.Entry(i + 1, size))];

    private static Batch Of(List<SpoolEntry> entries) => new("1.2", null, entries, new Dictionary<SpoolEntry, SpoolHead>(), false);

    private List<SpoolEntry> LearnAll(List<SpoolEntry> entries, Func<SpoolEntry, SpoolHead>? head = null)
    {
        // Numbers may come again in one test: what was known of them and was under way is over.
        queue = new StudyQueue(time);
        foreach (var entry in entries) queue.Learn(entry, head?.Invoke(entry) ?? new SpoolHead(FileState.Intact, $"1.2.{entry.Sequence}"));
        return last = entries;
    }

    private string Planned(BatchLimits limits) =>
        string.Join(',', queue.Plan("1.2", last, limits, _ => null, Now, out _)?.Entries.Select(entry => entry.Sequence) ?? []);

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
