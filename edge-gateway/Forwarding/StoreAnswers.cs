using System.Text.Json;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>
/// Reads what the answer to a store, or the end of a request without an answer, says of the objects of a batch. Decides nothing about when to try again.
/// </summary>
internal sealed class StoreAnswers(TimeProvider time)
{
    private const int MaxAnswerBytes = 16 << 20, MultipleChoices = 300, BadRequest = 400, ContentTooLarge = 413, ServerError = 500;

    /// <summary>Reads an answer.</summary>
    public async Task<BatchResult> ReadAsync(HttpResponseMessage answer, Batch batch, DestinationOptions options, CancellationToken cancellationToken)
    {
        var status = (int)answer.StatusCode;
        var retryAfter = RetryAfterOf(answer);
        switch (status)
        {
            case 401 or 403:
                return new BatchResult(BatchOutcome.Unauthorized, status, "The destination does not accept the gateway's credentials.", retryAfter);
            case 408 or 425 or 429 or 502 or 503 or 504 or 507:
                return new BatchResult(BatchOutcome.Unavailable, status, "The destination is not available.", retryAfter);
            case >= ServerError:
                return new BatchResult(BatchOutcome.Broken, status, "The destination failed.", retryAfter);
            case 404 or 405 or (>= MultipleChoices and < BadRequest):
                return new BatchResult(BatchOutcome.NotStow, status, "The URL is not that of a store service.", retryAfter);
        }
        // Whatever the status says, an answer that names instances counts: some servers answer 400 although they stored a part.
        var body = await ReadBodyAsync(answer, cancellationToken);
        if (body is not null && StowAnswer.TryRead(body) is { } parsed)
        {
            var judgements = Judge(parsed, batch, options, status);
            var outcome = status == ContentTooLarge && judgements.Count < batch.Entries.Count ? BatchOutcome.TooLarge : BatchOutcome.Answered;
            return new BatchResult(outcome, status, "", retryAfter) { Judgements = judgements };
        }
        return status switch
        {
            ContentTooLarge => new BatchResult(BatchOutcome.TooLarge, status, "The request is larger than the destination takes."),
            < MultipleChoices => new BatchResult(BatchOutcome.NotStow, status, "The answer is not that of a store service."),
            _ => new BatchResult(BatchOutcome.Refused, status, "The destination refused the request and did not say why.", retryAfter),
        };
    }

    /// <summary>What the end of a request without an answer means. The text of the exception may hold URLs, so it is not repeated.</summary>
    public static BatchResult Failure(Exception exception) => exception switch
    {
        CredentialsException => new BatchResult(BatchOutcome.Unauthorized, null, exception.Message),
        JsonException => new BatchResult(BatchOutcome.NotStow, null, "The answer is not that of an upload service."),
        OperationCanceledException => new BatchResult(BatchOutcome.Broken, null, "The destination did not answer in time."),
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => new BatchResult(BatchOutcome.Unavailable, null,
            "The host name cannot be resolved."),
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => new BatchResult(BatchOutcome.Unavailable, null, "No connection."),
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => new BatchResult(BatchOutcome.Unavailable, null,
            "TLS failed; look at the certificates."),
        HttpRequestException { HttpRequestError: HttpRequestError.ProxyTunnelError } => new BatchResult(BatchOutcome.Unavailable, null, "The proxy refused."),
        _ => new BatchResult(BatchOutcome.Broken, null, "The connection broke."),
    };

    /// <summary>Whether <see cref="Failure"/> knows the exception as the end of a request: anything of the network, or the time limit.</summary>
    public static bool IsEndOfRequest(Exception exception, CancellationToken cancellationToken) =>
        exception is HttpRequestException or IOException or CredentialsException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    /// <summary>Retry-After (RFC 9110 10.2.3), at most an hour.</summary>
    public TimeSpan? RetryAfterOf(HttpResponseMessage answer)
    {
        var wait = answer.Headers.RetryAfter is { } header ? header.Delta ?? (header.Date is { } date ? date - time.GetUtcNow() : null) : null;
        return wait is { } found ? TimeSpan.FromSeconds(Math.Clamp(found.TotalSeconds, 0, 3600)) : null;
    }

    private static Dictionary<SpoolEntry, Judgement> Judge(StowAnswer answer, Batch batch, DestinationOptions options, int status)
    {
        var judgements = new Dictionary<SpoolEntry, Judgement>();
        var isAlone = batch.Entries.Count == 1;
        foreach (var entry in batch.Entries)
        {
            var sop = batch.Heads[entry].Sop;
            if (sop is not null && answer.HasFailed(sop, out var reason)) Fail(entry, reason);
            else if (sop is not null && answer.HasStored(sop)) judgements[entry] = new Judgement(Verdict.Done, null);
            // Group 2 and data set may disagree about the UID: alone it is clear whom the answer means.
            else if (isAlone && answer.OnlyFailure is { } only) Fail(entry, only);
            else if (isAlone && answer.StoredCount == 1 && status < MultipleChoices) judgements[entry] = new Judgement(Verdict.Done, null);
        }
        return judgements;

        void Fail(SpoolEntry entry, ushort reason) =>
            judgements[entry] = new Judgement(FailureReasons.VerdictOf(reason, batch.Policy, options.DuplicatesAreStored), reason);
    }

    private static async Task<byte[]?> ReadBodyAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        await using var stream = await answer.Content.ReadAsStreamAsync(cancellationToken);
        var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int count; (count = await stream.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            if (body.Length + count > MaxAnswerBytes) return null;
            body.Write(buffer, 0, count);
        }
        return body.Length == 0 ? null : body.ToArray();
    }
}
