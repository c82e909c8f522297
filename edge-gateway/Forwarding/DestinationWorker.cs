using System.Threading.Channels;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>
/// Sends what waits for one destination, by itself: nothing that happens to another destination matters here. Studies take turns; within a study the oldest go first, up to two requests
/// at a time. What a failure means for when and with whom an object goes again is decided in <see cref="DestinationWorker.SettleAsync"/>.
/// </summary>
internal sealed class DestinationWorker : IAsyncDisposable
{
    private const double SecondsPerBatch = 20;
    private const long FirstRate = 4 << 20, SmallestBatch = 1 << 20;
    // After so many failures of one object alone, while others passed, a human looks at it.
    private const int RefusedAlone = 2, DoubtfulAlone = 5, BrokenAlone = 10, BrokenBeforeHalving = 3;
    private static readonly TimeSpan WindowCheck = TimeSpan.FromSeconds(30), Shortest = TimeSpan.FromMilliseconds(1);

    private readonly Lock gate = new();
    private readonly Spool spool;
    private readonly SpoolQueue queue;
    private readonly ForwarderContext context;
    private readonly DestinationClient client;
    private readonly BatchSender sender;
    private readonly UploadSender uploads;
    private readonly Bandwidth bandwidth;
    private readonly Rate rate;
    private readonly Backoff backoff;
    private readonly Dictionary<string, StudyQueue> studies = new(StringComparer.Ordinal);
    private readonly HashSet<Task> running = [];
    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource stop = new();
    private readonly Task loop;
    private DestinationOptions options;
    private SendWindow? window;
    private double bytesPerSecond = FirstRate;
    private long turn, taken, retries, quarantined;
    private (long Taken, long Sequence) failure;
    private bool hasNoUploads;
    private DateTimeOffset? lastSuccess, lastErrorAt;
    private BatchResult? lastError;
    private string? alarm;

    public DestinationWorker(Spool spool, string name, DestinationOptions options, ForwarderContext context)
    {
        (this.spool, this.options, this.context) = (spool, options, context);
        queue = spool.Queue(name);
        client = new DestinationClient(options, context.Time);
        bandwidth = new Bandwidth(context.Time);
        rate = new Rate(context.Time);
        backoff = new Backoff(context.Time);
        sender = new BatchSender(client, bandwidth, context.Time, context.NewGuid);
        uploads = new UploadSender(client, sender, bandwidth, context.Time);
        Apply(options);
        loop = Task.Run(LoopAsync);
    }

    /// <summary>What it works by.</summary>
    public DestinationOptions Options => options;

    /// <summary>Takes what needs no new connections: bandwidth, window, sizes, parallelism. At once.</summary>
    public void Apply(DestinationOptions changed)
    {
        lock (gate)
        {
            (options, hasNoUploads) = (changed, false);
            SendWindow.TryParse(changed.Window, changed.TimeZone, out window);
            bandwidth.BytesPerSecond = changed.MaxBandwidthMbps * 1_000_000 / 8;
        }
        wake.Writer.TryWrite(true);
    }

    /// <summary>Tries again now what waits for its time.</summary>
    public void RetryNow()
    {
        lock (gate)
        {
            hasNoUploads = false;
            backoff.Succeed();
            foreach (var study in studies.Values) study.Backoff.Succeed();
        }
        wake.Writer.TryWrite(true);
    }

    public DestinationStatus Status
    {
        get
        {
            var perSecond = rate.PerSecond;
            lock (gate)
            {
                return new DestinationStatus
                {
                    Destination = queue.Destination, IsConfigured = true, Waiting = queue.Count, WaitingBytes = queue.Bytes, OldestAgeSeconds = queue.OldestAge.TotalSeconds,
                    InFlight = running.Count, IsOutsideWindow = IsClosed, LastSuccess = lastSuccess, LastErrorAt = lastErrorAt, LastErrorKind = lastError?.Outcome,
                    LastError = lastError is null ? null : lastError.Status is { } status ? $"{status}: {lastError.Message}" : lastError.Message, Alarm = alarm,
                    ObjectsPerSecond = perSecond.Objects, BytesPerSecond = perSecond.Bytes, TotalObjects = rate.TotalObjects, TotalBytes = rate.TotalBytes,
                    Retries = retries, Quarantined = quarantined,
                };
            }
        }
    }

