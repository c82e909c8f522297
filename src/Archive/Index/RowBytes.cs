using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Index;

/// <summary>Byte values of any length in a row: cut into properties of at most 60 KiB (a property holds 64), named P, P1, P2 ….</summary>
internal static class RowBytes
{
    private const int PieceBytes = 60 * 1024;

    public static void SetBytes(this TableRow row, string name, ReadOnlySpan<byte> value)
    {
        for (var piece = 0; piece == 0 || piece * PieceBytes < value.Length; piece++)
            row[Piece(name, piece)] = value[(piece * PieceBytes)..Math.Min(value.Length, (piece + 1) * PieceBytes)].ToArray();
    }

    public static byte[]? GetBytes(this TableRow row, string name)
    {
        if (row.Bytes(name) is not { } first) return null;
        if (row.Bytes(Piece(name, 1)) is null) return first;
        var whole = new MemoryStream();
        for (var piece = 0; row.Bytes(Piece(name, piece)) is { } bytes; piece++) whole.Write(bytes);
        return whole.ToArray();
    }

    /// <summary>The property names that a value of up to this many bytes may occupy, for a select.</summary>
    public static IEnumerable<string> Names(string name, int maxBytes)
    {
        for (var piece = 0; piece == 0 || piece * PieceBytes < maxBytes; piece++) yield return Piece(name, piece);
    }

    public static byte[] Compress(ReadOnlySpan<byte> bytes)
    {
        var target = new MemoryStream();
        using (var deflate = new DeflateStream(target, CompressionLevel.Optimal, leaveOpen: true)) deflate.Write(bytes);
        return target.ToArray();
    }

    public static byte[] Decompress(byte[] bytes)
    {
        using var deflate = new DeflateStream(new MemoryStream(bytes), CompressionMode.Decompress);
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(64 * 1024, bytes.Length * 4));
        var length = 0;
        try
        {
            for (int count; (count = deflate.Read(buffer, length, buffer.Length - length)) > 0;)
            {
                length += count;
                if (length < buffer.Length) continue;
                var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                buffer.AsSpan(0, length).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
                buffer = larger;
            }
            return buffer.AsSpan(0, length).ToArray();
        }
        finally
        {
            // It held patient data; what lies behind the length never did.
            buffer.AsSpan(0, length).Clear();
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static string Piece(string name, int piece) => piece == 0 ? name : name + piece.ToString(CultureInfo.InvariantCulture);
}
