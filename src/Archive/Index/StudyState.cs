using System.Buffers;
using System.Text.Json;
using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Index;

/// <summary>A study's own row (<c>s</c>).</summary>
internal sealed class StudyState(Uid study)
{
    public Uid Study => study;

    /// <summary>Null while there is no row.</summary>
    public string? ETag { get; set; }

    /// <summary>Grows with every commit, even over a delete (docs/design.md, "The index").</summary>
    public long Version { get; set; }

    /// <summary>Instances; 0 is a tombstone.</summary>
    public int Instances { get; set; }

    /// <summary>Series with instances.</summary>
    public int SeriesCount { get; set; }

    public SourcedAttributes Attributes { get; private init; } = new();

    /// <summary>Modality → number of series that have it.</summary>
    public SortedDictionary<string, int> Modalities { get; private init; } = new(StringComparer.Ordinal);

    /// <summary>SOP Class UID → number of instances of it.</summary>
    public SortedDictionary<string, int> SopClasses { get; private init; } = new(StringComparer.Ordinal);

    /// <summary>The search rows that the study has now (see <see cref="SearchClaims"/>).</summary>
    public SortedSet<string> Claims { get; private init; } = new(StringComparer.Ordinal);

    /// <summary>Search rows that it had and whose removal is not confirmed.</summary>
    public SortedSet<string> OldClaims { get; private init; } = new(StringComparer.Ordinal);

    /// <summary>What its instances have of the configured attributes.</summary>
    public QueryTagValues QueryValues { get; private init; } = new();

    /// <summary>The patients that its instances name.</summary>
    public StudyPatients Patients { get; private init; } = new();

    public StudyState Copy() => new(study)
    {
        ETag = ETag, Version = Version, Instances = Instances, SeriesCount = SeriesCount, Attributes = Attributes.Copy(),
        Modalities = new(Modalities, StringComparer.Ordinal), SopClasses = new(SopClasses, StringComparer.Ordinal),
        Claims = new(Claims, StringComparer.Ordinal), OldClaims = new(OldClaims, StringComparer.Ordinal),
        QueryValues = QueryValues.Copy(), Patients = Patients.Copy(),
    };

    /// <summary>Adds to a counter; a counter at 0 goes.</summary>
    public static void Count(SortedDictionary<string, int> counters, string? name, int change)
    {
        if (string.IsNullOrEmpty(name)) return;
        var count = counters.GetValueOrDefault(name) + change;
        if (count <= 0) counters.Remove(name);
        else counters[name] = count;
    }

    public TableRow ToRow()
    {
        var row = new TableRow(study.Value, Layout.StudyRowKey)
        {
            [Columns.SchemaVersion] = Layout.SchemaVersion,
            [Columns.Version] = Version,
            [Columns.Instances] = Instances,
            [Columns.Series] = SeriesCount,
        };
        row.SetBytes(Columns.Attributes, RowBytes.Compress(Attributes.ToJson()));
        row.SetBytes(Columns.Counters, RowBytes.Compress(WriteRest()));
        return row;
    }

    public static StudyState FromRow(TableRow row)
    {
        var state = new StudyState(Uid.Parse(row.PartitionKey))
        {
            ETag = row.ETag, Version = row.Number(Columns.Version) ?? 0, Instances = (int)(row.Number(Columns.Instances) ?? 0),
            SeriesCount = (int)(row.Number(Columns.Series) ?? 0),
            Attributes = SourcedAttributes.Parse(RowBytes.Decompress(row.GetBytes(Columns.Attributes)!)),
        };
        state.ReadRest(RowBytes.Decompress(row.GetBytes(Columns.Counters)!));
        return state;
    }

    private byte[] WriteRest()
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, AttributeJson.WriterOptions))
        {
            writer.WriteStartObject();
            WriteCounters(writer, "modalities", Modalities);
            WriteCounters(writer, "classes", SopClasses);
            WriteSet(writer, "claims", Claims);
            WriteSet(writer, "old", OldClaims);
            QueryValues.Write(writer, "values");
            Patients.Write(writer, "patients");
            writer.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteCounters(Utf8JsonWriter writer, string name, SortedDictionary<string, int> counters)
    {
        writer.WriteStartObject(name);
        foreach (var (key, count) in counters) writer.WriteNumber(key, count);
        writer.WriteEndObject();
    }

    private static void WriteSet(Utf8JsonWriter writer, string name, SortedSet<string> set)
    {
        writer.WriteStartArray(name);
        foreach (var item in set) writer.WriteStringValue(item);
        writer.WriteEndArray();
    }

    private void ReadRest(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        foreach (var counter in document.RootElement.GetProperty("modalities").EnumerateObject()) Modalities[counter.Name] = counter.Value.GetInt32();
        foreach (var counter in document.RootElement.GetProperty("classes").EnumerateObject()) SopClasses[counter.Name] = counter.Value.GetInt32();
        foreach (var item in document.RootElement.GetProperty("claims").EnumerateArray()) Claims.Add(item.GetString()!);
        foreach (var item in document.RootElement.GetProperty("old").EnumerateArray()) OldClaims.Add(item.GetString()!);
        if (document.RootElement.TryGetProperty("values", out var values)) QueryValues.Read(values);
        // A row of version 1 has none; the first object of another patient makes them known.
        if (document.RootElement.TryGetProperty("patients", out var patients)) Patients.Read(patients);
        else if (StudyPatients.IdIn([.. Attributes.All.Select(attribute => KeyValuePair.Create(attribute.Tag, attribute.Json))]) is { } id)
            Patients.Add(id, 0, Attributes.SourceOf(Tags.PatientID)!.Value);
    }
}
