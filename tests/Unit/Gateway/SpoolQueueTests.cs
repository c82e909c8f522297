using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.Unit.Gateway;

/// <summary>What waits for a destination: nothing of it is lost, and each study's objects are in the order in which they came.</summary>
public sealed class SpoolQueueTests
{
    private TimeSpan uptime = TimeSpan.FromMinutes(10);
    private readonly SpoolQueue queue;

    public SpoolQueueTests() => queue = new SpoolQueue("/nowhere", "archive", () => uptime);

    [Fact]
    public void Objects_that_come_out_of_order_wait_in_it_and_the_study_with_the_oldest_is_first()
    {
        foreach (var sequence in new[] { 5, 3, 9, 4, 1, 8 }) queue.Add(Entry(sequence, sequence == 1 || sequence == 9 ? "1.3" : "1.2"));
        Assert.Equal([3, 4, 5, 8], Waiting("1.2"));
        Assert.Equal([1, 9], Waiting("1.3"));
        Assert.Equal(["1.3", "1.2"], queue.Studies);
        Assert.Equal((6, 60), (queue.Count, queue.Bytes));
    }

    [Fact]
    public void What_a_start_finds_is_sorted_and_wakes_the_worker()
    {
        foreach (var sequence in new[] { 5, 3, 9, 4, 1, 8 }) queue.Load(Entry(sequence, "1.2"));
        queue.EndLoad();
        Assert.True(queue.Arrivals.TryRead(out _));
        Assert.Equal([1, 3, 4, 5, 8, 9], Waiting("1.2"));
        Assert.Equal((6, 60), (queue.Count, queue.Bytes));
    }

    [Fact]
    public void What_comes_wakes_the_worker_once()
    {
        Assert.False(queue.Arrivals.TryRead(out _));
        queue.Add(Entry(1, "1.2"));
        queue.Add(Entry(2, "1.2"));
        Assert.True(queue.Arrivals.TryRead(out _));
        Assert.False(queue.Arrivals.TryRead(out _));
    }

    [Fact]
    public void What_is_removed_is_counted_once_and_the_rest_stays()
    {
        SpoolEntry[] entries = [Entry(1, "1.2"), Entry(2, "1.2"), Entry(3, "1.2"), Entry(4, "1.3")];
        foreach (var entry in entries) queue.Add(entry);
        queue.Remove("1.9", entries.ToHashSet()); // a study of which nothing waits
        for (var i = 0; i < 2; i++) queue.Remove("1.2", entries.Take(2).ToHashSet());
        Assert.Equal((2, 20), (queue.Count, queue.Bytes));
        Assert.Equal([3], Waiting("1.2"));
        queue.Remove("1.2", entries.ToHashSet());
        Assert.Equal(["1.3"], queue.Studies);
        Assert.Empty(Waiting("1.2"));
        Assert.Equal((1, 10), (queue.Count, queue.Bytes));
    }

    [Fact]
    public void The_age_is_that_of_the_object_that_waits_longest()
    {
        Assert.Equal(TimeSpan.Zero, queue.OldestAge);
        queue.Add(Entry(1, "1.2", minute: 9));
        queue.Add(Entry(2, "1.3", minute: 4));
        queue.Add(Entry(3, "1.4", minute: 7));
        Assert.Equal(TimeSpan.FromMinutes(6), queue.OldestAge);
        uptime += TimeSpan.FromMinutes(1);
        Assert.Equal(TimeSpan.FromMinutes(7), queue.OldestAge);
    }

    [Fact]
    public void Only_an_object_that_waits_is_described_and_once()
    {
        var (first, second) = (Description("CT"), Description("MR"));
        var entry = Entry(1, "1.2");
        entry.Describe(first);
        Assert.Null(entry.Description);
        queue.Add(entry);
        entry.Describe(first);
        entry.Describe(second);
        Assert.Same(first, entry.Description);
        var other = Entry(2, "1.2");
        queue.Add(other);
        queue.Remove("1.2", new HashSet<SpoolEntry> { other });
        other.Describe(first); // by a query that began before
        Assert.Null(other.Description);
    }

    private static ObjectDescription Description(string modality) => new(default, default, default, modality, new PatientKey("P1", ""));

    private IEnumerable<int> Waiting(string study) => queue.Waiting(study).Select(entry => (int)entry.Sequence);

    private SpoolEntry Entry(long sequence, string study, int minute = 0) =>
        new(queue, study, 2026112112, sequence, 0, 10, TimeSpan.FromMinutes(minute), null);
}
