using System.Threading.Channels;

namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>What waits for one destination, by study, in the order in which it came.</summary>
internal sealed class SpoolQueue(string root, string destination, Func<TimeSpan> uptime)
{
    // About 650 bytes each with their entries.
    private const int MostDescribed = 100_000;

    private readonly Lock gate = new();
    private readonly Dictionary<string, List<SpoolEntry>> studies = new(StringComparer.Ordinal);
    private readonly Channel<bool> arrivals = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private int count, described;
    private long bytes;

    /// <summary>The destination's name.</summary>
    public string Destination => destination;

    /// <summary>The destination's folder.</summary>
    public string Folder { get; } = Path.Combine(root, destination);

    /// <summary>Whether the spool's own file is there.</summary>
    public bool IsSpoolPresent => File.Exists(Path.Combine(root, SpoolName.Ownership));

    /// <summary>Objects waiting.</summary>
    public int Count
    {
        get { lock (gate) return count; }
    }

    /// <summary>Bytes waiting.</summary>
    public long Bytes
    {
        get { lock (gate) return bytes; }
    }

    /// <summary>How long the oldest object has waited; zero if none does.</summary>
    public TimeSpan OldestAge
    {
        get
        {
            lock (gate)
            {
                var oldest = TimeSpan.MaxValue;
                foreach (var waiting in studies.Values)
                    if (waiting[0].QueuedAt < oldest) oldest = waiting[0].QueuedAt;
                return oldest == TimeSpan.MaxValue ? TimeSpan.Zero : uptime() - oldest;
            }
        }
    }

    /// <summary>Something can be read here after objects have come; for one reader, the worker of the destination.</summary>
    public ChannelReader<bool> Arrivals => arrivals.Reader;

    /// <summary>The studies of which something waits, the one with the oldest object first.</summary>
    public IReadOnlyList<string> Studies
    {
        get { lock (gate) return [.. studies.OrderBy(study => study.Value[0].Sequence).Select(study => study.Key)]; }
    }

    /// <summary>What waits of a study, oldest first: a snapshot.</summary>
    public IReadOnlyList<SpoolEntry> Waiting(string study)
    {
        lock (gate) return studies.TryGetValue(study, out var waiting) ? [.. waiting] : [];
    }

    /// <summary>Wakes the worker up.</summary>
    public void Wake() => arrivals.Writer.TryWrite(true);

    internal void Add(SpoolEntry entry, ObjectDescription? description = null)
    {
        lock (gate)
        {
            if (!studies.TryGetValue(entry.Study, out var waiting)) studies[entry.Study] = waiting = new List<SpoolEntry>(4);
            // Almost always at the end: commits of one association follow each other.
            var at = waiting.Count;
            while (at > 0 && waiting[at - 1].Sequence > entry.Sequence) at--;
            waiting.Insert(at, entry);
            entry.IsQueued = true;
            count++;
            bytes += entry.Size;
            if (description is not null) Describe(entry, description);
        }
        Wake();
    }

    /// <summary>What a restart finds comes in the order of the folders; <see cref="EndLoad"/> sorts.</summary>
    internal void Load(SpoolEntry entry)
    {
        if (!studies.TryGetValue(entry.Study, out var waiting)) studies[entry.Study] = waiting = new List<SpoolEntry>(4);
        waiting.Add(entry);
        entry.IsQueued = true;
        count++;
        bytes += entry.Size;
    }

    internal void EndLoad()
    {
        foreach (var waiting in studies.Values) waiting.Sort((a, b) => a.Sequence.CompareTo(b.Sequence));
        Wake();
    }

    /// <summary>Keeps what is known of an object that waits, unless that is known of so many that it would take too much memory.</summary>
    internal void Describe(SpoolEntry entry, ObjectDescription description)
    {
        lock (gate)
        {
            if (!entry.IsQueued || entry.Description is not null || described == MostDescribed || !description.IsOfUsualSize) return;
            entry.Description = description;
            described++;
        }
    }

    /// <summary>Removes entries of one study; those that are not in the queue are not counted.</summary>
    internal void Remove(string study, IReadOnlySet<SpoolEntry> entries)
    {
        lock (gate)
        {
            if (!studies.TryGetValue(study, out var waiting)) return;
            count -= waiting.RemoveAll(entry =>
            {
                if (!entries.Contains(entry)) return false;
                bytes -= entry.Size;
                entry.IsQueued = false;
                if (entry.Description is not null) described--;
                return true;
            });
            if (waiting.Count == 0) studies.Remove(study);
        }
    }
}
