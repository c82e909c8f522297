using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>What the worker of a destination knows of one study with waiting objects. Guarded by the worker.</summary>
internal sealed class StudyQueue(TimeProvider time)
{
    // Two requests of one study keep the line busy; more would fight for its row in the archive.
    public const int MaxInFlight = 2;
    private const int MaxLookedAt = 4_096, MaxObjects = 500;

    private readonly Dictionary<long, SpoolHead> heads = [];
    private readonly HashSet<long> inFlight = [];
    private readonly Dictionary<long, EntryTrouble> troubled = [];
    private readonly Dictionary<long, int> sent = [];

    /// <summary>Its place in the order: the study served least goes next.</summary>
    public long Turn { get; set; }

    /// <summary>Requests under way.</summary>
    public int Requests { get; private set; }

    /// <summary>Trouble with all of it.</summary>
    public Backoff Backoff { get; } = new(time);

    /// <summary>The most objects in a request; smaller while something is being searched for.</summary>
    public int ObjectLimit { get; private set; } = MaxObjects;

    /// <summary>The most bytes in a request, when the server said that it was too much.</summary>
    public long ByteLimit { get; private set; } = long.MaxValue;

    /// <summary>The earliest end of a wait of one object; null when none waits.</summary>
    public TimeSpan? NextEntry
    {
        get
        {
            TimeSpan? next = null;
            foreach (var trouble in troubled.Values)
                if (trouble.Backoff.Remaining is var left && left > TimeSpan.Zero && (next is null || left < next)) next = left;
            return next;
        }
    }

    /// <summary>
    /// The oldest objects that may go, as one request. An object stays behind an older one with the same SOP Instance UID until that has its final answer, so that versions arrive in order.
    /// </summary>
    public Batch? Plan(string study, IReadOnlyList<SpoolEntry> waiting, long bytes, long bodyLimit, Func<string, string?> policyOf)
    {
        var entries = new List<SpoolEntry>();
        var found = new Dictionary<SpoolEntry, SpoolHead>();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        string? policy = null;
        var (total, limit) = (0L, Math.Min(Math.Min(bytes, ByteLimit), bodyLimit));
        foreach (var entry in waiting.Take(MaxLookedAt + inFlight.Count))
        {
            if (!heads.TryGetValue(entry.Sequence, out var head)) heads[entry.Sequence] = head = SpoolHead.Read(entry);
            var isFree = head.Sop is null || taken.Add(head.Sop);
            if (!isFree || inFlight.Contains(entry.Sequence) || (troubled.TryGetValue(entry.Sequence, out var trouble) && trouble.Backoff.IsWaiting)) continue;
            // An object without a name, or one that failed, goes alone: then it is clear whom an answer means.
            var isLonely = head.Sop is null || trouble?.MustGoAlone == true;
            var itsPolicy = head.CalledAe is { } called ? policyOf(called) : null;
            if (entries.Count == 0) policy = itsPolicy;
            else if (isLonely || itsPolicy != policy || total + entry.Size > limit) continue;
            entries.Add(entry);
            found[entry] = head;
            total += entry.Size;
            if (isLonely || entries.Count >= ObjectLimit || total >= limit) break;
        }
        if (entries.Count == 0) return null;
        foreach (var entry in entries)
        {
            inFlight.Add(entry.Sequence);
            sent[entry.Sequence] = SentOf(entry) + 1;
        }
        Requests++;
        return new Batch(study, policy, entries, found, entries[0].Size > bodyLimit);
    }

    /// <summary>The request has ended; its objects may go again unless they are gone.</summary>
    public void End(Batch batch)
    {
        Requests--;
        foreach (var entry in batch.Heads.Keys)
        {
            inFlight.Remove(entry.Sequence);
            if (!troubled.ContainsKey(entry.Sequence)) heads.Remove(entry.Sequence);
        }
    }

    /// <summary>The object is out of the queue.</summary>
    public void Forget(SpoolEntry entry)
    {
        troubled.Remove(entry.Sequence);
        sent.Remove(entry.Sequence);
        heads.Remove(entry.Sequence);
    }

    /// <summary>The object failed by itself.</summary>
    public EntryTrouble Trouble(SpoolEntry entry)
    {
        if (!troubled.TryGetValue(entry.Sequence, out var trouble)) troubled[entry.Sequence] = trouble = new EntryTrouble(time);
        return trouble;
    }

    /// <summary>Whether it failed alone before, so that it goes without company.</summary>
    public bool GoesAlone(SpoolEntry entry) => troubled.TryGetValue(entry.Sequence, out var trouble) && trouble.MustGoAlone;

    /// <summary>How often it was sent.</summary>
    public int SentOf(SpoolEntry entry) => sent.GetValueOrDefault(entry.Sequence);

    /// <summary>Half as many objects from now on. False if it was one already.</summary>
    public bool Halve(Batch batch)
    {
        if (batch.Entries.Count <= 1) return false;
        ObjectLimit = Math.Max(1, Math.Min(ObjectLimit, batch.Entries.Count) / 2);
        return true;
    }

    /// <summary>Half as many bytes from now on. False if it was one object already.</summary>
    public bool HalveBytes(Batch batch)
    {
        if (batch.Entries.Count <= 1) return false;
        ByteLimit = Math.Max(1, Math.Min(ByteLimit, batch.Bytes) / 2);
        return true;
    }

    /// <summary>A request passed: twice as many objects again. What is too many bytes stays too many.</summary>
    public void Grow()
    {
        Backoff.Succeed();
        ObjectLimit = Math.Min(MaxObjects, ObjectLimit * 2);
    }
}

/// <summary>The story of one object that failed by itself.</summary>
internal sealed class EntryTrouble(TimeProvider time)
{
    /// <summary>When it may go again.</summary>
    public Backoff Backoff { get; } = new(time);

    /// <summary>How often it failed.</summary>
    public int Failures { get; private set; }

    /// <summary>How many objects the destination had taken when this one first failed.</summary>
    public long TakenBefore { get; private set; }

    /// <summary>Whether it goes without company.</summary>
    public bool MustGoAlone { get; private set; }

    /// <summary>It failed again.</summary>
    public void Fail(long taken, bool mustGoAlone, TimeSpan? atLeast)
    {
        if (Failures++ == 0) TakenBefore = taken;
        MustGoAlone |= mustGoAlone;
        Backoff.Fail(atLeast);
    }
}
