using System.ComponentModel.DataAnnotations;
using DicomServerless.Dicom;

namespace DicomServerless.Archive;

/// <summary>What happens when an object comes whose SOP Instance UID is there with other content.</summary>
public enum DuplicatePolicy
{
    /// <summary>The new one is refused with failure reason 0x0111; the old one stays.</summary>
    Reject,
    /// <summary>The new one replaces the old one.</summary>
    Replace,
    /// <summary>The old one stays and the store succeeds with a warning.</summary>
    KeepFirst,
}

/// <summary>What happens when an object comes whose Patient ID is not that of the study it names.</summary>
public enum SecondPatientPolicy
{
    /// <summary>It is stored with a warning; the study stays that of the patient whose object came first.</summary>
    Warn,
    /// <summary>It is refused.</summary>
    Refuse,
}

/// <summary>When a store is indexed.</summary>
public enum IndexingOnStore
{
    /// <summary>Before the answer: what was stored is found at once.</summary>
    Commit,
    /// <summary>By the blob-created event, after the answer.</summary>
    Event,
}

/// <summary>What happens to an object whose file meta information contradicts its data set.</summary>
public enum FileMetaMismatch
{
    /// <summary>It is stored under the UIDs of its data set, and the answer warns of it.</summary>
    Warn,
    /// <summary>It is refused.</summary>
    Refuse,
}

/// <summary>Options of the archive, section <c>Archive</c>.</summary>
public sealed class ArchiveOptions
{
    /// <summary>What happens to an object whose UID is there with other content. Default Reject.</summary>
    public DuplicatePolicy DuplicatePolicy { get; set; } = DuplicatePolicy.Reject;

    /// <summary>
    /// What happens to an object whose Patient ID is not that of its study. Known from the index and the request itself: two requests that begin a study at
    /// the same moment do not see each other, nor, with OnStore = Event, do requests between which nothing was indexed. Default Warn.
    /// </summary>
    public SecondPatientPolicy SecondPatient { get; set; } = SecondPatientPolicy.Warn;

    /// <summary>
    /// What happens to an object whose file meta information names another SOP Class or Instance UID than its data set. Blobs that others put are indexed by
    /// their data set either way. Default Warn.
    /// </summary>
    public FileMetaMismatch FileMetaMismatch { get; set; } = FileMetaMismatch.Warn;

    /// <summary>When a store is indexed. Default Commit.</summary>
    public IndexingOnStore OnStore { get; set; } = IndexingOnStore.Commit;

    /// <summary>How long a journal row is put off while its process works; after that the sweep takes it. Seconds, 1 to 3,600. Default 60.</summary>
    [Range(1, 3600, ErrorMessage = "Archive:JournalDueSeconds must be 1 to 3600 seconds.")]
    public double JournalDueSeconds { get; set; } = 60;

    /// <summary>How long a process keeps a study's journal row and state after the last request for it. Seconds, 0 to 60. Default 2.</summary>
    [Range(0, 60, ErrorMessage = "Archive:KeepStudySeconds must be 0 to 60 seconds.")]
    public double KeepStudySeconds { get; set; } = 2;

    /// <summary>How long a deleted study's empty row stays, so that a slow writer notices the delete. Seconds, 1 to 86,400. Default 600.</summary>
    [Range(1, 86400, ErrorMessage = "Archive:TombstoneSeconds must be 1 to 86400 seconds.")]
    public double TombstoneSeconds { get; set; } = 600;

    /// <summary>How old a derived blob without a row must be before it is removed. Seconds, 1 to 604,800. Default 3,600.</summary>
    [Range(1, 604800, ErrorMessage = "Archive:DerivedGraceSeconds must be 1 to 604800 seconds.")]
    public double DerivedGraceSeconds { get; set; } = 3600;

