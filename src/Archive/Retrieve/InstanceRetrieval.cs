using System.Runtime.CompilerServices;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Retrieve;

/// <summary>
/// Finds and reads what is stored (docs/design.md, "Retrieving"). Every read of a blob carries the ETag of the row that told where to read, so old offsets
/// never meet new bytes.
/// </summary>
public sealed partial class InstanceRetrieval
{
    private const int MaxAttempts = 4;

    // Objects up to this size are read ahead whole; of larger ones only the connection is opened ahead.
    private const int ReadAheadBytes = 1024 * 1024;

    // All retrievals of the process together; without a share of it an object is only opened ahead.
    private const long ReadAheadMemory = 64L * 1024 * 1024;

    // Frames that begin inside a byte are shifted in memory; one of this size has half a billion pixels of one bit.
    private const int MaxShiftedFrame = 64 * 1024 * 1024;

    private static readonly string[] ListColumns = [Columns.BlobETag, Columns.Length, Columns.DataSetHash, Columns.SopClass, Columns.TransferSyntax,
        Columns.DataSetOffset, Columns.IsDeflated, Columns.InstanceNumber];
    private static readonly string[] ValueColumns = [.. ListColumns, .. InstanceState.AttributeColumns, Columns.DerivedFrames, Columns.DerivedBulk,
        .. RowBytes.Names(Columns.Frames, InstanceState.SpillBytes), .. RowBytes.Names(Columns.Bulk, InstanceState.SpillBytes)];

    private readonly ArchiveStores stores;
    private readonly StudyIndex index;
    private readonly ArchiveOptions options;
    private readonly UploadMemory readAhead = new(ReadAheadMemory);

    internal InstanceRetrieval(ArchiveStores stores, StudyIndex index, ArchiveOptions options) =>
        (this.stores, this.index, this.options) = (stores, index, options);

    /// <summary>The instances of a study, series or one instance, in order of series, number and UID; empty if there are none.</summary>
    public async Task<IReadOnlyList<StoredInstance>> ListAsync(Uid study, Uid? series, Uid? sop, CancellationToken cancellationToken)
    {
        if (sop is { } one) return await RowAsync(new InstanceKey(study, series!.Value, one), ListColumns, cancellationToken) is { } row
            ? [Stored(study, row)] : [];
        return [.. (await RowsAsync(study, series, ListColumns, cancellationToken)).Select(state => Stored(study, state))];
    }

    /// <summary>
    /// Opens instances one after the other, reading some ahead. One that has been deleted since it was listed is passed over. Dispose each before the next.
    /// </summary>
    public async IAsyncEnumerable<OpenedInstance> OpenAllAsync(IReadOnlyList<StoredInstance> instances,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var ahead = new Queue<Task<OpenedInstance?>>();
        try
        {
            for (var next = 0; next < instances.Count || ahead.Count > 0;)
            {
                while (next < instances.Count && ahead.Count < options.ReadAhead) ahead.Enqueue(OpenAsync(instances[next++], cancellationToken));
                if (await ahead.Dequeue() is { } opened) yield return opened;
            }
        }
        finally
        {
            // Whoever stopped early does not want the rest.
            foreach (var task in ahead) _ = ReleaseAsync(task);
        }
    }

    /// <summary>Opens a range of an instance's Part 10 bytes as stored.</summary>
    /// <exception cref="InstanceChangedException">It is not any more what it was when it was listed.</exception>
    public async Task<Stream> OpenRangeAsync(StoredInstance instance, long offset, long length, CancellationToken cancellationToken)
    {
        var read = await stores.Dicom.ReadAsync(Layout.BlobName(instance.Key), offset, length, instance.ETag, cancellationToken);
        if (read.Status == StorageStatus.Ok) return read.Content;
        await ForgetAsync(instance, read, cancellationToken);
        throw new InstanceChangedException();
    }

