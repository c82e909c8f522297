using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace DicomServerless.Dicom.Network;

/// <summary>A transport connection: the stream that PDUs go over, and the one below it where TLS lies between.</summary>
internal sealed class Connection(Stream stream, Stream raw, EndPoint? remote, EndPoint? local) : IAsyncDisposable
{
    private readonly CancellationTokenSource lifetime = new();

    /// <summary>Where PDUs are read and written.</summary>
    public Stream Stream { get; } = stream;

    public EndPoint? Remote { get; } = remote;

    public EndPoint? Local { get; } = local;

    public X509Certificate2? PeerCertificate => (Stream as SslStream)?.RemoteCertificate as X509Certificate2;

    /// <summary>Cancelled when nobody shall read any more: a timeout, an abort, the end.</summary>
    public CancellationToken Lifetime => lifetime.Token;

    /// <summary>Takes a connected socket and sets what every DICOM connection needs.</summary>
    public static AcknowledgingStream Prepare(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        return new AcknowledgingStream(socket);
    }

    /// <summary>Ends pending and future reads.</summary>
    public void StopReading() => lifetime.Cancel();

    /// <summary>
    /// After our last PDU: waits until the peer closes, throwing away what it still sends (PS3.8 9.2, Sta13). Closing with unread bytes would reset the
    /// connection, and the peer would never read our last PDU. Nothing of it is parsed: our side is closed for writing, so what AA-7 would answer could not be
    /// sent.
    /// </summary>
    public async Task<bool> DrainAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (Stream is SslStream tls) await tls.ShutdownAsync().WaitAsync(cancellationToken);
            (raw as AcknowledgingStream)?.ShutdownSend();
            var discarded = new byte[4096];
            while (await raw.ReadAsync(discarded, cancellationToken) > 0) { }
            return true;
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await lifetime.CancelAsync();
        await Stream.DisposeAsync();
        await raw.DisposeAsync();
    }
}
