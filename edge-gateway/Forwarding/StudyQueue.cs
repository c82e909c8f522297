using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>What the worker of a destination knows of one study with waiting objects. Guarded by the worker; reads no files.</summary>
internal sealed class StudyQueue(TimeProvider time)
{
    /// <summary>Requests of one study at a time: two keep the line busy, and more would fight for its row in the archive.</summary>
    public const int MaxInFlight = 2;

    private const int MaxLookedAt = 4_096, MaxObjects = 500, MaxPassedOver = 64;

    private readonly Dictionary<long, SpoolHead> heads = [];
    private readonly HashSet<long> inFlight = [];
    private readonly Dictionary<long, ObjectTrouble> troubled = [];
    private readonly Dictionary<long, int> sent = [];

    /// <summary>Its place in the order: the study that was served least goes next.</summary>
    public long Turn { get; set; }

    /// <summary>Requests under way.</summary>
    public int Requests { get; private set; }

    /// <summary>Trouble with the study as a whole.</summary>
    public Backoff Backoff { get; } = new(time);

    /// <summary>The most objects in a request; smaller while an object is being searched for.</summary>
    public int ObjectLimit { get; private set; } = MaxObjects;

    /// <summary>The most bytes in a request; smaller once the server has said that it was too much.</summary>
    public long ByteLimit { get; private set; } = long.MaxValue;

    /// <summary>Whether the last request was too large, so that the next one asks before it sends.</summary>
    public bool AsksFirst { get; private set; }

    /// <summary>Objects whose files could not be read at the last look.</summary>
    public int Unreadable => heads.Values.Count(head => head.State == FileState.Unreadable);

    /// <summary>Whether a request may begin.</summary>
    /// <param name="now">A timestamp of the clock.</param>
    public bool IsFree(long now) => Requests < MaxInFlight && !Backoff.IsWaiting(now) && (Backoff.Failures == 0 || Requests == 0);

    /// <summary>The time until something that waits now may go again; null when nothing waits.</summary>
    /// <param name="now">The timestamp of the round in which <see cref="Plan"/> was asked.</param>
    public TimeSpan? NextTry(long now)
    {
        TimeSpan? next = Backoff.IsWaiting(now) ? Backoff.Remaining(now) : null;
        foreach (var trouble in troubled.Values)
            if (trouble.Backoff.IsWaiting(now) && (next is null || trouble.Backoff.Remaining(now) < next)) next = trouble.Backoff.Remaining(now);
        return next;
    }

    /// <summary>The next objects whose heads <see cref="Plan"/> needs, about as many as one request takes; they are read outside the worker's lock.</summary>
    public List<SpoolEntry> Unread(IReadOnlyList<SpoolEntry> waiting, long bytes, long now)
    {
        var unread = new List<SpoolEntry>();
        var total = 0L;
        foreach (var entry in waiting.Take(MaxLookedAt + inFlight.Count))
        {
            if (HeadOf(entry, now) is not null) continue;
            unread.Add(entry);
            total += entry.Size;
            if (unread.Count >= ObjectLimit || total >= Math.Min(bytes, ByteLimit)) break;
        }
        return unread;
    }

    /// <summary>Keeps what was read of an object. One that cannot be read waits, and is looked at again after that.</summary>
    public void Learn(SpoolEntry entry, SpoolHead head)
    {
        // A file that cannot be read any more is still of the object that it was of.
        heads[entry.Sequence] = head.Sop is null && heads.TryGetValue(entry.Sequence, out var known) ? head with { Sop = known.Sop } : head;
        if (head.State == FileState.Unreadable) TroubleOf(entry).Backoff.Fail();
    }

