using System.Text;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Matching;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>The identifier of a C-FIND, C-MOVE or C-GET request, read (PS3.4 C.4).</summary>
internal sealed class Identifier
{
    // What an identifier says about itself, no keys.
    private static readonly HashSet<Tag> NoKeys = [Tags.QueryRetrieveLevel, Tags.SpecificCharacterSet, Tags.RetrieveAETitle,
        Tags.InstanceAvailability, Tags.TimezoneOffsetFromUTC, Tags.StorageMediaFileSetID, Tags.StorageMediaFileSetUID];

    private Identifier(QueryLevel level) => Level = level;

    /// <summary>The level.</summary>
    public QueryLevel Level { get; }

    /// <summary>What must match; universal keys are not in it.</summary>
    public List<AttributeMatch> Matches { get; } = [];

    /// <summary>The attributes that an answer has, in the order of their tags; keys and what is only asked for.</summary>
    public SortedSet<Tag> Requested { get; } = [];

    /// <summary>The search parameters of the keys: tag, or path of tags, and value as in QIDO.</summary>
    public List<KeyValuePair<string, string>> Parameters { get; } = [];

    /// <summary>Whether there are keys that cannot be matched: private ones and what nobody knows. Answers then say so (FF01).</summary>
    public bool HasUnsupportedKeys { get; private set; }

    /// <summary>The UIDs that a key lists; empty if it is universal.</summary>
    public IReadOnlyList<string> Uids(Tag tag) => Matches.Find(match => match.Path is [var only] && only == tag)?.Values ?? [];

    /// <summary>The single value of a unique key; null if it has none, or several.</summary>
    public string? Single(Tag tag) => Uids(tag) is [var one] ? one : null;

    /// <summary>Reads an identifier.</summary>
    /// <param name="dataSet">The identifier.</param>
    /// <param name="isPatientRoot">Whether the model has the level PATIENT.</param>
    /// <param name="fallback">The character set of text that names none.</param>
    /// <param name="problem">What is wrong, naming the attribute.</param>
    public static Identifier? Read(DataSet dataSet, bool isPatientRoot, SpecificCharacterSet? fallback, out string? problem)
    {
        problem = null;
        QueryLevel? level = dataSet.GetString(Tags.QueryRetrieveLevel)?.Trim() switch
        {
            "PATIENT" when isPatientRoot => QueryLevel.Patient,
            "STUDY" => QueryLevel.Study,
            "SERIES" => QueryLevel.Series,
            "IMAGE" => QueryLevel.Image,
            _ => null,
        };
        if (level is null)
        {
            problem = $"(0008,0052) must be {(isPatientRoot ? "PATIENT, " : "")}STUDY, SERIES or IMAGE";
            return null;
        }
        var identifier = new Identifier(level.Value);
        foreach (var element in dataSet)
        {
            if (NoKeys.Contains(element.Tag) || element.Tag.Element == 0) continue;
            problem = element.IsSequence ? identifier.AddSequence(element, fallback) : identifier.Add([element.Tag], element, fallback);
            if (problem is not null) return null;
        }
        return identifier;
    }

    /// <summary>The one patient that a retrieve at the level PATIENT names; null if it names none, several, or a pattern.</summary>
    public string? PatientId => Matches.Find(match => match.Path is [var only] && only == Tags.PatientID) is
        { Patterns: [{ HasWildcards: false }], Values: [var id] } && !id.Contains('\\', StringComparison.Ordinal) ? id : null;

    /// <summary>
    /// What is wrong with the unique keys of a C-MOVE or C-GET; null if nothing is. Both ways need the unique key of the level, since it is all that says what
    /// to send (PS3.4 C.4.2.2.1, C.4.2.2.2): at PATIENT one Patient ID without wildcards, below it a list of UIDs. The hierarchical way needs those above as
    /// well.
    /// </summary>
    public string? ProblemOfRetrieve(bool isRelational)
    {
        const string OnePatient = "(0010,0020) one Patient ID without wildcards is needed to retrieve at the level PATIENT";
        if (Level == QueryLevel.Patient) return PatientId is null ? OnePatient : null;
        if ((Level == QueryLevel.Study || !isRelational) && Uids(Tags.StudyInstanceUID).Count == 0) return "(0020,000D) Study Instance UID is needed";
        if ((Level == QueryLevel.Series || (Level == QueryLevel.Image && !isRelational)) && Uids(Tags.SeriesInstanceUID).Count == 0)
            return "(0020,000E) Series Instance UID is needed";
        if (Level == QueryLevel.Image && Uids(Tags.SOPInstanceUID).Count == 0) return "(0008,0018) SOP Instance UID is needed";
        return null;
    }

