using System.Text.Json;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Matching;

namespace DicomServerless.Archive.Search;

/// <summary>The results of a search.</summary>
/// <param name="Results">DICOM JSON objects, in the order of answers.</param>
/// <param name="HasMore">Whether there are further results behind these, or may be.</param>
/// <param name="IsIncomplete">Whether the search stopped at the bound of work that one request may cause; what lies behind comes with the next page.</param>
/// <param name="Next">Where the next page goes on; null at the end.</param>
/// <param name="Unready">Whether a key is a configured attribute whose pointers are still being built, so that studies were looked at one by one.</param>
public sealed record SearchAnswer(IReadOnlyList<byte[]> Results, bool HasMore, bool IsIncomplete, SearchPlace? Next, bool Unready);

/// <summary>
/// Searches studies, series and instances (PS3.18 10.6). Order: studies newest first by date and time, then by UID; series by number, then UID; instances by
/// number, then UID; each within what it belongs to.
/// </summary>
public sealed class DicomSearch
{
    private readonly ArchiveStores stores;
    private readonly ArchiveOptions options;
    private readonly QueryTagBuild tags;

    internal DicomSearch(ArchiveStores stores, ArchiveOptions options, QueryTagBuild tags) => (this.stores, this.options, this.tags) = (stores, options, tags);

    /// <summary>Runs a search.</summary>
    /// <param name="query">What is searched.</param>
    /// <param name="baseUrl">The public URL of the service's root, without a slash at its end, for RetrieveURL.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    public async Task<SearchAnswer> SearchAsync(QidoQuery query, string baseUrl, CancellationToken cancellationToken)
    {
        var page = new Page(query.After?.Skip ?? query.Offset, Math.Min(query.Limit ?? options.MaxResults, options.MaxResults));
        if (page.IsFull) return new SearchAnswer([], false, false, null, false);
        var asked = options.QueryTags.Where(tag => query.Matches.Any(match => !match.IsUniversal && tag.IsOf(match))).ToArray();
        var ready = asked.Length == 0 ? new HashSet<string>() : await tags.ReadyAsync(cancellationToken);
        var candidates = new StudyCandidates(stores, [.. asked.Where(tag => ready.Contains(tag.Id))]);
        var run = new Run(query, new KeyLevels(query, options.QueryTags), new SearchLevels(stores, query, options.MaxOpenedStudies),
            new ResultShape(query, baseUrl), page);
        SearchPlace? last = null;
        var isSpent = false;
        await foreach (var candidate in candidates.FindAsync(query, cancellationToken))
        {
            if (isSpent = run.Levels.IsSpent) break;
            await run.LookAtAsync(candidate, cancellationToken);
            if (page.HasMore) break;
            last = new SearchPlace(candidate.NewestFirst, candidate.Study);
        }
        var isIncomplete = (isSpent || candidates.IsIncomplete) && !page.HasMore;
        return new SearchAnswer(page.Results, page.HasMore || isIncomplete, isIncomplete, page.HasMore ? page.Last : isIncomplete && last is not null
            ? last with { Skip = page.Skip } : null, asked.Any(tag => !ready.Contains(tag.Id)));
    }

    // One search on its way.
    private sealed record Run(QidoQuery Query, KeyLevels Keys, SearchLevels Levels, ResultShape Shape, Page Page)
    {
        public async Task LookAtAsync(StudyCandidate candidate, CancellationToken cancellationToken)
        {
            var study = SearchLevels.Parse(candidate.Answer);
            if (!All(Keys.Study, study)) return;
            if (Query.Level == QidoLevel.Study)
            {
                IReadOnlyList<JsonElement>? below = [];
                if (Keys.Series.Count + Keys.Instance.Count > 0)
                    below = await Levels.FindAsync(candidate.Study, await Levels.SeriesAsync(candidate.Study, cancellationToken), Keys.Series, Keys.Instance,
                        cancellationToken);
                if (below is not null) Page.Add(new SearchPlace(candidate.NewestFirst, candidate.Study), () =>
                    Shape.Make($"/studies/{candidate.Study}", [study], below));
                return;
            }
            await LookAtSeriesAsync(candidate, study, cancellationToken);
        }

