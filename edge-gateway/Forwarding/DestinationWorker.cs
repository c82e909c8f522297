using System.Threading.Channels;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>
/// Sends what waits for one destination, by itself: nothing that happens to another destination matters here. Studies take turns; within a study the oldest go
/// first, up to two requests at a time. The worker schedules; what a failure means is decided by <see cref="RetryPolicy"/> and applied by
/// <see cref="BatchSettlement"/>.
/// </summary>
internal sealed class DestinationWorker : IAsyncDisposable
{
    private static readonly TimeSpan WindowCheck = TimeSpan.FromSeconds(30), Shortest = TimeSpan.FromMilliseconds(1);

    private readonly Lock gate = new();
    private readonly Spool spool;
    private readonly SpoolQueue queue;
    private readonly ForwarderContext context;
    private readonly DestinationClient client;
    private readonly BatchSender sender;
    private readonly UploadSender uploads;
    private readonly Bandwidth bandwidth;
    private readonly LineRate line;
    private readonly DestinationState state;
    private readonly BatchSettlement settlement;
    private readonly Dictionary<string, StudyQueue> studies = new(StringComparer.Ordinal);
    private readonly HashSet<Task> running = [];
    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource stop = new();
    private readonly Task loop;
    private DestinationOptions options;
    private SendWindow? window;
    private long turn;
    private long hasNoUploadsUntil = long.MinValue;
    private int uploading;
    private bool isDisposed;

    /// <param name="spool">Where objects wait.</param>
    /// <param name="name">The destination's name.</param>
    /// <param name="options">Its options, validated.</param>
    /// <param name="client">Its connections; the worker disposes of them.</param>
    /// <param name="context">What all workers share.</param>
    public DestinationWorker(Spool spool, string name, DestinationOptions options, DestinationClient client, ForwarderContext context)
    {
        (this.spool, this.options, this.client, this.context) = (spool, options, client, context);
        queue = spool.Queue(name);
        state = new DestinationState(context.Time);
        bandwidth = new Bandwidth(context.Time);
        line = new LineRate(bandwidth);
        var answers = new StoreAnswers(context.Time);
        sender = new BatchSender(client, answers, bandwidth, line, context.Time, context.NewGuid);
        uploads = new UploadSender(client, answers, bandwidth, line, context.Time);
        settlement = new BatchSettlement(gate, spool, queue, state, line, context);
        Apply(options);
        loop = Task.Run(LoopAsync);
    }

    /// <summary>The options in use.</summary>
    public DestinationOptions Options => options;

    /// <summary>How the destination is doing now.</summary>
    public DestinationStatus Status
    {
        get
        {
            lock (gate) return state.Read(queue, running.Count, IsClosed, studies.Values.Sum(study => study.Unreadable));
        }
    }

    private bool IsClosed => window is { } hours && !hours.IsOpen(context.Time.GetUtcNow());

    /// <summary>Uses changed options that need no new connections: bandwidth, window, sizes, parallelism. At once.</summary>
    public void Apply(DestinationOptions changed)
    {
        lock (gate)
        {
            (options, hasNoUploadsUntil) = (changed, long.MinValue);
            SendWindow.TryParse(changed.Window, changed.TimeZone, out window);
            bandwidth.BytesPerSecond = changed.MaxBandwidthMbps * 1_000_000 / 8;
        }
        wake.Writer.TryWrite(true);
    }

    /// <summary>Sends now what waits for its next try.</summary>
    public void RetryNow()
    {
        lock (gate)
        {
            hasNoUploadsUntil = long.MinValue;
            state.Backoff.Succeed();
            state.Uploads.Succeed();
            foreach (var study in studies.Values) study.RetryNow();
        }
        wake.Writer.TryWrite(true);
    }

    /// <summary>Stops. Requests under way are broken off; their objects stay in the queue and are sent again, which the archive recognises.</summary>
    public async ValueTask DisposeAsync()
    {
        if (isDisposed) return;
        isDisposed = true;
        await stop.CancelAsync();
        await loop;
        Task[] left;
        lock (gate) left = [.. running];
        await Task.WhenAll(left);
        client.Dispose();
        stop.Dispose();
    }

