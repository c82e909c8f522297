using DicomServerless.Archive;
using DicomServerless.Functions.Hosting;
using DicomServerless.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functions.Triggers;

/// <summary>
/// Runs the sweep outside the Functions host. Of several processes one does it: who moves the lease row's time on by its ETag. That saves work and protects
/// nothing;
/// two sweeps at once are harmless.
/// </summary>
internal sealed class SweepTimer(DicomArchive archive, SweepJobs jobs, Readiness readiness, Settings settings, TimeProvider clock, ILogger<SweepTimer> log)
    : BackgroundService
{
    private const string LeasePartition = "lease", LeaseRow = "sweep", NextColumn = "Next";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var interval = TimeSpan.FromSeconds(settings.Events.SweepSeconds);
        if (interval <= TimeSpan.Zero) return;
        while (!await readiness.WaitAsync(interval, stoppingToken)) { }
        using var timer = new PeriodicTimer(interval, clock);
        do
        {
            try
            {
                if (await TryTakeAsync(interval, stoppingToken)) await jobs.RunAsync(stoppingToken);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                HostingLog.SweepFailed(log, exception, "lease");
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task<bool> TryTakeAsync(TimeSpan interval, CancellationToken cancellationToken)
    {
        var journal = archive.Stores.Journal;
        var now = clock.GetUtcNow();
        var row = await journal.GetAsync(LeasePartition, LeaseRow, null, cancellationToken);
        // Half an interval early is on time: clocks and timers are not exact.
        if (row?.Number(NextColumn) is { } next && next - (interval.TotalMilliseconds / 2) > now.ToUnixTimeMilliseconds()) return false;
        var taken = new TableRow(LeasePartition, LeaseRow) { [NextColumn] = (now + interval).ToUnixTimeMilliseconds() };
        return (await journal.SubmitAsync([row is null ? TableWrite.Insert(taken) : TableWrite.Replace(taken, row.ETag!)], cancellationToken)).IsOk;
    }
}
