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
    /// <summary>What a user of the dashboard or the API did; <see cref="Transaction.Action"/> says what.</summary>
    Operator,
}

/// <summary>How a transaction ended.</summary>
internal enum TransactionResult
{
    /// <summary>Everything was done.</summary>
    Success,
    /// <summary>A part was done.</summary>
    Warning,
    /// <summary>Nothing was done.</summary>
    Failure,
    /// <summary>The peer cancelled it (C-CANCEL). Spelled as in the status name of PS3.7.</summary>
    Canceled,
    /// <summary>The association was rejected.</summary>
    Rejected,
    /// <summary>The association was aborted.</summary>
    Aborted,
}

/// <summary>What a user of the dashboard or the API did.</summary>
internal enum OperatorAction
{
    /// <summary>A test query, which shows patients' names.</summary>
    Query,
    /// <summary>Read an object of the quarantine.</summary>
    Download,
    /// <summary>Put a corrected object in the place of one in quarantine.</summary>
    Replace,
    /// <summary>Put objects of the quarantine back into their queue.</summary>
    Retry,
    /// <summary>Deleted objects of the quarantine.</summary>
    Purge,
    /// <summary>Had a destination tried at once. No audit message: no patient data was seen or changed.</summary>
    TryDestination,
    /// <summary>Sent a C-ECHO to a remote AE, which leaves a record of its own beside this. No audit message either.</summary>
    Echo,
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

    /// <summary>The calling AE title.</summary>
    public string? CallingAe { get; init; }

    /// <summary>The called AE title.</summary>
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

    /// <summary>How it ended.</summary>
    public required TransactionResult Result { get; init; }

    /// <summary>The user of the dashboard or the API; null where no login is needed.</summary>
    public string? User { get; init; }

    /// <summary>What the user did.</summary>
    public OperatorAction? Action { get; init; }

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
/// <param name="AeTitle">Only where this AE title called or was called, or this destination was sent to, or null.</param>
/// <param name="Result">Only with this result, or null.</param>
/// <param name="Limit">At most so many, the newest first.</param>
internal sealed record TransactionFilter(DateTimeOffset? From, DateTimeOffset? To, TransactionKind? Kind, string? AeTitle, TransactionResult? Result, int Limit)
{
    /// <summary>Whether a record is wanted.</summary>
    public bool Fits(Transaction record) => (From is null || record.Time >= From) && (To is null || record.Time <= To) && (Kind is null || record.Kind == Kind)
        && (AeTitle is null || record.CallingAe == AeTitle || record.CalledAe == AeTitle || record.Destination == AeTitle)
        && (Result is null || record.Result == Result);
}
