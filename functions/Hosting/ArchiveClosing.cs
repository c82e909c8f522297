using DicomServerless.Archive;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functions.Hosting;

/// <summary>
/// Ends the work of the archive when the program stops: after the server has drained and every other service has stopped, since requests and sweeps write into
/// it to their end.
/// </summary>
internal sealed class ArchiveClosing(DicomArchive archive, IServiceProvider services, ILogger<ArchiveClosing> log) : IHostedLifecycleService
{
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        try
        {
            // The uploads first: they store into the archive.
            if (services.GetService<ResumableUploads>() is { } uploads) await uploads.CloseAsync();
            await archive.CloseAsync();
        }
        catch (Exception exception)
        {
            HostingLog.NotClosed(log, exception);
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
