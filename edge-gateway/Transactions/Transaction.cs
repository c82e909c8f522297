namespace DicomServerless.EdgeGateway.Transactions;

/// <summary>What was done.</summary>
internal enum TransactionKind
{
    /// <summary>An association, from its request to its end; or one that was rejected.</summary>
    Association,
    /// <summary>C-ECHO.</summary>
    Echo,
    /// <summary>C-STORE.</summary>
    Store,
    /// <summary>C-FIND.</summary>
    Query,
    /// <summary>C-MOVE or C-GET.</summary>
    Retrieve,
    /// <summary>A storage commitment request or its report.</summary>
    Commitment,
    /// <summary>A batch sent to a destination.</summary>
    Forward,
}

/// <summary>One record of the transaction log. No patient data; UIDs only where the configuration wants them.</summary>
internal sealed record Transaction
{
    /// <summary>When it ended. UTC.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>What was done.</summary>
    public required TransactionKind Kind { get; init; }

    /// <summary>The association, numbered from the gateway's start; 0 if none.</summary>
    public long Association { get; init; }

    /// <summary>Who called.</summary>
    public string? CallingAe { get; init; }

    /// <summary>Who was called.</summary>
    public string? CalledAe { get; init; }

    /// <summary>The peer's address.</summary>
    public string? Remote { get; init; }

    /// <summary>A forward's destination, or a C-MOVE's.</summary>
    public string? Destination { get; init; }

    /// <summary>Objects, or matches.</summary>
    public int Count { get; init; }

    /// <summary>Objects that failed.</summary>
    public int Failed { get; init; }

    /// <summary>Bytes of objects.</summary>
    public long Bytes { get; init; }

    /// <summary>Milliseconds.</summary>
    public double Duration { get; init; }

    /// <summary>How it ended: <c>Success</c>, <c>Warning</c>, <c>Failure</c>, <c>Canceled</c>, <c>Rejected</c> or <c>Aborted</c>.</summary>
    public required string Result { get; init; }

    /// <summary>The DIMSE status as four hexadecimal digits, or the HTTP status.</summary>
    public string? Status { get; init; }

    /// <summary>Why, in words without patient data.</summary>
    public string? Detail { get; init; }

    /// <summary>Study Instance UID, where the configuration wants UIDs.</summary>
    public string? Study { get; init; }

    /// <summary>SOP Instance UID, where the configuration wants UIDs.</summary>
    public string? Instance { get; init; }
}

/// <summary>Which records are wanted.</summary>
/// <param name="From">The earliest, or null.</param>
/// <param name="To">The latest, or null.</param>
/// <param name="Kind">Only this kind, or null.</param>
/// <param name="AeTitle">Only where it called or was called, or null.</param>
/// <param name="Result">Only with this result, or null.</param>
/// <param name="Limit">At most so many, the newest first.</param>
internal sealed record TransactionFilter(DateTimeOffset? From, DateTimeOffset? To, TransactionKind? Kind, string? AeTitle, string? Result, int Limit)
{
    /// <summary>Whether a record is wanted.</summary>
    public bool Takes(Transaction record) => (From is null || record.Time >= From) && (To is null || record.Time <= To) && (Kind is null || record.Kind == Kind)
        && (AeTitle is null || record.CallingAe == AeTitle || record.CalledAe == AeTitle || record.Destination == AeTitle)
        && (Result is null || string.Equals(record.Result, Result, StringComparison.OrdinalIgnoreCase));
}
