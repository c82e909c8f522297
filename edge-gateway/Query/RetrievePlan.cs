using System.Net;
using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>One instance that a retrieve is to send.</summary>
/// <param name="Key">Its UIDs.</param>
/// <param name="SopClass">SOP Class UID.</param>
/// <param name="TransferSyntax">As it is stored; null where the archive does not say.</param>
/// <param name="Waiting">Where it waits in the spool; null where the archive has it.</param>
internal sealed record RetrieveItem(InstanceKey Key, Uid SopClass, Uid? TransferSyntax, WaitingInstance? Waiting);

/// <summary>What a C-MOVE or C-GET asks for, resolved to instances: of the archive, and of the spool where they still wait (their latest version).</summary>
internal sealed class RetrievePlan
{
    private readonly Dictionary<string, RetrieveItem> items = new(StringComparer.Ordinal);

    private RetrievePlan() { }

    /// <summary>The instances, in the order in which series and instances were found.</summary>
    public IReadOnlyCollection<RetrieveItem> Items => items.Values;

    /// <summary>Whether whole series are wanted, so that they can be fetched in one request each.</summary>
    public bool TakesWholeSeries { get; private init; }

    /// <summary>Why the archive could not be asked; null if it answered.</summary>
    public ArchiveException? Failure { get; private set; }

    /// <summary>Resolves an identifier.</summary>
    public static async Task<RetrievePlan> ResolveAsync(Identifier identifier, ArchiveClient? archive,
        WaitingObjects waiting, string destination, CancellationToken cancellationToken)
    {
        var plan = new RetrievePlan { TakesWholeSeries = identifier.Level != QueryLevel.Image };
        // Before the archive is asked: what is sent in between is then in both.
        // It reads files, so the caller must be able to tell the peer in the meantime that the work goes on.
        var (inSpool, unreadable) = await Task.Run(() => WaitingOf(identifier, waiting, destination, cancellationToken), cancellationToken);
        plan.Failure = unreadable;
        if (archive is null) plan.Failure = new ArchiveException("This AE has no archive to ask.");
        else
        {
            try
            {
                await plan.AddArchivedAsync(identifier, archive, cancellationToken);
            }
            catch (ArchiveException exception)
            {
                plan.Failure = exception;
            }
        }
        foreach (var instance in inSpool)
            plan.items[instance.Key.Sop.Value] = new RetrieveItem(instance.Key, instance.Description.SopClass, instance.Description.TransferSyntax, instance);
        return plan;
    }

    private async Task AddArchivedAsync(Identifier identifier, ArchiveClient archive, CancellationToken cancellationToken)
    {
        Tag[] include = identifier.Level == QueryLevel.Patient
            ? [Tags.SOPClassUID, Tags.AvailableTransferSyntaxUID, Tags.PatientID] : [Tags.SOPClassUID, Tags.AvailableTransferSyntaxUID];
        var (series, sops) = (identifier.Uids(Tags.SeriesInstanceUID), identifier.Uids(Tags.SOPInstanceUID));
        var studies = identifier.Uids(Tags.StudyInstanceUID);
        var owned = new Dictionary<string, bool>(StringComparer.Ordinal);
        if (identifier.Level == QueryLevel.Patient)
        {
            await AddFromOtherStudiesAsync(identifier, archive, include, cancellationToken);
            owned = await StudiesOfAsync(identifier, archive, cancellationToken);
            if (owned.Count == 0) return;
            studies = [.. owned.Keys];
        }
        foreach (var study in studies.Count > 0 ? studies : [""])
        {
            foreach (var oneSeries in identifier.Level >= QueryLevel.Series && series.Count > 0 ? series : [""])
            {
                List<KeyValuePair<string, string>> keys = [];
                if (identifier.Level == QueryLevel.Image && sops.Count > 0) keys.Add(new(Tags.SOPInstanceUID.ToString(), string.Join(',', sops)));
                var resource = (study, oneSeries) switch
                {
                    ("", _) => "instances",
                    (_, "") => $"studies/{study}/instances",
                    _ => $"studies/{study}/series/{oneSeries}/instances",
                };
                if (study.Length == 0 && oneSeries.Length > 0) keys.Add(new(Tags.SeriesInstanceUID.ToString(), oneSeries));
                if (resource == "instances" && keys.Count == 0)
                    throw new ArchiveException("The request names nothing to retrieve.", HttpStatusCode.BadRequest);
                await foreach (var found in archive.SearchAsync(resource, keys, include, false, cancellationToken))
                {
                    // A study may hold objects of other patients by mistake. Where the server does not say whose an object is, it is the study's patient's.
                    if (identifier.Level != QueryLevel.Patient
                        || (found.GetString(Tags.PatientID) is { Length: > 0 } patient ? patient == identifier.PatientId : owned[study]))
                        Add(found, study, oneSeries);
                }
            }
        }
    }

