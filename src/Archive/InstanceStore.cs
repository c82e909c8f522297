using DicomServerless.Archive.Index;
using DicomServerless.Archive.Metadata;
using DicomServerless.Dicom;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Archive;

/// <summary>What is asked of a store.</summary>
/// <param name="Study">The study that every object must belong to; null for any.</param>
/// <param name="DuplicatePolicy">What happens to other content under a UID that is there.</param>
/// <param name="Source">Who sends, for the blob's metadata: an AE title or a client's name. ASCII.</param>
public sealed record StoreRequest(Uid? Study, DuplicatePolicy DuplicatePolicy, string Source)
{
    /// <summary>The instance that every object must be; null for any.</summary>
    public InstanceKey? Instance { get; init; }
}

/// <summary>Stores objects (docs/design.md, "Storing").</summary>
public sealed class InstanceStore
{
    private readonly UploadMemory memory;
    private readonly HeaderMemory headers;
    private readonly UploadMemory spoolSpace;
    private readonly ILogger log;

    internal InstanceStore(ArchiveStores stores, StudyIndex index, InstanceContentReader contents, ArchiveOptions options, TimeProvider clock,
        Func<Guid> newGuid, ILogger log)
    {
        this.log = log;
        (Stores, Index, Contents, Options, Clock, NewGuid) = (stores, index, contents, options, clock, newGuid);
        memory = new UploadMemory(options.UploadMemoryMiB * 1024L * 1024);
        headers = new HeaderMemory(options.Limits.MaxHeaderBytes);
        Settling = new UploadMemory(options.UploadMemoryMiB * 1024L * 1024 / 4);
        spoolSpace = new UploadMemory(options.BulkSpoolMiB * 1024L * 1024);
    }

    internal ArchiveStores Stores { get; }
    internal StudyIndex Index { get; }
    internal InstanceContentReader Contents { get; }
    internal ArchiveOptions Options { get; }
    internal TimeProvider Clock { get; }
    internal Func<Guid> NewGuid { get; }

    /// <summary>
    /// The memory of objects that are stored and wait for the index; all requests share it. A quarter of what objects on their way in may take.
    /// </summary>
    internal UploadMemory Settling { get; }

    /// <summary>Starts a request of one or many objects. Objects of one study that come in it are indexed together.</summary>
    public StoreBatch Begin(StoreRequest request) => new(this, request);

    /// <summary>Starts to receive metadata and bulk data, which become objects of a batch when all is there.</summary>
    /// <param name="baseUri">What relative locations of the request are relative to.</param>
    /// <param name="requested">The transfer syntax that the request states for all its compressed parts; null for none.</param>
    public MetadataUpload BeginMetadata(Uri baseUri, Uid? requested) =>
        new(this, new BulkSpool(spoolSpace, Options.BulkSpoolPath, log), memory, baseUri, requested);

    internal InstanceUpload NewUpload() => new(Stores, Options, memory, headers, NewGuid);
}
