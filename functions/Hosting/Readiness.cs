using DicomServerless.Archive;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functions.Hosting;

/// <summary>Makes the containers, tables and the queue that are missing, while the port is already open, and tries until it is done.</summary>
internal sealed class Readiness(ArchiveStores stores, Func<CancellationToken, Task> createMore, TimeProvider clock, ILogger<Readiness> log) : BackgroundService
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource created = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether everything is there.</summary>
    public bool IsReady => created.Task.IsCompletedSuccessfully;

    /// <summary>Waits until everything is there, but no longer than given.</summary>
    public async Task<bool> WaitAsync(TimeSpan longest, CancellationToken cancellationToken)
    {
        if (IsReady) return true;
        try
        {
            await created.Task.WaitAsync(longest, clock, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Whether storage answers now.</summary>
    public async Task<bool> CheckAsync(TimeSpan longest, CancellationToken cancellationToken)
    {
        if (!IsReady) return false;
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(longest);
        try
        {
            await stores.Dicom.HeadAsync("health", limited.Token);
            await stores.Instances.GetAsync("health", "health", ["ET"], limited.Token);
            return true;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            HostingLog.StorageFailed(log, HostingLog.Reason(exception), "none");
            return false;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield(); // the port opens first
        for (var attempt = 1; !stoppingToken.IsCancellationRequested; attempt++)
        {
            try
            {
                await stores.CreateIfAbsentAsync(stoppingToken);
                await createMore(stoppingToken);
                created.SetResult();
                HostingLog.StoresReady(log);
                return;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                var wait = TimeSpan.FromSeconds(Math.Min(LongestWait.TotalSeconds, 0.25 * Math.Pow(2, Math.Min(attempt, 10))));
                HostingLog.StoresNotReady(log, HostingLog.Reason(exception), attempt, wait.TotalSeconds);
                await Task.Delay(wait, clock, stoppingToken);
            }
        }
    }
}
