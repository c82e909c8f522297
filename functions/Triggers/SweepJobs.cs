using DicomServerless.Archive;
using DicomServerless.Functions.Hosting;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functions.Triggers;

/// <summary>
/// What every sweep does, whoever starts it. A job that fails keeps none of the others from running, and a sweep ends after <see cref="Longest"/>: the
/// Functions host ends a worker, with every request in it, whose function runs into functionTimeout (host.json, 30 minutes).
/// </summary>
internal sealed class SweepJobs(
    DicomArchive archive, EventRecovery recovery, QueryTagJob queryTags, IServiceProvider services, TimeProvider clock, ILogger<SweepJobs> log)
{
    /// <summary>How long a sweep may take. What it did not come to is for the next one.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    private int next; // the job that comes first: the one behind that in which the last sweep was cut off

    /// <summary>Runs all jobs, one after the other, as far as there is time. False where one failed; the log says which and why.</summary>
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
        using var time = new CancellationTokenSource(Longest, clock);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, time.Token);
        var isWhole = true;
        var first = next;
        for (var i = 0; i < jobs.Length; i++)
        {
            var (name, run) = jobs[(first + i) % jobs.Length];
            next = (first + i + 1) % jobs.Length;
            try
            {
                await run(limited.Token);
            }
            catch (Exception) when (time.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                HostingLog.SweepCutOff(log, name, Longest.TotalMinutes);
                return isWhole;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                isWhole = false;
                HostingLog.SweepFailed(log, exception, name);
            }
        }
        next = 0;
        return isWhole;
    }
}
