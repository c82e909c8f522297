namespace DicomServerless.Archive.Index;

/// <summary>
/// The columns of the index's tables. Their names are short, because a row carries them. Values "in pieces" are cut by <see cref="RowBytes"/>.
/// </summary>
internal static class Columns
{
    /// <summary>The version of the row (<see cref="Layout.SchemaVersion"/>): number.</summary>
    public const string SchemaVersion = "SV";

    // Instance rows.

    /// <summary>The ETag of the blob that the row was written from: text.</summary>
    public const string BlobETag = "ET";

    /// <summary>The length of the blob in bytes: number.</summary>
    public const string Length = "L";

    /// <summary>SHA-256 of the data set, hexadecimal: text.</summary>
    public const string DataSetHash = "H";

    /// <summary>SOP Class UID: text.</summary>
    public const string SopClass = "SC";

    /// <summary>The transfer syntax as stored: text.</summary>
    public const string TransferSyntax = "TS";

    /// <summary>Where the data set starts in the blob: number of bytes.</summary>
    public const string DataSetOffset = "O";

    /// <summary>Instance Number, where it is usable: number.</summary>
    public const string InstanceNumber = "IN";

    /// <summary>When the blob was received: milliseconds since 1970.</summary>
    public const string Received = "RT";

    /// <summary>True where the data set is deflated; else absent.</summary>
    public const string IsDeflated = "FL";

    /// <summary>Instance attributes kept apart from the metadata: DICOM JSON, in pieces.</summary>
    public const string InstanceAttributes = "IA";

    /// <summary>The metadata: deflated DICOM JSON, in pieces; absent where it is in <c>derived</c>.</summary>
    public const string Metadata = "M";

    /// <summary>The frame table, in pieces; absent like the metadata.</summary>
    public const string Frames = "F";

    /// <summary>The bulk table, in pieces; absent like the metadata.</summary>
    public const string Bulk = "B";

    /// <summary>Bytes of attributes, metadata and tables that are in the row itself: number; absent in rows of earlier releases.</summary>
    public const string BytesInRow = "RB";

    /// <summary>The blob in <c>derived</c> with the metadata: text.</summary>
    public const string DerivedMetadata = "DM";

    /// <summary>The blob in <c>derived</c> with the frame table: text.</summary>
    public const string DerivedFrames = "DF";

    /// <summary>The blob in <c>derived</c> with the bulk table: text.</summary>
    public const string DerivedBulk = "DB";

    /// <summary>The column for what has gone to <c>derived</c> because it is too large.</summary>
    public static string DerivedOf(string column) => "D" + column;

    // Study and series rows, and rows of studies.

    /// <summary>Instances of the study or series: number; 0 of a study is a tombstone.</summary>
    public const string Instances = "N";

    /// <summary>Series of the study: number.</summary>
    public const string Series = "NS";

    /// <summary>The version of the study, which grows with every commit: number.</summary>
    public const string Version = "V";

    /// <summary>Attributes: of a study or series deflated with their sources, in <c>studies</c> the whole answer as DICOM JSON; in pieces.</summary>
    public const string Attributes = "A";

    /// <summary>Counters, claims, values of configured attributes and patients of a study: deflated JSON, in pieces.</summary>
    public const string Counters = "C";

    // Journal rows.

    /// <summary>What is to be done: <c>reconcile</c> or <c>purge</c>.</summary>
    public const string Kind = "K";

    /// <summary>When a journal row comes due: milliseconds since 1970.</summary>
    public const string Due = "Due";

    /// <summary>How often a journal row was tried in vain: number.</summary>
    public const string Attempts = "At";

    // The walk that builds configured query attributes, in the journal.

    /// <summary>The place that the walk over studies has reached: text.</summary>
    public const string WalkPlace = "At";

    /// <summary>What the walk is for: text.</summary>
    public const string WalkPurpose = "For";

    /// <summary>Studies that the walk has looked at: number.</summary>
    public const string WalkDone = "Done";

    /// <summary>Studies that were there when it began: number.</summary>
    public const string WalkSeen = "Seen";

    /// <summary>Studies that it could not do: number.</summary>
    public const string WalkFailed = "Failed";

    /// <summary>When it began: text.</summary>
    public const string WalkStarted = "Started";

    /// <summary>When it ended: text.</summary>
    public const string WalkFinished = "Finished";
}
