using System.Runtime.CompilerServices;
using System.Text.Json;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Matching;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Search;

/// <summary>A study that may match.</summary>
/// <param name="NewestFirst">Its place in the order of answers.</param>
/// <param name="Study">Its UID.</param>
/// <param name="Answer">Its full answer as DICOM JSON.</param>
internal sealed record StudyCandidate(string NewestFirst, Uid Study, byte[] Answer);

/// <summary>
/// Finds studies through the most selective of the query's keys, in the order of answers: newest first, then by UID. What a key cannot decide is left to the
/// match on the full answer.
/// </summary>
/// <param name="stores">Where they are.</param>
/// <param name="queryTags">Configured attributes whose pointers are complete.</param>
internal sealed class StudyCandidates(ArchiveStores stores, IReadOnlyList<QueryTag> queryTags)
{
    /// <summary>A value with more pointers than this is not selective: then the studies themselves are scanned, newest first.</summary>
    private const int MaxPointers = 2_000;

    /// <summary>How many studies one search looks at.</summary>
    public const int MaxScanned = 20_000;

    // Pointers of a selective value that are read at most, those outside the dates asked for included.
    private const int MaxReadPointers = 2 * MaxPointers;

    // What is read at a time has nothing to do with how many results are wanted: most of it may not match. Studies are a page of one request, pointers two
    // rounds of requests.
    private const int ScanPage = 200, HydratePage = 2 * Concurrently.StorageOperations;

    private static readonly (string Key, Tag Tag)[] TextKeys =
    [
        (SearchClaims.PatientName, Tags.PatientName), (SearchClaims.ReferringPhysicianName, Tags.ReferringPhysicianName),
        (SearchClaims.StudyDescription, Tags.StudyDescription),
        (SearchClaims.PatientId, Tags.PatientID), (SearchClaims.AccessionNumber, Tags.AccessionNumber), (SearchClaims.StudyId, Tags.StudyID),
    ];

    /// <summary>Set when <see cref="MaxScanned"/> was reached before the end.</summary>
    public bool IsIncomplete { get; private set; }

    public async IAsyncEnumerable<StudyCandidate> FindAsync(QidoQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var matches = query.Matches.Where(match => match.Path.Count == 1 && match.Creators[0] is null && !match.IsUniversal && !match.IsEmptyMatch)
            .ToDictionary(match => match.Path[0]);
        var days = StudyDays.Of(matches.GetValueOrDefault(Tags.StudyDate)?.Range);
        var pointers = await PointersAsync(query, matches, days, cancellationToken);
        if (query.After is { } after) pointers = pointers?.FindAll(pointer => after.IsBefore(pointer.NewestFirst, pointer.Study));
        var found = pointers is not null ? HydrateAsync(pointers.ToAsyncEnumerable(), cancellationToken)
            : ModalitiesOf(query, matches) is { } modalities ? OfModalitiesAsync(modalities, days, query.After, cancellationToken)
            : ScanAsync(days, query.After, MaxScanned, cancellationToken);
        var seen = new HashSet<Uid>();
        await foreach (var candidate in found) if (seen.Add(candidate.Study)) yield return candidate;
    }

    // The studies that the most selective key points to, in order; null if no key is selective.
    private async Task<List<(string NewestFirst, Uid Study)>?> PointersAsync(QidoQuery query, Dictionary<Tag, AttributeMatch> matches, StudyDays? days,
        CancellationToken cancellationToken)
    {
        var uids = query.Study is { } one ? [one.Value] : matches.GetValueOrDefault(Tags.StudyInstanceUID)?.Values;
        if (uids is not null) return await FromStudiesAsync(uids.Select(Uid.Parse), cancellationToken);
        var series = query.Series is { } only ? [only.Value] : matches.GetValueOrDefault(Tags.SeriesInstanceUID)?.Values;
        if (series is not null) return await FromStudiesAsync(
            await StudiesOfAsync(stores.Keys, series.Select(uid => (SearchClaims.Series, uid + ":")), cancellationToken), cancellationToken);
        var sops = matches.GetValueOrDefault(Tags.SOPInstanceUID)?.Values;
        if (sops is not null) return await FromStudiesAsync(await StudiesOfUidsAsync(sops, cancellationToken), cancellationToken);
        foreach (var (key, tag) in TextKeys.OrderByDescending(item => IsExact(matches.GetValueOrDefault(item.Tag), item.Key)))
        {
            if (!matches.TryGetValue(tag, out var match) || RangesOf(key, match, query.Fuzzy) is not { } ranges) continue;
            if (await ReadPointersAsync(ranges, days, cancellationToken) is { } found) return found;
        }
        foreach (var tag in queryTags)
        {
            if (query.Matches.FirstOrDefault(tag.IsOf)?.As(tag.Vr) is not { IsUniversal: false, IsEmptyMatch: false } match
                || RangesOf(tag, match, query.Fuzzy) is not { } ranges) continue;
            if (await ReadPointersAsync(ranges, days, cancellationToken) is { } found) return found;
        }
        return null;
    }

