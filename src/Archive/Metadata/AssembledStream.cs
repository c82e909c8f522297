using DicomServerless.Dicom;

namespace DicomServerless.Archive.Metadata;

/// <summary>Reads an assembled object, piece after piece.</summary>
internal sealed class AssembledStream(IReadOnlyList<ObjectPiece> pieces) : ForwardStream
{
    private Stream? current;
    private long left;
    private int next;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (left == 0)
        {
            if (next == pieces.Count || buffer.IsEmpty) return 0;
            var piece = pieces[next++];
            left = piece.Length;
            if (current is not null) await current.DisposeAsync();
            current = piece.Part?.Open();
            // A frame of more than one fragment is opened again for each; there the pieces are 4 GiB.
            for (var skip = piece.Offset; skip > 0;) skip -= await ReadSomeAsync(buffer[..(int)Math.Min(buffer.Length, skip)], cancellationToken);
        }
        if (current is null)
        {
            var piece = pieces[next - 1];
            var count = (int)Math.Min(buffer.Length, left);
            piece.Bytes.Slice((int)(piece.Length - left), count).CopyTo(buffer);
            left -= count;
            return count;
        }
        var read = await ReadSomeAsync(buffer[..(int)Math.Min(buffer.Length, left)], cancellationToken);
        left -= read;
        return read;
    }

    public override async ValueTask DisposeAsync()
    {
        if (current is not null) await current.DisposeAsync();
        await base.DisposeAsync();
    }

    private async ValueTask<int> ReadSomeAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
        await current!.ReadAsync(buffer, cancellationToken) is > 0 and var count ? count : throw new EndOfStreamException("The spooled value ends early.");
}
