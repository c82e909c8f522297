using System.Collections.Concurrent;
using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Hosting;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>
/// The clients for queries and retrieves, one per destination, with its credentials and certificates. They have connections of their own, so that nobody waits behind a
/// batch that is being sent.
/// </summary>
internal sealed class Archives(GatewayConfiguration configuration, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, (DestinationOptions Options, DestinationClient Client)> clients = new(StringComparer.Ordinal);

    /// <summary>The client of a destination; null if there is none of that name any more.</summary>
    public ArchiveClient? Of(string destination)
    {
        var options = configuration.Current;
        if (!options.Destinations.TryGetValue(destination, out var target)) return null;
        // One whose address changed is let go, not disposed: answers may still be read from it.
        var (_, client) = clients.AddOrUpdate(destination, _ => (target, new DestinationClient(target, time)), (_, old) => old.Options.HasConnectionOf(target) ? old : (target, new DestinationClient(target, time)));
        return new ArchiveClient(client, options.Query.PageSize, TimeSpan.FromSeconds(options.Query.TimeoutSeconds));
    }
}
