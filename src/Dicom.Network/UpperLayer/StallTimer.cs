namespace DicomServerless.Dicom.Network;

/// <summary>
/// Measures only the time spent waiting for the peer, so that a slow disk of ours is never held against it. There is a budget of time; bytes that arrive earn
/// some back. A peer that keeps the minimum rate never runs out of it, one that sends a byte a second does.
/// </summary>
internal sealed class StallTimer : IDisposable
{
    private readonly TimeProvider time;
    private readonly ITimer timer;
    private readonly System.Action onExpired;
    private readonly TimeSpan perByte;
    private TimeSpan full;
    private TimeSpan left;
    private bool refills;
    private volatile bool waiting;

    public StallTimer(TimeProvider time, int minimumRate, System.Action onExpired)
    {
        (this.time, this.onExpired) = (time, onExpired);
        perByte = TimeSpan.FromSeconds(1.0 / minimumRate);
        timer = time.CreateTimer(static state => ((StallTimer)state!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What is waited for, for the message of a timeout.</summary>
    public string Waiting { get; private set; } = "";

    /// <summary>Whether time has run out.</summary>
    public bool Expired { get; private set; }

    /// <summary>Begins a new wait.</summary>
    public void Begin(string waitingFor, TimeSpan budget, bool refill)
    {
        Waiting = waitingFor;
        (full, left, refills) = (budget, budget, refill);
    }

    /// <summary>Changes a wait between messages that goes on already; one within a message keeps its time.</summary>
    public void Rearm(string waitingFor, TimeSpan budget)
    {
        if (!waiting || refills) return;
        Begin(waitingFor, budget, refill: false);
        timer.Change(budget, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Awaits I/O on this budget.</summary>
    public async ValueTask<int> MeasureAsync(ValueTask<int> pending)
    {
        if (pending.IsCompleted) return Earn(await pending);
        var since = time.GetTimestamp();
        waiting = true;
        timer.Change(left, Timeout.InfiniteTimeSpan);
        try
        {
            return Earn(await pending);
        }
        finally
        {
            waiting = false;
            timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            if (full != Timeout.InfiniteTimeSpan)
            {
                left -= time.GetElapsedTime(since);
                // A wait of 0 ms would expire before the bytes that are there are read.
                if (left < TimeSpan.FromMilliseconds(1)) left = TimeSpan.FromMilliseconds(1);
            }
        }
    }

    public void Dispose() => timer.Dispose();

    private int Earn(int bytes)
    {
        if (refills) left = left + (bytes * perByte) < full ? left + (bytes * perByte) : full;
        return bytes;
    }

    private void Fire()
    {
        if (!waiting) return;
        Expired = true;
        onExpired();
    }
}