    /// <summary>Stops. Requests under way are broken off; their objects stay in the queue and are sent again, which the archive takes for what it is.</summary>
    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await loop;
        Task[] left;
        lock (gate) left = [.. running];
        await Task.WhenAll(left);
        client.Dispose();
        stop.Dispose();
    }

    private bool IsClosed => window is { } hours && !hours.IsOpen(context.Time.GetUtcNow());

    private async Task LoopAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var pause = StartWhatMayGo();
                await WaitAsync(pause);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // One bad turn must not end the forwarding of a destination for ever.
            catch (Exception e)
#pragma warning restore CA1031
            {
                ForwarderLog.WorkerFailed(context.Log, queue.Destination, e);
                lock (gate) backoff.Fail();
            }
        }
    }

    private async Task WaitAsync(TimeSpan? pause)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        var arrived = queue.Arrivals.WaitToReadAsync(enough.Token).AsTask();
        var woken = wake.Reader.WaitToReadAsync(enough.Token).AsTask();
        var due = Task.Delay(pause is not { } wait ? Timeout.InfiniteTimeSpan : wait > Shortest ? wait : Shortest, context.Time, enough.Token);
        await Task.WhenAny(arrived, woken, due);
        await enough.CancelAsync();
        while (queue.Arrivals.TryRead(out _)) { }
        while (wake.Reader.TryRead(out _)) { }
        await Task.WhenAll(arrived, woken, due).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        stop.Token.ThrowIfCancellationRequested();
    }

    // Starts as many requests as may be; gives how long to wait for the next, null for until something happens.
    private TimeSpan? StartWhatMayGo()
    {
        lock (gate)
        {
            if (IsClosed) return WindowCheck;
            if (backoff.IsWaiting) return backoff.Remaining;
            // After trouble one request tries the ground before all others follow.
            var most = backoff.Failures > 0 ? 1 : options.Parallelism;
            if (running.Count >= most) return null;
            var waiting = queue.Studies;
            Forget(waiting);
            while (running.Count < most && Next(waiting) is { } batch) Start(batch);
            if (running.Count >= most) return null;
            TimeSpan? next = window is null ? null : WindowCheck;
            foreach (var study in studies.Values)
                foreach (var left in new[] { study.Backoff.IsWaiting ? study.Backoff.Remaining : (TimeSpan?)null, study.NextEntry })
                    if (left is { } found && (next is null || found < next)) next = found;
            return next;
        }
    }

    private Batch? Next(IReadOnlyList<string> waiting)
    {
        // A new study starts where the others are, not before all of them for ever.
        var least = studies.Count == 0 ? 0 : studies.Values.Min(study => study.Turn);
        var bytes = BatchBytes;
        foreach (var study in waiting.OrderBy(study => studies.TryGetValue(study, out var known) ? known.Turn : least))
        {
            if (!studies.TryGetValue(study, out var state)) studies[study] = state = new StudyQueue(context.Time) { Turn = least };
            if (state.Requests >= StudyQueue.MaxInFlight || state.Backoff.IsWaiting || (state.Backoff.Failures > 0 && state.Requests > 0)) continue;
            if (state.Plan(study, queue.Waiting(study), bytes, (long)options.MaxBodyMiB << 20, context.PolicyOf) is not { } batch) continue;
            state.Turn = ++turn;
            return batch;
        }
        return null;
    }

    // What 20 s of the line carry: the platform in front of the archive ends requests after 230.
    private long BatchBytes
    {
        get
        {
            var cap = bandwidth.BytesPerSecond;
            var line = cap > 0 ? Math.Min(bytesPerSecond, cap / options.Parallelism) : bytesPerSecond;
            return Math.Clamp((long)(line * SecondsPerBatch), SmallestBatch, (long)options.MaxBatchMiB << 20);
        }
    }

    private void Forget(IReadOnlyList<string> waiting)
    {
        if (studies.Count <= waiting.Count) return;
        var present = waiting.ToHashSet(StringComparer.Ordinal);
        foreach (var (study, state) in studies.ToArray())
            if (state.Requests == 0 && !present.Contains(study)) studies.Remove(study);
    }

    private void Start(Batch batch)
    {
        Task? task = null;
        var begun = new TaskCompletionSource();
        task = Task.Run(async () =>
        {
            await begun.Task;
            try
            {
                await SendAsync(batch);
            }
#pragma warning disable CA1031 // Whatever it was, the objects are still in the queue.
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (!stop.IsCancellationRequested)
                {
                    ForwarderLog.WorkerFailed(context.Log, queue.Destination, e);
                    lock (gate) studies[batch.Study].Backoff.Fail();
                }
            }
            lock (gate)
            {
                studies[batch.Study].End(batch);
                running.Remove(task!);
            }
            wake.Writer.TryWrite(true);
        });
        running.Add(task);
        begun.SetResult();
    }

    private async Task SendAsync(Batch batch)
    {
        var (intact, damaged) = await VerifyAsync(batch);
        if (damaged > 0) lock (gate) quarantined += damaged;
        if (intact.Entries.Count == 0) return;
        var began = context.Time.GetTimestamp();
        BatchResult result;
        var isCareful = backoff.Failures > 0 || lastError?.Outcome == BatchOutcome.TooLarge;
        if (intact.IsUpload && !hasNoUploads)
        {
            result = await uploads.SendAsync(intact, options, stop.Token);
            if (result.Outcome == BatchOutcome.NoUploads)
            {
                hasNoUploads = true;
                result = await sender.SendAsync(intact, options, isCareful, stop.Token);
            }
        }
        else result = await sender.SendAsync(intact, options, isCareful, stop.Token);
        var duration = context.Time.GetElapsedTime(began);
        stop.Token.ThrowIfCancellationRequested();
        var (done, refused) = await SettleAsync(intact, result, duration);
        context.Report?.Invoke(new ForwardResult(queue.Destination, batch.Study, intact.Entries.Count, done, refused + damaged, intact.Bytes, duration, result.Status, result.Outcome));
    }

    // A file that is not what was stored must not be sent; nobody would notice any more.
    private async Task<(Batch, int Damaged)> VerifyAsync(Batch batch)
    {
        var dropped = new HashSet<SpoolEntry>();
        var damaged = 0;
        foreach (var entry in batch.Entries)
        {
            var intact = await SpoolHead.IsIntactAsync(entry, stop.Token);
            if (intact == true) continue;
            dropped.Add(entry);
            if (intact is null && !File.Exists(entry.Path))
            {
                ForwarderLog.FileGone(context.Log, entry.Sequence, queue.Destination);
                await spool.CompleteAsync([entry]);
                continue;
            }
            var reason = new QuarantineReason { Message = intact is null ? "The file cannot be read." : "The file is damaged: its checksum is not that of its name." };
            if (await spool.Quarantine.PutAsync(entry, reason)) damaged++;
            else lock (gate) studies[batch.Study].Trouble(entry).Fail(taken, false, null);
        }
        return (batch.Without(dropped), damaged);
    }

    /// <summary>The one place that knows what follows from how a request ended.</summary>
    private async Task<(int Done, int Quarantined)> SettleAsync(Batch batch, BatchResult result, TimeSpan duration)
    {
        var done = new List<SpoolEntry>();
        var refused = new List<(SpoolEntry Entry, QuarantineReason Reason)>();
        lock (gate)
        {
            var study = studies[batch.Study];
            var judged = result.Judgements;
            done.AddRange(batch.Entries.Where(entry => judged.TryGetValue(entry, out var judgement) && judgement.Verdict == Verdict.Done));
            taken += done.Count;
            if (done.Count > 0)
            {
                lastSuccess = context.Time.GetUtcNow();
                alarm = null;
                backoff.Succeed();
                if (done.Count == batch.Entries.Count) Measure(batch.Bytes, duration);
            }
            var isWhole = done.Count == batch.Entries.Count;
            if (isWhole) study.Grow();
            else
            {
                retries++;
                (lastError, lastErrorAt) = (result.Message.Length > 0 ? result : result with { Message = "Some instances were refused." }, context.Time.GetUtcNow());
            }
            foreach (var entry in batch.Entries)
            {
                if (!judged.TryGetValue(entry, out var judgement)) continue;
                if (judgement.Verdict == Verdict.Permanent) refused.Add((entry, Reason("The destination refused it.", entry, judgement.Reason)));
                else if (judgement.Verdict != Verdict.Done) Strike(entry, judgement.Verdict == Verdict.Doubtful ? DoubtfulAlone : int.MaxValue, judgement.Reason, false, "The destination cannot process it.");
            }
            var unnamed = batch.Entries.Where(entry => !judged.ContainsKey(entry)).ToArray();
            switch (result.Outcome)
            {
                case BatchOutcome.Answered when unnamed.Length > 0: // the answer does not name them
                    if (study.Halve(batch)) foreach (var entry in unnamed) study.Trouble(entry).Fail(taken, false, result.RetryAfter);
                    else Strike(unnamed[0], DoubtfulAlone, null, true, "The destination's answers do not name it.");
                    break;
                case BatchOutcome.TooLarge when unnamed.Length > 0:
                    if (study.HalveBytes(batch)) break;
                    refused.Add((unnamed[0], Reason("It is larger than the destination takes.", unnamed[0], null)));
                    break;
                case BatchOutcome.Refused:
                    if (study.Halve(batch)) break;
                    Strike(batch.Entries[0], RefusedAlone, null, true, "The destination refuses it, and takes others.");
                    Doubt();
                    break;
                case BatchOutcome.Broken:
                    // What was found by halving is known by now; anything else may be the line, and is searched for only after some failures.
                    var isFound = batch.Entries.Count == 1 && (study.ObjectLimit == 1 || study.GoesAlone(batch.Entries[0]));
                    if (!isFound) study.Backoff.Fail(result.RetryAfter);
                    if (isFound || (study.Backoff.Failures >= BrokenBeforeHalving && !study.Halve(batch))) Strike(batch.Entries[0], BrokenAlone, null, true, "The destination fails on it, and takes others.");
                    Doubt();
                    break;
                case BatchOutcome.Unauthorized:
                    alarm = "The destination does not accept the gateway's credentials.";
                    backoff.Fail(result.RetryAfter);
                    break;
                case BatchOutcome.NotStow:
                    alarm = "The destination's URL is not that of a store service.";
                    backoff.Fail(result.RetryAfter);
                    break;
                case BatchOutcome.Unavailable:
                    backoff.Fail(result.RetryAfter);
                    break;
            }
            if (!isWhole) ForwarderLog.NotDone(context.Log, queue.Destination, batch.Entries.Count - done.Count, batch.Entries.Count, result.Outcome.ToString(), result.Status ?? 0, backoff.Remaining.TotalSeconds);

            void Strike(SpoolEntry entry, int most, ushort? reason, bool alone, string message)
            {
                var trouble = study.Trouble(entry);
                trouble.Fail(taken, alone, result.RetryAfter);
                if (trouble.Failures >= most && taken > trouble.TakenBefore) refused.Add((entry, Reason(message, entry, reason)));
            }

            // One after the other fails and none is taken: that is the destination, not the objects.
            void Doubt()
            {
                var sequence = batch.Entries[0].Sequence;
                if (failure.Taken == taken && failure.Sequence != 0 && failure.Sequence != sequence) backoff.Fail(result.RetryAfter);
                failure = (taken, sequence);
            }

            QuarantineReason Reason(string message, SpoolEntry entry, ushort? reason) => new()
            {
                Message = message, Status = result.Status, FailureReason = reason?.ToString("X4", System.Globalization.CultureInfo.InvariantCulture), Attempts = study.SentOf(entry),
                SopInstanceUid = batch.Heads[entry].Sop, SopClassUid = batch.Heads[entry].SopClass,
            };
        }
        await spool.CompleteAsync(done);
        rate.Add(done.Count, done.Sum(entry => entry.Size));
        var moved = 0;
        foreach (var (entry, reason) in refused)
        {
            if (!await spool.Quarantine.PutAsync(entry, reason)) continue;
            moved++;
            done.Add(entry);
        }
        lock (gate)
        {
            quarantined += moved;
            foreach (var entry in done) studies[batch.Study].Forget(entry);
        }
        return (done.Count - moved, moved);
    }

    // Of the line as one request sees it; small requests say more about the latency.
    private void Measure(long bytes, TimeSpan duration)
    {
        if (bytes < SmallestBatch / 4 || duration <= TimeSpan.Zero) return;
        bytesPerSecond = (bytesPerSecond * 0.7) + (bytes / duration.TotalSeconds * 0.3);
    }
}
