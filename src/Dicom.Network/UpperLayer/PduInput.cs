using System.Buffers;

namespace DicomServerless.Dicom.Network;

/// <summary>The receive buffer of an association: of fixed size however long a PDU is, and rented only while bytes are expected.</summary>
internal sealed class PduInput(Connection connection, AssociationOptions options, StallTimer stall) : IDisposable
{
    private byte[]? buffer;
    private int start;
    private int end;
    private int highest; // bytes of the buffer that have been written to
    private long bytesRead;

    public long BytesRead => Volatile.Read(ref bytesRead);

    public ReadOnlySpan<byte> Buffered => buffer.AsSpan(start, end - start);

    public int Count => end - start;

    /// <summary>Waits for bytes without holding a buffer.</summary>
    public async ValueTask WaitAsync()
    {
        if (Count > 0) return;
        Dispose();
        await stall.MeasureAsync(connection.Stream.ReadAsync(Memory<byte>.Empty, connection.Lifetime));
    }

    /// <summary>Reads until so many bytes are buffered; false when the peer closes before.</summary>
    public async ValueTask<bool> EnsureAsync(int count)
    {
        while (Count < count)
        {
            MakeRoom(count);
            var read = await stall.MeasureAsync(connection.Stream.ReadAsync(buffer.AsMemory(end), connection.Lifetime));
            if (read == 0) return false;
            end += read;
            highest = Math.Max(highest, end);
            Volatile.Write(ref bytesRead, bytesRead + read);
        }
        return true;
    }

    /// <summary>Takes buffered bytes; they stay where they are until the next read.</summary>
    public ReadOnlyMemory<byte> Take(int count)
    {
        var taken = buffer.AsMemory(start, count);
        start += count;
        return taken;
    }

    /// <summary>Gives the buffer back. It may have held names of patients.</summary>
    public void Dispose()
    {
        if (buffer is null) return;
        Return(buffer);
        (buffer, start, end) = (null, 0, 0);
    }

    // Only what has been used needs to be cleared; between two messages the buffer is given back again and again.
    private void Return(byte[] used)
    {
        used.AsSpan(0, highest).Clear();
        highest = 0;
        ArrayPool<byte>.Shared.Return(used);
    }

    private void MakeRoom(int count)
    {
        buffer ??= ArrayPool<byte>.Shared.Rent(options.ReceiveBufferSize);
        if (start == end) (start, end) = (0, 0);
        if (buffer.Length - start >= count && end < buffer.Length) return;
        // Only A-ASSOCIATE may be longer than the buffer, and PduLimits bounds it.
        var target = buffer.Length >= count ? buffer : ArrayPool<byte>.Shared.Rent(count);
        Buffered.CopyTo(target);
        (end, start) = (end - start, 0);
        var copied = end;
        if (target != buffer) Return(buffer);
        buffer = target;
        highest = Math.Max(highest, copied);
    }
}
