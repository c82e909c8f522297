using DicomServerless.Dicom.Web;

namespace DicomServerless.EdgeGateway.Forwarding;

/// <summary>Sends a batch as one STOW request (PS3.18 10.5).</summary>
internal sealed class BatchSender(DestinationClient client, StoreAnswers answers, Bandwidth bandwidth, LineRate rate, TimeProvider time, Func<Guid> newGuid)
{
    /// <summary>Sends it and reads what became of it.</summary>
    /// <param name="batch">The objects.</param>
    /// <param name="options">The destination's options.</param>
    /// <param name="asksFirst">Whether the body waits for 100 (Continue), so that a server that refused the last one can refuse this one without taking its
    /// bytes.</param>
    /// <param name="cancellationToken">Breaks it off.</param>
    public async Task<BatchResult> SendAsync(Batch batch, DestinationOptions options, bool asksFirst, CancellationToken cancellationToken)
    {
        using var limit = new RequestLimit(rate.TimeLimit(batch.Bytes, options), time, cancellationToken);
        using var content = new StowContent(batch.Entries, MultipartWriter.NewBoundary(newGuid), bandwidth, limit.Renew);
        try
        {
            using var answer = await client.SendAsync(HttpMethod.Post, "/studies", content, request =>
            {
                batch.AddPolicy(request);
                request.Headers.ExpectContinue = asksFirst;
            }, limit.Token);
            return await answers.ReadAsync(answer, batch, options, limit.Token);
        }
        catch (Exception e) when (StoreAnswers.IsEndOfRequest(e, cancellationToken))
        {
            return StoreAnswers.Failure(e);
        }
    }
}
