using System.Buffers;

namespace DicomServerless.Storage;

/// <summary>What storage said. Expected outcomes are values; broken I/O, authentication and service faults are exceptions.</summary>
public enum StorageStatus
{
    /// <summary>Done.</summary>
    Ok,
    /// <summary>404: no such blob or row.</summary>
    NotFound,
    /// <summary>409: it exists already, or (for staged blocks) a concurrent change took the blocks away.</summary>
    Conflict,
    /// <summary>412: the ETag is not the one asked for.</summary>
    PreconditionFailed,
    /// <summary>413: the body or batch is larger than the service takes.</summary>
    TooLarge,
    /// <summary>400: the service refuses the content, for example a property that is too long, or an invalid block list.</summary>
    Invalid,
    /// <summary>416: the range starts at or behind the end of the blob.</summary>
    RangeNotSatisfiable,
}

/// <summary>When a write may happen.</summary>
/// <param name="IfMatch">The ETag that the blob must have; null for any.</param>
/// <param name="IfAbsent">True if no blob may be there.</param>
public readonly record struct BlobCondition(string? IfMatch, bool IfAbsent)
{
    /// <summary>Whatever is there.</summary>
    public static BlobCondition None => default;
    /// <summary>Only if nothing is there.</summary>
    public static BlobCondition Absent => new(null, true);
    /// <summary>Only over the version with this ETag.</summary>
    public static BlobCondition Match(string etag) => new(etag, false);
}

/// <summary>What goes with the bytes of a blob.</summary>
/// <param name="Condition">When the write may happen.</param>
/// <param name="Metadata">Names (C# identifiers, lower case) and ASCII values; null for none.</param>
/// <param name="ContentType">The media type; null for application/octet-stream.</param>
/// <param name="ClientRequestId">Sent as x-ms-client-request-id, which comes back in the blob-created event; null for one of the client's own.</param>
public sealed record BlobWrite(BlobCondition Condition, IReadOnlyDictionary<string, string>? Metadata = null, string? ContentType = null,
    string? ClientRequestId = null);

/// <summary>The result of a write.</summary>
/// <param name="Status">Ok, Conflict (it is there), PreconditionFailed, Invalid (block list) or NotFound.</param>
/// <param name="ETag">The new ETag, without quotes, when Ok.</param>
public readonly record struct BlobWritten(StorageStatus Status, string? ETag);

/// <summary>A blob without its bytes.</summary>
/// <param name="Name">The name in the container.</param>
/// <param name="Length">Bytes.</param>
/// <param name="ETag">Opaque, without quotes.</param>
/// <param name="LastModified">The service's time of the last change.</param>
/// <param name="Metadata">Names compared without case.</param>
public sealed record BlobInfo(string Name, long Length, string ETag, DateTimeOffset LastModified, IReadOnlyDictionary<string, string> Metadata);

/// <summary>An open read. Dispose it to release the connection.</summary>
/// <param name="status">Ok, NotFound, PreconditionFailed or RangeNotSatisfiable.</param>
/// <param name="content">The bytes asked for, when Ok; not seekable, never buffered whole.</param>
/// <param name="info">The whole blob's properties, when Ok.</param>
public sealed class BlobRead(StorageStatus status, Stream? content, BlobInfo? info) : IAsyncDisposable
{
    /// <summary>What storage said.</summary>
    public StorageStatus Status => status;
    /// <summary>The bytes; throws unless <see cref="Status"/> is Ok.</summary>
    public Stream Content => content ?? throw new InvalidOperationException($"No content: {status}.");
    /// <summary>The blob; throws unless <see cref="Status"/> is Ok. Length is the whole blob's, whatever range was read.</summary>
    public BlobInfo Info => info ?? throw new InvalidOperationException($"No blob: {status}.");
    /// <inheritdoc />
    public ValueTask DisposeAsync() => content?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>A container of blobs: the seam of the storage engines. All methods may be called concurrently.</summary>
public interface IBlobContainer
{
    /// <summary>The container's name.</summary>
    string Name { get; }

    /// <summary>Makes the container if it is not there.</summary>
    Task CreateIfAbsentAsync(CancellationToken cancellationToken);

    /// <summary>Writes a whole blob in one operation. The content must stay unchanged until the task ends (it is sent again on a retry).</summary>
    Task<BlobWritten> PutAsync(string name, ReadOnlySequence<byte> content, BlobWrite write, CancellationToken cancellationToken);

    /// <summary>Stages one block; nothing becomes visible. All block ids of one blob have the same length.</summary>
    Task<StorageStatus> StageBlockAsync(string name, string blockId, ReadOnlySequence<byte> content, CancellationToken cancellationToken);

    /// <summary>Makes the blob from staged blocks. Invalid means that a block is no longer there (another writer's commit discards them).</summary>
    Task<BlobWritten> CommitBlocksAsync(string name, IReadOnlyList<string> blockIds, BlobWrite write, CancellationToken cancellationToken);

    /// <summary>The blob's properties, or null if it is not there.</summary>
    Task<BlobInfo?> HeadAsync(string name, CancellationToken cancellationToken);

    /// <summary>Opens a range for reading. A null length reads to the end; a length of 0 is not allowed.</summary>
    Task<BlobRead> ReadAsync(string name, long offset, long? length, string? ifMatch, CancellationToken cancellationToken);

    /// <summary>Blobs whose name starts with the prefix, in ordinal order of names, with metadata.</summary>
    IAsyncEnumerable<BlobInfo> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>
    /// Deletes the blob: Ok, NotFound or PreconditionFailed. The client request id comes back in the blob-deleted event; null for one of the client's own.
    /// </summary>
    Task<StorageStatus> DeleteAsync(string name, string? ifMatch, string? clientRequestId, CancellationToken cancellationToken);
}
