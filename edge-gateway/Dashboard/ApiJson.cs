using System.Text.Json;
using System.Text.Json.Serialization;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.EdgeGateway.Transactions;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>A refusal (RFC 9457).</summary>
/// <param name="Title">What is wrong, in a few words.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">What to do about it.</param>
/// <param name="Parameter">The parameter that is wrong; null if none is.</param>
internal sealed record ApiProblem(string Title, int Status, string Detail, string? Parameter = null);

/// <summary>Transactions, the newest first.</summary>
/// <param name="Transactions">The records.</param>
/// <param name="IsLimited">Whether there may be more than the limit let through.</param>
internal sealed record TransactionList(IReadOnlyList<Transaction> Transactions, bool IsLimited);

/// <summary>An object in quarantine.</summary>
internal sealed record QuarantineItem(string Destination, string Id, long Bytes, QuarantineReason Reason);

/// <summary>The quarantine, oldest first.</summary>
/// <param name="Items">Objects, as many as the limit lets through.</param>
/// <param name="Total">How many there are.</param>
internal sealed record QuarantineList(IReadOnlyList<QuarantineItem> Items, int Total);

/// <summary>What became of all objects of a destination.</summary>
internal sealed record QuarantineCounts(int Done, int Failed);

/// <summary>How a C-ECHO went.</summary>
/// <param name="IsAlive">Whether it was answered with Success.</param>
/// <param name="Status">The DIMSE status, four hexadecimal digits; null without an answer.</param>
/// <param name="Milliseconds">From the first packet to the answer.</param>
/// <param name="Reason">Why not, in words.</param>
internal sealed record EchoResult(bool IsAlive, string? Status, double Milliseconds, string? Reason);

/// <summary>A test query. At least one key.</summary>
internal sealed record QueryRequest
{
    /// <summary>One of our AEs, whose archive is asked; null for the first.</summary>
    public string? Ae { get; init; }
    /// <summary>Patient's Name, with wildcards.</summary>
    public string? PatientName { get; init; }
    /// <summary>Patient ID.</summary>
    public string? PatientId { get; init; }
    /// <summary>Study Date: YYYYMMDD, or a range with a hyphen.</summary>
    public string? StudyDate { get; init; }
    /// <summary>At most so many rows. 1 to 100; default 20.</summary>
    public int? Limit { get; init; }
}

/// <summary>One study.</summary>
internal sealed record QueryRow(string PatientName, string PatientId, string StudyDate, string Description, string Modalities, string Instances,
    string StudyInstanceUid);

/// <summary>The answer to a test query.</summary>
/// <param name="Rows">The first studies.</param>
/// <param name="IsLimited">Whether there are more.</param>
/// <param name="Milliseconds">How long it took.</param>
/// <param name="Failure">Why the archive could not answer; what waits in the spool is listed all the same.</param>
internal sealed record QueryResult(IReadOnlyList<QueryRow> Rows, bool IsLimited, double Milliseconds, string? Failure);

/// <summary>How the API writes and reads.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ApiProblem))]
[JsonSerializable(typeof(TransactionList))]
[JsonSerializable(typeof(QuarantineItem))]
[JsonSerializable(typeof(QuarantineList))]
[JsonSerializable(typeof(QuarantineCounts))]
[JsonSerializable(typeof(EchoResult))]
[JsonSerializable(typeof(QueryRequest))]
[JsonSerializable(typeof(QueryResult))]
internal sealed partial class ApiJson : JsonSerializerContext;
