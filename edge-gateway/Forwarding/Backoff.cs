namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>
/// How long something that failed is left alone: 1 s, doubled by each failure up to 5 minutes, half of it random, for as long as it goes on failing.
/// </summary>
/// <remarks>
/// The caller passes the time, so that all decisions of one round are made at the same moment: two looks at the clock could find a wait that is still running
/// first, and over then.
/// </remarks>
internal sealed class Backoff(TimeProvider time)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1), Longest = TimeSpan.FromMinutes(5);
    private long until = long.MinValue;

    /// <summary>Failures in a row; 0 after a success.</summary>
    public int Failures { get; private set; }

    /// <summary>Whether it is to be left alone still.</summary>
    /// <param name="now">A timestamp of the clock.</param>
    public bool IsWaiting(long now) => until > now;

    /// <summary>The rest of the wait; zero when there is none.</summary>
    /// <param name="now">A timestamp of the clock.</param>
    public TimeSpan Remaining(long now) => IsWaiting(now) ? time.GetElapsedTime(now, until) : TimeSpan.Zero;

    /// <summary>Counts a failure and begins a wait. Failures that come in during a wait belong to the same trouble and are not counted again.</summary>
    /// <param name="atLeast">The wait that the server asked for; null if it asked for none.</param>
    public void Fail(TimeSpan? atLeast = null)
    {
        var now = time.GetTimestamp();
        if (!IsWaiting(now)) Failures++;
        else if (atLeast is null) return;
        var longest = Math.Min(Longest.TotalSeconds, First.TotalSeconds * Math.Pow(2, Math.Min(Failures - 1, 20)));
        var wait = TimeSpan.FromSeconds(longest * (0.5 + (Random.Shared.NextDouble() / 2)));
        if (atLeast > wait) wait = atLeast.Value + (wait / 10);
        until = Math.Max(until, now + (long)(wait.TotalSeconds * time.TimestampFrequency));
    }

    /// <summary>Ends the wait and forgets the failures.</summary>
    public void Succeed() => (Failures, until) = (0, long.MinValue);
}
