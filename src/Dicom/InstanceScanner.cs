using System.Security.Cryptography;

namespace DicomServerless.Dicom;

/// <summary>How far an <see cref="InstanceScanner"/> is.</summary>
public enum ScanStatus
{
    /// <summary>Give more bytes, or complete.</summary>
    NeedMore,
    /// <summary>The instance is whole; see <see cref="InstanceScanner.Result"/>.</summary>
    Complete,
    /// <summary>The bytes are refused; see <see cref="InstanceScanner.Error"/>.</summary>
    Refused,
}

/// <summary>
/// Reads one Part 10 instance while its bytes go by, in pieces of any size: UIDs as soon as they are seen; at the end header, hash, and where bulk values and
/// frames are. Memory is bounded by <see cref="DicomLimits"/>, whatever the size of the instance.
/// </summary>
/// <remarks>
/// Accepted with a warning: no preamble, no group 0002 (for data sets that begin with group 0008), wrong group length, implicit VR where explicit was declared
/// and the reverse, bytes after the data set where they are zeros or follow Pixel Data. Accepted silently: an end between two top-level elements. Refused: a
/// value shorter than its declared length, and anything left open.
/// </remarks>
public sealed class InstanceScanner : IDisposable
{
    private const int InflateBufferSize = 32 * 1024;

    private readonly ScanOptions options;
    private readonly FileMetaReader meta;
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private DataSetReader? data;
    private Inflater? inflater;
    private byte[] inflated = [];
    private long dataLength;
    private byte[]? prefixHash;
    private bool completed;

    /// <summary>Begins an instance.</summary>
    public InstanceScanner(ScanOptions? options = null)
    {
        this.options = options ?? new ScanOptions();
        meta = new FileMetaReader(this.options);
    }

    /// <summary>Why the bytes are refused.</summary>
    public DicomError? Error { get; private set; }

    /// <summary>What was found, once <see cref="Complete"/> said so.</summary>
    public InstanceScan? Result { get; private set; }

    /// <summary>The file meta information, once the data set has begun; null before.</summary>
    public FileMeta? FileMeta => data is null ? null : meta.Meta;

    /// <summary>Where the data set begins in the input, in bytes; null before it has begun.</summary>
    public long? DataSetOffset => data is null ? null : meta.DataSetOffset;

    /// <summary>
    /// The UIDs, once all four have been seen at top level or where they belong has been passed. In a data set out of order one that is missing here may still
    /// come; <see cref="InstanceScan.Uids"/> has the last word.
    /// </summary>
    public bool TryGetUids(out ScannedUids uids)
    {
        uids = data?.Uids.Value ?? default;
        return data is not null && (completed || data.Uids.IsPast);
    }

    /// <summary>What the data set takes so far. Bytes, at most <see cref="DicomLimits.MaxHeaderBytes"/>.</summary>
    public long MemoryUsed => data?.MemoryUsed ?? 0;

    /// <summary>Takes the next bytes.</summary>
    public ScanStatus Push(ReadOnlySpan<byte> chunk)
    {
        if (completed) throw new InvalidOperationException("The scan is complete.");
        if (Error is not null) return ScanStatus.Refused;
        if (data is null)
        {
            var status = meta.Push(chunk, out var used);
            if (status == TokenStatus.Hostile) return Refuse(meta.Error);
            if (status == TokenStatus.NeedMore) return ScanStatus.NeedMore;
            if (BeginData() == ScanStatus.Refused) return ScanStatus.Refused;
            chunk = chunk[used..];
        }
        return chunk.IsEmpty ? ScanStatus.NeedMore : PushData(chunk);
    }

    /// <summary>Says that no more bytes come.</summary>
    public ScanStatus Complete()
    {
        if (completed) return ScanStatus.Complete;
        if (Error is not null) return ScanStatus.Refused;
        if (data is null)
        {
            if (meta.Complete() == TokenStatus.Hostile) return Refuse(meta.Error);
            if (BeginData() == ScanStatus.Refused) return ScanStatus.Refused;
        }
        if (!data!.Complete()) return Refuse(AtFileOffset(data.Error));
        var result = BuildResult(data, isWhole: true);
        // A data set that was cut off between two fragments looks the same but for what is missing.
        if (data.EndedOpen && !FrameTableBuilder.HasAllFrames(result.DataSet, data.Pixels))
            return Refuse(AtFileOffset(new DicomError(DicomErrorKind.Unclosed,
                DicomError.Format(Tags.PixelData), data.Position, "it ends before its last frame does")));
        completed = true;
        Result = result;
        return ScanStatus.Complete;
    }