    /// <summary>
    /// What is wrong with the unique keys of a C-FIND: the hierarchical way needs one value of every unique key above the level (PS3.4 C.4.1.2.1). Null if
    /// nothing is.
    /// </summary>
    public string? ProblemOfFind(bool isPatientRoot, bool isRelational)
    {
        if (isRelational) return null;
        if (isPatientRoot && Level > QueryLevel.Patient && Uids(Tags.PatientID).Count == 0 && Uids(Tags.StudyInstanceUID).Count == 0 && !Has(Tags.PatientID))
            return "(0010,0020) Patient ID is needed at this level";
        if (Level > QueryLevel.Study && Single(Tags.StudyInstanceUID) is null) return "(0020,000D) one Study Instance UID is needed at this level";
        if (Level > QueryLevel.Series && Single(Tags.SeriesInstanceUID) is null) return "(0020,000E) one Series Instance UID is needed at this level";
        return null;
    }

    private bool Has(Tag tag) => Matches.Exists(match => match.Path is [var only] && only == tag);

    // One item says what must match inside (PS3.4 C.2.2.2.6).
    private string? AddSequence(DataElement sequence, SpecificCharacterSet? fallback)
    {
        Requested.Add(sequence.Tag);
        foreach (var item in sequence.Items)
        {
            foreach (var element in item)
            {
                if (element.IsSequence || element.Tag.Element == 0 || element.Value.IsEmpty) continue;
                if (Add([sequence.Tag, element.Tag], element, fallback) is { } problem) return problem;
            }
            break;
        }
        return null;
    }

    private string? Add(Tag[] path, DataElement element, SpecificCharacterSet? fallback)
    {
        if (path[0].IsPrivate || !DicomDictionary.TryFind(path[^1], out _))
        {
            HasUnsupportedKeys = true;
            return null;
        }
        Requested.Add(path[0]);
        var text = Text(element, fallback);
        if (text.Length == 0) return null;
        if (!AttributeMatch.TryParse(path, text, out var match, out var problem)) return problem;
        if (match!.IsUniversal) return null;
        Matches.Add(match);
        Parameters.Add(new KeyValuePair<string, string>(string.Join('.', path),
            match.Vr == Vr.UI ? string.Join(',', match.Values) : match.Vr == Vr.CS ? string.Join(',', match.Values) : text));
        return null;
    }

    private static string Text(DataElement element, SpecificCharacterSet? fallback)
    {
        var value = element.Value.Span;
        if (element.Vr.IsText())
            return SpecificCharacterSet.Parse(element.DataSet.SpecificCharacterSet.Span, fallback).Decode(value.TrimEnd(" \0"u8), element.Vr).Trim();
        return element.Vr switch
        {
            Vr.US when element.TryGetUInt16(0, out var number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture),
            Vr.UL when element.TryGetUInt32(0, out var number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture),
            Vr.SS when element.TryGetInt16(0, out var number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture),
            Vr.SL when element.TryGetInt32(0, out var number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture),
            Vr.FL when value.Length >= 4 => Number(BitConverter.UInt32BitsToSingle(UInt32(element))),
            Vr.FD when value.Length >= 8 => Number(BitConverter.UInt64BitsToDouble(UInt64(element))),
            Vr.SV when value.Length >= 8 => Number((long)UInt64(element)),
            Vr.UV when value.Length >= 8 => Number(UInt64(element)),
            Vr.AT when element.TryGetUInt16(0, out var group) && element.TryGetUInt16(1, out var number) => new Tag(group, number).ToString(),
            _ => Encoding.ASCII.GetString(value).Trim(' ', '\0'),
        };

        static string Number(IFormattable value) => value.ToString(null, System.Globalization.CultureInfo.InvariantCulture);
        static uint UInt32(DataElement element) => element.TryGetUInt32(0, out var value) ? value : 0;
        static ulong UInt64(DataElement element) => element.TryGetUInt64(0, out var value) ? value : 0;
    }
}
