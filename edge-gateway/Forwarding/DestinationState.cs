using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>What is known of a destination as a whole, and how it is doing. Guarded by the worker.</summary>
internal sealed class DestinationState(TimeProvider time)
{
    private DateTimeOffset? lastSuccess, lastErrorAt;
    private BatchResult? lastError;
    private string? alarm, uploadsAlarm;
    private long retries;
    private (long Taken, long Sequence) lastFailure, lastUploadFailure;
    private long uploaded;

    /// <summary>Trouble with the destination as a whole.</summary>
    public Backoff Backoff { get; } = new(time);

    /// <summary>Trouble with its <c>/uploads</c>, which are another service than its stores.</summary>
    public Backoff Uploads { get; } = new(time);

    /// <summary>Objects and bytes that it has taken.</summary>
    public Throughput Throughput { get; } = new(time);

    /// <summary>Objects that it has taken since the start.</summary>
    public long Taken { get; private set; }

    /// <summary>Objects put into quarantine since the start.</summary>
    public long Quarantined { get; set; }

    /// <summary>Objects were taken: the trouble is over.</summary>
    public void Succeed(int objects, bool isUpload)
    {
        Taken += objects;
        (lastSuccess, alarm) = (time.GetUtcNow(), null);
        Backoff.Succeed();
        if (!isUpload) return;
        uploaded += objects;
        uploadsAlarm = null;
        Uploads.Succeed();
    }

    /// <summary>
    /// A request did not bring everything there. Gives whether another request to the same service, with other objects, failed just before it and nothing was
    /// taken in between.
    /// </summary>
    public bool Fail(Batch batch, BatchResult result, bool isUpload)
    {
        retries++;
        (lastError, lastErrorAt) = (result.Message.Length > 0 ? result : result with { Message = "Some instances were refused." }, time.GetUtcNow());
        var sequence = batch.Entries[0].Sequence;
        ref var last = ref isUpload ? ref lastUploadFailure : ref lastFailure;
        var taken = isUpload ? uploaded : Taken;
        var followsAnother = last.Taken == taken && last.Sequence != 0 && last.Sequence != sequence;
        last = (taken, sequence);
        return followsAnother;
    }

    /// <summary>Applies what was decided after a request that failed.</summary>
    public void Apply(in RetryDecision decision, BatchResult result)
    {
        if (decision.DestinationWaits) Backoff.Fail(result.RetryAfter);
        if (decision.UploadsWait) Uploads.Fail(result.RetryAfter);
        if (decision.UploadsWait) uploadsAlarm = decision.Alarm ?? uploadsAlarm;
        else alarm = decision.Alarm ?? alarm;
    }

    /// <summary>The status now.</summary>
    /// <param name="queue">What waits.</param>
    /// <param name="inFlight">Requests under way.</param>
    /// <param name="isOutsideWindow">Whether the time window is closed.</param>
    /// <param name="unreadable">Objects whose files cannot be read now.</param>
    public DestinationStatus Read(SpoolQueue queue, int inFlight, bool isOutsideWindow, int unreadable)
    {
        var perSecond = Throughput.PerSecond;
        return new DestinationStatus
        {
            Destination = queue.Destination, IsConfigured = true, Waiting = queue.Count, WaitingBytes = queue.Bytes,
            OldestAgeSeconds = queue.OldestAge.TotalSeconds,
            InFlight = inFlight, IsOutsideWindow = isOutsideWindow, LastSuccess = lastSuccess, LastErrorAt = lastErrorAt, LastErrorKind = lastError?.Outcome,
            LastError = lastError is null ? null : lastError.Status is { } status ? $"{status}: {lastError.Message}" : lastError.Message,
            Alarm = alarm ?? uploadsAlarm
                ?? (unreadable > 0 ? "Files of the spool cannot be read. Look at their permissions, at the disk, and at the log." : null),
            ObjectsPerSecond = perSecond.Objects, BytesPerSecond = perSecond.Bytes, TotalObjects = Throughput.TotalObjects, TotalBytes = Throughput.TotalBytes,
            Retries = retries, Quarantined = Quarantined,
        };
    }
}
