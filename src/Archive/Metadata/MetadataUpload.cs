using System.Buffers;
using System.Globalization;
using System.Text.Json;
using DicomServerless.Dicom;

namespace DicomServerless.Archive.Metadata;

/// <summary>The form of metadata.</summary>
public enum MetadataForm
{
    /// <summary>The DICOM JSON model (PS3.18 annex F): one object, or an array of them.</summary>
    Json,
    /// <summary>The Native DICOM Model (PS3.19 A.1): one object.</summary>
    Xml,
}

/// <summary>
/// Metadata and bulk data of one store request (PS3.18 8.6.1.2). Parts may come in any order; when all are there, each object is made and goes the way of
/// every other. Metadata are kept in memory up to <see cref="DicomLimits.MaxHeaderBytes"/>, bulk data in a spool.
/// </summary>
public sealed class MetadataUpload : IDisposable
{
    private const int OwnBytes = 1024 * 1024;

    // PS3.3 C.12.1.1.9: what made the change.
    private const string ModifyingSystem = "DicomServerless";

    private readonly InstanceStore store;
    private readonly BulkSpool spool;
    private readonly UploadMemory memory;
    private readonly BulkLocations locations;
    private readonly TransferSyntax? requested;
    private readonly List<(MetadataForm Form, ReadOnlyMemory<byte> Bytes)> metadata = [];
    private long kept, taken;
    private int parts, bulkParts;

    internal MetadataUpload(InstanceStore store, BulkSpool spool, UploadMemory memory, Uri baseUri, Uid? requested)
    {
        (this.store, this.spool, this.memory) = (store, spool, memory);
        locations = new BulkLocations(baseUri);
        this.requested = requested is { } uid ? TransferSyntax.ForUnknown(uid) : null;
    }

    private DicomLimits Limits => store.Options.Limits;

    /// <summary>Keeps metadata. What is wrong with them becomes a result of the batch.</summary>
    /// <exception cref="InvalidDataException">The part is not closed.</exception>
    /// <exception cref="TooManyPartsException">The request has as many parts as it may have.</exception>
    public async Task AddMetadataAsync(StoreBatch batch, Stream content, MetadataForm form, CancellationToken cancellationToken)
    {
        CountPart();
        var bytes = new ArrayBufferWriter<byte>();
        for (int count; (count = await content.ReadAsync(bytes.GetMemory(64 * 1024), cancellationToken)) > 0;)
        {
            bytes.Advance(count);
            kept += count;
            if (kept > Limits.MaxHeaderBytes)
            {
                batch.AddFailure(StoreOutcome.CannotUnderstand,
                    $"The metadata of a request may have {Limits.MaxHeaderBytes} bytes here; send fewer objects at once.");
                return;
            }
            if (kept <= OwnBytes) continue;
            if (!memory.TryTake(count))
            {
                batch.AddFailure(StoreOutcome.TryAgain, "There is no memory left for the metadata; send them again.");
                return;
            }
            taken += count;
        }
        metadata.Add((form, bytes.WrittenMemory));
    }

    /// <summary>Keeps bulk data.</summary>
    /// <param name="content">The bytes, little endian, or compressed as the media type says.</param>
    /// <param name="mediaType">The media type, lower case, without parameters.</param>
    /// <param name="transferSyntax">Its parameter <c>transfer-syntax</c>; null for none.</param>
    /// <param name="location">Content-Location; null for none.</param>
    /// <param name="contentId">Content-ID; null for none.</param>
    /// <param name="cancellationToken">Ends the receiving.</param>
    /// <exception cref="InvalidDataException">The part is not closed.</exception>
    /// <exception cref="TooManyPartsException">The request has as many parts as it may have.</exception>
    public async Task AddBulkAsync(Stream content, string mediaType, Uid? transferSyntax, string? location, string? contentId,
        CancellationToken cancellationToken)
    {
        CountPart();
        locations.Add(location, contentId, await spool.AddAsync(content, mediaType, transferSyntax, cancellationToken), ++bulkParts);
    }

