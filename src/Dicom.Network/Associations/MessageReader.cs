using System.Buffers;

namespace DicomServerless.Dicom.Network;

/// <summary>
/// Puts messages together from presentation data values (PS3.8 E, PS3.7 6.3). Command sets are small and whole; data sets pass through the receive buffer.
/// </summary>
internal sealed class MessageReader(UpperLayer layer)
{
    private readonly ArrayBufferWriter<byte> command = new(512);
    private long pduLeft;
    private ValueHeader value;
    private string waitingFor = "the next message (idle)";
    private TimeSpan patience = Timeout.InfiniteTimeSpan;
    private long valueLeft;

    /// <summary>The next command set and its context; null when the peer asks for release or has confirmed ours.</summary>
    public async ValueTask<(DimseCommand Command, byte ContextId)?> ReadCommandAsync()
    {
        command.ResetWrittenCount();
        byte contextId = 0;
        for (var first = true; ; first = false)
        {
            if (!await NextValueAsync(first)) return null;
            if (first) contextId = value.ContextId;
            if (!value.IsCommand || value.ContextId != contextId)
                throw await layer.HostileAsync(new(AbortReason.UnexpectedPduParameter, "Message control header", value.ContextId));
            if (command.WrittenCount + valueLeft > CommandSet.MaxLength)
                throw await layer.HostileAsync(new(AbortReason.InvalidPduParameterValue, "length of a command set", command.WrittenCount + valueLeft));
            while (valueLeft > 0) command.Write((await TakeAsync()).Span);
            if (value.IsLast) break;
        }
        if (!CommandSet.TryRead(command.WrittenSpan, out var read, out var offset))
            throw await layer.HostileAsync(new(AbortReason.InvalidPduParameterValue, "command set at byte", offset));
        return (read!, contextId);
    }

    /// <summary>The next bytes of a data set; empty at its end. They are valid until the next call.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> ReadFragmentAsync(byte contextId, bool first)
    {
        while (first || valueLeft == 0)
        {
            if (!first && value.IsLast) return default;
            if (!await NextValueAsync(idle: false)) throw await layer.HostileAsync(new(AbortReason.UnexpectedPdu, "release within a message", 0));
            if (value.IsCommand || value.ContextId != contextId)
                throw await layer.HostileAsync(new(AbortReason.UnexpectedPduParameter, "Message control header", value.ContextId));
            first = false;
        }
        return await TakeAsync();
    }

    private async ValueTask<ReadOnlyMemory<byte>> TakeAsync()
    {
        if (layer.Input.Count == 0) await layer.EnsureAsync(1);
        var count = (int)Math.Min(valueLeft, layer.Input.Count);
        valueLeft -= count;
        return layer.Input.Take(count);
    }

    private async ValueTask<bool> NextValueAsync(bool idle)
    {
        while (pduLeft == 0)
        {
            if (idle) await layer.WaitAsync(waitingFor, patience);
            var received = await layer.ReceiveAsync();
            if (received.Action is not (Action.Dt2 or Action.Ar6)) return false;
            pduLeft = received.DataLength;
            idle = false;
        }
        PduError error;
        if (layer.Input.Count < PduReader.ValueHeaderLength && pduLeft >= PduReader.ValueHeaderLength) await layer.EnsureAsync(PduReader.ValueHeaderLength);
        if (PduReader.TryReadValueHeader(layer.Input.Buffered, pduLeft, out value, out error) != PduStatus.Done) throw await layer.HostileAsync(error);
        layer.Input.Take(PduReader.ValueHeaderLength);
        valueLeft = value.Length;
        pduLeft -= PduReader.ValueHeaderLength + valueLeft;
        return true;
    }

    /// <summary>Says what is waited for between messages and how long, from now on and for a wait that goes on.</summary>
    public void Expect(string what, TimeSpan howLong)
    {
        (waitingFor, patience) = (what, howLong);
        layer.ChangeWait(what, howLong);
    }
}