    private async Task LoopAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await WaitAsync(StartWhatMayGo());
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // One bad round must not end the forwarding to a destination for ever.
            catch (Exception e)
#pragma warning restore CA1031
            {
                ForwarderLog.WorkerFailed(context.Log, queue.Destination, SafeText.Of(e));
                lock (gate) state.Backoff.Fail();
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
        await Task.WhenAll(arrived, woken, due).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        stop.Token.ThrowIfCancellationRequested();
    }

    // Starts as many requests as may be; gives the time until the next may begin, null for until something happens. One look at the clock for the whole round.
    private TimeSpan? StartWhatMayGo()
    {
        var now = context.Time.GetTimestamp();
        var waiting = queue.Studies;
        lock (gate) Forget(waiting);
        while (true)
        {
            StudyQueue study;
            List<SpoolEntry> unread;
            lock (gate)
            {
                if (IsClosed) return WindowCheck;
                if (state.Backoff.IsWaiting(now)) return state.Backoff.Remaining(now);
                // After trouble a single request finds out whether it is over, before all others follow.
                var most = state.Backoff.Failures > 0 ? 1 : options.Parallelism;
                if (running.Count >= most) return null;
                if (Next(waiting, now, out var needsHeads) is { } batch)
                {
                    Start(batch);
                    continue;
                }
                if (needsHeads is not { } found) return NextTry(now);
                study = found.State;
                unread = study.Unread(queue.Waiting(found.Study), line.BatchBytes(options), now);
            }
            // Files are read outside the lock: a slow disk must not hold up the answers that come in, nor the dashboard.
            foreach (var entry in unread)
            {
                var head = SpoolHead.Read(entry);
                lock (gate) study.Learn(entry, head);
                if (head.State == FileState.Unreadable) ForwarderLog.Unreadable(context.Log, entry.Sequence, queue.Destination);
            }
        }
    }

    private Batch? Next(IReadOnlyList<string> waiting, long now, out (string Study, StudyQueue State)? needsHeads)
    {
        needsHeads = null;
        // A new study starts where the others are, not before all of them for ever.
        var least = studies.Count == 0 ? 0 : studies.Values.Min(study => study.Turn);
        var limits = new BatchLimits(line.BatchBytes(options), (long)options.MaxBodyMiB << 20, MayTakeLarge(now));
        foreach (var study in waiting.OrderBy(study => studies.TryGetValue(study, out var known) ? known.Turn : least))
        {
            if (!studies.TryGetValue(study, out var found)) studies[study] = found = new StudyQueue(context.Time) { Turn = least };
            if (!found.IsFree(now)) continue;
            var batch = found.Plan(study, queue.Waiting(study), limits, context.PolicyOf, now, out var isUnread);
            if (isUnread)
            {
                needsHeads = (study, found);
                return null;
            }
            if (batch is null) continue;
            found.Turn = ++turn;
            return batch;
        }
        return null;
    }

    // After trouble with uploads a single one finds out whether it is over. Where there are none, large objects go by stores.
    private bool MayTakeLarge(long now) =>
        now < hasNoUploadsUntil || (!state.Uploads.IsWaiting(now) && (state.Uploads.Failures == 0 || uploading == 0));

    private TimeSpan? NextTry(long now)
    {
        TimeSpan? next = window is null ? null : WindowCheck;
        if (state.Uploads.IsWaiting(now)) next = next is { } check && check < state.Uploads.Remaining(now) ? check : state.Uploads.Remaining(now);
        foreach (var study in studies.Values)
            if (study.NextTry(now) is { } wait && (next is null || wait < next)) next = wait;
        return next;
    }

    private void Forget(IReadOnlyList<string> waiting)
    {
        if (studies.Count <= waiting.Count) return;
        var present = waiting.ToHashSet(StringComparer.Ordinal);
        foreach (var (name, study) in studies.ToArray())
            if (study.Requests == 0 && !present.Contains(name)) studies.Remove(name);
    }

