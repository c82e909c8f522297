using System.Security.Cryptography;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive;

/// <summary>
/// One object while it is received: its bytes go by the scanner, and into memory if it is small or as staged blocks if it is large. When all of it is there
/// it can be committed, which is one operation either way. Nothing is visible before that.
/// </summary>
internal sealed class InstanceUpload : IDisposable
{
    /// <summary>What an upload may hold without asking. Bytes.</summary>
    private const int OwnBytes = 1024 * 1024;

    private static readonly TimeSpan HeaderPatience = TimeSpan.FromSeconds(30);

    private readonly ScanOptions scanOptions;
    private readonly InstanceScanner scanner;
    private readonly ArchiveStores stores;
    private readonly ArchiveOptions options;
    private readonly UploadMemory memory;
    private readonly HeaderMemory.Share header;
    private readonly Func<Guid> newGuid;
    private readonly UploadBuffer buffer = new();
    private readonly List<string> blocks = [];
    private readonly string blockPrefix;
    private long taken;
    private (long Length, string Hash)? prefix; // of our data set's first bytes, as many as the stored object has

    public InstanceUpload(ArchiveStores stores, ArchiveOptions options, UploadMemory memory, HeaderMemory headers, Func<Guid> newGuid)
    {
        header = new HeaderMemory.Share(headers);
        (this.stores, this.options, this.memory, this.newGuid) = (stores, options, memory, newGuid);
        scanOptions = new ScanOptions { Limits = options.Limits };
        scanner = new InstanceScanner(scanOptions);
        blockPrefix = newGuid().ToString("n");
    }

    public InstanceUids Uids { get; private set; }

    /// <summary>Why the object cannot be stored; null if it can.</summary>
    public (StoreOutcome Outcome, string Text)? Problem { get; private set; }

    /// <summary>The whole scan, once received without a problem.</summary>
    public InstanceScan Scan => scanner.Result!;

    /// <summary>What of the shared memory its header holds.</summary>
    public HeaderMemory.Share Header => header;

    /// <summary>Bytes received.</summary>
    public long Length { get; private set; }

    /// <summary>Receives the whole object, or stops at the first problem.</summary>
    /// <exception cref="InvalidDataException">The part is not closed.</exception>
    public async Task ReceiveAsync(Stream part, StoreRequest request, CancellationToken cancellationToken)
    {
        while (true)
        {
            var free = buffer.Free();
            var count = await part.ReadAsync(free, cancellationToken);
            if (count == 0) break;
            var status = scanner.Push(free.Span[..count]);
            buffer.Advance(count);
            Length += count;
            if (status == ScanStatus.Refused)
            {
                Fail(StoreOutcome.CannotUnderstand, scanner.Error!.Message);
                return;
            }
            if (!await header.GrowAsync(scanner.MemoryUsed, HeaderPatience, cancellationToken))
            {
                Fail(StoreOutcome.TryAgain, "There is no memory left for its header; send it again.");
                return;
            }
            if (buffer.Length >= options.BlockBytes || (buffer.Length >= OwnBytes && !memory.TryTake(count)))
            {
                if (!await StageAsync(cancellationToken)) return;
            }
            else if (buffer.Length >= OwnBytes) taken += count;
        }
        if (scanner.Complete() == ScanStatus.Refused)
        {
            Fail(StoreOutcome.CannotUnderstand, Length == 0 ? "It is empty." : scanner.Error!.Message);
            return;
        }
        Uids = InstanceUids.Read(Scan.DataSet);
        if (Uids.Problem is { } missing) Fail(StoreOutcome.CannotUnderstand, missing);
        else if (request.Study is { } study && study != Uids.Key.Study)
            Fail(StoreOutcome.StudyMismatch, "Its Study Instance UID (0020,000D) is not that of the resource.");
        else if (request.Instance is { } instance && instance != Uids.Key)
            Fail(StoreOutcome.StudyMismatch, "Its Series Instance UID (0020,000E) or SOP Instance UID (0008,0018) is not that of the resource.");
        else if (options.FileMetaMismatch == FileMetaMismatch.Refuse && Scan.Warnings.Any(warning => warning.Kind == DicomWarningKind.FileMetaMismatch))
            Fail(StoreOutcome.FileMetaMismatch, "The Media Storage SOP Class UID (0002,0002) or SOP Instance UID (0002,0003) is not that of the data set.");
    }

