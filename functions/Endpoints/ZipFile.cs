using System.Buffers;
using System.Globalization;
using System.IO.Compression;
using System.IO.Pipelines;
using DicomServerless.Archive.Retrieve;
using DicomServerless.Dicom;
using DicomServerless.Functions.Hosting;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Endpoints;

/// <summary>
/// Objects as a ZIP with a DICOMDIR: a file-set (PS3.10 8). It is written as it goes out, entry by entry and uncompressed, since pixels gain nothing; only the directory is kept in memory, some
/// hundred bytes an instance. The same objects make the same bytes. What goes wrong on the way leaves the file without its end, which every reader sees.
/// </summary>
internal sealed class ZipFile
{
    /// <summary>How an object is given: what is written to the stream is its file.</summary>
    public delegate Task WriteObject(OpenedInstance opened, Stream file);

    // Times would make each download another; this is the earliest that a ZIP can say.
    private static readonly DateTimeOffset Time = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly DicomDirectory directory = new();
    private readonly Dictionary<Uid, (string Folder, int Count)> series = [];

    /// <summary>Writes the whole file.</summary>
    /// <param name="context">The request.</param>
    /// <param name="instances">What goes in.</param>
    /// <param name="writeObject">Writes one of them.</param>
    /// <param name="directoryUid">The SOP Instance UID of the DICOMDIR.</param>
    public async Task WriteAsync(HttpContext context, IReadOnlyList<StoredInstance> instances, WriteObject writeObject, Uid directoryUid)
    {
        var cancellationToken = context.RequestAborted;
        // Not disposed on failure: that would write the end of the file.
        var zip = await ZipArchive.CreateAsync(new ResponseStream(context.Response.BodyWriter), ZipArchiveMode.Create, leaveOpen: true, null, cancellationToken);
        var hasFiles = false;
        await foreach (var opened in context.Archive().Retrieval.OpenAllAsync(instances, cancellationToken))
        {
            await using (opened)
            {
                hasFiles = true;
                await AddAsync(zip, opened, writeObject, context.Settings().Archive.Limits, cancellationToken);
            }
        }
        if (!hasFiles) throw new InstanceChangedException(); // all deleted since they were listed
        var entry = await OpenEntryAsync(zip, "DICOMDIR", cancellationToken);
        await entry.WriteAsync(directory.ToFile(directoryUid), cancellationToken);
        await entry.DisposeAsync();
        await zip.DisposeAsync();
    }

    private async Task AddAsync(ZipArchive zip, OpenedInstance opened, WriteObject writeObject, DicomLimits limits, CancellationToken cancellationToken)
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
        number < 1_000_000 ? string.Create(CultureInfo.InvariantCulture, $"{prefix}{number:D6}") : string.Create(CultureInfo.InvariantCulture, $"{prefix[0]}{number:D7}");

    private abstract class WriteStream : Stream
    {
        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));
        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
        public abstract override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default);
        public override void Flush() { }
        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
    }

    /// <summary>The response. The ZIP writer says some few bytes without waiting; they go out with the next ones.</summary>
    private sealed class ResponseStream(PipeWriter output) : WriteStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => output.Write(buffer);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            // IsCompleted: nobody reads any more.
            if ((await output.WriteAsync(buffer, cancellationToken)).IsCompleted) throw new OperationCanceledException();
        }
    }

    /// <summary>Shows a scanner what is written; the stream behind stays open.</summary>
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
