using System.Buffers;
using System.Runtime.CompilerServices;
using Azure;
using Azure.Core.Pipeline;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace DicomServerless.Storage.Azure;

/// <summary>
/// Blobs of an Azure storage account: one request per call (a listing: one per page; a read that breaks off resumes with another, of the same version). A
/// request that is sent again may meet its own first try: a put if absent its own blob (Conflict), a conditional write its own ETag (PreconditionFailed), a
/// delete its own absence (NotFound). Callers look again.
/// </summary>
internal sealed class AzureBlobContainer(BlobContainerClient client) : IBlobContainer
{
    // Put Blob takes up to 5,000 MiB; the client's own default would cut larger bodies into blocks, which is more requests, and not one operation.
    private static readonly StorageTransferOptions OneRequest = new() { InitialTransferSize = 5000L << 20, MaximumConcurrency = 1 };

    public string Name => client.Name;

    public async Task CreateIfAbsentAsync(CancellationToken cancellationToken) =>
        await client.CreateIfNotExistsAsync(cancellationToken: cancellationToken).ConfigureAwait(false);

    public async Task<BlobWritten> PutAsync(string name, ReadOnlySequence<byte> content, BlobWrite write, CancellationToken cancellationToken)
    {
        using var scope = RequestId(write.ClientRequestId);
        var options = new BlobUploadOptions
        {
            Conditions = Conditions(write.Condition), Metadata = Metadata(write), HttpHeaders = Headers(write), TransferOptions = OneRequest,
        };
        try
        {
            var body = new SequenceStream(content);
            await using (body.ConfigureAwait(false))
            {
                var done = await client.GetBlockBlobClient(name).UploadAsync(body, options, cancellationToken).ConfigureAwait(false);
                return new BlobWritten(StorageStatus.Ok, Text(done.Value.ETag));
            }
        }
        catch (RequestFailedException e) when (BlobErrors.IsExpected(e))
        {
            return new BlobWritten(Refusal(e, write), null);
        }
    }

    public async Task<StorageStatus> StageBlockAsync(string name, string blockId, ReadOnlySequence<byte> content, CancellationToken cancellationToken)
    {
        try
        {
            var body = new SequenceStream(content);
            await using (body.ConfigureAwait(false))
            {
                await client.GetBlockBlobClient(name).StageBlockAsync(blockId, body, cancellationToken: cancellationToken).ConfigureAwait(false);
            }
            return StorageStatus.Ok;
        }
        catch (RequestFailedException e) when (BlobErrors.IsExpected(e))
        {
            return BlobErrors.Status(e)!.Value;
        }
    }

    public async Task<BlobWritten> CommitBlocksAsync(string name, IReadOnlyList<string> blockIds, BlobWrite write, CancellationToken cancellationToken)
    {
        using var scope = RequestId(write.ClientRequestId);
        var options = new CommitBlockListOptions { Conditions = Conditions(write.Condition), Metadata = Metadata(write), HttpHeaders = Headers(write) };
        try
        {
            var done = await client.GetBlockBlobClient(name).CommitBlockListAsync(blockIds, options, cancellationToken).ConfigureAwait(false);
            return new BlobWritten(StorageStatus.Ok, Text(done.Value.ETag));
        }
        catch (RequestFailedException e) when (BlobErrors.IsExpected(e))
        {
            return new BlobWritten(Refusal(e, write), null);
        }
    }

