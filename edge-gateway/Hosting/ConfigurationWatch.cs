namespace DicomServerless.EdgeGateway.Hosting;

/// <summary>Looks at the configuration's files every two seconds. Polling also sees mounted files, whose changes raise no events.</summary>
internal sealed class ConfigurationWatch(GatewayConfiguration configuration, TimeProvider time, ILogger<ConfigurationWatch> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        while (await timer.WaitForNextTickAsync(stoppingToken)) Look();
    }

    private void Look()
    {
        var (before, refused) = (configuration.Current, configuration.RefusedChange);
        if (configuration.Reload())
        {
            if (!ReferenceEquals(before, configuration.Current)) GatewayLog.ConfigurationChanged(log);
        }
        else if (!ReferenceEquals(refused, configuration.RefusedChange))
        {
            foreach (var problem in configuration.RefusedChange) GatewayLog.ConfigurationRefused(log, problem);
        }
    }
}
