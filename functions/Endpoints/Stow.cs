using DicomServerless.Archive;
using DicomServerless.Archive.Metadata;
using DicomServerless.Dicom.Web;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Media;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functions.Endpoints;

/// <summary>
/// Store transaction (PS3.18 10.5): <c>POST /studies</c>, <c>POST /studies/{study}</c>, and, beyond the standard, <c>PUT</c> on an instance, which replaces it.
/// </summary>
internal static class Stow
{
    private const int MaxSourceLength = 64, MaxWarnings = 8, MaxLogged = 20;

    /// <summary>Stores objects.</summary>
    public static async Task StoreAsync(HttpContext context)
    {
        if (await context.ReadUidsAsync() is not { } uids) return;
        if (await StowEnvelope.ReadAsync(context, allowsParts: true, context.Settings().Archive.DuplicatePolicy) is not { } envelope) return;
        await StoreAsync(context, envelope, new StoreRequest(uids.Study, envelope.Policy, SourceOf(context.Request)));
    }

    /// <summary>
    /// Stores one object under its own address, in the place of what is there unless the request says otherwise: 201 when nothing was, else 200.
    /// </summary>
    public static async Task ReplaceAsync(HttpContext context)
    {
        if (await context.ReadUidsAsync() is not { } uids) return;
        if (await StowEnvelope.ReadAsync(context, allowsParts: false, DuplicatePolicy.Replace) is not { } envelope) return;
        await StoreAsync(context, envelope, new StoreRequest(uids.Study, envelope.Policy, SourceOf(context.Request)) { Instance = uids.Key });
    }

    private static async Task StoreAsync(HttpContext context, StowEnvelope envelope, StoreRequest request)
    {
        var store = context.Archive().Store;
        await using var batch = store.Begin(request);
        using var metadata = envelope.Form is null ? null : store.BeginMetadata(RequestUri(context), envelope.TransferSyntax);
        Exception? broken = null;
        string? envelopeProblem = null;
        IReadOnlyList<string> remarks = [];
        try
        {
            envelopeProblem = await ReceiveAsync(context, envelope, batch, metadata);
        }
        catch (InvalidDataException exception)
        {
            batch.AddFailure(StoreOutcome.CannotUnderstand, exception.Message); // cut off, or not what its Content-Encoding says
        }
        catch (Exception exception)
        {
            broken = exception; // too large, cut off, or storage failed
        }
        // Whatever became of the body: what came before must not be lost.
        try
        {
            if (metadata is not null) remarks = await metadata.CompleteAsync(batch, CancellationToken.None);
        }
        catch (Exception exception)
        {
            broken ??= exception; // of whatever kind: the storage client has its own
        }
        var results = await batch.CompleteAsync();
        Report(context, results);
        if (broken is not null and not (BadHttpRequestException { StatusCode: 413 } or TooManyPartsException)) throw broken;
        var tooMuch = (broken as TooManyPartsException)?.Message ?? (broken is null ? null : StowEnvelope.TooLarge(context));
        if (results.Count == 0 || envelopeProblem is not null)
        {
            await Problem.WriteAsync(context, tooMuch is null ? 400 : 413, tooMuch ?? envelopeProblem
                ?? (metadata is null ? "The request has no parts." : "The request has no metadata."));
            return;
        }
        foreach (var remark in remarks.Take(MaxWarnings)) context.AddWarning(remark);
        await AnswerAsync(context, envelope, request, results, tooMuch);
    }

    // Gives what is wrong with the envelope, if anything is. Writes go on when the client has left: its objects are there already.
    private static async Task<string?> ReceiveAsync(HttpContext context, StowEnvelope envelope, StoreBatch batch, MetadataUpload? metadata)
    {
        var counted = new RequestBody(context.Request.Body, context.Telemetry().BytesIn);
        await using var body = ContentDecoding.Open(counted, envelope.Encodings, context.Settings().Http.MaxBodyBytes);
        if (envelope.Boundary is null)
        {
            if (context.Request.ContentLength == 0) return "The request is empty.";
            if (metadata is null) await batch.ReceiveAsync(body, CancellationToken.None);
            else await metadata.AddMetadataAsync(batch, body, envelope.Form!.Value, CancellationToken.None);
            return null;
        }
        using var reader = new MultipartReader(body, envelope.Boundary);
        while (await reader.ReadNextAsync(CancellationToken.None) is { } part)
        {
            if (part.Problem is { } problem) batch.AddFailure(StoreOutcome.CannotUnderstand, problem);
            else if (metadata is not null) await ReceivePartAsync(part, batch, metadata);
            else if (part.ContentType is { } type && MediaType.Parse(type)?.Name is not (MediaTypes.Dicom or MediaTypes.Octets))
                batch.AddFailure(StoreOutcome.CannotUnderstand, $"The Content-Type of the part is not {MediaTypes.Dicom}.");
            else await batch.ReceiveAsync(part.Content, CancellationToken.None);
        }
        return reader.HasBegun ? null : counted.Count == 0 ? "The request is empty." : "No line of the body is the boundary that Content-Type names.";
    }

