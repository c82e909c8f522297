using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Dicom.Network;

/// <summary>
/// Listens, accepts associations and serves each by a callback. One task per connection; an idle association holds no buffer.
/// </summary>
/// <param name="options">Limits and times.</param>
/// <param name="decide">Accepts by a policy or rejects; called for each request that is within the limits.</param>
/// <param name="serve">
/// Serves an association until it returns; usually a loop over <see cref="Association.ReceiveAsync"/>. The association is disposed afterwards.
/// </param>
/// <param name="time">The clock.</param>
/// <param name="log">For what happens to connections; no AE title, no UID, no name.</param>
public sealed partial class AssociationServer(
    AssociationServerOptions options, Func<AssociationRequest, CancellationToken, ValueTask<AcceptorDecision>> decide,
        Func<Association, CancellationToken, Task> serve,
    TimeProvider time, ILogger log) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<long, Association> associations = new();
    // Those that were accepted, from the decision on, with the addresses of their peers: the answer is on its way before the association is served.
    private readonly Dictionary<long, IPAddress?> places = [];
    private readonly Lock placing = new();
    private readonly ConcurrentDictionary<long, Task> connections = new();
    private readonly Dictionary<IPEndPoint, Listener> listeners = [];
    private readonly SemaphoreSlim applying = new(1, 1);
    private readonly CancellationTokenSource aborting = new();
    private static long lastId;
    private int open;
    private volatile bool stopping;

    /// <summary>The associations that are served now.</summary>
    public IReadOnlyCollection<Association> Associations => [.. associations.Values];

    /// <summary>Connections that are open now, with those that have no association.</summary>
    public int Connections => connections.Count;

    /// <summary>Limits and times for associations that begin from now on.</summary>
    public AssociationServerOptions Options { get; set; } = options;

    /// <summary>The addresses that are listened on, with the ports that the system chose.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints
    {
        get
        {
            lock (listeners) return [.. listeners.Values.Select(listener => listener.Bound)];
        }
    }

    /// <summary>
    /// Listens on exactly these addresses: those that are new are opened first, then those that are left out are closed. Running associations go on. When an
    /// address cannot be opened, nothing has changed.
    /// </summary>
    /// <exception cref="ArgumentException">An address is there twice.</exception>
    /// <exception cref="SocketException">An address is in use or not allowed.</exception>
    /// <exception cref="IOException">A certificate, key or CA file cannot be read.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A certificate, key or CA file is no such thing.</exception>
    public async Task ApplyAsync(IReadOnlyList<ListenEndPoint> endPoints, CancellationToken cancellationToken)
    {
        await applying.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(stopping, this);
            if (endPoints.DistinctBy(endPoint => endPoint.Address).Count() != endPoints.Count)
                throw new ArgumentException("An address is there twice.", nameof(endPoints));
            var opened = new List<(ListenEndPoint EndPoint, Listener Listener)>();
            var changed = new List<(Listener Listener, TlsServer? Tls)>();
            try
            {
                foreach (var endPoint in endPoints)
                {
                    var tls = endPoint.Tls is null ? null : new TlsServer(endPoint.Tls, log);
                    if (listeners.TryGetValue(endPoint.Address, out var existing)) changed.Add((existing, tls));
                    else opened.Add((endPoint, new Listener(endPoint.Address, Options.Backlog, tls)));
                }
            }
            catch
            {
                foreach (var (_, listener) in opened) listener.Dispose();
                throw;
            }
            foreach (var (listener, tls) in changed) listener.Tls = tls;
            var left = listeners.Where(pair => endPoints.All(endPoint => !endPoint.Address.Equals(pair.Key))).ToArray();
            lock (listeners)
            {
                foreach (var (address, _) in left) listeners.Remove(address);
                foreach (var (endPoint, listener) in opened) listeners.Add(endPoint.Address, listener);
            }
            foreach (var (_, listener) in left) listener.Dispose();
            foreach (var (_, listener) in opened) listener.Run(AcceptAsync(listener));
        }
        finally
        {
            applying.Release();
        }
    }

    /// <summary>Stops listening, lets running associations end for so long, then aborts them.</summary>
    public async Task StopAsync(TimeSpan drain, CancellationToken cancellationToken)
    {
        if (!stopping) await ApplyAsync([], cancellationToken);
        stopping = true;
        try
        {
            using var limit = new CancellationTokenSource(drain, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            await Task.WhenAll(connections.Values).WaitAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            // The token stops the handlers; the abort tells the peers.
            await aborting.CancelAsync();
            foreach (var association in associations.Values) await association.AbortAsync(AbortSource.ServiceUser, AbortReason.NotSpecified);
            await Task.WhenAll(connections.Values);
        }
    }

    /// <summary>Stops at once.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!stopping) await StopAsync(TimeSpan.Zero, CancellationToken.None);
        aborting.Dispose();
        applying.Dispose();
    }

    private async Task AcceptAsync(Listener listener)
    {
        while (await listener.AcceptAsync() is { } socket)
        {
            if (Interlocked.Increment(ref open) > Options.MaxConnections)
            {
                Interlocked.Decrement(ref open);
                TooManyConnections(log, Options.MaxConnections);
                socket.Dispose();
                continue;
            }
            var id = Interlocked.Increment(ref lastId);
            var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            connections[id] = ConnectAsync(id, socket, listener.Tls, started.Task);
            started.SetResult();
        }
    }

    // From socket to end; never throws.
    private async Task ConnectAsync(long id, Socket socket, TlsServer? tls, Task started)
    {
        await started;
        try
        {
            if (Options.SocketReceiveBuffer > 0) socket.ReceiveBufferSize = Options.SocketReceiveBuffer;
            await using var connection = await OpenAsync(socket, tls);
            await ServeAsync(id, connection);
        }
        catch (AssociationAbortedException e)
        {
            Aborted(log, id, e.Cause, e.Message);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            NoConnection(log, id, e.Message);
        }
        catch (Exception e)
        {
            HandlerFailed(log, id, e);
        }
        finally
        {
            Interlocked.Decrement(ref open);
            connections.TryRemove(id, out _);
        }
    }

    private async Task<Connection> OpenAsync(Socket socket, TlsServer? tls)
    {
        var raw = Connection.Prepare(socket);
        try
        {
            if (tls is null) return new Connection(raw, raw, socket.RemoteEndPoint, socket.LocalEndPoint);
            // A handshake that never comes counts as an A-ASSOCIATE-RQ that never comes.
            using var artim = new CancellationTokenSource(Options.Association.Artim, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(artim.Token, aborting.Token);
            return new Connection(await tls.AuthenticateAsync(raw, either.Token), raw, socket.RemoteEndPoint, socket.LocalEndPoint);
        }
        catch
        {
            await raw.DisposeAsync();
            throw;
        }
    }

    private async Task ServeAsync(long id, Connection connection)
    {
        var limits = Options;
        await using var layer = new UpperLayer(connection, limits.Association, time, isRequestor: false);
        await using var stop = aborting.Token.UnsafeRegister(static state => ((Connection)state!).StopReading(), connection);
        try
        {
            var association = await AcceptorHandshake.AcceptAsync(id, connection, layer, limits.Association, request =>
                DecideAsync(id, request, limits), time.GetUtcNow());
            if (association is null) return;
            associations[id] = association;
            try
            {
                await serve(association, aborting.Token);
            }
            finally
            {
                associations.TryRemove(id, out _);
                // Its place is free at once: the peer may keep the connection until ARTIM ends it.
                LeavePlace(id);
                await association.DisposeAsync();
            }
        }
        finally
        {
            LeavePlace(id);
        }
    }

    private async ValueTask<AcceptorDecision> DecideAsync(long id, AssociationRequest request, AssociationServerOptions limits)
    {
        var isOverLimit = !TryTakePlace(id, AddressOf(request.RemoteEndPoint), limits);
        // The owner is asked all the same, so that it knows whom there was no room for.
        var decision = await decide(isOverLimit ? request with { IsOverLimit = true } : request, aborting.Token);
        if (isOverLimit) return AcceptorDecision.Reject(RejectReason.LocalLimitExceeded);
        // A rejected peer may keep its connection until ARTIM ends it, and takes nobody's place meanwhile.
        if (decision.Policy is null) LeavePlace(id);
        return decision;
    }

    private bool TryTakePlace(long id, IPAddress? peer, AssociationServerOptions limits)
    {
        lock (placing)
        {
            if (places.Count >= limits.MaxAssociations) return false;
            if (limits.MaxAssociationsPerPeer > 0 && peer is not null && places.Values.Count(peer.Equals) >= limits.MaxAssociationsPerPeer) return false;
            places[id] = peer;
            return true;
        }
    }

    private void LeavePlace(long id)
    {
        lock (placing) places.Remove(id);
    }

    private static IPAddress? AddressOf(EndPoint? endPoint) => (endPoint as IPEndPoint)?.Address;

    [LoggerMessage(3301, LogLevel.Information, "Association {Id} ended, {Cause}: {Reason}")]
    private static partial void Aborted(ILogger log, long id, AbortCause cause, string reason);

    [LoggerMessage(3302, LogLevel.Information, "Connection {Id} ended without an association: {Reason}")]
    private static partial void NoConnection(ILogger log, long id, string reason);

    [LoggerMessage(3303, LogLevel.Error, "Serving association {Id} failed")]
    private static partial void HandlerFailed(ILogger log, long id, Exception exception);

    [LoggerMessage(3304, LogLevel.Warning, "A connection was closed unread: {Max} are open")]
    private static partial void TooManyConnections(ILogger log, int max);
}
