namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>
/// What one request gets of the line to a destination: as measured on requests that were taken whole, at most its share of the configured bandwidth.
/// </summary>
internal sealed class LineRate(Bandwidth bandwidth)
{
    private const double SecondsPerBatch = 20;
    private const long SmallestBatch = 1 << 20;
    // Small on purpose: the first request, of 10 MiB, gets through a line of 1 Mbit/s within its limit, and the second is sized by what the first measured.
    private const double FirstGuess = 512 * 1024;

    private readonly Lock gate = new();
    private double measured = FirstGuess;
    private bool isMeasured;

    /// <summary>Takes the time of a request that was taken whole. Small requests say more about the latency than about the line and are left out.</summary>
    public void Measure(long bytes, TimeSpan duration)
    {
        if (bytes < SmallestBatch / 4 || duration <= TimeSpan.Zero) return;
        lock (gate)
        {
            var found = bytes / duration.TotalSeconds;
            measured = isMeasured ? (measured * 0.7) + (found * 0.3) : found;
            isMeasured = true;
        }
    }

    /// <summary>
    /// How many bytes a request should have: what 20 s of the line carry, because the platform in front of the archive ends requests after 230.
    /// </summary>
    public long BatchBytes(DestinationOptions options) =>
        Math.Clamp((long)(PerRequest(options) * SecondsPerBatch), SmallestBatch, (long)options.MaxBatchMiB << 20);

    /// <summary>How long a request of this size may stand still: a proxy that takes it whole passes it on no faster than the line is.</summary>
    public TimeSpan TimeLimit(long bytes, DestinationOptions options) =>
        TimeSpan.FromSeconds(Math.Min(options.TimeoutSeconds + (2 * bytes / PerRequest(options)), TimeSpan.FromDays(1).TotalSeconds));

    private double PerRequest(DestinationOptions options)
    {
        var cap = bandwidth.BytesPerSecond;
        lock (gate) return Math.Max(1, cap > 0 ? Math.Min(measured, cap / options.Parallelism) : measured);
    }
}
