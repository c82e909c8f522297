namespace DicomServerless.Archive.Index;

/// <summary>
/// How long to wait before trying again what somebody else's change has refused: up to 10 ms at first, up to a second later, and never in step with others.
/// </summary>
internal sealed class ConflictWait(TimeProvider clock, Func<Guid> newGuid)
{
    private const int FirstMilliseconds = 10, LongestMilliseconds = 1000;

    /// <summary>Waits before the next attempt.</summary>
    /// <param name="attempt">Which attempt was refused, from 0.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public Task BeforeNextAsync(int attempt, CancellationToken cancellationToken)
    {
        var longest = Math.Min(LongestMilliseconds, FirstMilliseconds << Math.Min(attempt, 10));
        var random = (uint)newGuid().GetHashCode() % (uint)longest;
        return Task.Delay(TimeSpan.FromMilliseconds(random), clock, cancellationToken);
    }
}
