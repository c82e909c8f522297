using DicomServerless.Archive;
using DicomServerless.Functions.Hosting;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functions.Triggers;

/// <summary>What every sweep does, whoever starts it. A job that fails keeps none of the others from running.</summary>
internal sealed class SweepJobs(DicomArchive archive, EventRecovery recovery, QueryTagJob queryTags, IServiceProvider services, ILogger<SweepJobs> log)
{
    /// <summary>Runs all jobs, one after the other. False where one failed; the log says which and why.</summary>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        (string Name, Func<CancellationToken, Task> Run)[] jobs =
        [
            ("journal", archive.Sweeper.SweepAsync),
            ("poison queue", recovery.DrainPoisonAsync),
            ("dead letters", recovery.DrainDeadLettersAsync),
            ("uploads", services.GetService<ResumableUploads>() is { } uploads ? uploads.SweepAsync : _ => Task.CompletedTask),
            ("commitments", archive.Commitments.SweepAsync),
            ("query attributes", queryTags.RunAsync),
        ];
        var isWhole = true;
        foreach (var (name, run) in jobs)
        {
            try
            {
                await run(cancellationToken);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                isWhole = false;
                HostingLog.SweepFailed(log, exception, name);
            }
        }
        return isWhole;
    }
}
