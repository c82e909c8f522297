using System.Globalization;
using System.Text.Json;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Matching;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Search;

/// <summary>Reads the series and instances of studies for one search, and counts what that costs.</summary>
internal sealed class SearchLevels(ArchiveStores stores, QidoQuery query, int maxStudies)
{
    /// <summary>Instance rows that one search reads; the study in which that happens is read to its end.</summary>
    public const int MaxInstances = 20_000;

    private int studies, instances;

    /// <summary>Whether a search has done the work that one request may cause.</summary>
    public bool IsSpent => studies >= maxStudies || instances >= MaxInstances;

    /// <summary>All of a study's series in order, or the one of the resource's path.</summary>
    public async Task<List<(NumberedUid Order, JsonElement Attributes)>> SeriesAsync(Uid study, CancellationToken cancellationToken)
    {
        studies++;
        var found = new List<(NumberedUid Order, JsonElement Attributes)>();
        var rows = new TableQuery { PartitionKey = study.Value, RowKeyFrom = Layout.AllSeriesRows.From, RowKeyBefore = Layout.AllSeriesRows.Before };
        if (query.Series is { } only) rows = rows with { RowKeyFrom = Layout.SeriesRowKey(only), RowKeyBefore = Layout.SeriesRowKey(only) + "!" };
        await foreach (var row in stores.Instances.RowsAsync(rows, cancellationToken))
        {
            var state = SeriesState.FromRow(row);
            found.Add((new NumberedUid(NumberOf(state.Attributes.First(Tags.SeriesNumber)), state.Series), Parse(StudyAnswer.Of(study, state))));
        }
        found.Sort((a, b) => a.Order.CompareTo(b.Order));
        return found;
    }

    /// <summary>The instances of a series in order.</summary>
    public async Task<List<(NumberedUid Order, InstanceState Row)>> InstancesAsync(Uid study, Uid series, bool withMetadata, CancellationToken cancellationToken)
    {
        var (from, before) = Layout.InstanceRows(series);
        if (query.Level == QidoLevel.Instance && query.Matches.FirstOrDefault(match => match.Path is [var tag] && tag == Tags.SOPInstanceUID && !match.IsUniversal) is { Values: [var sop] })
            (from, before) = (Layout.InstanceRowKey(new InstanceName(series, Uid.Parse(sop))), Layout.InstanceRowKey(new InstanceName(series, Uid.Parse(sop))) + "!");
        IReadOnlyList<string> columns = withMetadata ? ["TS", .. InstanceState.AttributeColumns, .. InstanceState.MetadataColumns] : ["ET", "IN", "TS", .. InstanceState.AttributeColumns];
        var found = new List<(NumberedUid Order, InstanceState Row)>();
        await foreach (var row in stores.Instances.RowsAsync(new TableQuery { PartitionKey = study.Value, RowKeyFrom = from, RowKeyBefore = before, Select = columns }, cancellationToken))
        {
            instances++;
            var state = InstanceState.FromRow(row);
            found.Add((new NumberedUid(state.InstanceNumber ?? long.MaxValue, state.Name.Sop), state));
        }
        found.Sort((a, b) => a.Order.CompareTo(b.Order));
        return found;
    }

    /// <summary>An instance's attributes. Those of study and series are theirs, so that a key and its value come from one place.</summary>
    public async Task<JsonElement> AttributesAsync(InstanceState row, bool withMetadata, CancellationToken cancellationToken)
    {
        if (!withMetadata) return Parse(row.Attributes!);
        var json = RowBytes.Decompress(row.Metadata ?? await stores.Derived.ReadAllAsync(row.DerivedMetadata!, cancellationToken));
        return Parse(MetadataAttributes.ToObject(MetadataAttributes.All(json).Where(pair => KeyLevels.IsInstance(pair.Key) || !(KeyLevels.IsStudy(pair.Key) || KeyLevels.IsSeries(pair.Key)))));
    }

    /// <summary>Whether the keys need more of an instance than is kept beside its metadata.</summary>
    public static bool NeedMetadata(IEnumerable<AttributeMatch> matches) => matches.Any(match => !KeyLevels.IsInstance(match.Path[0]));

    /// <summary>The first series or instance of a study that meets all of these keys, with what was looked at; null if none does.</summary>
    public async Task<IReadOnlyList<JsonElement>?> FindAsync(
        Uid study, IReadOnlyList<(NumberedUid Order, JsonElement Attributes)> series, IReadOnlyList<AttributeMatch> ofSeries, IReadOnlyList<AttributeMatch> ofInstance, CancellationToken cancellationToken)
    {
        var withMetadata = NeedMetadata(ofInstance);
        foreach (var (order, attributes) in series)
        {
            if (!ofSeries.All(match => match.Matches(attributes, query.Fuzzy))) continue;
            if (ofInstance.Count == 0) return [attributes];
            foreach (var (_, row) in await InstancesAsync(study, order.Uid, withMetadata, cancellationToken))
            {
                var instance = await AttributesAsync(row, withMetadata, cancellationToken);
                if (ofInstance.All(match => match.Matches(instance, query.Fuzzy))) return [attributes, instance];
            }
        }
        return null;
    }

    /// <summary>A DICOM JSON object.</summary>
    public static JsonElement Parse(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json, AttributeJson.DocumentOptions);
        return document.RootElement.Clone();
    }

    private static long NumberOf(string? text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : long.MaxValue;
}
