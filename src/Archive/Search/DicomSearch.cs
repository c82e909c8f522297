using System.Globalization;
using System.Text.Json;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Matching;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Search;

/// <summary>The results of a search.</summary>
/// <param name="Results">DICOM JSON objects, in the order of answers.</param>
/// <param name="HasMore">Whether there are further results behind these.</param>
/// <param name="IsIncomplete">Whether the search stopped at the bound of work that one request may cause, so that matches may be missing.</param>
public sealed record SearchAnswer(IReadOnlyList<byte[]> Results, bool HasMore, bool IsIncomplete);

/// <summary>
/// Searches studies, series and instances (PS3.18 10.6). Order: studies newest first by date and time, then by UID; series by number, then UID; instances by number, then
/// UID; each within what it belongs to.
/// </summary>
public sealed class DicomSearch
{
    // Studies that a search of series or instances over all studies opens before it gives up.
    private const int MaxOpenedStudies = 2_000;

    private readonly ArchiveStores stores;
    private readonly ArchiveOptions options;

    internal DicomSearch(ArchiveStores stores, ArchiveOptions options) => (this.stores, this.options) = (stores, options);

    /// <summary>Runs a search.</summary>
    /// <param name="query">What is searched.</param>
    /// <param name="baseUrl">The public URL of the service's root, without a slash at its end, for RetrieveURL.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    public async Task<SearchAnswer> SearchAsync(QidoQuery query, string baseUrl, CancellationToken cancellationToken)
    {
        var collector = new ResultCollector(query.Offset, Math.Min(query.Limit ?? options.MaxResults, options.MaxResults));
        var shape = new ResultShape(query, baseUrl);
        if (collector.IsFull) return new SearchAnswer([], false, false);
        var candidates = new StudyCandidates(stores);
        var opened = 0;
        var isIncomplete = false;
        await foreach (var candidate in candidates.FindAsync(query, collector.Wanted, cancellationToken))
        {
            using var study = JsonDocument.Parse(candidate.Answer, AttributeJson.DocumentOptions);
            if (query.Level == QidoLevel.Study)
            {
                if (query.Matches.All(match => match.Matches(study.RootElement, query.Fuzzy))) collector.Add(() => shape.Make($"/studies/{candidate.Study}", study.RootElement));
            }
            else
            {
                if (!MayHold(query, study.RootElement)) continue;
                if (++opened > MaxOpenedStudies)
                {
                    isIncomplete = true;
                    break;
                }
                await SearchSeriesAsync(query, candidate.Study, study.RootElement, shape, collector, cancellationToken);
            }
            if (collector.HasMore) break;
        }
        return new SearchAnswer(collector.Results, collector.HasMore, isIncomplete || candidates.IsIncomplete);
    }

    // What the study's own row can decide about its series and instances: its attributes, and whether it has the modality at all.
    private static bool MayHold(QidoQuery query, JsonElement study) =>
        query.Matches.Where(match => IndexedAttributes.Study.AsSpan().BinarySearch(match.Path[0]) >= 0 && IndexedAttributes.Series.AsSpan().BinarySearch(match.Path[0]) < 0
            && study.TryGetProperty(match.Path[0].ToString(), out _) && query.Level == QidoLevel.Series).All(match => match.Matches(study, query.Fuzzy));

    private async Task SearchSeriesAsync(QidoQuery query, Uid study, JsonElement studyAttributes, ResultShape shape, ResultCollector collector, CancellationToken cancellationToken)
    {
        var series = new List<(long Number, SeriesState State)>();
        var rows = new TableQuery { PartitionKey = study.Value, RowKeyFrom = "e:", RowKeyBefore = Layout.SeriesRowsBefore };
        if (query.Series is { } only) rows = rows with { RowKeyFrom = Layout.SeriesRowKey(only), RowKeyBefore = Layout.SeriesRowKey(only) + "!" };
        await foreach (var row in stores.Instances.RowsAsync(rows, cancellationToken))
        {
            var state = SeriesState.FromRow(row);
            series.Add((NumberOf(state.Attributes.First(Tags.SeriesNumber)), state));
        }
        foreach (var (_, state) in series.OrderBy(item => item.Number).ThenBy(item => item.State.Series))
        {
            using var attributes = JsonDocument.Parse(StudyAnswer.Of(study, state), AttributeJson.DocumentOptions);
            if (query.Level == QidoLevel.Instance) await SearchInstancesAsync(query, study, state.Series, studyAttributes, attributes.RootElement, shape, collector, cancellationToken);
            else if (Matches(query, attributes.RootElement, studyAttributes)) collector.Add(() => shape.Make($"/studies/{study}/series/{state.Series}", studyAttributes, attributes.RootElement));
            if (collector.HasMore) return;
        }
    }

