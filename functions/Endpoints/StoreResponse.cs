using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using DicomServerless.Archive;
using DicomServerless.Dicom;

namespace DicomServerless.Functions.Endpoints;

/// <summary>The answer to a store: its status, and the Store Instances Response Module (PS3.18 10.5.3, I.2).</summary>
internal sealed class StoreResponse(IReadOnlyList<StoreResult> results, string baseUrl)
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }; // sent as application/dicom+json

    private readonly Uid[] studies = [.. results.Where(IsThere).Select(result => result.Uids.Key.Study).Distinct()];

    /// <summary>Whether something went in, or was there already.</summary>
    public bool HasStored => studies.Length > 0;

    /// <summary>PS3.18 Table 10.5.3-1.</summary>
    public int Status
    {
        get
        {
            if (results.All(result => result.IsStored && StoreReasons.Warning(result) is null)) return 200;
            if (HasStored) return 202;
            return results.All(result => result.Outcome == StoreOutcome.TryAgain) ? 503 : 409;
        }
    }

    /// <summary>The URL of the study, when all that was stored is of one.</summary>
    public string? StudyUrl => studies is [var only] ? baseUrl + DicomWebPath.Of(only) : null;

    /// <summary>Writes the module as XML (PS3.19 A.1).</summary>
    public void WriteXmlTo(Stream output)
    {
        var json = new ArrayBufferWriter<byte>();
        WriteTo(json);
        DicomXmlWriter.Write(json.WrittenSpan, output);
    }

    /// <summary>Writes the module as JSON.</summary>
    public void WriteTo(IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output, Options);
        json.WriteStartObject();
        WriteElement(json, "00081190"u8, "UR"u8, StudyUrl); // type 2: empty when there are several studies
        WriteSequence(json, "00081199"u8, results.Where(IsThere), WriteReferenced);
        WriteSequence(json, "00081198"u8, results.Where(result => !IsThere(result) && IsNamed(result)), WriteFailed);
        WriteSequence(json, "0008119A"u8, results.Where(result => !IsThere(result) && !IsNamed(result)), WriteReason);
        json.WriteEndObject();
    }

    // With the policy keep-first the UID can be retrieved, so it is referenced, with a warning.
    private static bool IsThere(StoreResult result) => result.IsStored || result.Outcome == StoreOutcome.KeptFirst;

    // Only a failure whose SOP Instance is known has an item of its own; the others go to Other Failures Sequence (PS3.18 I.2).
    private static bool IsNamed(StoreResult result) => !result.Uids.Key.Sop.IsEmpty;

    private void WriteReferenced(Utf8JsonWriter json, StoreResult result)
    {
        var key = result.Uids.Key;
        WriteUids(json, result);
        WriteElement(json, "00081190"u8, "UR"u8, baseUrl + DicomWebPath.Of(key));
        if (StoreReasons.Warning(result) is { } warning) WriteNumber(json, "00081196"u8, warning);
        if (result.Original is not { } original) return;
        // Table I.2-2: what was changed, as it stands in the stored object.
        var element = new ArrayBufferWriter<byte>();
        DicomJsonWriter.Write(original, element);
        using var parsed = JsonDocument.Parse(element.WrittenMemory);
        foreach (var member in parsed.RootElement.EnumerateObject()) member.WriteTo(json);
    }

    private static void WriteFailed(Utf8JsonWriter json, StoreResult result)
    {
        WriteUids(json, result);
        WriteReason(json, result);
    }

    private static void WriteReason(Utf8JsonWriter json, StoreResult result) => WriteNumber(json, "00081197"u8, StoreReasons.Failure(result.Outcome));

    private static void WriteUids(Utf8JsonWriter json, StoreResult result)
    {
        WriteElement(json, "00081150"u8, "UI"u8, result.Uids.SopClassUid is { Length: > 0 } sopClass ? sopClass : null);
        WriteElement(json, "00081155"u8, "UI"u8, result.Uids.Key.Sop.Value);
    }

    private static void WriteSequence(Utf8JsonWriter json, ReadOnlySpan<byte> tag, IEnumerable<StoreResult> items, Action<Utf8JsonWriter, StoreResult> write)
    {
        using var item = items.GetEnumerator();
        if (!item.MoveNext()) return;
        json.WriteStartObject(tag);
        json.WriteString("vr"u8, "SQ"u8);
        json.WriteStartArray("Value"u8);
        do
        {
            json.WriteStartObject();
            write(json, item.Current);
            json.WriteEndObject();
        }
        while (item.MoveNext());
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteElement(Utf8JsonWriter json, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> vr, string? value)
    {
        json.WriteStartObject(tag);
        json.WriteString("vr"u8, vr);
        if (value is not null)
        {
            json.WriteStartArray("Value"u8);
            json.WriteStringValue(value);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter json, ReadOnlySpan<byte> tag, ushort value)
    {
        json.WriteStartObject(tag);
        json.WriteString("vr"u8, "US"u8);
        json.WriteStartArray("Value"u8);
        json.WriteNumberValue(value);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
