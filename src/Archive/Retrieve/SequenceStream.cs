using System.Buffers;
using DicomServerless.Dicom;

namespace DicomServerless.Archive.Retrieve;

/// <summary>Reads what an <see cref="UploadBuffer"/> holds, and gives its memory back when disposed.</summary>
internal sealed class SequenceStream(UploadBuffer buffer, Action released) : ForwardStream
{
    private ReadOnlySequence<byte> left = buffer.Content();
    private bool isDisposed;

    public override ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken = default)
    {
        var part = left.Slice(0, Math.Min(left.Length, target.Length));
        part.CopyTo(target.Span);
        left = left.Slice(part.End);
        return ValueTask.FromResult((int)part.Length);
    }

    public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
    {
        foreach (var piece in left) await destination.WriteAsync(piece, cancellationToken);
        left = ReadOnlySequence<byte>.Empty;
    }

    public override ValueTask DisposeAsync()
    {
        if (!isDisposed)
        {
            isDisposed = true;
            buffer.Dispose();
            released();
        }
        return base.DisposeAsync();
    }
}