    private async Task SearchInstancesAsync(
        QidoQuery query, Uid study, Uid series, JsonElement studyAttributes, JsonElement seriesAttributes, ResultShape shape, ResultCollector collector, CancellationToken cancellationToken)
    {
        // Attributes beyond those kept apart need the whole metadata of each instance.
        var needsMetadata = query.IncludeAll || query.Include.Any(tag => tag != Tags.AvailableTransferSyntaxUID && IndexedAttributes.Instance.AsSpan().BinarySearch(tag) < 0
            && !studyAttributes.TryGetProperty(tag.ToString(), out _) && !seriesAttributes.TryGetProperty(tag.ToString(), out _));
        var (from, before) = Layout.InstanceRows(series);
        if (query.Matches.FirstOrDefault(match => match.Path is [var tag] && tag == Tags.SOPInstanceUID && !match.IsUniversal) is { Values: [var sop] })
            (from, before) = (Layout.InstanceRowKey(new InstanceName(series, Uid.Parse(sop))), Layout.InstanceRowKey(new InstanceName(series, Uid.Parse(sop))) + "!");
        IReadOnlyList<string> columns = needsMetadata ? ["IA", "TS", .. InstanceState.MetadataColumns] : ["ET", "IN", "IA", "TS"];
        var rows = new List<InstanceState>();
        await foreach (var row in stores.Instances.RowsAsync(new TableQuery { PartitionKey = study.Value, RowKeyFrom = from, RowKeyBefore = before, Select = columns }, cancellationToken)) rows.Add(InstanceState.FromRow(row));
        foreach (var row in rows.OrderBy(row => row.InstanceNumber ?? long.MaxValue).ThenBy(row => row.Name.Sop))
        {
            using var attributes = JsonDocument.Parse(needsMetadata ? await MetadataAsync(row, cancellationToken) : row.Attributes, AttributeJson.DocumentOptions);
            if (Matches(query, attributes.RootElement, seriesAttributes, studyAttributes))
                collector.Add(() => shape.Make(row.TransferSyntaxUid, $"/studies/{study}/series/{series}/instances/{row.Name.Sop}", studyAttributes, seriesAttributes, attributes.RootElement));
            if (collector.HasMore) return;
        }
    }

    private async Task<byte[]> MetadataAsync(InstanceState row, CancellationToken cancellationToken)
    {
        var json = RowBytes.Decompress(row.Metadata ?? await stores.Derived.ReadAllAsync(row.DerivedMetadata!, cancellationToken));
        return MetadataAttributes.ToObject(MetadataAttributes.All(json));
    }

    // A key is matched at the level that has its attribute, the most special first.
    private static bool Matches(QidoQuery query, params ReadOnlySpan<JsonElement> levels)
    {
        foreach (var match in query.Matches)
        {
            var isMatch = match.IsUniversal;
            foreach (var level in levels)
            {
                if (isMatch) break;
                if (!level.TryGetProperty(match.Path[0].ToString(), out _)) continue;
                isMatch = match.Matches(level, query.Fuzzy);
                break;
            }
            if (!isMatch) return false;
        }
        return true;
    }

    private static long NumberOf(string? text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : long.MaxValue;

    // The page: passes over the offset, keeps up to the limit, and one more only to know that there is one.
    private sealed class ResultCollector(int offset, int limit)
    {
        private int matched;

        public List<byte[]> Results { get; } = [];
        public bool HasMore { get; private set; }
        public bool IsFull => limit == 0;
        public int Wanted => (int)Math.Min((long)offset + limit + 1, 200);

        public void Add(Func<byte[]> make)
        {
            if (matched++ < offset) return;
            if (Results.Count < limit) Results.Add(make());
            else HasMore = true;
        }
    }
}