    private void Start(Batch batch)
    {
        Task? task = null;
        var study = studies[batch.Study];
        var begun = new TaskCompletionSource();
        task = Task.Run(async () =>
        {
            await begun.Task;
            try
            {
                await SendAsync(study, batch);
            }
#pragma warning disable CA1031 // Whatever it was, the objects are still in the queue.
            catch (Exception e)
#pragma warning restore CA1031
            {
                if (!stop.IsCancellationRequested)
                {
                    ForwarderLog.WorkerFailed(context.Log, queue.Destination, SafeText.Of(e));
                    lock (gate) study.Backoff.Fail();
                }
            }
            lock (gate)
            {
                study.End(batch);
                if (batch.IsUpload) uploading--;
                running.Remove(task!);
            }
            wake.Writer.TryWrite(true);
        });
        running.Add(task);
        if (batch.IsUpload) uploading++;
        begun.SetResult();
    }

    private async Task SendAsync(StudyQueue study, Batch batch)
    {
        var (intact, damaged) = await VerifyAsync(study, batch);
        if (intact.Entries.Count == 0) return;
        bool asksFirst, goesByUpload;
        DestinationOptions now;
        lock (gate)
        {
            now = options;
            asksFirst = state.Backoff.Failures > 0 || study.AsksFirst;
            goesByUpload = intact.IsUpload && context.Time.GetTimestamp() >= hasNoUploadsUntil;
        }
        var began = context.Time.GetTimestamp();
        var result = goesByUpload ? await uploads.SendAsync(intact, now, stop.Token) : await sender.SendAsync(intact, now, asksFirst, stop.Token);
        if (result.Outcome == BatchOutcome.NoUploads)
        {
            goesByUpload = false;
            result = await sender.SendAsync(intact, now, asksFirst, stop.Token);
            // Only a destination that stores has no uploads; one that is not deployed answers 404 to everything.
            if (result.Outcome == BatchOutcome.Answered)
                lock (gate) hasNoUploadsUntil = context.Time.GetTimestamp() + (long)(RetryPolicy.NoUploadsFor.TotalSeconds * context.Time.TimestampFrequency);
        }
        var duration = context.Time.GetElapsedTime(began);
        stop.Token.ThrowIfCancellationRequested();
        var (done, refused) = await settlement.SettleAsync(study, intact, result, goesByUpload, duration);
        context.Report?.Invoke(new ForwardResult(
            queue.Destination, batch.Study, intact.Entries.Count, done, refused + damaged, intact.Bytes, duration, result.Status, result.Outcome));
    }

    // A file that is not what was stored must not be sent: nobody would notice any more.
    private async Task<(Batch Intact, int Damaged)> VerifyAsync(StudyQueue study, Batch batch)
    {
        var dropped = new HashSet<SpoolEntry>();
        var damaged = 0;
        foreach (var entry in batch.Entries)
        {
            var found = await SpoolHead.CheckAsync(entry, stop.Token);
            if (found == FileState.Intact) continue;
            dropped.Add(entry);
            if (found == FileState.Gone)
            {
                ForwarderLog.FileGone(context.Log, entry.Sequence, queue.Destination);
                await spool.CompleteAsync([entry]);
            }
            else if (found == FileState.Damaged && await spool.Quarantine.PutAsync(entry, new QuarantineReason
            {
                // The damage may be in the header, so what was known before comes first: storage commitment looks for the UID.
                Message = RetryPolicy.DamagedReason, SopInstanceUid = entry.Description?.Key.Sop.Value ?? batch.Heads[entry].Sop,
                SopClassUid = entry.Description?.SopClass.Value ?? batch.Heads[entry].SopClass,
            }))
                damaged++;
            else
            {
                if (found == FileState.Unreadable) ForwarderLog.Unreadable(context.Log, entry.Sequence, queue.Destination);
                lock (gate) study.Learn(entry, batch.Heads[entry] with { State = FileState.Unreadable });
            }
        }
        if (damaged > 0) lock (gate) state.Quarantined += damaged;
        return (batch.Without(dropped), damaged);
    }
}
