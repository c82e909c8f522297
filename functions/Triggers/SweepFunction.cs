using Microsoft.Azure.Functions.Worker;

namespace DicomServerless.Functions.Triggers;

/// <summary>What the Functions host calls when it is time to sweep.</summary>
/// <param name="jobs">The jobs of a sweep.</param>
internal sealed class SweepFunction(SweepJobs jobs)
{
    /// <summary>The timer.</summary>
    /// <param name="timer">When it was due; nothing depends on it.</param>
    /// <param name="cancellationToken">Ends when the host ends.</param>
    [Function("sweep")]
    public async Task SweepAsync([TimerTrigger("%SWEEP_CRON%", UseMonitor = true)] TimerInfo timer, CancellationToken cancellationToken)
    {
        if (!await jobs.RunAsync(cancellationToken)) throw new InvalidOperationException("A job of the sweep failed; the log says which.");
    }
}
