using System.Security.Cryptography;
using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Hosting;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>
/// The clients for queries and retrieves, one per destination, with its credentials and certificates. They have connections of their own, so that nobody waits
/// behind a batch that is being sent.
/// </summary>
internal sealed class Archives(GatewayConfiguration configuration, TimeProvider time, ILogger<Archives> log)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, (DestinationOptions Options, DestinationClient Client)> clients = new(StringComparer.Ordinal);

    /// <summary>The client of a destination; null if there is none of that name any more, or its certificate files cannot be used.</summary>
    public ArchiveClient? Of(string destination)
    {
        var options = configuration.Current;
        if (!options.Destinations.TryGetValue(destination, out var target)) return null;
        try
        {
            return new ArchiveClient(ClientOf(destination, target), options.Query.PageSize, TimeSpan.FromSeconds(options.Query.TimeoutSeconds))
                { TakesCommitmentRequests = target.CommitmentRequests };
        }
        catch (Exception exception) when (exception is IOException or CryptographicException)
        {
            GatewayLog.ArchiveFailed(log, destination, exception.Message);
            return null;
        }
    }

    private DestinationClient ClientOf(string destination, DestinationOptions target)
    {
        lock (gate)
        {
            if (clients.TryGetValue(destination, out var known) && known.Options.HasConnectionOf(target)) return known.Client;
            var client = new DestinationClient(target, time);
            // The one before is let go, not disposed of: answers may still be read from it. Its idle connections close by themselves after a minute.
            clients[destination] = (target, client);
            return client;
        }
    }
}
