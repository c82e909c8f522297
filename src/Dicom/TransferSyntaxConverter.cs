using System.Buffers;
using System.IO.Compression;

namespace DicomServerless.Dicom;

/// <summary>
/// Rewrites a Part 10 stream in another uncompressed transfer syntax, pixel data included, in bounded memory. Sequences get undefined lengths; group lengths
/// are dropped, since they would be wrong (PS3.5 7.2 retired them).
/// </summary>
public static class TransferSyntaxConverter
{
    private const int BufferSize = 64 * 1024;

    /// <summary>Whether the first can be rewritten as the second without touching pixels: both uncompressed.</summary>
    public static bool CanConvert(TransferSyntax from, TransferSyntax to) => (IsPlain(from) || from == TransferSyntax.GeImplicitVrBigEndianPixels)
        && IsPlain(to);

    private static bool IsPlain(TransferSyntax syntax) => syntax == TransferSyntax.ImplicitVrLittleEndian || syntax == TransferSyntax.ExplicitVrLittleEndian
        || syntax == TransferSyntax.ExplicitVrBigEndian || syntax == TransferSyntax.DeflatedExplicitVrLittleEndian;

    /// <summary>Converts.</summary>
    /// <param name="source">A Part 10 file from its first byte.</param>
    /// <param name="destination">Takes the new file; stays open.</param>
    /// <param name="to">One of the four uncompressed transfer syntaxes of the standard.</param>
    /// <param name="limits">The caps; the defaults where null.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>Null, or why the source is refused; the destination may have bytes by then.</returns>
    public static async Task<DicomError?> ConvertAsync(Stream source, Stream destination,
        TransferSyntax to, DicomLimits? limits = null, CancellationToken cancellation = default)
    {
        var options = new ScanOptions { Limits = limits ?? DicomLimits.Default };
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            var meta = new FileMetaReader(options);
            int read, used;
            do
            {
                read = await source.ReadAsync(buffer.AsMemory(0, BufferSize), cancellation);
                used = 0;
                var status = read == 0 ? meta.Complete() : meta.Push(buffer.AsSpan(0, read), out used);
                if (status == TokenStatus.Hostile) return meta.Error;
                if (status == TokenStatus.Trailing) break;
            }
            while (read > 0);

            var from = meta.TransferSyntax;
            if (!IsPlain(to) || (from is not null && !CanConvert(from, to)))
                return new DicomError(DicomErrorKind.TransferSyntaxNotSupported, "(0002,0010)",
                    0, "the transfer syntax cannot be converted without decoding pixels");

            byte[] begun = [.. meta.Leftover, .. buffer.AsSpan(used, read - used)];
            await using var rest = new PrefixedStream(begun, source);
            await using var inflated = from is { IsDeflated: true } ? new DeflateStream(rest, CompressionMode.Decompress, leaveOpen: true) : null;
            await destination.WriteAsync(Part10.Header(meta.Meta, to.Uid), cancellation);
            var conversion = new DataSetConversion(meta.Encoding, from is
                { HasBigEndianPixels: true }, FileMetaReader.EncodingOf(to), options.Limits, meta.DataSetOffset);
            if (!to.IsDeflated)
                return await RunAsync(conversion, (Stream?)inflated ?? rest, destination, options.Limits, from is { IsDeflated: true }, buffer, cancellation);

            await using var counting = new CountingStream(destination);
            DicomError? error;
            await using (var deflated = new DeflateStream(counting, CompressionLevel.Optimal, leaveOpen: true))
                error = await RunAsync(conversion, (Stream?)inflated ?? rest, deflated, options.Limits, from is { IsDeflated: true }, buffer, cancellation);
            if ((counting.Count & 1) != 0) await destination.WriteAsync(new byte[1], cancellation); // PS3.5 A.5: padded to even length
            return error;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    private static async Task<DicomError?> RunAsync(
        DataSetConversion conversion, Stream source, Stream destination, DicomLimits limits, bool isInflated, byte[] buffer, CancellationToken cancellation)
    {
        long total = 0;
        var held = 0;
        while (true)
        {
            int read;
            try
            {
                read = await source.ReadAsync(buffer.AsMemory(held, BufferSize - held), cancellation);
            }
            catch (InvalidDataException) when (isInflated)
            {
                return new DicomError(DicomErrorKind.BadDeflate, "", total, "The data set is not a deflate stream");
            }
            total += read;
            if (isInflated && total > limits.MaxInflatedBytes)
                return new DicomError(DicomErrorKind.InflatesTooFar, "", total, "The deflated data set inflates to more than allowed");

            var used = conversion.Push(buffer.AsSpan(0, held + read));
            if (read == 0) conversion.Complete(buffer.AsSpan(used, held - used));
            if (conversion.Error is not null) return conversion.Error;
            if (conversion.Output.WrittenCount > 0)
            {
                await destination.WriteAsync(conversion.Output.WrittenMemory, cancellation);
                conversion.Output.ResetWrittenCount();
            }
            if (read == 0 || conversion.IsOver) return null;
            held = held + read - used; // less than a header or a word
            buffer.AsSpan(used, held).CopyTo(buffer);
        }
    }
}