    /// <summary>The metadata of a study, series or one instance; null if there is nothing.</summary>
    public async Task<MetadataAnswer?> MetadataAsync(Uid study, Uid? series, Uid? sop, CancellationToken cancellationToken)
    {
        var range = sop is { } one ? Layout.InstanceRow(new InstanceName(series!.Value, one)) : series is { } only ? Layout.InstanceRows(only)
            : Layout.AllInstanceRows;
        var listing = await ReadAsync();
        // An instance whose blob is there is found by its name even before it is indexed.
        if (listing.Rows.Count == 0 && sop is { } single
            && await RowAsync(new InstanceKey(study, series!.Value, single), ListColumns, cancellationToken) is not null) listing = await ReadAsync();
        return listing.Rows.Count == 0 ? null : new MetadataAnswer(study, listing, stores.Derived);

        Task<InstanceListing> ReadAsync() => InstanceListing.ReadAsync(
            study, stores.Instances, range, InstanceState.MetadataColumns, (a, b) =>
                ByNumber(a.Name, a.InstanceNumber, b.Name, b.InstanceNumber), cancellationToken);
    }

    /// <summary>Frames of an instance, in the order asked for.</summary>
    /// <param name="key">The instance.</param>
    /// <param name="numbers">Frame numbers, from 1; empty for all.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    public async Task<FrameAnswer> FramesAsync(InstanceKey key, IReadOnlyList<int> numbers, CancellationToken cancellationToken)
    {
        if (await RowAsync(key, ValueColumns, cancellationToken) is not { } row) return new FrameAnswer(FrameOutcome.NotFound, null, 0, false, NoFrames());
        var instance = Stored(key.Study, row);
        if (await TableAsync(row.Frames, row.DerivedFrames, cancellationToken) is not { } bytes || FrameTable.Parse(bytes) is not { Count: > 0 } table)
            return new FrameAnswer(FrameOutcome.NoPixelData, instance, 0, false, NoFrames());
        if (numbers.Any(number => number < 1 || number > table.Count)) return new FrameAnswer(FrameOutcome.OutOfRange, instance, table.Count,
            table.IsEncapsulated, NoFrames());
        var all = numbers.Count > 0 ? numbers : Enumerable.Range(1, table.Count);
        return new FrameAnswer(FrameOutcome.Ok, instance, table.Count, table.IsEncapsulated, OpenFramesAsync(instance, table, all, cancellationToken));
    }

    /// <summary>A value behind a BulkDataURI; null if there is no such instance or value.</summary>
    /// <param name="key">The instance.</param>
    /// <param name="path">The path behind <c>/bulkdata/</c>.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    public async Task<BulkAnswer?> BulkAsync(InstanceKey key, string path, CancellationToken cancellationToken)
    {
        if (await RowAsync(key, ValueColumns, cancellationToken) is not { } row
            || await TableAsync(row.Bulk, row.DerivedBulk, cancellationToken) is not { } table) return null;
        if (!BulkTable.TryFind(table, path, out var entry)) return null;
        return Answer(key.Study, row, entry);
    }

    private BulkAnswer Answer(Uid study, InstanceState row, BulkEntry entry)
    {
        var instance = Stored(study, row);
        var mediaType = entry.Path == Tags.EncapsulatedDocument.ToString() ? MediaTypeOf(row) : null;
        var wordSize = entry.IsBigEndian ? entry.Vr.WordSize() : 1;
        return new BulkAnswer(instance, entry.Path, entry.Vr, entry.Length, entry.IsEncapsulated, mediaType, async (offset, length, token) =>
        {
            // Words are turned around whole: the range is widened to them and cut again.
            var start = offset / wordSize * wordSize;
            var end = Math.Min((offset + length + wordSize - 1) / wordSize * wordSize, entry.Length);
            var stream = await OpenRangeAsync(instance, new[] { new ByteRange(entry.Offset + start, end - start) }, token);
            if (wordSize == 1) return stream;
            return new RangesStream(new SwappedStream(stream, wordSize), start, new[] { new ByteRange(offset, length) });
        });
    }