    /// <summary>
    /// The oldest objects that may go, as one request. An object stays behind an older one with the same SOP Instance UID until that has its final answer, so
    /// that versions arrive in order. Where an object cannot be read now and nobody knows its UID (after a restart), any younger one of the study may be a
    /// newer version of it, so none of them goes before it.
    /// </summary>
    /// <param name="study">Study Instance UID.</param>
    /// <param name="waiting">What waits of the study, oldest first.</param>
    /// <param name="limits">How large the request may become.</param>
    /// <param name="policyOf">The duplicate policy of a called AE title.</param>
    /// <param name="now">The timestamp of this round.</param>
    /// <param name="needsHeads">Whether the heads of <see cref="Unread"/> have to be read first.</param>
    /// <returns>Null when nothing may go now.</returns>
    public Batch? Plan(string study, IReadOnlyList<SpoolEntry> waiting, BatchLimits limits, Func<string, string?> policyOf, long now, out bool needsHeads)
    {
        needsHeads = false;
        var entries = new List<SpoolEntry>();
        var found = new Dictionary<SpoolEntry, SpoolHead>();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        string? policy = null;
        var (total, limit, passedOver) = (0L, Math.Min(Math.Min(limits.Bytes, ByteLimit), limits.BodyBytes), 0);
        foreach (var entry in waiting.Take(MaxLookedAt + inFlight.Count))
        {
            if (HeadOf(entry, now) is not { } head)
            {
                needsHeads = true;
                return null;
            }
            var sop = head.Sop ?? entry.Description?.Key.Sop.Value;
            if (sop is null && head.State == FileState.Unreadable) break;
            var isFirst = sop is null || taken.Add(sop);
            if (!isFirst || inFlight.Contains(entry.Sequence) || head.State == FileState.Unreadable) continue;
            if (entry.Size > limits.BodyBytes && !limits.TakesLarge) continue;
            if (troubled.TryGetValue(entry.Sequence, out var trouble) && trouble.Backoff.IsWaiting(now)) continue;
            // An object without a name, or one that failed, goes alone: then it is clear whom an answer means.
            var isLonely = head.Sop is null || trouble?.MustGoAlone == true;
            var itsPolicy = head.CalledAe is { } called ? policyOf(called) : null;
            if (entries.Count == 0) policy = itsPolicy;
            else if (isLonely || itsPolicy != policy || total + entry.Size > limit)
            {
                if (++passedOver >= MaxPassedOver) break;
                continue;
            }
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
        return new Batch(study, policy, entries, found, entries[0].Size > limits.BodyBytes);
    }

    /// <summary>The request has ended; its objects may go again unless they have left the queue.</summary>
    public void End(Batch batch)
    {
        Requests--;
        foreach (var entry in batch.Heads.Keys)
        {
            inFlight.Remove(entry.Sequence);
            if (!troubled.ContainsKey(entry.Sequence)) heads.Remove(entry.Sequence);
        }
    }

    /// <summary>The object has left the queue.</summary>
    public void Forget(SpoolEntry entry)
    {
        troubled.Remove(entry.Sequence);
        sent.Remove(entry.Sequence);
        heads.Remove(entry.Sequence);
    }

    /// <summary>The record of an object that failed by itself.</summary>
    public ObjectTrouble TroubleOf(SpoolEntry entry)
    {
        if (!troubled.TryGetValue(entry.Sequence, out var trouble)) troubled[entry.Sequence] = trouble = new ObjectTrouble(time);
        return trouble;
    }

    /// <summary>
    /// Whether a request with one object holds it because a search came down to it or because it goes by <c>/uploads</c>, and not because nothing else waits:
    /// then its failure says nothing about the rest of the study.
    /// </summary>
    public bool IsSingledOut(Batch batch) => batch.IsUpload
        || (batch.Entries.Count == 1 && (ObjectLimit == 1 || (troubled.TryGetValue(batch.Entries[0].Sequence, out var trouble) && trouble.MustGoAlone)));

    /// <summary>How often the object was sent.</summary>
    public int SentOf(SpoolEntry entry) => sent.GetValueOrDefault(entry.Sequence);

    /// <summary>Ends its wait and those of its objects.</summary>
    public void RetryNow()
    {
        Backoff.Succeed();
        foreach (var trouble in troubled.Values) trouble.Backoff.Succeed();
    }

    /// <summary>Applies what was decided after a request that failed.</summary>
    public void Apply(in RetryDecision decision, Batch batch, BatchResult result)
    {
        AsksFirst = result.Outcome == BatchOutcome.TooLarge;
        if (decision.StudyWaits) Backoff.Fail(result.RetryAfter);
        if (decision.Split == BatchSplit.Objects) ObjectLimit = Math.Max(1, Math.Min(ObjectLimit, batch.Entries.Count) / 2);
        if (decision.Split == BatchSplit.Bytes) ByteLimit = Math.Max(1, Math.Min(ByteLimit, batch.Bytes) / 2);
    }

    /// <summary>A request was taken whole: twice as many objects again. A number of bytes that was too large stays too large.</summary>
    public void Succeed()
    {
        AsksFirst = false;
        Backoff.Succeed();
        ObjectLimit = Math.Min(MaxObjects, ObjectLimit * 2);
    }

    // Null where it has to be read, for the first time or again.
    private SpoolHead? HeadOf(SpoolEntry entry, long now) =>
        heads.TryGetValue(entry.Sequence, out var head) && (head.State != FileState.Unreadable || TroubleOf(entry).Backoff.IsWaiting(now)) ? head : null;
}

/// <summary>How large a request may become.</summary>
/// <param name="Bytes">What the line carries in a reasonable time.</param>
/// <param name="BodyBytes">What the destination takes in one body; a larger object goes by <c>/uploads</c>.</param>
/// <param name="TakesLarge">Whether such a larger object may go now.</param>
internal readonly record struct BatchLimits(long Bytes, long BodyBytes, bool TakesLarge);

/// <summary>The record of one object that failed by itself.</summary>
internal sealed class ObjectTrouble(TimeProvider time)
{
    private long takenBefore, firstAt;

    /// <summary>When it may go again.</summary>
    public Backoff Backoff { get; } = new(time);

    /// <summary>How often it was accused.</summary>
    public int Failures { get; private set; }

    /// <summary>Whether it goes without company.</summary>
    public bool MustGoAlone { get; private set; }

    /// <summary>It was accused again.</summary>
    /// <param name="taken">How many objects the destination has taken so far.</param>
    /// <param name="mustGoAlone">Whether it goes alone from now on.</param>
    /// <param name="atLeast">The wait that the server asked for.</param>
    public ObjectHistory Fail(long taken, bool mustGoAlone, TimeSpan? atLeast)
    {
        if (Failures++ == 0) (takenBefore, firstAt) = (taken, time.GetTimestamp());
        MustGoAlone |= mustGoAlone;
        Backoff.Fail(atLeast);
        return new ObjectHistory(Failures, time.GetElapsedTime(firstAt), taken > takenBefore);
    }
}
