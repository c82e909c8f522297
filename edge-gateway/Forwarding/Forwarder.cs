using System.Security.Cryptography;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>What the workers of all destinations share.</summary>
/// <param name="PolicyOf">The duplicate policy of a called AE title: <c>reject</c>, <c>replace</c>, <c>keep-first</c>; null for the destination's own.</param>
/// <param name="Time">The clock.</param>
/// <param name="NewGuid">Random ids.</param>
/// <param name="Log">The log.</param>
/// <param name="Report">Called with the result of each request, on any thread.</param>
internal sealed record ForwarderContext(Func<string, string?> PolicyOf, TimeProvider Time, Func<Guid> NewGuid, ILogger Log, Action<ForwardResult>? Report);

/// <summary>Sends what waits in the spool to the destinations, each by a worker of its own.</summary>
internal sealed class Forwarder(Spool spool, ForwarderContext context) : IAsyncDisposable
{
    private readonly SemaphoreSlim changing = new(1);
    private bool isDisposed;
    private volatile IReadOnlyDictionary<string, DestinationWorker> workers = new Dictionary<string, DestinationWorker>(StringComparer.Ordinal);

    /// <summary>How each destination is doing, and what waits for those that are not configured.</summary>
    public IReadOnlyList<DestinationStatus> Status
    {
        get
        {
            var known = workers;
            var left = spool.Queues.Where(queue => !known.ContainsKey(queue.Destination) && queue.Count > 0).Select(queue => new DestinationStatus
            {
                Destination = queue.Destination, IsConfigured = false, Waiting = queue.Count, WaitingBytes = queue.Bytes,
                OldestAgeSeconds = queue.OldestAge.TotalSeconds,
                Alarm = "Objects wait for a destination that is not configured.",
            });
            return [.. known.Values.Select(worker => worker.Status).Concat(left).OrderBy(status => status.Destination, StringComparer.Ordinal)];
        }
    }

    /// <summary>
    /// Makes the destinations those of the configuration, which was validated: starts, changes and stops workers. Bandwidth, window and sizes change at once
    /// and break off nothing; a change of URL, credentials, certificates or proxy starts the destination anew. What waits for a destination that is gone stays.
    /// </summary>
    /// <remarks>
    /// 1. Build: connections for every destination that is new or changed, which reads its certificate files. If one cannot be built, nothing has changed.
    /// 2. Stop the workers that are not wanted any more: two workers of one queue would send the same objects.
    /// 3. Start the new ones and swap.
    /// </remarks>
    /// <returns>Why the destinations cannot be used; empty if they are in use.</returns>
    public async Task<IReadOnlyList<string>> ApplyAsync(IReadOnlyDictionary<string, DestinationOptions> destinations)
    {
        await changing.WaitAsync();
        try
        {
            if (isDisposed) return []; // a change of the configuration that came with the end
            var (current, problems) = (workers, new List<string>());
            var clients = Build(destinations.Where(item => !IsKept(current, item.Key, item.Value)), problems);
            if (problems.Count > 0)
            {
                foreach (var client in clients.Values) client.Dispose();
                return problems;
            }
            var kept = current.Where(item =>
                destinations.TryGetValue(item.Key, out var options) && IsKept(current, item.Key, options)).ToDictionary(StringComparer.Ordinal);
            foreach (var (name, worker) in current)
                if (!kept.ContainsKey(name)) await worker.DisposeAsync();
            foreach (var (name, worker) in kept) worker.Apply(destinations[name]);
            foreach (var (name, client) in clients) kept[name] = new DestinationWorker(spool, name, destinations[name], client, context);
            workers = kept;
            return [];
        }
        finally
        {
            changing.Release();
        }
    }

    /// <summary>Sends to a destination now, whatever it waits for. False if there is no such destination.</summary>
    public bool RetryNow(string destination)
    {
        if (!workers.TryGetValue(destination, out var worker)) return false;
        worker.RetryNow();
        return true;
    }

    /// <summary>Stops all workers; before the spool is closed. May be called again: the host stops it, and who made it disposes it.</summary>
    public async ValueTask DisposeAsync()
    {
        await changing.WaitAsync();
        try
        {
            isDisposed = true;
            foreach (var worker in workers.Values) await worker.DisposeAsync();
            workers = new Dictionary<string, DestinationWorker>(StringComparer.Ordinal);
        }
        finally
        {
            changing.Release();
        }
    }

    private static bool IsKept(IReadOnlyDictionary<string, DestinationWorker> current, string name, DestinationOptions options) =>
        current.TryGetValue(name, out var worker) && options.HasConnectionOf(worker.Options);

    private Dictionary<string, DestinationClient> Build(IEnumerable<KeyValuePair<string, DestinationOptions>> wanted, List<string> problems)
    {
        var clients = new Dictionary<string, DestinationClient>(StringComparer.Ordinal);
        foreach (var (name, options) in wanted)
        {
            try
            {
                clients[name] = new DestinationClient(options, context.Time);
            }
            catch (Exception e) when (e is IOException or CryptographicException)
            {
                problems.Add($"Gateway:Destinations:{name}: its certificate files cannot be used: {e.Message} Look at ClientCertificate, ClientCertificateKey "
                    + "and ServerCertificateAuthority.");
            }
        }
        return clients;
    }
}
