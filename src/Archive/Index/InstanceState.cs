using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Index;

/// <summary>An instance's row (<c>i:{series}:{sop}</c>).</summary>
internal sealed class InstanceState
{
    /// <summary>Above this a row's large values go to <c>derived</c>. Bytes; a row holds 1 MiB.</summary>
    public const int SpillBytes = 900 * 1024;

    /// <summary>The columns that settling needs of a row that is there.</summary>
    public static readonly string[] SettleColumns = [Columns.BlobETag, Columns.Length, Columns.DataSetHash, Columns.SopClass, Columns.TransferSyntax,
        Columns.DerivedMetadata, Columns.DerivedFrames, Columns.DerivedBulk, Columns.SchemaVersion];

    /// <summary>The columns that hold the attributes kept apart from the metadata.</summary>
    public static readonly string[] AttributeColumns = [.. RowBytes.Names(Columns.InstanceAttributes, SpillBytes)];

    /// <summary>The columns that hold metadata.</summary>
    public static readonly string[] MetadataColumns = [Columns.BlobETag, Columns.InstanceNumber, Columns.SchemaVersion, Columns.DerivedMetadata,
        .. RowBytes.Names(Columns.Metadata, SpillBytes)];

    public required InstanceName Name { get; init; }

    /// <summary>The version in which the row was written (<see cref="Layout.SchemaVersion"/>).</summary>
    public required long SchemaVersion { get; init; }

    public required string BlobETag { get; init; }
    public required long Length { get; init; }
    public required string DataSetHash { get; init; }
    public required string SopClassUid { get; init; }
    public required string TransferSyntaxUid { get; init; }
    public long DataSetOffset { get; init; }
    public bool IsDeflated { get; init; }
    public long? InstanceNumber { get; init; }

    /// <summary>When the blob was received, in milliseconds since 1970; 0 in rows of version 1.</summary>
    public long Received { get; init; }

    /// <summary>Bytes of the values below that are in the row itself; null in rows of earlier releases.</summary>
    public long? BytesInRow { get; init; }

    public byte[]? Metadata { get; init; }
    public byte[]? Frames { get; init; }
    public byte[]? Bulk { get; init; }
    public byte[]? Attributes { get; init; }

    /// <summary>Where the values are that were too large for the row; null for those that are in it.</summary>
    public string? DerivedMetadata { get; init; }
    public string? DerivedFrames { get; init; }
    public string? DerivedBulk { get; init; }

    public IEnumerable<string> Derived => new[] { DerivedMetadata, DerivedFrames, DerivedBulk }.OfType<string>();

    /// <summary>The row of a blob's content, and what goes to <c>derived</c> because it is too large: the largest first, until the rest fits.</summary>
    public static (TableRow Row, IReadOnlyList<(string Name, byte[] Bytes)> Spilled) ToRow(InstanceContent content, string blobETag)
    {
        var row = new TableRow(content.Key.Study.Value, Layout.InstanceRowKey(content.Key.Name))
        {
            [Columns.SchemaVersion] = Layout.SchemaVersion, [Columns.BlobETag] = blobETag, [Columns.Length] = content.Length,
            [Columns.DataSetHash] = content.DataSetHash, [Columns.SopClass] = content.SopClassUid,
            [Columns.TransferSyntax] = content.TransferSyntaxUid, [Columns.DataSetOffset] = content.DataSetOffset,
            [Columns.InstanceNumber] = content.InstanceNumber, [Columns.Received] = content.Received,
        };
        if (content.IsDeflated) row[Columns.IsDeflated] = true;
        row.SetBytes(Columns.InstanceAttributes, content.InstanceAttributes);

        var spilled = new List<(string, byte[])>();
        long size = content.InstanceAttributes.Length + (content.Metadata.Length + (long)(content.Frames?.Length ?? 0) + (content.Bulk?.Length ?? 0));
        foreach (var (column, bytes) in new[] { (Columns.Metadata, content.Metadata), (Columns.Frames, content.Frames), (Columns.Bulk, content.Bulk) }.Where(
            part => part.Item2 is not null).OrderByDescending(part => part.Item2!.Length))
        {
            if (size <= SpillBytes)
            {
                row.SetBytes(column, bytes!);
                continue;
            }
            // docs/design.md, rule 9: the name carries the hash of what it comes from. The blob's ETag is in it too, so that two versions never share one.
            var folder = Layout.SeriesPrefix(content.Key.Study, content.Key.Series) + content.Key.Sop;
            var name = $"{folder}/{content.DataSetHash[..16]}-{ETagPart(blobETag)}.{column}";
            row[Columns.DerivedOf(column)] = name;
            spilled.Add((name, bytes!));
            size -= bytes!.Length;
        }
        row[Columns.BytesInRow] = size;
        return (row, spilled);
    }

    public static InstanceState FromRow(TableRow row)
    {
        if (!Layout.TryParseInstanceRowKey(row.RowKey, out var name)) throw new InvalidDataException("An index row has a key that is none.");
        return new InstanceState
        {
            Name = name, SchemaVersion = row.Number(Columns.SchemaVersion) ?? 0, BlobETag = row.Text(Columns.BlobETag)!,
            Length = row.Number(Columns.Length) ?? 0, DataSetHash = row.Text(Columns.DataSetHash) ?? "", SopClassUid = row.Text(Columns.SopClass) ?? "",
            TransferSyntaxUid = row.Text(Columns.TransferSyntax) ?? "", DataSetOffset = row.Number(Columns.DataSetOffset) ?? 0,
            IsDeflated = row[Columns.IsDeflated] is true, InstanceNumber = row.Number(Columns.InstanceNumber), Received = row.Number(Columns.Received) ?? 0,
            BytesInRow = row.Number(Columns.BytesInRow),
            Metadata = row.GetBytes(Columns.Metadata), Frames = row.GetBytes(Columns.Frames), Bulk = row.GetBytes(Columns.Bulk),
            Attributes = row.GetBytes(Columns.InstanceAttributes),
            DerivedMetadata = row.Text(Columns.DerivedMetadata), DerivedFrames = row.Text(Columns.DerivedFrames), DerivedBulk = row.Text(Columns.DerivedBulk),
        };
    }

    private static string ETagPart(string etag) => string.Concat(etag.Where(char.IsAsciiLetterOrDigit));
}
