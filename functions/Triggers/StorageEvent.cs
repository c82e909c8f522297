using System.Globalization;
using System.Text.Json;
using DicomServerless.Archive;

namespace DicomServerless.Functions.Triggers;

/// <summary>Reads storage events in the Event Grid schema and in the CloudEvents schema, one or an array.</summary>
internal static class StorageEvent
{
    private const string SubjectStart = "/blobServices/default/containers/", BlobsPart = "/blobs/";

    /// <summary>Reads events. Null with a reason if something in it is no event; events of other kinds than created and deleted blobs are left out.</summary>
    public static List<BlobEvent>? Read(JsonElement? value, DateTimeOffset now, out string? problem)
    {
        problem = "there is no JSON object or array in it";
        if (value is not { } json) return null;
        var events = new List<BlobEvent>();
        foreach (var item in json.ValueKind == JsonValueKind.Array ? json.EnumerateArray().ToArray() : [json])
        {
            problem = ReadOne(item, now, events);
            if (problem is not null) return null;
        }
        problem = null;
        return events;
    }

    private static string? ReadOne(JsonElement item, DateTimeOffset now, List<BlobEvent> events)
    {
        if (item.ValueKind != JsonValueKind.Object) return "an event is no JSON object";
        // Event Grid: eventType, eventTime; CloudEvents 1.0: type, time.
        var type = Text(item, "eventType") ?? Text(item, "type");
        if (type is null) return "it has neither eventType nor type";
        var isDeleted = type == "Microsoft.Storage.BlobDeleted";
        if (!isDeleted && type is not ("Microsoft.Storage.BlobCreated" or "Microsoft.Storage.BlobRenamed")) return null;
        if (Text(item, "subject") is not { } subject || !subject.StartsWith(SubjectStart, StringComparison.Ordinal)) return "its subject is no blob";
        var blobs = subject.IndexOf(BlobsPart, SubjectStart.Length, StringComparison.Ordinal);
        if (blobs < 0 || blobs + BlobsPart.Length == subject.Length) return "its subject is no blob";
        var time = DateTimeOffset.TryParse(Text(item, "eventTime") ?? Text(item, "time"),
            CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var given) ? given : now;
        var clientRequestId = item.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Object ? Text(data, "clientRequestId") : null;
        events.Add(new BlobEvent(isDeleted, subject[SubjectStart.Length..blobs], subject[(blobs + BlobsPart.Length)..], time, clientRequestId));
        return null;
    }

    private static string? Text(JsonElement item, string name) => item.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