    public async Task<BlobInfo?> HeadAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var found = (await client.GetBlockBlobClient(name).GetPropertiesAsync(cancellationToken: cancellationToken).ConfigureAwait(false)).Value;
            return new BlobInfo(name, found.ContentLength, Text(found.ETag), found.LastModified, Caseless(found.Metadata));
        }
        catch (RequestFailedException e) when (BlobErrors.Status(e) == StorageStatus.NotFound)
        {
            return null;
        }
    }

    public async Task<BlobRead> ReadAsync(string name, long offset, long? length, string? ifMatch, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (length is { } asked) ArgumentOutOfRangeException.ThrowIfNegativeOrZero(asked, nameof(length));
        var options = new BlobDownloadOptions
        {
            // Without a Range header an empty blob is 200; with one it is 416.
            Range = offset == 0 && length is null ? default : new HttpRange(offset, length),
            Conditions = ifMatch is null ? null : new BlobRequestConditions { IfMatch = Tag(ifMatch) },
        };
        try
        {
            var answer = (await client.GetBlockBlobClient(name).DownloadStreamingAsync(options, cancellationToken).ConfigureAwait(false)).Value;
            var details = answer.Details;
            if (options.Range != default && details.ContentLength == 0)
            {
                // The service says 416; the emulator sends nothing, successfully.
                await answer.Content.DisposeAsync().ConfigureAwait(false);
                return new BlobRead(StorageStatus.RangeNotSatisfiable, null, null);
            }
            var info = new BlobInfo(name, WholeLength(details), Text(details.ETag), details.LastModified, Caseless(details.Metadata));
            return new BlobRead(StorageStatus.Ok, answer.Content, info);
        }
        catch (RequestFailedException e) when (BlobErrors.IsExpected(e))
        {
            return new BlobRead(BlobErrors.Status(e)!.Value, null, null);
        }
    }

    public async IAsyncEnumerable<BlobInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var item in client.GetBlobsAsync(BlobTraits.Metadata, BlobStates.None, prefix, cancellationToken).ConfigureAwait(false))
        {
            var found = item.Properties;
            yield return new BlobInfo(item.Name, found.ContentLength ?? 0, found.ETag is { } etag ? Text(etag)
                : "", found.LastModified ?? default, Caseless(item.Metadata));
        }
    }

    public async Task<StorageStatus> DeleteAsync(string name, string? ifMatch, string? clientRequestId, CancellationToken cancellationToken)
    {
        using var scope = RequestId(clientRequestId);
        try
        {
            // A snapshot that an operator took must not keep a patient's object from being deleted.
            var conditions = ifMatch is null ? null : new BlobRequestConditions { IfMatch = Tag(ifMatch) };
            await client.GetBlockBlobClient(name).DeleteAsync(DeleteSnapshotsOption.IncludeSnapshots, conditions, cancellationToken).ConfigureAwait(false);
            return StorageStatus.Ok;
        }
        catch (RequestFailedException e) when (BlobErrors.IsExpected(e))
        {
            return BlobErrors.Status(e)!.Value;
        }
    }

    private static IDisposable? RequestId(string? id) => id is null ? null : HttpPipeline.CreateClientRequestIdScope(id);

    private static BlobRequestConditions? Conditions(BlobCondition condition) =>
        condition.IfAbsent ? new BlobRequestConditions { IfNoneMatch = ETag.All }
        : condition.IfMatch is { } etag ? new BlobRequestConditions { IfMatch = Tag(etag) }
        : null;

    // Headers carry ETags in quotes, listings without: names of versions are equal only if all are without.
    private static string Text(ETag etag) => etag.ToString().Trim('"');

    private static ETag Tag(string text) => new($"\"{text}\"");

    // "If nothing is there" is answered with 409 or 412, by service and operation; it is one outcome.
    private static StorageStatus Refusal(RequestFailedException e, BlobWrite write)
    {
        var status = BlobErrors.Status(e)!.Value;
        return write.Condition.IfAbsent && status == StorageStatus.PreconditionFailed ? StorageStatus.Conflict : status;
    }

    private static Dictionary<string, string>? Metadata(BlobWrite write) =>
        write.Metadata is { Count: > 0 } given ? new Dictionary<string, string>(given) : null;

    private static BlobHttpHeaders Headers(BlobWrite write) => new() { ContentType = write.ContentType ?? "application/octet-stream" };

    private static Dictionary<string, string> Caseless(IDictionary<string, string>? found) =>
        found is null ? new(StringComparer.OrdinalIgnoreCase) : new(found, StringComparer.OrdinalIgnoreCase);

    // "bytes 0-99/525000": the length after the slash is the whole blob's.
    private static long WholeLength(BlobDownloadDetails details) =>
        details.ContentRange is { } range && range.LastIndexOf('/') is var slash and >= 0 && long.TryParse(range.AsSpan(slash + 1), out var whole) ? whole
            : details.ContentLength;
}
