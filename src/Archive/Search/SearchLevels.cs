using System.Globalization;
using System.Runtime.CompilerServices;
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

    private static readonly string[] WithoutMetadata = [Columns.BlobETag, Columns.InstanceNumber, Columns.SchemaVersion, Columns.TransferSyntax,
        .. InstanceState.AttributeColumns];
    private static readonly string[] WithMetadata = [Columns.TransferSyntax, .. InstanceState.AttributeColumns, .. InstanceState.MetadataColumns];

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
    /// <param name="study">The study.</param>
    /// <param name="series">The series.</param>
    /// <param name="after">The instance behind which to go on; null for the beginning.</param>
    /// <param name="only">The one instance of interest; null for all.</param>
    /// <param name="withMetadata">Whether more is needed than what is kept apart from the metadata.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async IAsyncEnumerable<(NumberedUid Order, InstanceState Row)> InstancesAsync(
        Uid study, Uid series, NumberedUid? after, Uid? only, bool withMetadata, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var range = only is { } sop ? Layout.InstanceRow(new InstanceName(series, sop)) : Layout.InstanceRows(series);
        var listing = await InstanceListing.ReadAsync(study, stores.Instances, range, withMetadata ? WithMetadata : WithoutMetadata, (a, b) =>
            OrderOf(a).CompareTo(OrderOf(b)), cancellationToken);
        instances += listing.Rows.Count;
        if (after is { } place) listing = listing.Where(row => OrderOf(row).CompareTo(place) > 0);
        await foreach (var row in listing.RowsAsync(cancellationToken)) yield return (OrderOf(row), row);
    }

    /// <summary>An instance's attributes: all of them that its metadata holds, or those that are kept apart from it.</summary>
    public async Task<JsonElement> AttributesAsync(Uid study, InstanceState row, bool withMetadata, CancellationToken cancellationToken)
    {
        if (!withMetadata && row.SchemaVersion >= Layout.SchemaVersion) return Parse(row.Attributes!);
        if (!withMetadata)
        {
            // An older row does not keep all of them apart.
            var whole = await stores.Instances.GetAsync(study.Value, Layout.InstanceRowKey(row.Name), InstanceState.MetadataColumns, cancellationToken);
            if (whole is null) return Parse(row.Attributes!);
            row = InstanceState.FromRow(whole);
        }
        var json = RowBytes.Decompress(row.Metadata ?? await stores.Derived.ReadAllAsync(row.DerivedMetadata!, cancellationToken));
        var attributes = withMetadata ? MetadataAttributes.All(json) : MetadataAttributes.Extract(json, IndexedAttributes.Instance)[0];
        return Parse(MetadataAttributes.ToObject(attributes));
    }

    /// <summary>Whether the keys need more of an instance than is kept beside its metadata.</summary>
    public static bool NeedMetadata(IEnumerable<AttributeMatch> matches) => matches.Any(match => !KeyLevels.IsInstance(match.Path[0]));

    /// <summary>The first series or instance of a study that meets all of these keys, with what was looked at; null if none does.</summary>
    public async Task<IReadOnlyList<JsonElement>?> FindAsync(
        Uid study, IReadOnlyList<(NumberedUid Order, JsonElement Attributes)> series, IReadOnlyList<AttributeMatch> ofSeries,
        IReadOnlyList<AttributeMatch> ofInstance, CancellationToken cancellationToken)
    {
        var withMetadata = NeedMetadata(ofInstance);
        foreach (var (order, attributes) in series)
        {
            if (!ofSeries.All(match => match.Matches(attributes, query.Fuzzy))) continue;
            if (ofInstance.Count == 0) return [attributes];
            // All of the series' instances, whichever of them the search returns.
            await foreach (var (_, row) in InstancesAsync(study, order.Uid, null, null, withMetadata, cancellationToken))
            {
                var instance = await AttributesAsync(study, row, withMetadata, cancellationToken);
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

    private static NumberedUid OrderOf(InstanceState row) => new(row.InstanceNumber ?? long.MaxValue, row.Name.Sop);

    private static long NumberOf(string? text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : long.MaxValue;
}