    // PS3.18 8.6.1.2: metadata, bulk data, and whole objects among them.
    private static async Task ReceivePartAsync(MultipartPart part, StoreBatch batch, MetadataUpload metadata)
    {
        var type = MediaType.Parse(part.ContentType);
        if (StowEnvelope.FormOf(type?.Name) is { } form) await metadata.AddMetadataAsync(batch, part.Content, form, CancellationToken.None);
        else if (type?.Name == MediaTypes.Dicom) await batch.ReceiveAsync(part.Content, CancellationToken.None);
        else await metadata.AddBulkAsync(part.Content, type?.Name ?? MediaTypes.Octets, StowEnvelope.SyntaxOf(type),
            part.Headers.GetValueOrDefault("Content-Location"), part.Headers.GetValueOrDefault("Content-ID"), CancellationToken.None);
    }

    private static async Task AnswerAsync(HttpContext context, StowEnvelope envelope, StoreRequest request, IReadOnlyList<StoreResult> results,
        string? tooMuch)
    {
        var answer = new StoreResponse(results, context.BaseUrl());
        var response = context.Response;
        var isCreated = request.Instance is not null && answer.Status == 200 && results.All(result => result.IsNew);
        response.StatusCode = tooMuch is not null ? 413 : isCreated ? 201 : answer.Status;
        response.ContentType = envelope.AnswerType;
        response.Headers.CacheControl = "no-store";
        if (response.StatusCode == 503) response.Headers.RetryAfter = "5";
        if (answer.StudyUrl is { } study)
        {
            var url = request.Instance is { } instance ? context.BaseUrl() + DicomWebPath.Of(instance) : study;
            response.Headers.ContentLocation = url;
            if (results.Any(result => result.Outcome == StoreOutcome.Stored)) response.Headers.Location = url;
        }
        if (tooMuch is not null) context.AddWarning(tooMuch + " Objects after those listed were not read.");
        var kind = envelope.Form is null ? "Part" : "Instance";
        foreach (var (result, number) in results.Select((result, i) => (result, i + 1))
            .Where(item => StoreReasons.Words(item.result) is not null).Take(MaxWarnings))
            context.AddWarning($"{kind} {number}: {StoreReasons.Words(result)}");
        if (envelope.AnswerType == MediaTypes.DicomXml)
        {
            var document = new MemoryStream();
            answer.WriteXmlTo(document);
            await response.BodyWriter.WriteAsync(document.GetBuffer().AsMemory(0, (int)document.Length), context.RequestAborted);
        }
        else answer.WriteTo(response.BodyWriter);
        await response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private static void Report(HttpContext context, IReadOnlyList<StoreResult> results)
    {
        var log = context.RequestServices.GetRequiredService<ILogger<StoreResponse>>();
        var refused = 0;
        for (var i = 0; i < results.Count; i++)
        {
            var result = results[i];
            context.Telemetry().Stored.Add(1, new KeyValuePair<string, object?>("outcome", result.Outcome.ToString()));
            if (result.IsStored || ++refused > MaxLogged) continue;
            HostingLog.PartRefused(log, i + 1, result.Outcome.ToString(), result.Problem ?? "", Problem.TraceId(context));
        }
        if (refused > MaxLogged) HostingLog.MorePartsRefused(log, refused - MaxLogged, Problem.TraceId(context));
    }

    // What relative locations are relative to.
    private static Uri RequestUri(HttpContext context) => new(context.BaseUrl() + context.Request.Path.Value!["/dicomweb".Length..] + "/");

    // For the blob's metadata: the program that sends, as it names itself; ASCII letters, digits and a few signs only.
    internal static string SourceOf(HttpRequest request)
    {
        var agent = request.Headers.UserAgent.ToString().Split(' ')[0];
        var name = new string([.. agent.Where(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '/').Take(MaxSourceLength)]);
        return name.Length > 0 ? name : "stow";
    }
}