        private async Task LookAtSeriesAsync(StudyCandidate candidate, JsonElement study, CancellationToken cancellationToken)
        {
            var after = Query.After is { Series: not null } place && place.Study == candidate.Study && place.NewestFirst == candidate.NewestFirst ? place
                : null;
            var all = await Levels.SeriesAsync(candidate.Study, cancellationToken);
            IReadOnlyList<JsonElement>? ofStudy = Keys.InStudy.Count == 0 ? []
                : await Levels.FindAsync(candidate.Study, all, [], Keys.InStudy, cancellationToken);
            if (ofStudy is null) return;
            foreach (var (order, series) in all)
            {
                if (after is not null && order.CompareTo(after.Series!.Value) is var compared
                    && (compared < 0 || (compared == 0 && after.Instance is null))) continue;
                if (!All(Keys.Series, series)) continue;
                var here = new SearchPlace(candidate.NewestFirst, candidate.Study, order);
                if (Query.Level == QidoLevel.Instance) await LookAtInstancesAsync(here, after?.Series == order ? after.Instance
                    : null, study, series, ofStudy, cancellationToken);
                else
                {
                    IReadOnlyList<JsonElement>? below = Keys.Instance.Count == 0 ? []
                        : await Levels.FindAsync(candidate.Study, [(order, series)], [], Keys.Instance, cancellationToken);
                    if (below is not null) Page.Add(here, () =>
                        Shape.Make($"/studies/{candidate.Study}/series/{order.Uid}", [study, series], [.. ofStudy, .. below]));
                }
                if (Page.HasMore) return;
            }
        }

        private async Task LookAtInstancesAsync(SearchPlace here, NumberedUid? after, JsonElement study, JsonElement series,
            IReadOnlyList<JsonElement> ofStudy, CancellationToken cancellationToken)
        {
            var uid = here.Series!.Value.Uid;
            IReadOnlyList<JsonElement>? ofSeries = Keys.InSeries.Count == 0 ? []
                : await Levels.FindAsync(here.Study, [(here.Series.Value, series)], [], Keys.InSeries, cancellationToken);
            if (ofSeries is null) return;
            // Attributes beyond those kept apart need the whole metadata of each instance; so do those of study and series, as the object itself has them.
            var withMetadata = Query.IncludeAll || Query.Study is null
                || Query.Include.Any(tag => tag != Tags.AvailableTransferSyntaxUID && !KeyLevels.IsInstance(tag) && KeyLevels.IsOwn(tag));
            await foreach (var (order, row) in Levels.InstancesAsync(here.Study, uid, after, SopAskedFor(), withMetadata, cancellationToken))
            {
                var instance = await Levels.AttributesAsync(here.Study, row, withMetadata, cancellationToken);
                if (All(Keys.Instance, instance))
                {
                    Page.Add(here with { Instance = order }, () => Shape.Make(
                        $"/studies/{here.Study}/series/{uid}/instances/{order.Uid}", [study, series, instance], [.. ofStudy, .. ofSeries],
                        row.TransferSyntaxUid, isOwn: withMetadata));
                }
                if (Page.HasMore) return;
            }
        }

        private Uid? SopAskedFor() =>
            Query.Matches.FirstOrDefault(match => match.Path is [var tag] && tag == Tags.SOPInstanceUID && !match.IsUniversal) is { Values: [var sop] }
                ? Uid.Parse(sop) : null;

        private bool All(IEnumerable<AttributeMatch> matches, JsonElement attributes) => matches.All(match => match.Matches(attributes, Query.Fuzzy));
    }

    // The page: passes over the offset, keeps up to the limit, and one more only to know that there is one.
    private sealed class Page(int offset, int limit)
    {
        private int matched;

        public List<byte[]> Results { get; } = [];
        public SearchPlace? Last { get; private set; }
        public bool HasMore { get; private set; }
        public bool IsFull => limit == 0;
        public int Skip => Math.Max(0, offset - matched);

        public void Add(SearchPlace place, Func<byte[]> make)
        {
            if (matched++ < offset) return;
            if (Results.Count < limit)
            {
                Results.Add(make());
                Last = place;
            }
            else HasMore = true;
        }
    }
}
