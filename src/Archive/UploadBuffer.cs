using System.Buffers;

namespace DicomServerless.Archive;

/// <summary>An object, or a block of one, on its way in: pooled pieces, so that a small object takes little and a large one no more than a block.</summary>
internal sealed class UploadBuffer : IDisposable
{
    private const int FirstPieceBytes = 64 * 1024, PieceBytes = 512 * 1024;

    private readonly List<byte[]> pieces = [];
    private int lastLength;

    /// <summary>Bytes held.</summary>
    public long Length { get; private set; }

    /// <summary>Room for the next read; never empty.</summary>
    public Memory<byte> Free()
    {
        if (pieces.Count == 0 || lastLength == pieces[^1].Length)
        {
            pieces.Add(ArrayPool<byte>.Shared.Rent(pieces.Count == 0 ? FirstPieceBytes : PieceBytes));
            lastLength = 0;
        }
        return pieces[^1].AsMemory(lastLength);
    }

    /// <summary>Keeps bytes that were read into <see cref="Free"/>.</summary>
    public void Advance(int count)
    {
        lastLength += count;
        Length += count;
    }

    /// <summary>What is held.</summary>
    public ReadOnlySequence<byte> Content()
    {
        if (pieces.Count == 0) return ReadOnlySequence<byte>.Empty;
        if (pieces.Count == 1) return new ReadOnlySequence<byte>(pieces[0], 0, lastLength);
        var first = new Piece(pieces[0], 0);
        var last = first;
        for (var i = 1; i < pieces.Count; i++) last = last.Append(pieces[i].AsMemory(0, i == pieces.Count - 1 ? lastLength : pieces[i].Length));
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    /// <summary>Empties it for the next block.</summary>
    public void Clear()
    {
        // The pieces held patient data.
        foreach (var piece in pieces) ArrayPool<byte>.Shared.Return(piece, clearArray: true);
        pieces.Clear();
        lastLength = 0;
        Length = 0;
    }

    public void Dispose() => Clear();

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, long runningIndex) => (Memory, RunningIndex) = (memory, runningIndex);

        public Piece Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Piece(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
