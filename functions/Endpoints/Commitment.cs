using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using DicomServerless.Archive;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Web;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Media;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace DicomServerless.Functions.Endpoints;

/// <summary>
/// Storage commitment over the web (PS3.18 chapter 13): <c>POST</c> asks for the instances of a Referenced SOP Sequence (J.1) and is answered at once (J.2);
/// <c>GET</c> gives the answer
/// again. The form by Referenced Study Sequence is not taken.
/// </summary>
internal static class Commitment
{
    private const int MaxBodyBytes = 16 * 1024 * 1024, MaxItems = 50_000;
    private const ushort NoSuchInstance = 0x0112, ClassConflict = 0x0119; // PS3.3 C.14.1.1

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }; // sent as application/dicom+json
    private static readonly Representation Json = Representation.Single(MediaTypes.DicomJson), PlainJson = Representation.Single(MediaTypes.Json);

    /// <summary>Commitment request (13.4).</summary>
    public static async Task RequestAsync(HttpContext context)
    {
        if (await TransactionAsync(context) is not { } transaction || await ChooseAsync(context) is not { } form) return;
        if (await ReadAsync(context) is not { } items) return;
        var commitments = context.Archive().Commitments;
        if (await commitments.KeptAsync(transaction, context.RequestAborted) is null)
        {
            // It goes on without the client: one that gave up waiting finds the result under its Transaction UID. A server that stops lets it end, too.
            var stopped = context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopped;
            var result = ResultOf(items, await commitments.CheckAsync(items, stopped));
            if (await commitments.TryKeepAsync(transaction, result, stopped))
            {
                await AnswerAsync(context, form, result);
                return;
            }
        }
        await Problem.WriteAsync(context, 409, "The Transaction UID is in use; take another one, or GET this resource for its result.");
    }

    /// <summary>Result check (13.5).</summary>
    public static async Task ResultAsync(HttpContext context)
    {
        if (await TransactionAsync(context) is not { } transaction || await ChooseAsync(context) is not { } form) return;
        if (await context.Archive().Commitments.KeptAsync(transaction, context.RequestAborted) is { } result) await AnswerAsync(context, form, result);
        else await Problem.WriteAsync(context, 404, "There is no commitment request with this Transaction UID, or it was a week ago.");
    }

    private static async Task<Uid?> TransactionAsync(HttpContext context)
    {
        if (context.Request.RouteValues["transaction"] is string text && Uid.TryParse(text, out var uid)) return uid;
        await Problem.WriteAsync(context, 400, "The Transaction UID must be digits and single dots, at most 64 characters (PS3.5 9.1).");
        return null;
    }

    private static async Task<Representation?> ChooseAsync(HttpContext context)
    {
        if (Accept.Of(context.Request).Choose(Json, PlainJson, XmlParts.Single) is { } form) return form;
        await Problem.WriteAsync(context, 406,
            $"The result of a commitment request is {MediaTypes.DicomJson} or {MediaTypes.DicomXml}; accept one of them or */*.");
        return null;
    }

    // The items of the request; null when it is wrong, which has then been answered.
    private static async Task<IReadOnlyList<CommitmentItem>?> ReadAsync(HttpContext context)
    {
        if (StowEnvelope.FormOf(MediaType.Parse(context.Request.ContentType)?.Name) is not { } form)
        {
            await Problem.WriteAsync(context, 415, $"Send the request as {MediaTypes.DicomJson} or {MediaTypes.DicomXml}.");
            return null;
        }
        if (context.Request.Headers.ContentEncoding.Count > 0)
        {
            await Problem.WriteAsync(context, 415, "Send the request without a Content-Encoding.");
            return null;
        }
        if (context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            size.MaxRequestBodySize = MaxBodyBytes;
        var body = new ArrayBufferWriter<byte>();
        var source = new RequestBody(context.Request.Body, context.Telemetry().BytesIn);
        for (int count; (count = await source.ReadAsync(body.GetMemory(64 * 1024), context.RequestAborted)) > 0;) body.Advance(count);
        var limits = context.Settings().Archive.Limits;
        string? problem;
        DataSet request;
        if (form == Archive.Metadata.MetadataForm.Json)
        {
            // Some send the array that metadata come in.
            DicomJsonReader.TryRead(OnlyObject(body.WrittenSpan), limits, out request, out var error);
            problem = error?.Message;
        }
        else
        {
            DicomXmlReader.TryRead(body.WrittenMemory, limits, out request, out var error);
            problem = error?.Message;
        }
        var items = new List<CommitmentItem>();
        problem ??= Read(request, items);
        if (problem is null) return items;
        await Problem.WriteAsync(context, 400, problem);
        return null;
    }

    private static ReadOnlySpan<byte> OnlyObject(ReadOnlySpan<byte> json)
    {
        var trimmed = json.Trim(" \t\r\n"u8);
        return trimmed is [(byte)'[', .. var inner, (byte)']'] ? inner : trimmed;
    }

    private static string? Read(DataSet request, List<CommitmentItem> items)
    {
        if (!request.TryGet(Tags.ReferencedSOPSequence, out var sequence))
            return "Referenced SOP Sequence (0008,1199) is missing; it names the instances (PS3.18 J.1). Referenced Study Sequence is not taken.";
        foreach (var item in sequence.Items)
        {
            if (items.Count == MaxItems) return $"Referenced SOP Sequence (0008,1199) may have {MaxItems} items; ask for fewer at once.";
            if (!item.TryGetUid(Tags.ReferencedSOPClassUID, out var sopClass) || !item.TryGetUid(Tags.ReferencedSOPInstanceUID, out var sop))
                return $"Item {items.Count + 1} of Referenced SOP Sequence (0008,1199) must have valid UIDs in (0008,1150) and (0008,1155).";
            items.Add(new CommitmentItem(sopClass.Value, sop));
        }
        return items.Count > 0 ? null : "Referenced SOP Sequence (0008,1199) is empty; it names the instances (PS3.18 J.1).";
    }

    private static byte[] ResultOf(IReadOnlyList<CommitmentItem> items, CommitmentOutcome[] outcomes)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output, Options))
        {
            json.WriteStartObject();
            WriteSequence(json, "00081198", outcome => outcome != CommitmentOutcome.Committed);
            WriteSequence(json, "00081199", outcome => outcome == CommitmentOutcome.Committed);
            json.WriteEndObject();
        }
        return output.WrittenSpan.ToArray();

        void WriteSequence(Utf8JsonWriter json, string tag, Func<CommitmentOutcome, bool> isOfIt)
        {
            if (!outcomes.Any(isOfIt)) return;
            json.WriteStartObject(tag);
            json.WriteString("vr"u8, "SQ"u8);
            json.WriteStartArray("Value"u8);
            for (var i = 0; i < items.Count; i++)
            {
                if (!isOfIt(outcomes[i])) continue;
                json.WriteStartObject();
                WriteUid(json, "00081150", items[i].SopClassUid);
                WriteUid(json, "00081155", items[i].Sop.Value);
                if (outcomes[i] != CommitmentOutcome.Committed)
                    WriteReason(json, outcomes[i] == CommitmentOutcome.ClassConflict ? ClassConflict : NoSuchInstance);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    private static void WriteUid(Utf8JsonWriter json, string tag, string uid)
    {
        json.WriteStartObject(tag);
        json.WriteString("vr"u8, "UI"u8);
        json.WriteStartArray("Value"u8);
        json.WriteStringValue(uid);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteReason(Utf8JsonWriter json, ushort reason)
    {
        json.WriteStartObject("00081197"u8);
        json.WriteString("vr"u8, "US"u8);
        json.WriteStartArray("Value"u8);
        json.WriteNumberValue(reason);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static async Task AnswerAsync(HttpContext context, Representation form, byte[] result)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (form.MediaType == MediaTypes.DicomXml)
        {
            await XmlParts.WriteAsync(context, isMultipart: false, XmlParts.Each([result]));
            return;
        }
        context.Response.ContentType = form.MediaType;
        context.Response.ContentLength = result.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.BodyWriter.WriteAsync(result, context.RequestAborted);
    }
}
