using DicomServerless.Dicom.Web;
using DicomServerless.Archive;
using DicomServerless.Dicom;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Media;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functions.Endpoints;

/// <summary>Store transaction (PS3.18 10.5): <c>POST /studies</c> and <c>POST /studies/{study}</c>.</summary>
internal static class Stow
{
    private const string Dicom = "application/dicom", DicomJson = "application/dicom+json";
    private const int MaxSourceLength = 64, MaxWarnings = 8;

    public static async Task StoreAsync(HttpContext context)
    {
        if (await context.ReadUidsAsync() is not { } uids) return;
        if (await ReadEnvelopeAsync(context) is not { } envelope) return;
        if (Accept.Of(context.Request).Choose(Representation.Single(DicomJson), Representation.Single("application/json")) is null)
        {
            await Problem.WriteAsync(context, 406, $"The answer to a store is {DicomJson}; accept it or */*. Nothing was stored.");
            return;
        }
        var archive = context.Archive();
        using var batch = archive.Store.Begin(new StoreRequest(uids.Study, envelope.Policy, SourceOf(context.Request)));
        Exception? broken = null;
        string? envelopeProblem = null;
        try
        {
            envelopeProblem = await ReceiveAsync(context, envelope, batch);
        }
        catch (Exception exception)
        {
            broken = exception; // too large, cut off, or storage failed
        }
        // Whatever became of the body: what came before must not be lost.
        var results = await batch.CompleteAsync();
        Report(context, results);
        if (broken is not null and not BadHttpRequestException { StatusCode: 413 }) throw broken;
        if (results.Count == 0 || envelopeProblem is not null)
        {
            await Problem.WriteAsync(context, broken is null ? 400 : 413, broken is null ? envelopeProblem ?? "The request has no parts." : TooLarge(context));
            return;
        }
        await AnswerAsync(context, results, broken is not null);
    }

    private readonly record struct Envelope(string? Boundary, DuplicatePolicy Policy);