    private static IReadOnlyList<string>? ModalitiesOf(QidoQuery query, Dictionary<Tag, AttributeMatch> matches)
    {
        var modalities = matches.GetValueOrDefault(Tags.ModalitiesInStudy) ?? (query.Level == QidoLevel.Study ? null
            : matches.GetValueOrDefault(Tags.Modality));
        return modalities is null || modalities.Patterns.Any(pattern => pattern.HasWildcards) ? null
            : [.. modalities.Values.Select(value => SearchText.Key(value)).Distinct()];
    }

    private static bool IsExact(AttributeMatch? match, string key) =>
        match is not null && (key is SearchClaims.PatientId or SearchClaims.AccessionNumber or SearchClaims.StudyId)
            && !match.Patterns.Any(pattern => pattern.HasWildcards);

    // The key ranges in which every match has a pointer; null if there are none, because a value is too short or too open.
    private static List<(string Partition, string From, string Before)>? RangesOf(string key, AttributeMatch match, bool fuzzy)
    {
        var isId = key is SearchClaims.PatientId or SearchClaims.AccessionNumber or SearchClaims.StudyId;
        if (TextRanges(key, match, isId, fuzzy) is not { } ranges) return null;
        // A whole identifier of this length has all its pointers.
        if (isId && ranges.TrueForAll(range => range.Item2.EndsWith(':') && range.Item2.Length <= SearchClaims.MaxFullyListed)) return ranges;
        // Values with too many words to have them all listed are candidates for everything.
        ranges.Add((key, SearchClaims.Overflow + ":", SearchClaims.Overflow + ";"));
        return ranges;
    }

    // The same of a configured attribute: dates and date-times by their days, numbers and identifiers as they are, texts by words.
    private static List<(string Partition, string From, string Before)>? RangesOf(QueryTag tag, AttributeMatch match, bool fuzzy)
    {
        List<(string Partition, string From, string Before)>? ranges;
        if (match.Range is { } dates) ranges = tag.Vr is Vr.DA or Vr.DT ? [(tag.KeyName, dates.Days.From, dates.Days.To + "~")] : null;
        // Of a name any group may match, of other texts the whole value.
        else if (tag.Vr == Vr.PN || match.Patterns.Any(pattern => pattern.HasWildcards)) ranges = TextRanges(tag.KeyName, match, !tag.HasWords, fuzzy);
        else ranges = [.. match.Values.Select(value => (tag.KeyName, tag.KeyOf(value) + ":", tag.KeyOf(value) + ";"))];
        ranges?.Add((tag.KeyName, SearchClaims.Overflow + ":", SearchClaims.Overflow + ";"));
        return ranges;
    }

    private static List<(string Partition, string From, string Before)>? TextRanges(string key, AttributeMatch match, bool isId, bool fuzzy)
    {
        var ranges = new List<(string, string, string)>();
        foreach (var pattern in match.Patterns)
        {
            // A piece inside a word needs the suffixes, which start three characters before its end, or at any escaped character.
            var usable = pattern.KeyFragments(!isId, fuzzy)
                .Where(fragment => fragment.AtStart || fragment.Text.Length >= SearchText.MinSuffix || fragment.Text.StartsWith('~'));
            if (usable.OrderByDescending(fragment => fragment.IsWhole).ThenByDescending(fragment => fragment.Text.Length)
                .FirstOrDefault() is not { Text: { } text } best) return null;
            ranges.Add(best.IsWhole ? (key, text + ":", text + ";") : (key, text, SearchText.Before(text)));
        }
        return ranges.Count == 0 ? null : ranges;
    }

    private async Task<List<(string NewestFirst, Uid Study)>?> ReadPointersAsync(
        IReadOnlyList<(string Partition, string From, string Before)> ranges, StudyDays? days, CancellationToken cancellationToken)
    {
        var found = new HashSet<(string, Uid)>();
        var read = 0;
        foreach (var (partition, from, before) in ranges)
        {
            var query = new TableQuery { PartitionKey = partition, RowKeyFrom = from, RowKeyBefore = before, Select = [Columns.SchemaVersion] };
            await foreach (var row in stores.Keys.RowsAsync(query, cancellationToken))
            {
                if (SearchClaims.TryReadPointer(row.RowKey, out var newestFirst, out var study)
                    && days?.Contains(newestFirst) != false) found.Add((newestFirst, study));
                if (found.Count > MaxPointers || ++read > MaxReadPointers) return null;
            }
        }
        return InOrder(found);
    }