    /// <summary>Makes the blob. May be called again, with another condition, after a refusal.</summary>
    public async Task<BlobWritten> CommitAsync(string name, BlobCondition condition, string source, DateTimeOffset received,
        CancellationToken cancellationToken)
    {
        var metadata = BlobMetadata.Write(Convert.ToHexStringLower(Scan.DataSetHash), Scan.DataSetOffset, Scan.StatedTransferSyntax(), received, source);
        var write = new BlobWrite(condition, metadata, "application/dicom", BlobMetadata.OwnRequest + newGuid().ToString("n"));
        if (blocks.Count == 0) return await stores.Dicom.PutAsync(name, buffer.Content(), write, cancellationToken);
        if (buffer.Length > 0) await StageBlockAsync(name, cancellationToken);
        return await stores.Dicom.CommitBlocksAsync(name, blocks, write, cancellationToken);
    }

    /// <summary>Whether the stored data set is the beginning of ours: then it was cut off on its way, and ours replaces it.</summary>
    public bool IsContinuationOf(long storedLength, string storedHash)
    {
        if (storedLength >= Scan.DataSetLength) return false;
        if (blocks.Count == 0) return HashOfFirst(Scan.DataSetOffset, storedLength) == storedHash;
        return prefix is { } first ? first.Length == storedLength && first.Hash == storedHash
            : scanOptions.PrefixLength == storedLength && Scan.PrefixHash is { } hash && Convert.ToHexStringLower(hash) == storedHash;
    }

    public void Dispose()
    {
        memory.Return(taken);
        taken = 0;
        header.Dispose();
        buffer.Dispose();
        scanner.Dispose();
    }

    private void Fail(StoreOutcome outcome, string text)
    {
        Problem = (outcome, text);
        if (Uids.SopClassUid is not null) return;
        _ = scanner.TryGetUids(out var seen); // those that came before it broke name it as far as it goes (PS3.18 I.2)
        Uids = new InstanceUids(new InstanceKey(seen.Study, seen.Series, seen.SopInstance), seen.SopClass.Value, text);
    }

    // Without UIDs there is no name to stage blocks under.
    private async Task<bool> StageAsync(CancellationToken cancellationToken)
    {
        if (!scanner.TryGetUids(out var seen) || seen.Study.IsEmpty || seen.Series.IsEmpty || seen.SopInstance.IsEmpty)
        {
            if (buffer.Length < options.BlockBytes) return true;
            Fail(StoreOutcome.CannotUnderstand, $"No Study, Series and SOP Instance UID in the first {options.BlockMiB} MiB.");
            return false;
        }
        var name = Layout.BlobName(new InstanceKey(seen.Study, seen.Series, seen.SopInstance));
        if (blocks.Count == 0) await LookAtStoredAsync(name, cancellationToken);
        await StageBlockAsync(name, cancellationToken);
        return true;
    }

    private async Task StageBlockAsync(string name, CancellationToken cancellationToken)
    {
        // All ids of a blob have one length; ours start with what no other upload of the same name has.
        var id = Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes($"{blockPrefix}{blocks.Count:D8}"));
        var status = await stores.Dicom.StageBlockAsync(name, id, buffer.Content(), cancellationToken);
        if (status != StorageStatus.Ok) throw new IOException($"A block was refused ({status}).");
        blocks.Add(id);
        buffer.Clear();
        memory.Return(taken);
        taken = 0;
    }

    // The first bytes leave memory now, so whether a stored object is our beginning must be found out on the way.
    private async Task LookAtStoredAsync(string name, CancellationToken cancellationToken)
    {
        if (await stores.Dicom.HeadAsync(name, cancellationToken) is not { } stored || !BlobMetadata.TryRead(stored, out _, out var offset)) return;
        var (start, storedLength) = (scanner.DataSetOffset!.Value, stored.Length - offset);
        if (start + storedLength <= buffer.Length) prefix = (storedLength, HashOfFirst(start, storedLength));
        else scanOptions.PrefixLength = storedLength;
    }

    private string HashOfFirst(long offset, long count)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var piece in buffer.Content().Slice(offset, count)) sha.AppendData(piece.Span);
        return Convert.ToHexStringLower(sha.GetHashAndReset());
    }
}
