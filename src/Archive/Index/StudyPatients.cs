using System.Globalization;
using System.Text.Json;
using DicomServerless.Dicom;

namespace DicomServerless.Archive.Index;

/// <summary>
/// The patients that a study's objects name. A study has one (PS3.3 A.1.2); where objects of another are stored into it, the study keeps the patient whose
/// object was received first, and takes no attributes from objects of others. When several are named, each has the first of its objects here, so that order
/// of arrival in the index and a rebuild give the same answer; while there is one only, its objects need not be told apart.
/// </summary>
internal sealed class StudyPatients
{
    /// <summary>The most that are kept: those whose objects were received first.</summary>
    public const int MaxPatients = 16;

    private const int MaxIdLength = 256;

    private readonly SortedDictionary<string, (long Received, InstanceName Name)> first = new(StringComparer.Ordinal);

    /// <summary>All Patient IDs.</summary>
    public IEnumerable<string> Ids => first.Keys;

    /// <summary>Whether objects of several patients are there.</summary>
    public bool AreSeveral => first.Count > 1;

    /// <summary>The study's patient; null if no object names one.</summary>
    public string? Study => first.Count == 0 ? null : first.MinBy(patient => patient.Value).Key;

    /// <summary>Whether an object is of the study's patient, as far as it says.</summary>
    public bool Includes(string? patientId) => patientId is null || !AreSeveral || patientId == Study;

    /// <summary>Whether an object would be one of another patient.</summary>
    public bool IsOther(string? patientId) => patientId is not null && first.Count > 0 && patientId != Study;

    /// <summary>Whether an object is the first of its patient where several are named.</summary>
    public bool HasFirst(InstanceName name) => AreSeveral && first.Values.Any(patient => patient.Name == name);

    /// <summary>Adds an object. All of a study's must be added when the first one of another patient comes.</summary>
    public void Add(string? patientId, long received, InstanceName name)
    {
        if (patientId is null) return;
        if (!first.TryGetValue(patientId, out var known) || (received, name).CompareTo(known) < 0) first[patientId] = (received, name);
        if (first.Count > MaxPatients) first.Remove(first.MaxBy(patient => patient.Value).Key);
    }

    public void Clear() => first.Clear();

    public StudyPatients Copy()
    {
        var copy = new StudyPatients();
        foreach (var (id, known) in first) copy.first[id] = known;
        return copy;
    }

    /// <summary>Whether both say the same: of one patient only who it is.</summary>
    public bool IsSame(StudyPatients other) => AreSeveral ? first.SequenceEqual(other.first) : first.Keys.SequenceEqual(other.first.Keys);

    /// <summary>The Patient ID among an object's study attributes; null if there is none.</summary>
    public static string? IdIn(IReadOnlyList<KeyValuePair<Tag, byte[]>> studyAttributes)
    {
        foreach (var (tag, json) in studyAttributes)
        {
            if (tag != Tags.PatientID) continue;
            var id = AttributeJson.FirstText(json)?.Trim() ?? "";
            return id.Length == 0 ? null : id.Length > MaxIdLength ? id[..MaxIdLength] : id;
        }
        return null;
    }

    // {"ID1":[1704067200000,"<series>","<sop>"]}
    public void Write(Utf8JsonWriter writer, string name)
    {
        writer.WriteStartObject(name);
        foreach (var (id, (received, instance)) in first)
        {
            writer.WriteStartArray(id);
            writer.WriteNumberValue(received);
            writer.WriteStringValue(instance.Series.Value);
            writer.WriteStringValue(instance.Sop.Value);
            writer.WriteEndArray();
        }
        writer.WriteEndObject();
    }

    public void Read(JsonElement json)
    {
        foreach (var patient in json.EnumerateObject())
            first[patient.Name] = (patient.Value[0].GetInt64(),
                new InstanceName(Uid.Parse(patient.Value[1].GetString()!), Uid.Parse(patient.Value[2].GetString()!)));
    }
}