    /// <summary>Whether the bytes so far reach the top-level Pixel Data, so that <see cref="Header"/> has everything that queries match.</summary>
    public bool HasHeader => data is { HasReachedPixelData: true };

    /// <summary>
    /// What the bytes so far say, without the end: for a reader that needs no pixels and stops at them. Frames and hash are not in it. The scanner must not be
    /// used afterwards.
    /// Null if it was refused, or has not come to the data set.
    /// </summary>
    public InstanceScan? Header()
    {
        if (completed || Error is not null || data is null) return Result;
        completed = true;
        return Result = BuildResult(data, isWhole: false);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        hash.Dispose();
        inflater?.Dispose();
    }

    private ScanStatus BeginData()
    {
        data = new DataSetReader(meta.Encoding, options) { PixelsAreBigEndian = meta.TransferSyntax is { HasBigEndianPixels: true } };
        if (meta.TransferSyntax is { IsDeflated: true })
        {
            inflater = new Inflater(options.Limits);
            inflated = new byte[InflateBufferSize];
        }
        return meta.Leftover.IsEmpty ? ScanStatus.NeedMore : PushData(meta.Leftover);
    }

    private ScanStatus PushData(ReadOnlySpan<byte> bytes)
    {
        Hash(bytes);
        if (inflater is null) return data!.Push(bytes, out _) == TokenStatus.Hostile ? Refuse(AtFileOffset(data.Error)) : ScanStatus.NeedMore;

        while (!bytes.IsEmpty)
        {
            bytes = bytes[inflater.Feed(bytes)..];
            int count;
            do
            {
                count = inflater.Read(inflated, out var error);
                if (error is not null) return Refuse(error);
                if (data!.Push(inflated.AsSpan(0, count), out _) == TokenStatus.Hostile) return Refuse(data.Error);
            }
            while (count > 0);
        }
        return ScanStatus.NeedMore;
    }

    private void Hash(ReadOnlySpan<byte> bytes)
    {
        if (!options.ComputeHash)
        {
            dataLength += bytes.Length;
            return;
        }
        var toPrefix = (options.PrefixLength ?? -1) - dataLength;
        if (toPrefix >= 0 && toPrefix <= bytes.Length && prefixHash is null)
        {
            hash.AppendData(bytes[..(int)toPrefix]);
            prefixHash = hash.GetCurrentHash();
            hash.AppendData(bytes[(int)toPrefix..]);
        }
        else hash.AppendData(bytes);
        dataLength += bytes.Length;
    }

    private ScanStatus Refuse(DicomError? error)
    {
        Error = error;
        return ScanStatus.Refused;
    }

    private DicomError? AtFileOffset(DicomError? error) => inflater is null
        && error is not null ? error with { Offset = error.Offset + meta.DataSetOffset } : error;

    private InstanceScan BuildResult(DataSetReader reader, bool isWhole)
    {
        var warnings = new List<DicomWarning>(meta.Warnings);
        warnings.AddRange(reader.Warnings);
        var dataSet = reader.Build();
        var syntax = meta.TransferSyntax
            ?? (reader.Encoding == DicomEncoding.ImplicitLittleEndian ? TransferSyntax.ImplicitVrLittleEndian : TransferSyntax.ExplicitVrLittleEndian);
        CheckAgainstFileMeta(Tags.MediaStorageSOPClassUID, meta.Meta.MediaStorageSopClass, reader.Uids.Value.SopClass, warnings);
        CheckAgainstFileMeta(Tags.MediaStorageSOPInstanceUID, meta.Meta.MediaStorageSopInstance, reader.Uids.Value.SopInstance, warnings);
        return new InstanceScan
        {
            FileMeta = meta.Meta,
            TransferSyntax = syntax,
            Encoding = reader.Encoding,
            Uids = reader.Uids.Value,
            DataSetOffset = meta.DataSetOffset,
            DataSetLength = dataLength,
            DataSetHash = isWhole && options.ComputeHash ? hash.GetHashAndReset() : [],
            PrefixHash = prefixHash,
            DataSet = dataSet,
            BulkValues = dataSet.BulkValues(),
            Frames = isWhole ? FrameTableBuilder.Build(dataSet, reader.Pixels, syntax, warnings) : null,
            Warnings = warnings,
            IsDeflated = inflater is not null,
        };
    }

    private static void CheckAgainstFileMeta(Tag tag, Uid? inMeta, Uid inDataSet, List<DicomWarning> warnings)
    {
        if (inMeta is { } uid && !inDataSet.IsEmpty && uid != inDataSet)
            warnings.Add(new DicomWarning(DicomWarningKind.FileMetaMismatch, DicomError.Format(tag), "it is not the UID of the data set"));
    }
}
