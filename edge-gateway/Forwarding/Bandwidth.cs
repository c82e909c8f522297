namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>Spreads the bytes of all requests to one destination over time. The limit may change at any moment.</summary>
internal sealed class Bandwidth(TimeProvider time)
{
    private readonly Lock gate = new();
    private double bytesPerSecond;
    private long freeAt = time.GetTimestamp(); // when what was taken so far has gone out at the limit

    /// <summary>Bytes a second; 0 for no limit.</summary>
    public double BytesPerSecond
    {
        get { lock (gate) return bytesPerSecond; }
        set { lock (gate) bytesPerSecond = value; }
    }

    /// <summary>Waits until these bytes may go out.</summary>
    public ValueTask TakeAsync(int bytes, CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (gate)
        {
            if (bytesPerSecond <= 0) return ValueTask.CompletedTask;
            var now = time.GetTimestamp();
            freeAt = Math.Max(freeAt, now);
            wait = time.GetElapsedTime(now, freeAt);
            freeAt += (long)(bytes / bytesPerSecond * time.TimestampFrequency);
        }
        // Shorter waits than a timer can keep are made up by the next ones.
        return wait < TimeSpan.FromMilliseconds(20) ? ValueTask.CompletedTask : new ValueTask(Task.Delay(wait, time, cancellationToken));
    }
}
