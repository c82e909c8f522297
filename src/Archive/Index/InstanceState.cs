using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Index;

/// <summary>An instance's row (<c>i:{series}:{sop}</c>).</summary>
internal sealed class InstanceState
{
    /// <summary>Above this a row's large values go to <c>derived</c>. Bytes; a row holds 1 MiB.</summary>
    public const int SpillBytes = 900 * 1024;

    /// <summary>The columns that settling needs of a row that is there.</summary>
    public static readonly string[] SettleColumns = ["ET", "L", "H", "SC", "TS", "DM", "DF", "DB", "SV"];

    /// <summary>The columns that hold the attributes kept apart from the metadata.</summary>
    public static readonly string[] AttributeColumns = [.. RowBytes.Names("IA", SpillBytes)];

    /// <summary>The columns that hold metadata.</summary>
    public static readonly string[] MetadataColumns = ["ET", "IN", "SV", "DM", .. RowBytes.Names("M", SpillBytes)];

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
            ["SV"] = Layout.SchemaVersion, ["ET"] = blobETag, ["L"] = content.Length, ["H"] = content.DataSetHash, ["SC"] = content.SopClassUid,
            ["TS"] = content.TransferSyntaxUid, ["O"] = content.DataSetOffset, ["IN"] = content.InstanceNumber, ["RT"] = content.Received,
        };
        if (content.IsDeflated) row["FL"] = true;
        row.SetBytes("IA", content.InstanceAttributes);

        var spilled = new List<(string, byte[])>();
        long size = content.InstanceAttributes.Length + (content.Metadata.Length + (long)(content.Frames?.Length ?? 0) + (content.Bulk?.Length ?? 0));
        foreach (var (column, bytes) in new[] { ("M", content.Metadata), ("F", content.Frames), ("B", content.Bulk) }.Where(part => part.Item2 is not null).OrderByDescending(part => part.Item2!.Length))
        {
            if (size <= SpillBytes)
            {
                row.SetBytes(column, bytes!);
                continue;
            }
            // Design, rule 9: the name carries the hash of what it comes from. The blob's ETag is in it too, so that two versions never share one.
            var name = $"{Layout.SeriesPrefix(content.Key.Study, content.Key.Series)}{content.Key.Sop}/{content.DataSetHash[..16]}-{ETagPart(blobETag)}.{column}";
            row["D" + column] = name;
            spilled.Add((name, bytes!));
            size -= bytes!.Length;
        }
        return (row, spilled);
    }

    public static InstanceState FromRow(TableRow row)
    {
        if (!Layout.TryParseInstanceRowKey(row.RowKey, out var name)) throw new InvalidDataException("An index row has a key that is none.");
        return new InstanceState
        {
            Name = name, SchemaVersion = row.Number("SV") ?? 0, BlobETag = row.Text("ET")!, Length = row.Number("L") ?? 0, DataSetHash = row.Text("H") ?? "", SopClassUid = row.Text("SC") ?? "",
            TransferSyntaxUid = row.Text("TS") ?? "", DataSetOffset = row.Number("O") ?? 0, IsDeflated = row["FL"] is true, InstanceNumber = row.Number("IN"), Received = row.Number("RT") ?? 0,
            Metadata = row.GetBytes("M"), Frames = row.GetBytes("F"), Bulk = row.GetBytes("B"), Attributes = row.GetBytes("IA"),
            DerivedMetadata = row.Text("DM"), DerivedFrames = row.Text("DF"), DerivedBulk = row.Text("DB"),
        };
    }

    private static string ETagPart(string etag) => string.Concat(etag.Where(char.IsAsciiLetterOrDigit));
}
