using DicomServerless.Archive.Index;
using DicomServerless.Archive.Retrieve;
using DicomServerless.Archive.Search;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Archive;

/// <summary>One archive: what can be done with it, wired together over its stores. Create one a process.</summary>
public sealed class DicomArchive
{
    private readonly StudyIndex index;

    /// <summary>Wires the archive.</summary>
    /// <param name="stores">Its containers and tables.</param>
    /// <param name="options">Its options, already validated.</param>
    /// <param name="clock">The time.</param>
    /// <param name="newGuid">Random ids.</param>
    /// <param name="log">Where it logs.</param>
    public DicomArchive(ArchiveStores stores, ArchiveOptions options, TimeProvider clock, Func<Guid> newGuid, ILogger<DicomArchive> log)
    {
        var contents = new InstanceContentReader(options);
        index = new StudyIndex(stores, options, contents, clock, newGuid, log);
        Stores = stores;
        Store = new InstanceStore(stores, index, contents, options, clock, newGuid, log);
        Removal = new InstanceRemoval(stores, index, newGuid);
        var inbox = new Inbox(stores, Store, options, log);
        Events = new BlobEventHandler(stores, index, inbox, options, clock, log);
        Reconciler = new Reconciler(stores, index, inbox, options, clock, log);
        Rebuild = new IndexRebuild(stores, Reconciler, inbox, new SearchRowCheck(stores, contents, new ConflictWait(clock, newGuid), log), log);
        Retrieval = new InstanceRetrieval(stores, index, options);
        QueryTags = new QueryTagBuild(stores, index, options, clock, log);
        Search = new DicomSearch(stores, options, QueryTags);
        Commitments = new StorageCommitments(stores, clock);
        Sweeper = new Sweeper(stores, Reconciler, options, clock, log);
    }

    /// <summary>The containers and tables.</summary>
    public ArchiveStores Stores { get; }

    /// <summary>Stores objects.</summary>
    public InstanceStore Store { get; }

    /// <summary>Deletes.</summary>
    public InstanceRemoval Removal { get; }

    /// <summary>Finds and reads what is stored.</summary>
    public InstanceRetrieval Retrieval { get; }

    /// <summary>Confirms that instances are stored.</summary>
    public StorageCommitments Commitments { get; }

    /// <summary>Searches.</summary>
    public DicomSearch Search { get; }

    /// <summary>Builds what the configured query attributes need.</summary>
    public QueryTagBuild QueryTags { get; }

    /// <summary>Follows blob events.</summary>
    public BlobEventHandler Events { get; }

    /// <summary>Reconciles studies.</summary>
    public Reconciler Reconciler { get; }

    /// <summary>Rebuilds the whole index.</summary>
    public IndexRebuild Rebuild { get; }

    /// <summary>Works off the journal.</summary>
    public Sweeper Sweeper { get; }

    /// <summary>Ends what is kept over requests: journal rows of finished work are removed. For an orderly stop; a crash needs nothing.</summary>
    public Task CloseAsync() => index.CloseAllAsync();
}
