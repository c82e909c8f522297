namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>
/// The time limit of one request: how long it may stand still. Every block that goes out begins it anew, so that a large object gets through a slow line; after
/// the last block it is the time that the destination has for its answer.
/// </summary>
internal sealed class RequestLimit : IDisposable
{
    private readonly CancellationTokenSource limit;
    private readonly CancellationTokenSource either;
    private readonly TimeSpan time;

    /// <param name="time">The limit.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="cancellationToken">Ends the request for another reason.</param>
    public RequestLimit(TimeSpan time, TimeProvider clock, CancellationToken cancellationToken)
    {
        this.time = time;
        limit = new CancellationTokenSource(time, clock);
        either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
    }

    /// <summary>Ends the request when the limit is over, and when the caller wants it.</summary>
    public CancellationToken Token => either.Token;

    /// <summary>Bytes went out.</summary>
    public void Renew() => limit.CancelAfter(time);

    public void Dispose()
    {
        either.Dispose();
        limit.Dispose();
    }
}
