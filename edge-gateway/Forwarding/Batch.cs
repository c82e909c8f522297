using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>Objects of one study and one policy that are sent together; each SOP Instance UID once.</summary>
internal sealed record Batch(string Study, string? Policy, IReadOnlyList<SpoolEntry> Entries, IReadOnlyDictionary<SpoolEntry, SpoolHead> Heads, bool IsUpload)
{
    /// <summary>Bytes of the files.</summary>
    public long Bytes { get; } = Entries.Sum(entry => entry.Size);

    /// <summary>The same without entries that turned out to be damaged or gone.</summary>
    public Batch Without(IReadOnlySet<SpoolEntry> dropped) => dropped.Count == 0 ? this : this with { Entries = [.. Entries.Where(entry => !dropped.Contains(entry))] };
}

/// <summary>How a request ended as a whole.</summary>
internal enum BatchOutcome
{
    /// <summary>There is an answer for instances.</summary>
    Answered,
    /// <summary>413: fewer bytes at once.</summary>
    TooLarge,
    /// <summary>400, 415, 422: the server did not like something in it, and did not say what.</summary>
    Refused,
    /// <summary>401, 403, or no token.</summary>
    Unauthorized,
    /// <summary>No connection, 408, 429, 502, 503, 504, 507: nobody's objects pass now.</summary>
    Unavailable,
    /// <summary>500, a reset or a timeout in the middle: may be these objects, may be the server.</summary>
    Broken,
    /// <summary>A redirect, 404, or something that is no answer to a store: the URL is not that of a STOW service.</summary>
    NotStow,
    /// <summary>The way of <c>uploads</c> is not there.</summary>
    NoUploads,
}

/// <summary>What becomes of one object.</summary>
/// <param name="Verdict">What to do.</param>
/// <param name="Reason">Failure Reason, if the answer gave one.</param>
internal readonly record struct Judgement(Verdict Verdict, ushort? Reason);

/// <summary>The end of a request.</summary>
internal sealed record BatchResult(BatchOutcome Outcome, int? Status, string Message, TimeSpan? RetryAfter = null)
{
    /// <summary>What the answer says of each entry; those it does not name are absent.</summary>
    public IReadOnlyDictionary<SpoolEntry, Judgement> Judgements { get; init; } = new Dictionary<SpoolEntry, Judgement>();
}
