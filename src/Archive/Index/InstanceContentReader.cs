using System.Buffers;
using System.Globalization;
using System.Text;
using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Index;

/// <summary>What reading a blob back gave.</summary>
/// <param name="IsThere">False if the blob was gone.</param>
/// <param name="Content">Its content, if it is a DICOM object with the UIDs of its name.</param>
/// <param name="ETag">The version that was read.</param>
/// <param name="Key">The UIDs in it, if it is a DICOM object of a study at all.</param>
/// <param name="Problem">Why there is no content.</param>
/// <param name="HasOwnMetadata">Whether its metadata are those that we put with an object that is stored.</param>
internal readonly record struct BlobContent(bool IsThere, InstanceContent? Content, string? ETag, InstanceKey? Key, string? Problem,
    bool HasOwnMetadata = false);

/// <summary>What the index takes a scan for.</summary>
internal static class InstanceScans
{
    /// <summary>The transfer syntax that the file states, or the one it was found to have.</summary>
    public static string StatedTransferSyntax(this InstanceScan scan) => (scan.FileMeta.TransferSyntax ?? scan.TransferSyntax.Uid).Value;
}

/// <summary>Makes of a scanned object what the index holds.</summary>
internal sealed class InstanceContentReader(ArchiveOptions options)
{
    private const int ReadBytes = 256 * 1024;

    private readonly DicomJsonOptions jsonOptions = new()
    {
        BulkDataUriPrefix = new byte[] { InstanceContent.BulkDataMark },
        FallbackCharacterSet = SpecificCharacterSet.Parse(Encoding.ASCII.GetBytes(options.FallbackCharacterSet)),
    };

    /// <summary>Turns a completed scan into content. The four UIDs are there: <see cref="InstanceUids"/> has seen to that.</summary>
    public InstanceContent From(InstanceScan scan, InstanceKey key, string sopClassUid, long length, long received)
    {
        var json = new ArrayBufferWriter<byte>(16 * 1024);
        DicomJsonWriter.Write(scan.DataSet, json, jsonOptions);
        var metadata = json.WrittenSpan;
        var lists = MetadataAttributes.Extract(metadata, IndexedAttributes.Study, IndexedAttributes.Series, IndexedAttributes.Instance);
        var (study, series, instance) = (lists[0], lists[1], lists[2]);
        var number = instance.Find(pair => pair.Key == Tags.InstanceNumber).Value;
        return new InstanceContent
        {
            Key = key,
            SopClassUid = sopClassUid,
            TransferSyntaxUid = scan.StatedTransferSyntax(),
            DataSetHash = Convert.ToHexStringLower(scan.DataSetHash),
            DataSetOffset = scan.DataSetOffset,
            Received = received,
            Length = length,
            IsDeflated = scan.IsDeflated,
            InstanceNumber = number is not null
                && long.TryParse(AttributeJson.FirstText(number), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null,
            StudyAttributes = study,
            SeriesAttributes = series,
            QueryValues = QueryValuesOf(metadata),
            InstanceAttributes = MetadataAttributes.ToObject(instance),
            Metadata = RowBytes.Compress(metadata),
            Frames = scan.Frames?.ToBytes(),
            Bulk = BulkTable.Write(scan.BulkValues),
        };
    }

    /// <summary>What an instance has of the configured attributes.</summary>
    public IReadOnlyList<(string Key, string Value)> QueryValuesOf(ReadOnlySpan<byte> metadata) => QueryTagValues.Of(metadata, options.QueryTags);

    /// <summary>Reads a blob that someone else put, as it is now.</summary>
    public async Task<BlobContent> ReadBackAsync(IBlobContainer container, InstanceKey expected, CancellationToken cancellationToken)
    {
        var read = await ReadAsync(container, Layout.BlobName(expected), cancellationToken);
        return read.Key is { } key && key != expected ? read with { Content = null, Problem = "Its UIDs are not those of its name." } : read;
    }

    /// <summary>Reads any blob. Its memory is bounded by the scan's limits.</summary>
    public async Task<BlobContent> ReadAsync(IBlobContainer container, string name, CancellationToken cancellationToken)
    {
        await using var blob = await container.ReadAsync(name, 0, null, null, cancellationToken);
        if (blob.Status == StorageStatus.NotFound) return default;
        // An empty blob has no range to read, and which version that was only HEAD tells.
        if (blob.Status == StorageStatus.RangeNotSatisfiable)
        {
            if (await container.HeadAsync(name, cancellationToken) is not { } empty) return default;
            return empty.Length == 0 ? new(true, null, empty.ETag, null, "It is empty.") : throw new IOException("The blob changed while it was read.");
        }
        var etag = blob.Info.ETag;
        using var scanner = new InstanceScanner(new ScanOptions { Limits = options.Limits });
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        try
        {
            var (length, isOwn) = (0L, BlobMetadata.TryRead(blob.Info, out _, out _));
            var status = ScanStatus.NeedMore;
            for (int count; status != ScanStatus.Refused
                && (count = await blob.Content.ReadAsync(buffer, cancellationToken)) > 0; length += count) status = scanner.Push(buffer.AsSpan(0, count));
            if (status == ScanStatus.Refused || scanner.Complete() == ScanStatus.Refused) return new(true, null, etag, null, scanner.Error!.Message, isOwn);
            var uids = InstanceUids.Read(scanner.Result!.DataSet);
            if (uids.Problem is not null) return new(true, null, etag, null, uids.Problem, isOwn);
            return new(true, From(scanner.Result, uids.Key, uids.SopClassUid, length, BlobMetadata.ReceivedAt(blob.Info)), etag, uids.Key, null);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        }
    }
}
