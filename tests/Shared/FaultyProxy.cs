using System.Net;
using System.Net.Sockets;
using System.Text;

namespace DicomServerless.Shared;

/// <summary>
/// A bad link to a web server: it delays, cuts requests and answers short, resets, stalls, and answers 500, 503 or 429 itself. What a connection gets is drawn
/// when it begins. With
/// <see cref="IsFaulty"/> off it is a good link.
/// </summary>
public sealed class FaultyProxy : IAsyncDisposable
{
    private const int Kinds = 8;
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(6);

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stop = new();
    private readonly HashSet<Task> running = [];
    private readonly Random random;
    private readonly int target;
    private readonly Task accepting;
    private CancellationTokenSource connections = new();
    private int faults, spoiled, spoiledAfter;
    private bool spoiledStalls;

    /// <param name="target">The port of the server on loopback.</param>
    /// <param name="seed">Of the draw.</param>
    public FaultyProxy(int target, int seed)
    {
        (this.target, random) = (target, new Random(seed));
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public bool IsFaulty { get; private set; } = true;

    /// <summary>Connections that got a fault.</summary>
    public int Faults => faults;

    /// <summary>Cuts the next connections, good link or not, as soon as so many bytes of answers have gone over one, or lets them stand still.</summary>
    public void SpoilAnswers(int connections, int after, bool stalls = false) => (spoiled, spoiledAfter, spoiledStalls) = (connections, after, stalls);

    /// <summary>Connections that are still to be spoiled.</summary>
    public int ToSpoil => Math.Max(0, Volatile.Read(ref spoiled));

    /// <summary>A good link from now on; what runs over a bad one is cut.</summary>
    public async Task HealAsync()
    {
        IsFaulty = false;
        await connections.CancelAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await connections.CancelAsync();
        listener.Stop();
        await accepting;
        Task[] left;
        lock (running) left = [.. running];
        await Task.WhenAll(left);
        stop.Dispose();
        connections.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptSocketAsync(stop.Token);
                int kind, limit;
                lock (random) (kind, limit) = (random.Next(2 * Kinds), random.Next(200, 60_000));
                var serving = ServeAsync(client, IsFaulty ? kind : Kinds, limit);
                lock (running) running.Add(serving);
                _ = serving.ContinueWith(done => { lock (running) running.Remove(done); }, TaskScheduler.Default);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The end.
        }
    }

    private async Task ServeAsync(Socket client, int kind, int limit)
    {
        if (!IsFaulty && connections.IsCancellationRequested) connections = new CancellationTokenSource();
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, connections.Token);
        using (client)
        using (var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            try
            {
                if (kind < Kinds) Interlocked.Increment(ref faults);
                if (kind is 0 or 1)
                {
                    await AnswerAsync(client, (limit % 3) switch { 0 => "500 Internal Server Error", 1 =>
                        "503 Service Unavailable\r\nRetry-After: 1", _ => "429 Too Many Requests\r\nRetry-After: 1" }, cut.Token);
                    return;
                }
                if (kind == 2) await Task.Delay(limit % 800, cut.Token);
                await server.ConnectAsync(IPAddress.Loopback, target, cut.Token);
                // 3: the request is cut; 4: the answer is, after the server has done its work; 5: a reset while the request comes; 6: it stands still; 7: slow
                // all along.
                var up = PumpAsync(client, server, kind is 3 or 5 or 6 ? limit : long.MaxValue, kind == 7, cut.Token);
                var spoils = spoiled > 0;
                var down = PumpAsync(server, client, kind == 4 ? limit % 300 : spoils ? spoiledAfter : long.MaxValue, false, cut.Token);
                await await Task.WhenAny(up, down);
                if (spoils && down.IsCompletedSuccessfully && await down && Interlocked.Decrement(ref spoiled) >= 0 && spoiledStalls)
                    await Task.Delay(Timeout.InfiniteTimeSpan, cut.Token);
                if (kind == 6 && up.IsCompleted) await Task.Delay(Stall, cut.Token);
                if (kind == 5) client.LingerState = new LingerOption(true, 0);
                await cut.CancelAsync();
                await Task.WhenAll((Task)up, down).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // One of the sides has gone.
            }
        }
    }

    // True if the limit was reached.
    private static async Task<bool> PumpAsync(Socket from, Socket to, long limit, bool isSlow, CancellationToken cancellationToken)
    {
        var buffer = new byte[16 * 1024];
        while (limit > 0)
        {
            var count = await from.ReceiveAsync(buffer.AsMemory(0, (int)Math.Min(limit, isSlow ? 4_096 : buffer.Length)), SocketFlags.None, cancellationToken);
            if (count == 0) return false;
            for (var sent = 0; sent < count;) sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), SocketFlags.None, cancellationToken);
            limit -= count;
            if (isSlow) await Task.Delay(2, cancellationToken);
        }
        return true;
    }

    // Before the body has come: the sender must notice.
    private static async Task AnswerAsync(Socket client, string status, CancellationToken cancellationToken)
    {
        await client.ReceiveAsync(new byte[16 * 1024], SocketFlags.None, cancellationToken);
        await client.SendAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            SocketFlags.None, cancellationToken);
        client.Shutdown(SocketShutdown.Send);
        await client.ReceiveAsync(new byte[16 * 1024], SocketFlags.None, cancellationToken);
    }
}
