using System.Net;
using System.Net.Sockets;

namespace DicomServerless.Dicom.Network;

/// <summary>A listening socket.</summary>
internal sealed class Listener : IDisposable
{
    private readonly Socket socket;
    private volatile TlsServer? tls;
    private Task running = Task.CompletedTask;

    public Listener(IPEndPoint address, int backlog, TlsServer? tls)
    {
        this.tls = tls;
        socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.Bind(address);
            socket.Listen(backlog);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            // Of several addresses the message says which.
            throw new SocketException((int)e.SocketErrorCode, $"{address}: {e.Message}");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        Bound = (IPEndPoint)socket.LocalEndPoint!;
    }

    public IPEndPoint Bound { get; }

    /// <summary>How new connections are secured.</summary>
    public TlsServer? Tls
    {
        get => tls;
        set => tls = value;
    }

    public void Run(Task task) => running = task;

    /// <summary>The next connection; null when the listener was closed.</summary>
    public async Task<Socket?> AcceptAsync()
    {
        while (true)
        {
            try
            {
                return await socket.AcceptAsync();
            }
            catch (Exception e) when (e is ObjectDisposedException
                || (e is SocketException { SocketErrorCode: SocketError.OperationAborted or SocketError.Interrupted }))
            {
                return null;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                // Nothing can be accepted until something is closed; the connection waits in the backlog.
                await Task.Delay(TimeSpan.FromMilliseconds(100));
            }
            catch (SocketException)
            {
                // The peer has gone before it was accepted.
            }
        }
    }

    public void Dispose() => socket.Dispose();
}
