using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>The body of a store (PS3.18 10.5): the files, block by block from the disk, chunked. Memory does not depend on their size.</summary>
internal sealed class StowContent : HttpContent
{
    // Blocks of the same size as everywhere else: larger ones gained nothing on loopback.
    private const int BlockBytes = 64 * 1024;

    private readonly IReadOnlyList<SpoolEntry> entries;
    private readonly string boundary;
    private readonly Bandwidth bandwidth;
    private readonly Action wentOut;

    /// <param name="entries">The files, in this order.</param>
    /// <param name="boundary">Of the parts.</param>
    /// <param name="bandwidth">Waited for before each block.</param>
    /// <param name="wentOut">Called after each block.</param>
    public StowContent(IReadOnlyList<SpoolEntry> entries, string boundary, Bandwidth bandwidth, Action wentOut)
    {
        (this.entries, this.boundary, this.bandwidth, this.wentOut) = (entries, boundary, bandwidth, wentOut);
        Headers.ContentType = MediaTypeHeaderValue.Parse($"multipart/related; type=\"application/dicom\"; boundary={boundary}");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            var filled = 0;
            foreach (var entry in entries)
            {
                var header = Encoding.ASCII.GetBytes($"{(entry != entries[0] ? "\r\n" : "")}--{boundary}\r\nContent-Type: "
                    + "application/dicom\r\n\r\n");
                // A header that just fits would leave no room for the file, and to read no byte looks like its end.
                if (filled + header.Length >= BlockBytes) filled = await FlushAsync(stream, buffer, filled, cancellationToken);
                header.CopyTo(buffer, filled);
                filled += header.Length;
                using var file = File.OpenHandle(entry.Path, options: FileOptions.SequentialScan);
                for (long offset = 0; ;)
                {
                    var count = await RandomAccess.ReadAsync(file, buffer.AsMemory(filled, BlockBytes - filled), offset, cancellationToken);
                    if (count == 0) break;
                    offset += count;
                    filled += count;
                    if (filled == BlockBytes) filled = await FlushAsync(stream, buffer, filled, cancellationToken);
                }
            }
            if (filled > 0) await FlushAsync(stream, buffer, filled, cancellationToken);
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"\r\n--{boundary}--\r\n"), cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    private async Task<int> FlushAsync(Stream stream, byte[] buffer, int filled, CancellationToken cancellationToken)
    {
        await bandwidth.TakeAsync(filled, cancellationToken);
        await stream.WriteAsync(buffer.AsMemory(0, filled), cancellationToken);
        wentOut();
        return 0;
    }
}
