using System.Text.Json.Serialization;

namespace DicomServerless.EdgeGateway.Commitment;

/// <summary>An object that a modality wants committed.</summary>
/// <param name="SopClass">SOP Class UID.</param>
/// <param name="Sop">SOP Instance UID.</param>
internal sealed record CommitmentItem(string SopClass, string Sop)
{
    /// <summary>Whether the archive confirmed it.</summary>
    public bool IsConfirmed { get; set; }

    /// <summary>Failure Reason (0008,1197) once it is decided; null before, and where it is confirmed.</summary>
    public ushort? Failure { get; set; }
}

/// <summary>An open storage commitment request as it lies on disk.</summary>
internal sealed record CommitmentRequest
{
    /// <summary>Names the file.</summary>
    public required string Id { get; init; }

    /// <summary>Transaction UID (0008,1195).</summary>
    public required string Transaction { get; init; }

    /// <summary>Who asked, and hears the report.</summary>
    public required string CallingAe { get; init; }

    /// <summary>Whom it asked.</summary>
    public required string CalledAe { get; init; }

    /// <summary>The destination that confirms.</summary>
    public required string Archive { get; init; }

    /// <summary>When it came.</summary>
    public required DateTimeOffset Received { get; init; }

    /// <summary>The objects.</summary>
    public required List<CommitmentItem> Items { get; init; }

    /// <summary>When the last object was decided; null before.</summary>
    public DateTimeOffset? Decided { get; set; }

    /// <summary>Attempts to bring the report.</summary>
    public int Attempts { get; set; }

    /// <summary>Whether every object is decided.</summary>
    [JsonIgnore] public bool IsDecided => Items.TrueForAll(item => item.IsConfirmed || item.Failure is not null);
}

/// <summary>How requests are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CommitmentRequest))]
internal sealed partial class CommitmentJson : JsonSerializerContext;
