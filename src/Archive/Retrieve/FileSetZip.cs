using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.IO.Pipelines;
using DicomServerless.Dicom;

namespace DicomServerless.Archive.Retrieve;

/// <summary>
/// Objects as a ZIP with a DICOMDIR: a file-set (PS3.10 8). It is written as it goes out, entry by entry and uncompressed, since pixels gain nothing; only the
/// directory is kept in memory, some hundred bytes an instance. The same objects make the same bytes. A failure on the way leaves the file without its end,
/// which every reader notices.
/// </summary>
public sealed class FileSetZip
{
    private readonly InstanceRetrieval retrieval;
    private readonly DicomLimits limits;

    /// <summary>Prepares one file.</summary>
    /// <param name="retrieval">Opens the objects.</param>
    /// <param name="limits">The caps on an object.</param>
    public FileSetZip(InstanceRetrieval retrieval, DicomLimits limits) => (this.retrieval, this.limits) = (retrieval, limits);

    /// <summary>How an object is given: what is written to the stream is its file.</summary>
    public delegate Task WriteObject(OpenedInstance opened, Stream file);

    // Times would make each download another; this is the earliest that a ZIP can say.
    private static readonly DateTimeOffset Time = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly DicomDirectory directory = new();
    private readonly Dictionary<Uid, (string Folder, int Count)> series = [];

    /// <summary>Writes the whole file.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="instances">What goes in.</param>
    /// <param name="writeObject">Writes one of them.</param>
    /// <param name="directoryUid">The SOP Instance UID of the DICOMDIR.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="InstanceChangedException">All instances have been deleted since they were listed.</exception>
    public async Task WriteAsync(PipeWriter output, IReadOnlyList<StoredInstance> instances,
        WriteObject writeObject, Uid directoryUid, CancellationToken cancellationToken)
    {
        // Not disposed on failure: that would write the end of the file.
        var zip = await ZipArchive.CreateAsync(new OutputStream(output), ZipArchiveMode.Create, leaveOpen: true, null, cancellationToken);
        var hasFiles = false;
        await foreach (var opened in retrieval.OpenAllAsync(instances, cancellationToken))
        {
            await using (opened)
            {
                hasFiles = true;
                await AddAsync(zip, opened, writeObject, cancellationToken);
            }
        }
        if (!hasFiles) throw new InstanceChangedException(); // all deleted since they were listed
        var entry = await OpenEntryAsync(zip, "DICOMDIR", cancellationToken);
        await entry.WriteAsync(directory.ToFile(directoryUid), cancellationToken);
        await entry.DisposeAsync();
        await zip.DisposeAsync();
    }

    private async Task AddAsync(ZipArchive zip, OpenedInstance opened, WriteObject writeObject, CancellationToken cancellationToken)
    {
        var key = opened.Instance.Key;
        var (folder, count) = series.TryGetValue(key.Series, out var known) ? known : (Name("SE", series.Count + 1), 0);
        series[key.Series] = (folder, count + 1);
        string[] fileId = ["DICOM", folder, Name("IM", count + 1)];
        var entry = await OpenEntryAsync(zip, string.Join('/', fileId), cancellationToken);
        // The directory's keys are read from the bytes as they go by.
        using var scanner = new InstanceScanner(new ScanOptions { Limits = limits, ComputeHash = false });
        await writeObject(opened, new ScannedStream(entry, scanner));
        if (scanner.Complete() == ScanStatus.Refused) throw new InvalidDataException("A stored object cannot be read: " + scanner.Error!.Message);
        var scan = scanner.Result!;
        directory.Add(scan.DataSet, key, opened.Instance.SopClassUid, scan.FileMeta.TransferSyntax ?? scan.TransferSyntax.Uid, fileId);
        await entry.DisposeAsync();
    }

    private static Task<Stream> OpenEntryAsync(ZipArchive zip, string name, CancellationToken cancellationToken)
    {
        var entry = zip.CreateEntry(name, CompressionLevel.NoCompression);
        entry.LastWriteTime = Time;
        return entry.OpenAsync(cancellationToken);
    }

    // 8 characters (PS3.10 8.2), ten million of each.
    private static string Name(string prefix, int number) =>
        number < 1_000_000 ? string.Create(CultureInfo.InvariantCulture, $"{prefix}{number:D6}")
            : string.Create(CultureInfo.InvariantCulture, $"{prefix[0]}{number:D7}");

    private abstract class WriteStream : Stream
    {
        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));
        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
        public abstract override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default);
        public override void Flush() { }
        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
    }

    // The ZIP writer writes a few bytes synchronously; they are sent with the next ones.
    private sealed class OutputStream(PipeWriter output) : WriteStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => output.Write(buffer);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            // IsCompleted: nobody reads any more.
            if ((await output.WriteAsync(buffer, cancellationToken)).IsCompleted) throw new OperationCanceledException();
        }
    }

    // Shows a scanner what is written; the stream behind stays open.
    private sealed class ScannedStream(Stream inner, InstanceScanner scanner) : WriteStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => throw new NotSupportedException("Write asynchronously.");

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (scanner.Push(buffer.Span) == ScanStatus.Refused) throw new InvalidDataException("A stored object cannot be read: " + scanner.Error!.Message);
            await inner.WriteAsync(buffer, cancellationToken);
        }
    }
}
