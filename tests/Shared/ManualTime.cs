namespace DicomServerless.Shared;

/// <summary>A clock that stands until it is moved; due timers run on the caller of <see cref="Advance"/>.</summary>
public sealed class ManualTime(DateTimeOffset start) : TimeProvider
{
    private readonly Lock gate = new();
    private readonly List<ManualTimer> timers = [];
    private DateTimeOffset now = start;

    public override DateTimeOffset GetUtcNow() => now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => now.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Advance(TimeSpan by)
    {
        ManualTimer[] due;
        lock (gate)
        {
            now += by;
            due = [.. timers.Where(timer => timer.Due <= now).OrderBy(timer => timer.Due)];
        }
        foreach (var timer in due) timer.Fire();
    }

    /// <summary>Completes when somebody waits for a timer that is due in the given time or less, and only then has it sense to move the clock.</summary>
    public async Task WaitForTimerAsync(TimeSpan due)
    {
        while (true)
        {
            Task changed;
            lock (gate)
            {
                if (timers.Any(timer => timer.Due <= now + due)) return;
                changed = change.Task;
            }
            await changed;
        }
    }

    private TaskCompletionSource change = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class ManualTimer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        public DateTimeOffset Due { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time.gate)
            {
                time.timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan) return true;
                Due = time.now + dueTime;
                time.timers.Add(this);
                time.change.TrySetResult();
                time.change = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
            return true;
        }

        public void Fire()
        {
            bool pending;
            lock (time.gate) pending = time.timers.Remove(this);
            if (pending) callback(state);
        }

        public void Dispose()
        {
            lock (time.gate) time.timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
