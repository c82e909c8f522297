using System.Buffers;

namespace DicomServerless.Dicom.Network;

/// <summary>Cuts messages into presentation data values of the peer's length (PS3.8 9.3.5, E) and writes as many PDUs at once as the buffer holds.</summary>
internal sealed class MessageWriter(UpperLayer layer, int maxLength) : IDisposable
{
    private const int Headers = PduReader.HeaderLength + PduReader.ValueHeaderLength;

    // An even number of bytes (PS3.8 9.3.5.1, E.2) that fits the peer's variable field.
    private readonly int fragment = (maxLength - PduReader.ValueHeaderLength) & ~1;
    // Room for a command and a whole fragment, or several small ones.
    private readonly int bufferSize = Math.Max(256 * 1024, maxLength + 4096);
    private readonly SemaphoreSlim oneMessage = new(1, 1);

    /// <summary>Sends a message whose data set is in memory; none when it is null. Once it has begun it is not cancelled: it is short.</summary>
    public async ValueTask SendAsync(DimseCommand command, byte contextId, ReadOnlyMemory<byte>? dataSet, CancellationToken cancellationToken)
    {
        await oneMessage.WaitAsync(cancellationToken);
        var packet = new Packet(layer, dataSet is { Length: > 512 } large ? Math.Min(bufferSize, large.Length + 4096) : 4096, fragment);
        try
        {
            layer.BeginSending();
            await packet.AddAsync(Encode(command, dataSet is not null), contextId, isCommand: true, isLast: true, CancellationToken.None);
            if (dataSet is { } data) await packet.AddAsync(data, contextId, isCommand: false, isLast: true, CancellationToken.None);
            await packet.FlushAsync(CancellationToken.None);
        }
        finally
        {
            packet.Dispose();
            oneMessage.Release();
        }
    }

    /// <summary>Sends a message whose data set is read from a stream to its end. Cancelling ends the association, within a write too.</summary>
    public async ValueTask SendAsync(DimseCommand command, byte contextId, Stream dataSet, CancellationToken cancellationToken)
    {
        await oneMessage.WaitAsync(cancellationToken);
        var packet = new Packet(layer, bufferSize, fragment);
        try
        {
            layer.BeginSending();
            await packet.AddAsync(Encode(command, true), contextId, isCommand: true, isLast: true, cancellationToken);
            await packet.AddAsync(dataSet, contextId, cancellationToken);
            await packet.FlushAsync(cancellationToken);
        }
        finally
        {
            packet.Dispose();
            oneMessage.Release();
        }
    }

    public void Dispose() => oneMessage.Dispose();

    private static ReadOnlyMemory<byte> Encode(DimseCommand command, bool hasDataSet)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        CommandSet.Write(command, hasDataSet, bytes);
        return bytes.WrittenMemory;
    }

    /// <summary>PDUs on their way into one write.</summary>
    private sealed class Packet(UpperLayer layer, int capacity, int fragment) : IDisposable
    {
        private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(capacity);
        private int used, highest;

        public async ValueTask AddAsync(ReadOnlyMemory<byte> bytes, byte contextId, bool isCommand, bool isLast, CancellationToken cancellationToken)
        {
            do
            {
                var count = await RoomAsync(bytes.Length, cancellationToken);
                bytes[..count].CopyTo(buffer.AsMemory(used + Headers));
                bytes = bytes[count..];
                Finish(count, contextId, isCommand, isLast && bytes.IsEmpty);
            }
            while (!bytes.IsEmpty);
        }

        public async ValueTask AddAsync(Stream stream, byte contextId, CancellationToken cancellationToken)
        {
            // One byte is read ahead: only then is it known whether a fragment is the last.
            var (ahead, hasAhead, ended) = ((byte)0, false, false);
            while (!ended)
            {
                var room = await RoomAsync(fragment, cancellationToken);
                var target = buffer.AsMemory(used + Headers, room + 1);
                if (hasAhead) target.Span[0] = ahead;
                var have = hasAhead ? 1 : 0;
                have += await stream.ReadAtLeastAsync(target[have..], target.Length - have, throwOnEndOfStream: false, cancellationToken);
                ended = have <= room;
                if (!ended) (ahead, hasAhead) = (target.Span[room], true);
                Finish(Math.Min(have, room), contextId, isCommand: false, isLast: ended);
            }
        }

        public async ValueTask FlushAsync(CancellationToken cancellationToken)
        {
            if (used > 0) await layer.WriteAsync(buffer.AsMemory(0, used), cancellationToken);
            used = 0;
        }

        // It held names of patients.
        public void Dispose()
        {
            buffer.AsSpan(0, highest).Clear();
            ArrayPool<byte>.Shared.Return(buffer);
        }

        // How many bytes the next fragment may have; a write goes out when what is left of the buffer is too little to be worth a PDU.
        private async ValueTask<int> RoomAsync(int wanted, CancellationToken cancellationToken)
        {
            if (buffer.Length - used - Headers - 1 < Math.Min(wanted, fragment)) await FlushAsync(cancellationToken);
            return Math.Min(wanted, fragment);
        }

        private void Finish(int count, byte contextId, bool isCommand, bool isLast)
        {
            PduWriter.WriteHeader(buffer.AsSpan(used), PduType.DataTransfer, (uint)(count + PduReader.ValueHeaderLength));
            PduWriter.WriteValueHeader(buffer.AsSpan(used + PduReader.HeaderLength), new ValueHeader(contextId, isCommand, isLast, (uint)count));
            used += Headers + count;
            highest = Math.Max(highest, Math.Min(used + 1, buffer.Length)); // the byte that was read ahead lies behind
        }
    }
}
