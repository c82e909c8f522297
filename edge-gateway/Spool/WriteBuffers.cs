using System.Collections.Concurrent;

namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>The buffers of the writers. Pinned, because they go to system calls all their life; they hold patient data, so they go nowhere else.</summary>
internal sealed class WriteBuffers
{
    private const int Kept = 64;
    private readonly ConcurrentBag<byte[]> free = [];

    public byte[] Rent() => free.TryTake(out var buffer) ? buffer : GC.AllocateUninitializedArray<byte>(SpoolWriter.BufferSize, pinned: true);

    public void Return(byte[] buffer)
    {
        if (free.Count < Kept) free.Add(buffer);
    }
}
