namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>A request that ended, for the transaction log. No patient data.</summary>
/// <param name="Destination">Where to.</param>
/// <param name="Study">Study Instance UID.</param>
/// <param name="Sent">Objects in the request.</param>
/// <param name="Done">Of these, what the destination has now.</param>
/// <param name="Quarantined">Of these, what it refused for good.</param>
/// <param name="Bytes">Bytes of the files.</param>
/// <param name="Duration">From the first byte to the end of the answer.</param>
/// <param name="Status">HTTP status; null without an answer.</param>
/// <param name="Outcome">What it meant.</param>
internal sealed record ForwardResult(string Destination, string Study, int Sent, int Done, int Quarantined, long Bytes, TimeSpan Duration, int? Status,
    BatchOutcome Outcome);

/// <summary>How a destination is doing now.</summary>
internal sealed record DestinationStatus
{
    /// <summary>Its name.</summary>
    public required string Destination { get; init; }
    /// <summary>False for a queue whose destination is not configured: it waits until it is again.</summary>
    public required bool IsConfigured { get; init; }
    /// <summary>Objects waiting, those in flight included.</summary>
    public required int Waiting { get; init; }
    /// <summary>Bytes waiting.</summary>
    public required long WaitingBytes { get; init; }
    /// <summary>Age of the oldest, seconds.</summary>
    public required double OldestAgeSeconds { get; init; }
    /// <summary>Requests under way.</summary>
    public int InFlight { get; init; }
    /// <summary>Whether the time window is closed.</summary>
    public bool IsOutsideWindow { get; init; }
    /// <summary>When the destination last took an object.</summary>
    public DateTimeOffset? LastSuccess { get; init; }
    /// <summary>When a request last failed.</summary>
    public DateTimeOffset? LastErrorAt { get; init; }
    /// <summary>Its class.</summary>
    public BatchOutcome? LastErrorKind { get; init; }
    /// <summary>Its text, without patient data.</summary>
    public string? LastError { get; init; }
    /// <summary>What an operator has to look at; null for nothing.</summary>
    public string? Alarm { get; init; }
    /// <summary>Objects a second over the last minute.</summary>
    public double ObjectsPerSecond { get; init; }
    /// <summary>Bytes a second over the last minute.</summary>
    public double BytesPerSecond { get; init; }
    /// <summary>Objects taken since the start.</summary>
    public long TotalObjects { get; init; }
    /// <summary>Bytes taken since the start.</summary>
    public long TotalBytes { get; init; }
    /// <summary>Requests that failed and were tried again since the start.</summary>
    public long Retries { get; init; }
    /// <summary>Objects put into quarantine since the start.</summary>
    public long Quarantined { get; init; }
}
