using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace DicomServerless.Dicom.Network;

/// <summary>
/// A socket's stream that acknowledges at once. Most DICOM programs keep Nagle's algorithm and write a PDU's header and body apart: the body's tail waits for
/// the acknowledgement of what went before, and ours would be delayed by some 40 ms per object. Linux forgets TCP_QUICKACK, so every read sets it anew.
/// </summary>
internal sealed class AcknowledgingStream(Socket socket) : NetworkStream(socket, ownsSocket: true)
{
    // IPPROTO_TCP and TCP_QUICKACK of Linux; other systems have no such option.
    private const int Tcp = 6;
    private const int QuickAck = 12;

    private static readonly byte[] On = BitConverter.GetBytes(1);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = base.ReadAsync(buffer, cancellationToken);
        if (!OperatingSystem.IsLinux()) return read;
        if (!read.IsCompletedSuccessfully) return AwaitAsync(read);
        Acknowledge();
        return read;
    }

    public void ShutdownSend() => Socket.Shutdown(SocketShutdown.Send);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> AwaitAsync(ValueTask<int> read)
    {
        var count = await read;
        Acknowledge();
        return count;
    }

    private void Acknowledge()
    {
        try
        {
            Socket.SetRawSocketOption(Tcp, QuickAck, On);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The connection is gone; the next read says so.
        }
    }
}