    // Objects of a patient in studies of others, where the server finds objects by their own Patient ID.
    private async Task AddFromOtherStudiesAsync(Identifier identifier, ArchiveClient archive, Tag[] include, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var found in archive.SearchAsync("instances", PatientKeys(identifier), include, false, cancellationToken))
                if (found.GetString(Tags.PatientID) == identifier.PatientId) Add(found, "", "");
        }
        catch (ArchiveException exception) when (exception.Status is HttpStatusCode.NotImplemented
            or (>= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError and not (HttpStatusCode.Unauthorized or HttpStatusCode.RequestTimeout
                or HttpStatusCode.TooManyRequests)))
        {
            // Not every server searches all instances, or as broadly as this.
        }
    }

    private static List<KeyValuePair<string, string>> PatientKeys(Identifier identifier) =>
        identifier.Parameters.Where(key => key.Key == Tags.PatientID.ToString() || key.Key == Tags.IssuerOfPatientID.ToString()).ToList();

    // The studies with objects of one patient, found by the ID, and by its issuer where that is given; and whether the study itself is that patient's. Servers
    // may compare more loosely than that, so what they find is compared again, study by study and object by object.
    private static async Task<Dictionary<string, bool>> StudiesOfAsync(Identifier identifier, ArchiveClient archive, CancellationToken cancellationToken)
    {
        var studies = new Dictionary<string, bool>(StringComparer.Ordinal);
        await foreach (var study in archive.SearchAsync("studies", PatientKeys(identifier), [Tags.PatientID], false, cancellationToken))
            if (study.TryGetUid(Tags.StudyInstanceUID, out var uid)) studies[uid.Value] = study.GetString(Tags.PatientID) == identifier.PatientId;
        return studies;
    }

    // What the path says need not come back in the result.
    private void Add(DataSet found, string study, string series)
    {
        if (!found.TryGetUid(Tags.SOPInstanceUID, out var sop) || !found.TryGetUid(Tags.SOPClassUID, out var sopClass)) return;
        if (!found.TryGetUid(Tags.StudyInstanceUID, out var studyUid) && !Uid.TryParse(study, out studyUid)) return;
        if (!found.TryGetUid(Tags.SeriesInstanceUID, out var seriesUid) && !Uid.TryParse(series, out seriesUid)) return;
        Uid? syntax = found.TryGetUid(Tags.AvailableTransferSyntaxUID, out var stored) ? stored : null;
        items.TryAdd(sop.Value, new RetrieveItem(new InstanceKey(studyUid, seriesUid, sop), sopClass, syntax, null));
    }

    private static (List<WaitingInstance> Found, ArchiveException? Failure) WaitingOf(Identifier identifier, WaitingObjects waiting, string destination,
        CancellationToken cancellationToken)
    {
        ArchiveException? failure = null;
        var (studies, series, sops) = (identifier.Uids(Tags.StudyInstanceUID), identifier.Uids(Tags.SeriesInstanceUID), identifier.Uids(Tags.SOPInstanceUID));
        var found = new List<WaitingInstance>();
        foreach (var study in waiting.Studies(destination))
        {
            if (identifier.Level > QueryLevel.Patient && studies.Count > 0 && !studies.Contains(study)) continue;
            var instances = waiting.OfStudy(destination, study, out var unreadable, cancellationToken);
            failure ??= unreadable;
            found.AddRange(instances.Where(instance => (identifier.Level > QueryLevel.Patient || IsOfPatient(identifier, instance.Description.Patient))
                && (identifier.Level < QueryLevel.Series || series.Count == 0 || series.Contains(instance.Key.Series.Value))
                && (identifier.Level < QueryLevel.Image || sops.Count == 0 || sops.Contains(instance.Key.Sop.Value))));
        }
        return (found, failure);
    }

    private static bool IsOfPatient(Identifier identifier, PatientKey patient)
    {
        if (patient.Id != identifier.PatientId) return false;
        // An object that names no issuer may be anybody's.
        var issuer = identifier.Matches.Find(match => match.Path is [var tag] && tag == Tags.IssuerOfPatientID);
        return issuer is null || issuer.Patterns.Any(pattern => pattern.Matches(patient.Issuer, false));
    }
}
