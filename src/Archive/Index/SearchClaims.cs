using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Index;

/// <summary>
/// The search rows that a study has. A claim is the text <c>st|{partition}|{row}</c> for its row in <c>studies</c>, or <c>k|{key}|{value}|{newest first}</c>
/// for its pointer rows in <c>keys</c>, which follow from the claim alone. The study's own row lists its claims. The row of an instance in <c>uids</c> and
/// the pointer of a series are claimed by their own rows; only once those are gone does the study's row list them, as <c>i|{series}|{sop}</c> and
/// <c>e|{series}</c>, until their removal is confirmed.
/// </summary>
internal static class SearchClaims
{
    public const string PatientId = "pid", PatientName = "pn", AccessionNumber = "acc", StudyId = "sid", ReferringPhysicianName = "rpn",
        StudyDescription = "desc", ModalityPrefix = "mod:", Series = "series", QueryWords = "qt:", QueryValues = "qv:";

    /// <summary>A value with more words and suffixes than one batch holds has a row with this value; every search of the key looks at those too.</summary>
    public const string Overflow = "!";

    private const int MaxRows = 98;

    /// <summary>An identifier up to this length, in escaped characters, never overflows: it has at most as many suffixes as characters.</summary>
    public const int MaxFullyListed = 90;

    private static readonly (string Key, Tag Tag)[] Keys =
    [
        (PatientId, Tags.PatientID), (PatientName, Tags.PatientName), (AccessionNumber, Tags.AccessionNumber), (StudyId, Tags.StudyID),
        (ReferringPhysicianName, Tags.ReferringPhysicianName), (StudyDescription, Tags.StudyDescription),
    ];

    /// <summary>The claims of a study as it is; none for a tombstone.</summary>
    public static IEnumerable<string> Of(StudyState study)
    {
        if (study.Instances == 0) yield break;
        var newestFirst = SearchText.NewestFirst(study.Attributes.First(Tags.StudyDate), study.Attributes.First(Tags.StudyTime));
        var (partition, row) = StudyRow(newestFirst, study.Study);
        yield return $"st|{partition}|{row}";
        foreach (var (key, tag) in Keys)
        {
            if (study.Attributes.Json(tag) is not { } json) continue;
            // A multi-valued attribute has one claim a value; the first few are what people search by.
            foreach (var value in AttributeJson.Texts(json).Take(8))
                if (SearchText.Key(value) is { Length: > 0 } escaped) yield return $"k|{key}|{escaped}|{newestFirst}";
        }
        // An object of another patient is found by its own Patient ID, where instances are searched.
        foreach (var id in study.Patients.Ids)
            if (SearchText.Key(id) is { Length: > 0 } escaped) yield return $"k|{PatientId}|{escaped}|{newestFirst}";
        foreach (var modality in study.Modalities.Keys)
            if (SearchText.Key(modality) is { Length: > 0 } escaped) yield return $"k|{ModalityPrefix}{escaped}||{newestFirst}";
        foreach (var (key, value) in study.QueryValues.Pointed) yield return $"k|{key}|{value}|{newestFirst}";
    }

    /// <summary>The keys of a study's row in <c>studies</c>.</summary>
    public static (string Partition, string Row) StudyRow(string newestFirst, Uid study) =>
        (newestFirst.StartsWith("99999999", StringComparison.Ordinal) ? "none" : newestFirst[..6], $"{newestFirst[6..]}:{study}");

    /// <summary>The former claim of an instance that is gone.</summary>
    public static string OfInstance(InstanceName name) => $"i|{name.Series}|{name.Sop}";

    /// <summary>The former claim of a series that is gone.</summary>
    public static string OfSeries(Uid series) => $"e|{series}";

    /// <summary>The instances among some claims.</summary>
    public static IEnumerable<InstanceName> Instances(IEnumerable<string> claims) =>
        claims.Select(claim => claim.Split('|')).Where(parts => parts[0] == "i").Select(parts => new InstanceName(Uid.Parse(parts[1]), Uid.Parse(parts[2])));

    /// <summary>The series among some claims.</summary>
    public static IEnumerable<Uid> SeriesOf(IEnumerable<string> claims) =>
        claims.Select(claim => claim.Split('|')).Where(parts => parts[0] == "e").Select(parts => Uid.Parse(parts[1]));

    /// <summary>Reads a claim of a row in <c>studies</c>.</summary>
    public static bool TryStudyRow(string claim, out string partition, out string row)
    {
        var parts = claim.Split('|');
        (partition, row) = parts[0] == "st" ? (parts[1], parts[2]) : ("", "");
        return parts[0] == "st";
    }

    /// <summary>The pointer rows of a claim in <c>keys</c>: all in one partition, at most 98.</summary>
    public static IReadOnlyList<(string Partition, string Row)> Pointers(string claim, Uid study)
    {
        var parts = claim.Split('|');
        if (parts[0] != "k") return [];
        var (key, value, newestFirst) = (parts[1], parts[2], parts[3]);
        if (key.StartsWith(ModalityPrefix, StringComparison.Ordinal)) return [(key, $"{newestFirst}:{study}")];

        if (value == Overflow) return [(key, $"{value}:{newestFirst}:{study}")];

        // The whole value and whole words end in ':', suffixes in '!:', so that an exact search does not meet the suffixes of longer values.
        var values = new SortedSet<string>(StringComparer.Ordinal) { value };
        if (key is PatientId or AccessionNumber or StudyId
            || key.StartsWith(QueryValues, StringComparison.Ordinal)) values.UnionWith(SearchText.Suffixes(value).Select(suffix => suffix + "!"));
        else
        {
            foreach (var word in SearchText.Words(value))
            {
                values.Add(word);
                values.UnionWith(SearchText.Suffixes(word).Select(suffix => suffix + "!"));
            }
        }
        var overflow = values.Count > MaxRows || value.Length + 5 > SearchText.MaxKeyLength;
        var kept = overflow ? values.Take(MaxRows - 1).Append(Overflow) : values;
        return [.. kept.Select(text => (key, $"{text}:{newestFirst}:{study}"))];
    }

    /// <summary>The pointer of a series, which its own row claims.</summary>
    public static (string Partition, string Row) SeriesPointer(Uid series, Uid study) => (Series, $"{series}:{study}");

    /// <summary>Reads the order and the study at the end of a pointer's key.</summary>
    public static bool TryReadPointer(string rowKey, out string newestFirst, out Uid study)
    {
        newestFirst = "";
        study = default;
        var last = rowKey.LastIndexOf(':');
        if (last < 20 || !Uid.TryParse(rowKey.AsSpan(last + 1), out study)) return false;
        newestFirst = rowKey[(last - 20)..last];
        return true;
    }

    /// <summary>The insert-or-replace writes for some pointers, in batches of one partition each.</summary>
    public static IEnumerable<TableWrite[]> Upserts(IEnumerable<(string Partition, string Row)> pointers) =>
        pointers.Distinct().GroupBy(pointer => pointer.Partition)
            .SelectMany(partition =>
                partition.Select(pointer => TableWrite.Upsert(new TableRow(pointer.Partition, pointer.Row))).Chunk(TableRowSize.MaxBatchWrites));
}