    // A frequent modality fills the page from the newest studies, in one request; a rare one is followed through its pointers, which are in the order of
    // answers.
    private async IAsyncEnumerable<StudyCandidate> OfModalitiesAsync(
        IReadOnlyList<string> modalities, StudyDays? days, SearchPlace? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var scanned = 0;
        await foreach (var candidate in ScanAsync(days, after, ScanPage, cancellationToken))
        {
            scanned++;
            after = new SearchPlace(candidate.NewestFirst, candidate.Study);
            yield return candidate;
        }
        if (scanned < ScanPage) yield break;
        var streams = modalities.Select(modality => ModalityPointersAsync(modality, days, after, cancellationToken).GetAsyncEnumerator(cancellationToken))
            .ToList();
        try
        {
            await foreach (var candidate in HydrateAsync(MergeAsync(streams), cancellationToken)) yield return candidate;
        }
        finally
        {
            foreach (var stream in streams) await stream.DisposeAsync();
        }
    }

    private async IAsyncEnumerable<(string NewestFirst, Uid Study)> ModalityPointersAsync(
        string modality, StudyDays? days, SearchPlace? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // No character of a UID comes before it.
        var from = after is null ? days?.Newest : $"{after.NewestFirst}:{after.Study}{(after.Series is null ? "!" : "")}";
        var query = new TableQuery
        {
            PartitionKey = SearchClaims.ModalityPrefix + modality, RowKeyFrom = from, RowKeyBefore = days is null ? null
                : days.Oldest + ";", PageSize = ScanPage, Select = [Columns.SchemaVersion],
        };
        await foreach (var row in stores.Keys.RowsAsync(query, cancellationToken))
            if (SearchClaims.TryReadPointer(row.RowKey, out var newestFirst, out var study)) yield return (newestFirst, study);
    }

    private async IAsyncEnumerable<(string NewestFirst, Uid Study)> MergeAsync(List<IAsyncEnumerator<(string NewestFirst, Uid Study)>> streams)
    {
        var open = new List<IAsyncEnumerator<(string NewestFirst, Uid Study)>>();
        foreach (var stream in streams) if (await stream.MoveNextAsync()) open.Add(stream);
        for (var given = 0; open.Count > 0; given++)
        {
            if (IsIncomplete = given == MaxScanned) yield break;
            var next = InOrder(open.Select(stream => stream.Current))[0];
            yield return next;
            foreach (var stream in open.Where(stream => stream.Current == next).ToArray())
                if (!await stream.MoveNextAsync()) open.Remove(stream);
        }
    }

    private async Task<List<(string NewestFirst, Uid Study)>> FromStudiesAsync(IEnumerable<Uid> studies, CancellationToken cancellationToken)
    {
        var rows = await Concurrently.SelectAsync(studies.Distinct().ToArray(), study =>
            stores.Instances.GetAsync(study.Value, Layout.StudyRowKey, null, cancellationToken));
        return InOrder(rows.OfType<TableRow>().Select(StudyState.FromRow).Where(state => state.Instances > 0).Select(state =>
        {
            answers[state.Study] = StudyAnswer.Of(state);
            return (SearchText.NewestFirst(state.Attributes.First(Tags.StudyDate), state.Attributes.First(Tags.StudyTime)), state.Study);
        }));
    }

    private readonly Dictionary<Uid, byte[]> answers = [];

    private static async Task<List<Uid>> StudiesOfAsync(ITable table, IEnumerable<(string Partition, string Prefix)> prefixes,
        CancellationToken cancellationToken)
    {
        var studies = new List<Uid>();
        foreach (var (partition, prefix) in prefixes)
        {
            await foreach (var row in table.RowsAsync(
                new TableQuery { PartitionKey = partition, RowKeyFrom = prefix, RowKeyBefore = SearchText.Before(prefix), Select = [Columns.SchemaVersion] },
                cancellationToken))
                if (Uid.TryParse(row.RowKey.AsSpan(row.RowKey.LastIndexOf(':') + 1), out var study)) studies.Add(study);
        }
        return studies;
    }

