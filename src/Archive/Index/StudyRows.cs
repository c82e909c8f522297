using DicomServerless.Dicom;

namespace DicomServerless.Archive.Index;

/// <summary>
/// What a process knows of a study's rows: its own row, and those of the series that it has met. All of it holds as long as the study's ETag does.
/// </summary>
internal sealed class StudyRows(StudyState study)
{
    private readonly Dictionary<Uid, SeriesState> series = [];

    public StudyState Study => study;

    /// <summary>The series' row as far as it is known. Without instances there are no series.</summary>
    public bool TryGetSeries(Uid uid, out SeriesState? state)
    {
        var isKnown = series.TryGetValue(uid, out state);
        return isKnown || study.Instances == 0;
    }

    public void Add(SeriesState state) => series[state.Series] = state;

    /// <summary>These rows after a commit.</summary>
    public StudyRows After(StudyState newStudy, IEnumerable<SeriesState> changed)
    {
        var after = new StudyRows(newStudy);
        if (study.Instances > 0) foreach (var state in series.Values) after.Add(state);
        foreach (var state in changed)
        {
            if (state.Instances > 0) after.Add(state);
            else after.series.Remove(state.Series);
        }
        return after;
    }
}
