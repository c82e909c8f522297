using System.IO.Pipelines;

namespace DicomServerless.Dicom;

/// <summary>A Part 10 file from a stream whose file meta information has been read and whose data set follows, however long it is.</summary>
public sealed class Part10Stream
{
    private const int BlockSize = 16 * 1024;

    private Part10Stream(FileMeta meta, TransferSyntax transferSyntax, Stream dataSet) => (Meta, TransferSyntax, DataSet) = (meta, transferSyntax, dataSet);

    /// <summary>The file meta information.</summary>
    public FileMeta Meta { get; }

    /// <summary>The transfer syntax of the data set: that of the file meta information, else implicit VR little endian.</summary>
    public TransferSyntax TransferSyntax { get; }

    /// <summary>The data set, to be read once. Disposing it leaves the source open.</summary>
    public Stream DataSet { get; }

    /// <summary>Reads the file meta information.</summary>
    /// <param name="source">A Part 10 file from its first byte; stays open.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The file, or why it is none.</returns>
    public static async ValueTask<(Part10Stream? File, DicomError? Error)> OpenAsync(Stream source, CancellationToken cancellation = default)
    {
        var meta = new FileMetaReader(new ScanOptions());
        var buffer = new byte[BlockSize];
        int read, used;
        do
        {
            read = await source.ReadAsync(buffer, cancellation);
            used = 0;
            var status = read == 0 ? meta.Complete() : meta.Push(buffer.AsSpan(0, read), out used);
            if (status == TokenStatus.Hostile) return (null, meta.Error);
            if (status == TokenStatus.Trailing) break;
        }
        while (read > 0);
        byte[] begun = [.. meta.Leftover, .. buffer.AsSpan(used, read - used)];
        return (new Part10Stream(meta.Meta, meta.TransferSyntax ?? TransferSyntax.ImplicitVrLittleEndian, new PrefixedStream(begun, source)), null);
    }

    /// <summary>Rewrites the data set while it is read, in bounded memory.</summary>
    /// <param name="to">One of the four uncompressed transfer syntaxes; see <see cref="TransferSyntaxConverter.CanConvert"/>.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The file in the other transfer syntax, or why it cannot be rewritten.</returns>
    public async ValueTask<(Part10Stream? File, DicomError? Error)> ConvertAsync(TransferSyntax to, CancellationToken cancellation = default)
    {
        if (!TransferSyntaxConverter.CanConvert(TransferSyntax, to))
            return (null, new DicomError(DicomErrorKind.TransferSyntaxNotSupported,
                "(0002,0010)", 0, "the transfer syntax cannot be converted without decoding pixels"));
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 1 << 20, resumeWriterThreshold: 1 << 19));
        _ = FillAsync(pipe.Writer, to, cancellation); // ends with the reader, and tells it of every fault
        return await OpenAsync(pipe.Reader.AsStream(), cancellation);
    }

    private async Task FillAsync(PipeWriter writer, TransferSyntax to, CancellationToken cancellation)
    {
        try
        {
            await using var source = new PrefixedStream(Part10.Header(Meta, TransferSyntax.Uid), DataSet);
            var error = await TransferSyntaxConverter.ConvertAsync(source, writer.AsStream(leaveOpen: true), to, null, cancellation);
            await writer.CompleteAsync(error is null ? null : new InvalidDataException(error.Message));
        }
#pragma warning disable CA1031 // the reader rethrows it
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await writer.CompleteAsync(exception);
        }
    }
}
