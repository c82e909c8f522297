using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Matching;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>
/// One search over the archive and what still waits in the spool. Results of the archive come first, as its pages arrive; where objects of the same study or
/// series wait, counts and modalities are those of both together. If the archive cannot answer, what waits is given out all the same, and the failure is told
/// at the end.
/// </summary>
internal sealed class QuerySearch(ArchiveClient? archive, WaitingObjects waiting, string destination, string fallbackCharacterSet)
{
    private static readonly Tag[] Computed = [Tags.NumberOfStudyRelatedInstances, Tags.NumberOfStudyRelatedSeries,
        Tags.ModalitiesInStudy, Tags.SOPClassesInStudy, Tags.NumberOfSeriesRelatedInstances];

    private const int MatchesAtOnce = 50;

    private ArchiveException? archiveFailure, spoolFailure;
    private (string Study, Dictionary<string, (string Series, string Modality, string SopClass)> Instances) listed = ("", []);

    /// <summary>
    /// Why the results are not complete, once they are through: the archive could not answer, or files of the spool cannot be read; null if they are complete.
    /// </summary>
    public ArchiveException? Failure => archiveFailure ?? spoolFailure;

    /// <summary>Finds the matches of an identifier.</summary>
    /// <param name="identifier">What is asked for.</param>
    /// <param name="fuzzy">Whether person names match by the beginnings of their words.</param>
    /// <param name="combined">Whether a date and its time are one interval (PS3.4 C.2.2.2.5.3).</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async IAsyncEnumerable<Match> FindAsync(Identifier identifier, bool fuzzy,
        bool combined, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var wanted = identifier.Uids(Tags.StudyInstanceUID);
        var waitingBefore = waiting.Studies(destination).Where(study => wanted.Count == 0 || wanted.Contains(study))
            .ToDictionary(study => study, study => waiting.Count(destination, study), StringComparer.Ordinal);
        var waitingStudies = waitingBefore.Keys.ToHashSet(StringComparer.Ordinal);
        await foreach (var result in ArchiveResultsAsync(identifier, null, fuzzy, cancellationToken))
        {
            var match = new Match(result);
            var name = Name(identifier.Level, match);
            if (!seen.Add(name)) continue; // a patient with several studies; a page that moved
            if (identifier.Level is QueryLevel.Study or QueryLevel.Series && waitingStudies.Contains(match.Text(Tags.StudyInstanceUID)))
                await CountBothAsync(identifier.Level, match, cancellationToken);
            yield return match;
        }
        var keys = combined ? DateTimeRange.Combine(identifier.Matches) : identifier.Matches;
        // Of studies that the archive does not know nothing needs to be counted there; it is asked for many at once.
        foreach (var some in WaitingMatches(identifier, keys, waitingStudies, fuzzy, cancellationToken)
            .Where(match => seen.Add(Name(identifier.Level, match))).Chunk(MatchesAtOnce))
        {
            var archived = identifier.Level is QueryLevel.Study or QueryLevel.Series ? await ArchivedAsync(some, cancellationToken) : [];
            foreach (var match in some)
            {
                if (identifier.Level is QueryLevel.Study or QueryLevel.Series)
                {
                    if (archived.Contains(match.Text(Tags.StudyInstanceUID))) await CountBothAsync(identifier.Level, match, cancellationToken);
                    else Count(identifier.Level, match, [], cancellationToken);
                }
                yield return match;
            }
        }
        // What was sent while the archive answered may be in neither of the two; it is in the archive now.
        foreach (var (study, count) in waitingBefore)
        {
            if (archiveFailure is not null || waiting.Count(destination, study) >= count) continue;
            await foreach (var result in ArchiveResultsAsync(identifier, study, fuzzy, cancellationToken))
            {
                var match = new Match(result);
                if (seen.Add(Name(identifier.Level, match))) yield return match;
            }
        }
    }

    private async IAsyncEnumerable<DataSet> ArchiveResultsAsync(Identifier identifier,
        string? onlyStudy, bool fuzzy, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (archive is null)
        {
            archiveFailure = new ArchiveException("This AE has no archive to ask.");
            yield break;
        }
        var (resource, keys) = Resource(identifier);
        if (onlyStudy is not null && !resource.StartsWith("studies/", StringComparison.Ordinal))
        {
            keys.RemoveAll(key => key.Key == Tags.StudyInstanceUID.ToString());
            keys.Add(new KeyValuePair<string, string>(Tags.StudyInstanceUID.ToString(), onlyStudy));
        }
        await using var results = archive.SearchAsync(resource, keys, identifier.Requested, fuzzy, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await results.MoveNextAsync()) yield break;
            }
            catch (ArchiveException exception)
            {
                archiveFailure = exception;
                yield break;
            }
            yield return results.Current;
        }
    }

    // The resource of the level, with the unique keys in its path where each has one value.
    private static (string Resource, List<KeyValuePair<string, string>> Keys) Resource(Identifier identifier)
    {
        var (study, series) = (identifier.Single(Tags.StudyInstanceUID), identifier.Single(Tags.SeriesInstanceUID));
        var keys = new List<KeyValuePair<string, string>>(identifier.Parameters);
        if (identifier.Level <= QueryLevel.Study) return ("studies", keys);
        var inStudy = study is not null;
        if (inStudy) keys.RemoveAll(key => key.Key == Tags.StudyInstanceUID.ToString());
        if (identifier.Level == QueryLevel.Series) return (inStudy ? $"studies/{study}/series" : "series", Below(keys, inStudy));
        if (!inStudy || series is null) return (inStudy ? $"studies/{study}/instances" : "instances", keys);
        keys.RemoveAll(key => key.Key == Tags.SeriesInstanceUID.ToString());
        return ($"studies/{study}/series/{series}/instances", Below(keys, true));

        // Inside one study the patient's keys are repetition; a server need not know them there.
        static List<KeyValuePair<string, string>> Below(List<KeyValuePair<string, string>> keys, bool inStudy)
        {
            if (inStudy) keys.RemoveAll(key => key.Key == Tags.PatientID.ToString());
            return keys;
        }
    }

    private static string Name(QueryLevel level, Match match) => level switch
    {
        QueryLevel.Patient => match.Text(Tags.PatientID) + "\\" + match.Text(Tags.IssuerOfPatientID),
        QueryLevel.Study => match.Text(Tags.StudyInstanceUID),
        QueryLevel.Series => match.Text(Tags.SeriesInstanceUID),
        _ => match.Text(Tags.SOPInstanceUID),
    };

    private List<WaitingInstance> WaitingOf(string study, CancellationToken cancellationToken)
    {
        var found = waiting.OfStudy(destination, study, out var failure, cancellationToken);
        spoolFailure ??= failure;
        return found;
    }

    private DataSet? HeaderOf(WaitingInstance instance)
    {
        try
        {
            return waiting.HeaderOf(instance.Entry);
        }
        catch (ArchiveException unreadable)
        {
            spoolFailure ??= unreadable;
            return null;
        }
    }

    // Headers of waiting objects that match. At the upper levels one object stands for its series, or for its patient's share of the study.
    private IEnumerable<Match> WaitingMatches(Identifier identifier, IReadOnlyList<AttributeMatch> keys,
        HashSet<string> studies, bool fuzzy, CancellationToken cancellationToken)
    {
        foreach (var study in studies)
        {
            var series = new HashSet<string>(StringComparer.Ordinal);
            var patients = new HashSet<PatientKey>();
            var instances = WaitingOf(study, cancellationToken);
            foreach (var instance in instances)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (identifier.Level == QueryLevel.Series && series.Contains(instance.Key.Series.Value)) continue;
                if (identifier.Level <= QueryLevel.Study && patients.Contains(instance.Description.Patient)) continue;
                if (HeaderOf(instance) is not { } header) continue; // sent in between, or not to be read: the next one stands for them
                series.Add(instance.Key.Series.Value);
                patients.Add(instance.Description.Patient);
                if (!Matches(header, keys, instances, fuzzy)) continue;
                yield return new Match(header);
                if (identifier.Level == QueryLevel.Study) break;
            }
        }
    }

    private bool Matches(DataSet header, IReadOnlyList<AttributeMatch> keys, List<WaitingInstance> instances, bool fuzzy)
    {
        if (keys.Count == 0) return true;
        var json = new ArrayBufferWriter<byte>(4096);
        var fallback = fallbackCharacterSet.Length > 0 ? SpecificCharacterSet.Parse(System.Text.Encoding.ASCII.GetBytes(fallbackCharacterSet)) : null;
        DicomJsonWriter.Write(header, json, new DicomJsonOptions { FallbackCharacterSet = fallback });
        using var document = JsonDocument.Parse(json.WrittenMemory, AttributeJson.DocumentOptions);
        foreach (var match in keys)
        {
            if (match.Path is [var tag] && tag == Tags.ModalitiesInStudy)
            {
                if (!instances.Select(instance => instance.Description.Modality).Distinct()
                    .Any(one => match.Patterns.Any(pattern => pattern.Matches(one, fuzzy))))
                    return false;
            }
            else if (!(match.Path is [var single] && Computed.Contains(single)) && !match.Matches(document.RootElement, fuzzy)) return false;
        }
        return true;
    }

    // Counts of the archive and the spool together: an instance that is in both counts once. The series of a study come one after the other and share its
    // list.
    private async Task CountBothAsync(QueryLevel level, Match match, CancellationToken cancellationToken)
    {
        var study = match.Text(Tags.StudyInstanceUID);
        if (listed.Study != study) listed = (study, await ListAsync(study, cancellationToken));
        Count(level, match, listed.Instances, cancellationToken);
    }

    private async Task<Dictionary<string, (string Series, string Modality, string SopClass)>> ListAsync(string study, CancellationToken cancellationToken)
    {
        var instances = new Dictionary<string, (string Series, string Modality, string SopClass)>(StringComparer.Ordinal);
        if (archive is not null && archiveFailure is null)
        {
            try
            {
                await foreach (var instance in archive.SearchAsync($"studies/{study}/instances", [], [Tags.SOPClassUID, Tags.Modality], false,
                    cancellationToken))
                    instances[instance.GetString(Tags.SOPInstanceUID) ?? ""] =
                        (instance.GetString(Tags.SeriesInstanceUID) ?? "", instance.GetString(Tags.Modality) ?? "", instance.GetString(Tags.SOPClassUID) ?? "");
            }
            catch (ArchiveException exception)
            {
                archiveFailure = exception;
            }
        }
        return instances;
    }

    // Which studies of some matches the archive has anything of; all of them where it cannot say.
    private async Task<HashSet<string>> ArchivedAsync(Match[] matches, CancellationToken cancellationToken)
    {
        var studies = matches.Select(match => match.Text(Tags.StudyInstanceUID)).ToHashSet(StringComparer.Ordinal);
        if (archive is null || archiveFailure is not null) return studies;
        var found = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            KeyValuePair<string, string>[] keys = [new(Tags.StudyInstanceUID.ToString(), string.Join(',', studies))];
            await foreach (var study in archive.SearchAsync("studies", keys, [], false, cancellationToken))
                found.Add(study.GetString(Tags.StudyInstanceUID) ?? "");
            return found;
        }
        catch (ArchiveException exception)
        {
            archiveFailure = exception;
            return studies;
        }
    }

    private void Count(QueryLevel level, Match match, Dictionary<string, (string Series, string Modality, string SopClass)> instances,
        CancellationToken cancellationToken)
    {
        foreach (var waits in WaitingOf(match.Text(Tags.StudyInstanceUID), cancellationToken))
            instances[waits.Key.Sop.Value] = (waits.Key.Series.Value, waits.Description.Modality, waits.Description.SopClass.Value);
        if (level == QueryLevel.Series)
        {
            var series = match.Text(Tags.SeriesInstanceUID);
            Number(match, Tags.NumberOfSeriesRelatedInstances, instances.Values.Count(instance => instance.Series == series));
            return;
        }
        Number(match, Tags.NumberOfStudyRelatedInstances, instances.Count);
        Number(match, Tags.NumberOfStudyRelatedSeries, instances.Values.Select(instance => instance.Series).Distinct().Count());
        match.Set(Tags.ModalitiesInStudy, Vr.CS, Join(instances.Values.Select(instance => instance.Modality)));
        match.Set(Tags.SOPClassesInStudy, Vr.UI, Join(instances.Values.Select(instance => instance.SopClass)));
    }

    private static string Join(IEnumerable<string> values) =>
        string.Join('\\', values.Where(value => value.Length > 0).Distinct().Order(StringComparer.Ordinal));

    private static void Number(Match match, Tag tag, int value) => match.Set(tag, Vr.IS, value.ToString(CultureInfo.InvariantCulture));
}
