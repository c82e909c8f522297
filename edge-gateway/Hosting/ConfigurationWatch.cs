namespace DicomServerless.EdgeGateway.Hosting;

/// <summary>Looks at the configuration's files every two seconds. Polling also sees mounted files, whose changes raise no events.</summary>
internal sealed class ConfigurationWatch(GatewayConfiguration configuration, TimeProvider time, ILogger<ConfigurationWatch> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        while (await timer.WaitForNextTickAsync(stoppingToken)) await LookAsync();
    }

    private async Task LookAsync()
    {
        var (before, refused) = (configuration.Current, configuration.RefusedChange);
        try
        {
            if (await configuration.ReloadAsync())
            {
                if (!ReferenceEquals(before, configuration.Current)) GatewayLog.ConfigurationChanged(log);
            }
            else if (!ReferenceEquals(refused, configuration.RefusedChange))
            {
                foreach (var problem in configuration.RefusedChange) GatewayLog.ConfigurationRefused(log, problem);
            }
        }
#pragma warning disable CA1031 // A fault in one change must not end the watch: the next change may mend it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            GatewayLog.ConfigurationRefused(log, SafeText.Of(exception));
        }
    }
}
