using System.Text.Json;
using Azure.Messaging;
using Azure.Messaging.EventGrid;
using Azure.Messaging.EventGrid.SystemEvents;
using DicomServerless.Archive;

namespace DicomServerless.Functions.Triggers;

/// <summary>Reads storage events in the Event Grid schema and in the CloudEvents schema, one or an array.</summary>
internal static class StorageEvents
{
    private const string SubjectStart = "/blobServices/default/containers/", BlobsPart = "/blobs/";

    /// <summary>Reads events. Null with a reason if something in it is no event; events of other kinds than created and deleted blobs are left out.</summary>
    public static List<BlobEvent>? Read(BinaryData message, DateTimeOffset now, out string? problem)
    {
        var events = new List<BlobEvent>();
        try
        {
            // Text that people put on the queue by hand may begin with a byte order mark.
            if (message.ToMemory().Span.StartsWith("\uFEFF"u8)) message = BinaryData.FromBytes(message.ToMemory()[3..]);
            problem = IsCloudEvent(message)
                ? CloudEvent.ParseMany(message, skipValidation: true).Select(item => Add(events, item.Type, item.Subject, item.Time ?? now,
                    item.Data is not null && item.TryGetSystemEventData(out var data) ? data : null)).FirstOrDefault(found => found is not null)
                : EventGridEvent.ParseMany(message).Select(item => Add(events, item.EventType, item.Subject, item.EventTime,
                    item.Data is not null && item.TryGetSystemEventData(out var data) ? data : null)).FirstOrDefault(found => found is not null);
        }
        catch (Exception exception)
        {
            // Nothing but reading happens here; what the parsers throw at what is no event (a null in an array) is not told in their documentation.
            problem = $"it is no event of Event Grid and no CloudEvent ({exception.GetType().Name})";
        }
        return problem is null ? events : null;
    }

    // CloudEvents 1.0: "specversion" is required, and no other schema has it.
    private static bool IsCloudEvent(BinaryData message)
    {
        using var document = JsonDocument.Parse(message.ToMemory(), new JsonDocumentOptions { MaxDepth = 32 });
        var first = document.RootElement is { ValueKind: JsonValueKind.Array } array && array.GetArrayLength() > 0 ? array[0] : document.RootElement;
        return first.ValueKind == JsonValueKind.Object && first.TryGetProperty("specversion"u8, out _);
    }

    private static string? Add(List<BlobEvent> events, string? type, string? subject, DateTimeOffset time, object? data)
    {
        if (string.IsNullOrEmpty(type)) return "it has neither eventType nor type";
        var isDeleted = type == "Microsoft.Storage.BlobDeleted";
        if (!isDeleted && type is not ("Microsoft.Storage.BlobCreated" or "Microsoft.Storage.BlobRenamed")) return null;
        if (subject?.StartsWith(SubjectStart, StringComparison.Ordinal) != true) return "its subject is no blob";
        var blobs = subject.IndexOf(BlobsPart, SubjectStart.Length, StringComparison.Ordinal);
        if (blobs < 0 || blobs + BlobsPart.Length == subject.Length) return "its subject is no blob";
        var clientRequestId = data switch
        {
            StorageBlobCreatedEventData created => created.ClientRequestId,
            StorageBlobDeletedEventData deleted => deleted.ClientRequestId,
            StorageBlobRenamedEventData renamed => renamed.ClientRequestId,
            _ => null,
        };
        events.Add(new BlobEvent(isDeleted, subject[SubjectStart.Length..blobs], subject[(blobs + BlobsPart.Length)..], time, clientRequestId));
        return null;
    }
}