    /// <summary>
    /// The encapsulated pixel data of an instance as one stream, its fragments one after the other: what a video is (PS3.5 8.2.5). Null if there is no such
    /// instance, or no encapsulated pixel data in it.
    /// </summary>
    public async Task<BulkAnswer?> BitstreamAsync(InstanceKey key, CancellationToken cancellationToken)
    {
        if (await RowAsync(key, ValueColumns, cancellationToken) is not { } row
            || await TableAsync(row.Frames, row.DerivedFrames, cancellationToken) is not { } bytes) return null;
        if (FrameTable.Parse(bytes) is not { IsEncapsulated: true } table) return null;
        var instance = Stored(key.Study, row);
        var total = table.Fragments.ToArray().Sum(fragment => fragment.Length);
        return new BulkAnswer(instance, Tags.PixelData.ToString(), Vr.OB, total, true, null, (offset, length, token) =>
            OpenRangeAsync(instance, Cut(table.Fragments.Span, offset, length), token));
    }

    // A range of what the ranges are together.
    private static ByteRange[] Cut(ReadOnlySpan<ByteRange> ranges, long offset, long length)
    {
        var cut = new List<ByteRange>();
        foreach (var range in ranges)
        {
            if (length == 0) break;
            if (offset < range.Length)
            {
                var part = new ByteRange(range.Offset + offset, Math.Min(range.Length - offset, length));
                cut.Add(part);
                length -= part.Length;
            }
            offset = Math.Max(0, offset - range.Length);
        }
        return [.. cut];
    }