    private async Task<List<Uid>> StudiesOfUidsAsync(IEnumerable<string> sops, CancellationToken cancellationToken)
    {
        var studies = new List<Uid>();
        foreach (var sop in sops)
        {
            var query = new TableQuery { PartitionKey = Layout.UidPartition(Uid.Parse(sop)), RowKeyFrom = sop + ":", RowKeyBefore = sop + ";",
                Select = [Columns.SchemaVersion] };
            await foreach (var row in stores.Uids.RowsAsync(query, cancellationToken))
                if (Layout.TryParseUidRowKey(row.RowKey, out var key)) studies.Add(key.Study);
        }
        return studies;
    }

    private static List<(string NewestFirst, Uid Study)> InOrder(IEnumerable<(string NewestFirst, Uid Study)> found) =>
        [.. found.Distinct().OrderBy(item => item.NewestFirst, StringComparer.Ordinal).ThenBy(item => item.Study)];

    private async IAsyncEnumerable<StudyCandidate> HydrateAsync(IAsyncEnumerable<(string NewestFirst, Uid Study)> pointers,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var part in pointers.Chunk(HydratePage).WithCancellation(cancellationToken))
        {
            foreach (var candidate in await Concurrently.SelectAsync(part, async pointer =>
            {
                if (answers.TryGetValue(pointer.Study, out var answer)) return new StudyCandidate(pointer.NewestFirst, pointer.Study, answer);
                var (partition, rowKey) = SearchClaims.StudyRow(pointer.NewestFirst, pointer.Study);
                var row = await stores.Studies.GetAsync(partition, rowKey, null, cancellationToken);
                // A pointer that nothing answers to is on its way in or out.
                return row is null ? null : new StudyCandidate(pointer.NewestFirst, pointer.Study, row.GetBytes(Columns.Attributes)!);
            }))
                if (candidate is not null) yield return candidate;
        }
    }

    private async IAsyncEnumerable<StudyCandidate> ScanAsync(StudyDays? days, SearchPlace? after, int most,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var scanned = 0;
        foreach (var query in ScanQueries(days, after))
        {
            await foreach (var row in stores.Studies.RowsAsync(query with { PageSize = ScanPage }, cancellationToken))
            {
                if (scanned++ == most)
                {
                    IsIncomplete = most == MaxScanned;
                    yield break;
                }
                var colon = row.RowKey.IndexOf(':', StringComparison.Ordinal);
                if (colon < 0 || !Uid.TryParse(row.RowKey.AsSpan(colon + 1), out var study)) continue;
                var newestFirst = (row.PartitionKey == "none" ? "999999" : row.PartitionKey) + row.RowKey[..colon];
                yield return new StudyCandidate(newestFirst, study, row.GetBytes(Columns.Attributes)!);
            }
        }
    }

    // The rows of the days, from the place on: the rest of its partition, then the partitions behind it.
    private static IEnumerable<TableQuery> ScanQueries(StudyDays? days, SearchPlace? after)
    {
        var (partition, row) = after is null ? (null, null) : SearchClaims.StudyRow(after.NewestFirst, after.Study);
        if (after is { Series: null }) row += "!"; // no character of a UID comes before it
        if (days is not null && days.Newest[..6] == days.Oldest[..6])
        {
            var from = days.Newest[6..8];
            yield return new TableQuery { PartitionKey = days.Newest[..6], RowKeyFrom = row is not null && string.CompareOrdinal(row, from) > 0 ? row
                : from, RowKeyBefore = days.Oldest[6..8] + "~" };
            yield break;
        }
        if (partition is not null) yield return new TableQuery { PartitionKey = partition, RowKeyFrom = row };
        yield return new TableQuery { PartitionKeyFrom = partition is null ? days?.Newest[..6] : partition + "!", PartitionKeyBefore = days is null ? null
            : days.Oldest[..6] + "!" };
    }

    // The days asked for, as studies are ordered by them: inverted, so that the newest is the lowest.
    private sealed record StudyDays(string Newest, string Oldest)
    {
        public static StudyDays? Of(DateTimeRange? range)
        {
            if (range is null) return null;
            var (first, last) = range.Days;
            return new StudyDays(SearchText.NewestFirst(Bounded(last), "235959.999999"), SearchText.NewestFirst(Bounded(first), null));
        }

        public bool Contains(string newestFirst) => string.CompareOrdinal(newestFirst, Newest) >= 0 && string.CompareOrdinal(newestFirst, Oldest) <= 0;

        // An open end of a range reaches as far as dates go.
        private static string Bounded(string day) => day switch { "00000000" => "00010101", "99999999" => "99991231", _ => day };
    }
}
