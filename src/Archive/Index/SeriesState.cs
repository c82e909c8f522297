using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Index;

/// <summary>A series' row (<c>e:{series}</c>).</summary>
internal sealed class SeriesState(Uid study, Uid series)
{
    // A code string has 16 characters; whatever stands there instead becomes a key and a counter of the study.
    private const int MaxModality = 64;

    public Uid Series => series;

    /// <summary>Null while there is no row.</summary>
    public string? ETag { get; set; }

    public int Instances { get; set; }

    public SourcedAttributes Attributes { get; private init; } = new();

    public string? Modality => Attributes.First(Tags.Modality) is { Length: > MaxModality } text ? text[..MaxModality] : Attributes.First(Tags.Modality);

    /// <summary>Whether the rows say the same, whatever their versions.</summary>
    public bool IsSame(SeriesState other) => Instances == other.Instances && Attributes.ToJson().AsSpan().SequenceEqual(other.Attributes.ToJson());

    public SeriesState Copy() => new(study, series) { ETag = ETag, Instances = Instances, Attributes = Attributes.Copy() };

    public TableRow ToRow()
    {
        var row = new TableRow(study.Value, Layout.SeriesRowKey(series)) { [Columns.SchemaVersion] = Layout.SchemaVersion, [Columns.Instances] = Instances };
        row.SetBytes(Columns.Attributes, RowBytes.Compress(Attributes.ToJson()));
        return row;
    }

    public static SeriesState FromRow(TableRow row) => new(Uid.Parse(row.PartitionKey), Uid.Parse(row.RowKey[2..]))
    {
        ETag = row.ETag, Instances = (int)(row.Number(Columns.Instances) ?? 0),
        Attributes = SourcedAttributes.Parse(RowBytes.Decompress(row.GetBytes(Columns.Attributes)!)),
    };
}