    private async IAsyncEnumerable<FrameContent> OpenFramesAsync(StoredInstance instance, FrameTable table, IEnumerable<int> numbers,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var number in numbers)
        {
            var ranges = table.Frame(number);
            await using var stored = await OpenRangeAsync(instance, ranges, cancellationToken);
            var storedLength = ranges.ToArray().Sum(range => range.Length);
            if (table.IsEncapsulated || (table.WordSize == 1 && table.FrameBits % 8 == 0)) yield return new FrameContent(number, storedLength, stored);
            else if (table.FrameBits % (table.WordSize * 8) == 0) yield return new FrameContent(number, storedLength,
                new SwappedStream(stored, table.WordSize));
            else
            {
                if (storedLength > MaxShiftedFrame) throw new InvalidDataException("The frame begins inside a byte and is too large to be shifted.");
                var bytes = new byte[storedLength];
                await stored.ReadExactlyAsync(bytes, cancellationToken);
                var length = NativeFrame.Extract(table, number, bytes).Length;
                var start = table.BitOffset(number) / 8;
                yield return new FrameContent(number, length, new MemoryStream(bytes, start, length, writable: false));
            }
        }
    }

    // Ranges of the data set, ascending. Of a deflated one everything before them is inflated and passed over.
    private async Task<Stream> OpenRangeAsync(StoredInstance instance, ReadOnlyMemory<ByteRange> ranges, CancellationToken cancellationToken)
    {
        var (first, last) = (ranges.Span[0], ranges.Span[^1]);
        var length = last.Offset + last.Length - first.Offset;
        if (length == 0) return Stream.Null;
        var read = instance.IsDeflated
            ? await stores.Dicom.ReadAsync(Layout.BlobName(instance.Key), instance.DataSetOffset, null, instance.ETag, cancellationToken)
            : await stores.Dicom.ReadAsync(Layout.BlobName(instance.Key), instance.DataSetOffset + first.Offset, length, instance.ETag, cancellationToken);
        if (read.Status != StorageStatus.Ok)
        {
            await ForgetAsync(instance, read, cancellationToken);
            throw new InstanceChangedException();
        }
        if (instance.IsDeflated) return new RangesStream(InflatedDataSet.Open(read.Content), 0, ranges);
        return ranges.Length == 1 ? read.Content : new RangesStream(read.Content, first.Offset, ranges);
    }

    private async Task<OpenedInstance?> OpenAsync(StoredInstance instance, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var read = await stores.Dicom.ReadAsync(Layout.BlobName(instance.Key), 0, null, instance.ETag, cancellationToken);
            if (read.Status == StorageStatus.Ok)
            {
                if (instance.Length > ReadAheadBytes || !readAhead.TryTake(instance.Length)) return new OpenedInstance(instance, read.Content, read);
                return new OpenedInstance(instance, await BufferAsync(instance, read, cancellationToken), null);
            }
            // What is there now is what is asked for.
            await ForgetAsync(instance, read, cancellationToken);
            if (await RowAsync(instance.Key, ListColumns, cancellationToken) is not { } row) return null;
            instance = Stored(instance.Key.Study, row);
        }
        return null;
    }

    private async Task<Stream> BufferAsync(StoredInstance instance, BlobRead read, CancellationToken cancellationToken)
    {
        var buffer = new UploadBuffer();
        try
        {
            await using (read)
                for (int count; (count = await read.Content.ReadAsync(buffer.Free(), cancellationToken)) > 0;) buffer.Advance(count);
            return new SequenceStream(buffer, () => readAhead.Return(instance.Length));
        }
        catch
        {
            buffer.Dispose();
            readAhead.Return(instance.Length);
            throw;
        }
    }

    // The blob has been replaced or deleted since its row was read.
    private async Task ForgetAsync(StoredInstance instance, BlobRead read, CancellationToken cancellationToken)
    {
        await read.DisposeAsync();
        await index.SettleAsync(instance.Key.Study, [instance.Key.Name], cancellationToken);
    }

    private static async Task ReleaseAsync(Task<OpenedInstance?> opening)
    {
        try
        {
            if (await opening is { } opened) await opened.DisposeAsync();
        }
        catch (Exception)
        {
            // It was not wanted any more, and storage clients throw exceptions of their own kinds.
        }
    }

    private async Task<byte[]?> TableAsync(byte[]? inRow, string? derivedName, CancellationToken cancellationToken) =>
        inRow ?? (derivedName is null ? null : await stores.Derived.ReadAllAsync(derivedName, cancellationToken));

    // An instance whose blob is there is found by its name even before it is indexed.
    private async Task<InstanceState?> RowAsync(InstanceKey key, string[] columns, CancellationToken cancellationToken)
    {
        var row = await stores.Instances.GetAsync(key.Study.Value, Layout.InstanceRowKey(key.Name), columns, cancellationToken);
        if (row is null && await stores.Dicom.HeadAsync(Layout.BlobName(key), cancellationToken) is not null)
        {
            await index.SettleAsync(key.Study, [key.Name], cancellationToken);
            row = await stores.Instances.GetAsync(key.Study.Value, Layout.InstanceRowKey(key.Name), columns, cancellationToken);
        }
        return row is null ? null : InstanceState.FromRow(row);
    }

    private async Task<IReadOnlyList<InstanceState>> RowsAsync(Uid study, Uid? series, string[] columns, CancellationToken cancellationToken)
    {
        var (from, before) = series is { } only ? Layout.InstanceRows(only) : Layout.AllInstanceRows;
        var rows = new List<InstanceState>();
        await foreach (var row in stores.Instances.RowsAsync(
            new TableQuery { PartitionKey = study.Value, RowKeyFrom = from, RowKeyBefore = before, Select = columns }, cancellationToken))
            rows.Add(InstanceState.FromRow(row));
        rows.Sort((a, b) => ByNumber(a.Name, a.InstanceNumber, b.Name, b.InstanceNumber));
        return rows;
    }

    private static int ByNumber(InstanceName a, long? numberOfA, InstanceName b, long? numberOfB) =>
        a.Series.CompareTo(b.Series) is var series and not 0 ? series
        : (numberOfA ?? long.MaxValue).CompareTo(numberOfB ?? long.MaxValue) is var number and not 0 ? number : a.Sop.CompareTo(b.Sop);

    private static StoredInstance Stored(Uid study, InstanceState row) =>
        new(new InstanceKey(study, row.Name.Series, row.Name.Sop), row.SopClassUid, row.TransferSyntaxUid, row.BlobETag, row.Length, row.DataSetOffset,
            row.DataSetHash, row.IsDeflated, row.InstanceNumber);

    private static string? MediaTypeOf(InstanceState row)
    {
        if (row.Attributes is not { } attributes) return null;
        var found = MetadataAttributes.Extract(attributes, [Tags.MIMETypeOfEncapsulatedDocument])[0];
        return found.Count == 0 ? null : AttributeJson.FirstText(found[0].Value);
    }

    private static async IAsyncEnumerable<FrameContent> NoFrames()
    {
        await Task.CompletedTask;
        yield break;
    }
}

/// <summary>The instance was replaced or deleted while it was read; what is there now can be asked for again.</summary>
public sealed class InstanceChangedException() : IOException("The instance was changed while it was read; ask again.");
