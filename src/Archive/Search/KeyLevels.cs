using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Matching;

namespace DicomServerless.Archive.Search;

/// <summary>
/// A search's keys by where they are decided: on the rows of the study and the series, which hold their attributes, or on the metadata of instances. A key of
/// a lower level than the resource matches what has a series or an instance that it matches; a configured attribute of a higher level is decided on the study
/// or series as a whole.
/// </summary>
internal sealed class KeyLevels
{
    private static readonly Tag[] StudyComputed = [Tags.ModalitiesInStudy, Tags.SOPClassesInStudy, Tags.StudyInstanceUID, Tags.NumberOfStudyRelatedSeries,
        Tags.NumberOfStudyRelatedInstances];
    private static readonly Tag[] SeriesComputed = [Tags.SeriesInstanceUID, Tags.NumberOfSeriesRelatedInstances];

    public KeyLevels(QidoQuery query, IReadOnlyList<QueryTag> queryTags)
    {
        foreach (var match in query.Matches.Where(match => !match.IsUniversal))
        {
            var tag = match.Path[0];
            // What an instance's own object says decides, where instances are searched: it may say something else than the study or series as a whole.
            if (query.Level == QidoLevel.Instance && IsOwn(tag) && (IsSeries(tag) || IsStudy(tag))) Instance.Add(match);
            else if (IsSeries(tag) && (query.Level != QidoLevel.Study || !IsStudy(tag))) Series.Add(match);
            else if (IsStudy(tag)) Study.Add(match);
            else
            {
                var level = queryTags.FirstOrDefault(configured => configured.IsOf(match))?.Level ?? QidoLevel.Instance;
                (level >= query.Level ? Instance : level == QidoLevel.Study ? InStudy : InSeries).Add(match);
            }
        }
    }

    /// <summary>Decided on the study's row.</summary>
    public List<AttributeMatch> Study { get; } = [];

    /// <summary>Decided on a series' row.</summary>
    public List<AttributeMatch> Series { get; } = [];

    /// <summary>Decided on an instance's metadata.</summary>
    public List<AttributeMatch> Instance { get; } = [];

    /// <summary>Decided on any instance of the study, though the resource is lower.</summary>
    public List<AttributeMatch> InStudy { get; } = [];

    /// <summary>Decided on any instance of the series, though instances are searched.</summary>
    public List<AttributeMatch> InSeries { get; } = [];

    /// <summary>Whether an attribute is held in the study's row.</summary>
    public static bool IsStudy(Tag tag) => IndexedAttributes.Study.AsSpan().BinarySearch(tag) >= 0 || StudyComputed.Contains(tag);

    /// <summary>Whether an attribute is held in series rows.</summary>
    public static bool IsSeries(Tag tag) => IndexedAttributes.Series.AsSpan().BinarySearch(tag) >= 0 || SeriesComputed.Contains(tag);

    /// <summary>Whether an attribute is one that objects have themselves; others name a study or series, or are worked out of what belongs to it.</summary>
    public static bool IsOwn(Tag tag) => !StudyComputed.Contains(tag) && !SeriesComputed.Contains(tag);

    /// <summary>Whether an attribute is held in instance rows beside the metadata.</summary>
    public static bool IsInstance(Tag tag) => IndexedAttributes.Instance.AsSpan().BinarySearch(tag) >= 0;
}