    // What can be said before the body is read. Null when the answer has been given.
    private static async Task<Envelope?> ReadEnvelopeAsync(HttpContext context)
    {
        var request = context.Request;
        var limit = context.Settings().Http.MaxBodyBytes;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = limit;
        var (status, problem) = (415, "");
        var type = MediaType.Parse(request.ContentType);
        string? boundary = null;
        if (request.ContentLength > limit) (status, problem) = (413, TooLarge(context));
        else if (request.Headers.ContentEncoding is [{ Length: > 0 } encoding] && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
            problem = "Content-Encoding is not supported for stores; send the objects as they are.";
        else if (type is { Name: "multipart/related" })
        {
            // A type that is missing is taken for DICOM: each part says what it is.
            if (type["type"] is { Length: > 0 } parts && MediaType.Parse(parts)?.Name != Dicom) problem = Unsupported;
            else if (type["boundary"] is not { Length: > 0 and <= MultipartReader.MaxBoundaryLength } given)
                (status, problem) = (400, $"Content-Type must have a boundary parameter of 1 to {MultipartReader.MaxBoundaryLength} characters (RFC 2046 5.1.1).");
            else boundary = given;
        }
        else if (type?.Name != Dicom) problem = Unsupported;
        if (problem.Length > 0)
        {
            if (status == 415) context.Response.Headers.Accept = $"multipart/related; type=\"{Dicom}\", {Dicom}"; // RFC 9110 15.5.16
            await Problem.WriteAsync(context, status, problem);
            return null;
        }
        return await ReadPolicyAsync(context) is { } policy ? new Envelope(boundary, policy) : null;
    }

    /// <summary>The policy that the request asks for, else the configured one. Null when the answer has been given.</summary>
    internal static async Task<DuplicatePolicy?> ReadPolicyAsync(HttpContext context)
    {
        if (context.Request.Headers["Duplicate-Policy"] is not [{ } wanted]) return context.Settings().Archive.DuplicatePolicy;
        DuplicatePolicy? named = wanted.Trim().ToLowerInvariant() switch { "reject" => DuplicatePolicy.Reject, "replace" => DuplicatePolicy.Replace, "keep-first" => DuplicatePolicy.KeepFirst, _ => null };
        if (named is null) await Problem.WriteAsync(context, 400, "The header Duplicate-Policy must be reject, replace or keep-first.");
        return named;
    }

    private const string Unsupported = $"Send multipart/related with type=\"{Dicom}\", or one object as {Dicom}.";

    private static string TooLarge(HttpContext context) => $"The body of a store may have {context.Settings().Http.MaxBodyBytes} bytes here; send fewer objects at once.";

    // Gives what is wrong with the envelope, if anything is. Writes go on when the client has left: its objects are there already.
    private static async Task<string?> ReceiveAsync(HttpContext context, Envelope envelope, StoreBatch batch)
    {
        var body = new CountedStream(context.Request.Body, context.Telemetry().BytesIn);
        if (envelope.Boundary is null)
        {
            if (context.Request.ContentLength == 0) return "The request is empty.";
            await batch.ReceiveAsync(body, CancellationToken.None);
            return null;
        }
        using var reader = new MultipartReader(body, envelope.Boundary);
        while (await reader.ReadNextAsync(CancellationToken.None) is { } part)
        {
            if (part.Problem is { } problem) batch.AddFailure(StoreOutcome.CannotUnderstand, problem);
            else if (part.ContentType is { } type && MediaType.Parse(type)?.Name is not (Dicom or "application/octet-stream"))
                batch.AddFailure(StoreOutcome.CannotUnderstand, $"The Content-Type of the part is not {Dicom}.");
            else await batch.ReceiveAsync(part.Content, CancellationToken.None);
        }
        return reader.HasBegun ? null : body.Count == 0 ? "The request is empty." : "No line of the body is the boundary that Content-Type names.";
    }

    private static async Task AnswerAsync(HttpContext context, IReadOnlyList<StoreResult> results, bool isCutOff)
    {
        var answer = new StoreResponse(results, context.BaseUrl());
        var response = context.Response;
        response.StatusCode = isCutOff ? 413 : answer.Status;
        response.ContentType = DicomJson;
        response.Headers.CacheControl = "no-store";
        if (response.StatusCode == 503) response.Headers.RetryAfter = "5";
        if (answer.StudyUrl is { } url)
        {
            response.Headers.ContentLocation = url;
            if (results.Any(result => result.Outcome == StoreOutcome.Stored)) response.Headers.Location = url;
        }
        if (isCutOff) context.AddWarning(TooLarge(context) + " Objects after those listed were not read.");
        foreach (var (result, number) in results.Select((result, i) => (result, i + 1)).Where(item => item.result.Problem is not null).Take(MaxWarnings))
            context.AddWarning($"Part {number}: {result.Problem}");
        answer.WriteTo(response.BodyWriter);
        await response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private static void Report(HttpContext context, IReadOnlyList<StoreResult> results)
    {
        var log = context.RequestServices.GetRequiredService<ILogger<StoreResponse>>();
        for (var i = 0; i < results.Count; i++)
        {
            var result = results[i];
            context.Telemetry().Stored.Add(1, new KeyValuePair<string, object?>("outcome", result.Outcome.ToString()));
            if (!result.IsStored) HostingLog.PartRefused(log, i + 1, result.Outcome.ToString(), result.Problem ?? "", Problem.TraceId(context));
        }
    }

    // For the blob's metadata: the program that sends, as it names itself; ASCII letters, digits and a few signs only.
    internal static string SourceOf(HttpRequest request)
    {
        var agent = request.Headers.UserAgent.ToString().Split(' ')[0];
        var name = new string([.. agent.Where(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '/').Take(MaxSourceLength)]);
        return name.Length > 0 ? name : "stow";
    }
}