    /// <summary>
    /// Objects up to this size are kept in memory and written in one operation; larger ones go as staged blocks of this size while they arrive. MiB, 1 to 64.
    /// Default 8.
    /// </summary>
    [Range(1, 64, ErrorMessage = "Archive:BlockMiB must be 1 to 64 MiB.")]
    public int BlockMiB { get; set; } = 8;

    /// <summary>
    /// Memory for objects on their way in, beyond 1 MiB each; when it is used up, objects go on as staged blocks. MiB, 8 to 4,096. Default 64.
    /// </summary>
    [Range(8, 4096, ErrorMessage = "Archive:UploadMemoryMiB must be 8 to 4096 MiB.")]
    public int UploadMemoryMiB { get; set; } = 64;

    /// <summary>
    /// Disk for bulk data that come apart from their metadata, until the objects are made of them; all requests share it. MiB, 1 to 1,048,576. Default 2,048.
    /// Objects above that come as Part 10, which needs no disk.
    /// </summary>
    [Range(1, 1_048_576, ErrorMessage = "Archive:BulkSpoolMiB must be 1 to 1048576 MiB.")]
    public int BulkSpoolMiB { get; set; } = 2048;

    /// <summary>The folder for them, which must be there; nothing stays in it. Default the system's folder for temporary files.</summary>
    public string? BulkSpoolPath { get; set; }

    /// <summary>
    /// How many parts one store request may have, or objects its JSON; each has a result that is kept until the answer. Those beyond are not read. 1 to
    /// 1,000,000. Default 50,000.
    /// </summary>
    [Range(1, 1_000_000, ErrorMessage = "Archive:MaxPartsPerRequest must be 1 to 1000000.")]
    public int MaxPartsPerRequest { get; set; } = 50_000;

    /// <summary>How many objects of one request are written at the same time. 1 to 32. Default 4.</summary>
    [Range(1, 32, ErrorMessage = "Archive:WritesPerRequest must be 1 to 32.")]
    public int WritesPerRequest { get; set; } = 4;

    /// <summary>How many blobs one retrieval reads ahead. 1 to 64. Default 8.</summary>
    [Range(1, 64, ErrorMessage = "Archive:ReadAhead must be 1 to 64.")]
    public int ReadAhead { get; set; } = 8;

    /// <summary>
    /// Whether our own blobs' events are answered without looking, because the journal row guards them. Only with OnStore = Commit. Default true.
    /// </summary>
    public bool TrustOwnEvents { get; set; } = true;

    /// <summary>The most results of one search. 1 to 5,000. Default 1,000.</summary>
    [Range(1, 5000, ErrorMessage = "Archive:MaxResults must be 1 to 5000.")]
    public int MaxResults { get; set; } = 1000;

    /// <summary>The character set of objects that name none but use bytes above 127, a defined term of (0008,0005). Default ISO_IR 100.</summary>
    public string FallbackCharacterSet { get; set; } = "ISO_IR 100";

    /// <summary>
    /// Attributes by which searches find studies without looking at all of them, beyond the usual ones. At most <see cref="QueryTag.MaxTags"/>. Default none.
    /// </summary>
    public IReadOnlyList<QueryTag> QueryTags { get; set; } = [];

    /// <summary>Studies that one search opens to look at their series and instances.</summary>
    internal int MaxOpenedStudies { get; set; } = 2_000;

    /// <summary>Caps on what one object may make the archive hold or do.</summary>
    public DicomLimits Limits { get; set; } = new();

    internal TimeSpan JournalDue => TimeSpan.FromSeconds(JournalDueSeconds);
    internal TimeSpan KeepStudy => TimeSpan.FromSeconds(KeepStudySeconds);
    internal TimeSpan Tombstone => TimeSpan.FromSeconds(TombstoneSeconds);
    internal TimeSpan DerivedGrace => TimeSpan.FromSeconds(DerivedGraceSeconds);
    internal int BlockBytes => BlockMiB * 1024 * 1024;
}
