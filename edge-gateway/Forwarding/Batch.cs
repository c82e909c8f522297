using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>Objects of one study and one policy that are sent together; each SOP Instance UID once.</summary>
internal sealed record Batch(string Study, string? Policy, IReadOnlyList<SpoolEntry> Entries, IReadOnlyDictionary<SpoolEntry, SpoolHead> Heads, bool IsUpload)
{
    /// <summary>Bytes of the files.</summary>
    public long Bytes { get; } = Entries.Sum(entry => entry.Size);

    /// <summary>Says in a request what becomes of other content under a known UID, where the called AE has a policy of its own.</summary>
    public void AddPolicy(HttpRequestMessage request)
    {
        if (Policy is not null) request.Headers.TryAddWithoutValidation("Duplicate-Policy", Policy);
    }

    /// <summary>The same without entries that turned out to be damaged or gone.</summary>
    public Batch Without(IReadOnlySet<SpoolEntry> dropped) =>
        dropped.Count == 0 ? this : this with { Entries = [.. Entries.Where(entry => !dropped.Contains(entry))] };
}

/// <summary>How a request ended as a whole.</summary>
internal enum BatchOutcome
{
    /// <summary>There is an answer for instances.</summary>
    Answered,
    /// <summary>413: fewer bytes at once.</summary>
    TooLarge,
    /// <summary>400, 415, 422: the server refused the request and did not say why.</summary>
    Refused,
    /// <summary>401, 403, or no token.</summary>
    Unauthorized,
    /// <summary>No connection, 408, 429, 502, 503, 504, 507: the destination takes no objects at all now.</summary>
    Unavailable,
    /// <summary>500, a reset or no answer in time: the cause may be these objects or the server.</summary>
    Broken,
    /// <summary>A redirect, 404, or an answer that is not that of a store: the URL is not that of a STOW service.</summary>
    NotStow,
    /// <summary>The destination has no <c>/uploads</c>.</summary>
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