    /// <summary>Makes the objects and gives them to the batch. Call it after a failure too: what is whole is not lost.</summary>
    /// <returns>What is odd about the request: sentences for a user.</returns>
    /// <exception cref="TooManyPartsException">There are more objects than a request may have; those before are stored.</exception>
    public async Task<IReadOnlyList<string>> CompleteAsync(StoreBatch batch, CancellationToken cancellationToken)
    {
        foreach (var (form, bytes) in metadata)
        {
            if (form == MetadataForm.Xml)
            {
                var json = new ArrayBufferWriter<byte>();
                if (DicomXmlReader.TryReadJson(bytes, Limits, json, out var error)) await StoreAsync(batch, json.WrittenMemory, cancellationToken);
                else batch.AddFailure(StoreOutcome.CannotUnderstand, error!.Message, MetadataArray.UidsIn(json.WrittenSpan));
                continue;
            }
            // One more than there may be, so that the batch refuses it.
            var objects = MetadataArray.Split(bytes.Span, Limits.MaxDepth, store.Options.MaxPartsPerRequest + 1, out var problem);
            foreach (var range in objects) await StoreAsync(batch, bytes[range], cancellationToken);
            if (problem is not null) batch.AddFailure(StoreOutcome.CannotUnderstand, problem);
        }
        return [.. locations.Unused()
            .Select(number => string.Create(CultureInfo.InvariantCulture, $"Bulk data part {number} is named by no BulkDataURI and was not stored."))];
    }

    /// <inheritdoc />
    public void Dispose()
    {
        spool.Dispose();
        memory.Return(taken);
        taken = 0;
    }

    private void CountPart()
    {
        if (++parts > store.Options.MaxPartsPerRequest) throw new TooManyPartsException(store.Options.MaxPartsPerRequest);
    }

    private async Task StoreAsync(StoreBatch batch, ReadOnlyMemory<byte> json, CancellationToken cancellationToken)
    {
        var uris = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!DicomJsonReader.TryRead(json.Span, Limits, out var dataSet, out var error, uris, keepCharacterSets: true))
        {
            batch.AddFailure(StoreOutcome.CannotUnderstand, error!.Message, MetadataArray.UidsIn(json.Span));
            return;
        }
        var uids = InstanceUids.Read(dataSet);
        if (uids.Problem is { } missing)
        {
            batch.AddFailure(StoreOutcome.CannotUnderstand, missing, uids);
            return;
        }
        var original = CharacterSetCoercion.IsNeeded(dataSet) ? CharacterSetCoercion.Describe(dataSet, store.Clock.GetUtcNow(), ModifyingSystem) : null;
        var (isFull, isTooLarge, isBroken) = (false, false, false);
        var problem = InstanceAssembler.TryAssemble(dataSet, PartsOf, original, requested, out var pieces);
        if (isTooLarge)
            batch.AddFailure(StoreOutcome.TooLarge,
                "Its bulk data are more than the disk for them ever holds (Archive:BulkSpoolMiB, for all of a request); "
                + "send it as application/dicom, which needs none.", uids);
        else if (isBroken)
            batch.AddFailure(StoreOutcome.TryAgain,
                "The disk for its bulk data cannot be used (the log says why; Archive:BulkSpoolPath); send it when that is mended, or as application/dicom, "
                + "which needs none.", uids);
        else if (isFull) batch.AddFailure(StoreOutcome.TryAgain,
            "There is no disk left for its bulk data (Archive:BulkSpoolMiB); send it again, or as application/dicom, which needs none.", uids);
        else if (problem is not null) batch.AddFailure(StoreOutcome.CannotUnderstand, problem, uids);
        else
        {
            await using var assembled = new AssembledStream(pieces);
            await batch.ReceiveAsync(assembled, cancellationToken, original);
        }

        IReadOnlyList<BulkPart> PartsOf(string path)
        {
            var found = locations.Find(uris[path]);
            isTooLarge |= found.Any(spooled => spooled.IsTooLarge);
            isBroken |= found.Any(spooled => spooled.IsBroken);
            isFull |= found.Any(spooled => spooled.Part is null);
            return isFull ? [] : [.. found.Select(spooled => spooled.Part!)];
        }
    }
}
