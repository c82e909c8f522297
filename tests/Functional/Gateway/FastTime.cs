namespace DicomServerless.Functional.Gateway;

/// <summary>A clock on which a minute takes a second, so that waits for a retry need none of ours.</summary>
internal sealed class FastTime : TimeProvider
{
    private const int Times = 60;
    private readonly long start = System.GetTimestamp();
    private readonly DateTimeOffset began = System.GetUtcNow();

    public override long TimestampFrequency => System.TimestampFrequency;
    public override long GetTimestamp() => start + ((System.GetTimestamp() - start) * Times);
    public override DateTimeOffset GetUtcNow() => began + GetElapsedTime(start);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        System.CreateTimer(callback, state, Scaled(dueTime), Scaled(period));

    private static TimeSpan Scaled(TimeSpan real) => real <= TimeSpan.Zero
        ? real : real / Times < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : real / Times;
}
