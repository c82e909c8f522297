using DicomServerless.EdgeGateway.Hosting;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>Starts the forwarder, and gives it the destinations of each change of the configuration.</summary>
internal sealed class ForwarderHost(Forwarder forwarder, GatewayConfiguration configuration) : IHostedService
{
    /// <exception cref="IOException">A destination's certificate files cannot be used.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var problems = await forwarder.ApplyAsync(configuration.Current.Destinations);
        if (problems.Count > 0) throw new IOException(string.Join(' ', problems));
        configuration.Users.Add(ApplyAsync);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        configuration.Users.Remove(ApplyAsync);
        await forwarder.DisposeAsync();
    }

    private Task<IReadOnlyList<string>> ApplyAsync(GatewayOptions options) => forwarder.ApplyAsync(options.Destinations);
}
