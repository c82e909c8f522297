namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>When something that failed may be tried again: 1 s, doubling up to 5 minutes, half of it random, for ever.</summary>
internal sealed class Backoff(TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1), Longest = TimeSpan.FromMinutes(5);
    private long until = long.MinValue;

    /// <summary>Failures in a row.</summary>
    public int Failures { get; private set; }

    /// <summary>What is left to wait; zero or less when it may be tried.</summary>
    public TimeSpan Remaining => until == long.MinValue ? TimeSpan.Zero : time.GetElapsedTime(time.GetTimestamp(), until);

    /// <summary>Whether it has to wait.</summary>
    public bool IsWaiting => Remaining > TimeSpan.Zero;

    /// <summary>Another failure. Those that end while it waits already belong to the same trouble.</summary>
    /// <param name="atLeast">What the server asked for.</param>
    public void Fail(TimeSpan? atLeast = null)
    {
        if (!IsWaiting) Failures++;
        else if (atLeast is null) return;
        var longest = Math.Min(Longest.TotalSeconds, First.TotalSeconds * Math.Pow(2, Math.Min(Failures - 1, 20)));
        var wait = TimeSpan.FromSeconds(longest * (0.5 + Random.Shared.NextDouble() / 2));
        if (atLeast > wait) wait = atLeast.Value + wait / 10;
        until = Math.Max(until, time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency));
    }

    /// <summary>It passed.</summary>
    public void Succeed() => (Failures, until) = (0, long.MinValue);
}
