using System.Net;
using DicomServerless.Dicom.Web;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>Sends one batch and reads what became of it. Decides nothing about when to try again.</summary>
internal sealed class BatchSender(DestinationClient client, Bandwidth bandwidth, TimeProvider time, Func<Guid> newGuid)
{
    private const int MaxAnswerBytes = 16 << 20;

    /// <summary>One STOW request.</summary>
    public async Task<BatchResult> SendAsync(Batch batch, DestinationOptions options, bool isCareful, CancellationToken cancellationToken)
    {
        using var content = new StowContent(batch.Entries, MultipartWriter.NewBoundary(newGuid), bandwidth);
        return await RequestAsync(batch, options, async (path, prepare, token) => await client.SendAsync(HttpMethod.Post, path, content, request =>
        {
            prepare(request);
            // After a refusal ask first, so that a server can refuse again without taking the bytes.
            request.Headers.ExpectContinue = isCareful;
        }, token), "/studies", cancellationToken);
    }

    /// <summary>Any request whose answer is that of a store.</summary>
    public async Task<BatchResult> RequestAsync(
        Batch batch, DestinationOptions options, Func<string, Action<HttpRequestMessage>, CancellationToken, Task<HttpResponseMessage>> send, string path, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(TimeLimit(batch.Bytes, options), time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using var answer = await send(path, request =>
            {
                if (batch.Policy is not null) request.Headers.TryAddWithoutValidation("Duplicate-Policy", batch.Policy);
            }, both.Token);
            return await ReadAsync(answer, batch, options, both.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new BatchResult(BatchOutcome.Broken, null, "No answer in time.");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or CredentialsException)
        {
            return Failure(e);
        }
    }

    /// <summary>What an exception of the network means. Its own text may hold URLs, so it is not repeated.</summary>
    public static BatchResult Failure(Exception exception) => exception switch
    {
        CredentialsException => new BatchResult(BatchOutcome.Unauthorized, null, exception.Message),
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => new BatchResult(BatchOutcome.Unavailable, null, "The host name cannot be resolved."),
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => new BatchResult(BatchOutcome.Unavailable, null, "No connection."),
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => new BatchResult(BatchOutcome.Unavailable, null, "TLS failed; look at the certificates."),
        HttpRequestException { HttpRequestError: HttpRequestError.ProxyTunnelError } => new BatchResult(BatchOutcome.Unavailable, null, "The proxy refused."),
        _ => new BatchResult(BatchOutcome.Broken, null, "The connection broke."),
    };

    /// <summary>What is allowed for a request of this size.</summary>
    public TimeSpan TimeLimit(long bytes, DestinationOptions options) =>
        TimeSpan.FromSeconds(options.TimeoutSeconds + (bandwidth.BytesPerSecond > 0 ? bytes / bandwidth.BytesPerSecond * 2 * options.Parallelism : 0));

    private async Task<BatchResult> ReadAsync(HttpResponseMessage answer, Batch batch, DestinationOptions options, CancellationToken cancellationToken)
    {
        var status = (int)answer.StatusCode;
        var retryAfter = RetryAfterOf(answer);
        switch (status)
        {
            case 401 or 403:
                return new BatchResult(BatchOutcome.Unauthorized, status, "The destination does not accept who we are.", retryAfter);
            case 408 or 425 or 429 or 502 or 503 or 504 or 507:
                return new BatchResult(BatchOutcome.Unavailable, status, "The destination is not available.", retryAfter);
            case >= 500:
                return new BatchResult(BatchOutcome.Broken, status, "The destination failed.", retryAfter);
            case 404 or 405 or (>= 300 and < 400):
                return new BatchResult(BatchOutcome.NotStow, status, "The URL is not that of a store service.", retryAfter);
        }
        // Whatever the status says, an answer that names instances counts: some servers answer 400 although they stored a part.
        var body = await ReadBodyAsync(answer, cancellationToken);
        if (body is not null && StowAnswer.TryRead(body) is { } parsed)
            return new BatchResult(status == 413 ? BatchOutcome.TooLarge : BatchOutcome.Answered, status, "", retryAfter) { Judgements = Judge(parsed, batch, options, status) };
        return status switch
        {
            413 => new BatchResult(BatchOutcome.TooLarge, status, "More than the destination takes at once."),
            < 300 => new BatchResult(BatchOutcome.NotStow, status, "The answer is not that of a store service."),
            _ => new BatchResult(BatchOutcome.Refused, status, "The destination refused the request and did not say why.", retryAfter),
        };
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
            else if (isAlone && answer.StoredCount == 1 && status < 300) judgements[entry] = new Judgement(Verdict.Done, null);
        }
        return judgements;

        void Fail(SpoolEntry entry, ushort reason) => judgements[entry] = new Judgement(FailureReasons.Judge(reason, batch.Policy, options.DuplicatesAreStored), reason);
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

    /// <summary>Retry-After (RFC 9110 10.2.3), at most an hour.</summary>
    public TimeSpan? RetryAfterOf(HttpResponseMessage answer)
    {
        var wait = answer.Headers.RetryAfter is { } header ? header.Delta ?? (header.Date is { } date ? date - time.GetUtcNow() : null) : null;
        return wait is { } found ? TimeSpan.FromSeconds(Math.Clamp(found.TotalSeconds, 0, 3600)) : null;
    }
}
