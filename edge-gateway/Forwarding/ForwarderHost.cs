using DicomServerless.EdgeGateway.Hosting;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>Starts the forwarder, and gives it the destinations of each change of the configuration.</summary>
internal sealed class ForwarderHost(Forwarder forwarder, GatewayConfiguration configuration, Spooling.Spool spool) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await forwarder.ApplyAsync(configuration.Current.Destinations);
        configuration.Changed += Apply;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        configuration.Changed -= Apply;
        await forwarder.ApplyAsync(new Dictionary<string, DestinationOptions>()); // the container disposes of it
    }

    private void Apply(GatewayOptions options)
    {
        spool.Apply(options.Spool);
        _ = forwarder.ApplyAsync(options.Destinations);
    }
}
