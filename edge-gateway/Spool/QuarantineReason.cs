using System.Text.Json.Serialization;

namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>Why an object lies in quarantine. No patient data.</summary>
internal sealed record QuarantineReason
{
    /// <summary>When it was put there.</summary>
    public DateTimeOffset Time { get; init; }

    /// <summary>The HTTP status of the last answer; null without one.</summary>
    public int? Status { get; init; }

    /// <summary>Failure Reason (0008,1197) of the answer, four hex digits; null without one.</summary>
    public string? FailureReason { get; init; }

    /// <summary>A sentence for an operator.</summary>
    public required string Message { get; init; }

    /// <summary>How often it was sent.</summary>
    public int Attempts { get; init; }

    /// <summary>The destination that it was for.</summary>
    public string Destination { get; init; } = "";

    /// <summary>Study Instance UID.</summary>
    public string StudyInstanceUid { get; init; } = "";

    /// <summary>SOP Instance UID, where the file says it.</summary>
    public string? SopInstanceUid { get; init; }

    /// <summary>SOP Class UID, where the file says it.</summary>
    public string? SopClassUid { get; init; }
}

/// <summary>An object in quarantine.</summary>
/// <param name="Destination">The destination that it was for.</param>
/// <param name="Sequence">Its number.</param>
/// <param name="Checksum">XxHash128 of the file, as its name says.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Path">The Part 10 file.</param>
/// <param name="Reason">Why it is there.</param>
internal sealed record QuarantinedObject(string Destination, long Sequence, UInt128 Checksum, long Size, string Path, QuarantineReason Reason);

/// <summary>The oldest objects of the quarantine.</summary>
/// <param name="Items">As many as the limit lets through.</param>
/// <param name="Total">How many there are.</param>
internal sealed record QuarantinePage(IReadOnlyList<QuarantinedObject> Items, int Total);

/// <summary>How an operator's request ended.</summary>
internal enum QuarantineOutcome
{
    /// <summary>Done.</summary>
    Done,
    /// <summary>The object is not in quarantine.</summary>
    NotFound,
    /// <summary>The given file is not a DICOM object that an archive takes.</summary>
    NotDicom,
    /// <summary>The spool is full.</summary>
    OutOfResources,
    /// <summary>The disk failed.</summary>
    Failed,
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(QuarantineReason))]
internal sealed partial class QuarantineJson : JsonSerializerContext;
