using System.Net;
using System.Net.Sockets;

namespace DicomServerless.Shared;

/// <summary>
/// Ports for servers that are told where to listen. Each is given once in a process, and no two processes give the same. All lie below those that the kernel
/// takes for outgoing connections (32768 and up), for one of these could have the port before its server listens.
/// </summary>
public static class FreePorts
{
    private const int First = 12_000, End = 32_000, InBlock = 500;

    private static readonly Lock Gate = new();
    private static readonly List<TcpListener> Held = [];
    private static int next, blockEnd, nextBlock = First;

    /// <summary>A port that nobody listens on.</summary>
    public static int Next() => Next(1);

    /// <summary>The first of some ports in a row that nobody listens on.</summary>
    public static int Next(int count)
    {
        lock (Gate)
        {
            while (true)
            {
                if (next + count > blockEnd) TakeBlock();
                var first = next;
                next += count;
                if (Enumerable.Range(first, count).All(IsFree)) return first;
            }
        }
    }

    public static bool IsFree(int port)
    {
        using var listener = Listen(port);
        return listener is not null;
    }

    // A block belongs to the process that listens on its first port.
    private static void TakeBlock()
    {
        for (; nextBlock < End; nextBlock += InBlock)
        {
            if (Listen(nextBlock) is not { } listener) continue;
            Held.Add(listener);
            (next, blockEnd) = (nextBlock + 1, nextBlock + InBlock);
            nextBlock += InBlock;
            return;
        }
        throw new InvalidOperationException($"No free ports are left between {First} and {End}.");
    }

    private static TcpListener? Listen(int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return listener;
        }
        catch (SocketException)
        {
            listener.Dispose();
            return null;
        }
    }
}
