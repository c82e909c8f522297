using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DicomServerless.Archive;
using DicomServerless.Archive.Retrieve;
using DicomServerless.Dicom.Web;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Media;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Endpoints;

/// <summary>
/// Retrieves all bulk data, or all pixel data, of a study, a series or an instance (PS3.18 10.4.1.1.5), a part each with its location. Nothing to give, though
/// the resource is there, is 204:
/// a multipart message without parts is none (RFC 2046 5.1.1), and 404 would say that there is no such study.
/// </summary>
internal static class WadoCollections
{
    private static readonly Representation Octets = Representation.Multipart(MediaTypes.Octets);

    public static async Task BulkDataAsync(HttpContext context)
    {
        if (await ListAsync(context) is not { } listed) return;
        if (Accept.Of(context.Request).Choose(Octets) is null)
        {
            await Problem.WriteAsync(context, 406, $"Bulk data of several values are {Octets}; one alone is behind its BulkDataURI.");
            return;
        }
        var instances = listed.Select(item => item.Instance).ToList();
        if (Caching.IsNotModified(context, ETagOf(instances.Select(instance => (instance, ""))))) return;
        await WriteAsync(context, instances.Count == 0 ? null : MediaTypes.Octets, Parts(context, instances));
    }

    public static async Task PixelDataAsync(HttpContext context)
    {
        if (await ListAsync(context) is not { } listed) return;
        var accept = Accept.Of(context.Request);
        var forms = new OrderedDictionary<StoredInstance, FrameForm>();
        var withPixels = listed.Where(item => item.HasFrames).ToList();
        string? refusal = null;
        foreach (var item in withPixels)
        {
            if (FrameForm.TryChoose(accept, item.Instance, item.IsEncapsulated, null, out var form, out var reason)) forms.Add(item.Instance, form);
            else refusal ??= reason;
        }
        if (refusal is not null && forms.Count == 0)
        {
            await Problem.WriteAsync(context, 406, refusal);
            return;
        }
        if (Caching.IsNotModified(context, ETagOf(forms.Select(pair => (pair.Key, pair.Value.ContentType))))) return;
        if (forms.Count < withPixels.Count)
        {
            // PS3.18 table 10.4.3-1: some, but not all, can be given as asked for.
            context.Response.StatusCode = StatusCodes.Status206PartialContent;
            context.AddWarning($"The pixel data of {withPixels.Count - forms.Count} of {withPixels.Count} instances are not in the answer. {refusal}");
        }
        await WriteAsync(context, forms.Count == 0 ? null : forms.GetAt(0).Value.MediaType, PixelParts(context, forms));
    }

    /// <summary>A part of an answer.</summary>
    private readonly record struct Part(string ContentType, string Location, long Length, Func<CancellationToken, Task<Stream>> Open);

    private static async Task<IReadOnlyList<ValuedInstance>?> ListAsync(HttpContext context)
    {
        if (await context.ReadUidsAsync() is not { } uids) return null;
        var listed = await context.Archive().Retrieval.ListValuedAsync(uids.Study!.Value, uids.Series, uids.Instance, context.RequestAborted);
        if (listed is null) await NotFound.WriteAsync(context, uids);
        return listed;
    }

    private static async IAsyncEnumerable<Part> Parts(HttpContext context, IReadOnlyList<StoredInstance> instances)
    {
        await foreach (var value in context.Archive().Retrieval.BulkAsync(instances, context.RequestAborted))
        {
            var type = value.IsEncapsulated ? $"{MediaTypes.Octets}; transfer-syntax={value.Instance.TransferSyntaxUid}" : MediaTypes.Octets;
            yield return new Part(type, $"{context.UrlOf(value.Instance.Key)}/bulkdata/{value.Path}", value.Length, token => OpenAsync(value, token));
        }
    }

    private static async IAsyncEnumerable<Part> PixelParts(HttpContext context, OrderedDictionary<StoredInstance, FrameForm> forms)
    {
        await foreach (var pixels in context.Archive().Retrieval.PixelDataAsync([.. forms.Keys], context.RequestAborted))
        {
            // What was replaced meanwhile may be compressed otherwise: the client asks again.
            if (!forms.TryGetValue(pixels.Instance, out var form)) throw new InstanceChangedException();
            if (pixels.Value is { } value)
                yield return new Part(form.ContentType, $"{context.UrlOf(pixels.Instance.Key)}/bulkdata/{value.Path}", value.Length, token =>
                    OpenAsync(value, token));
            else if (pixels.Frame is { } frame)
                yield return new Part(form.ContentType, context.BaseUrl() + DicomWebPath.OfFrame(pixels.Instance.Key, frame.Number), frame.Length, _ =>
                    Task.FromResult(frame.Content));
        }
    }

    private static Task<Stream> OpenAsync(BulkAnswer value, CancellationToken cancellationToken) => value.Length == 0
        ? Task.FromResult(Stream.Null) : value.Open(0, value.Length, cancellationToken);

    private static async Task WriteAsync(HttpContext context, string? mediaType, IAsyncEnumerable<Part> parts)
    {
        if (mediaType is null)
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }
        var boundary = context.NewBoundary();
        context.Response.ContentType = MultipartWriter.ContentType(mediaType, boundary);
        if (HttpMethods.IsHead(context.Request.Method)) return;
        var writer = new MultipartWriter(context.Response.BodyWriter, boundary);
        await foreach (var part in parts.WithCancellation(context.RequestAborted))
        {
            await using var content = await part.Open(context.RequestAborted);
            writer.Begin(part.ContentType, part.Location, part.Length);
            context.Telemetry().BytesOut.Add(part.Length);
            await Payload.CopyAsync(content, context.Response.BodyWriter, part.Length, context.RequestAborted);
        }
        if (!writer.HasParts) throw new InstanceChangedException(); // all deleted since they were listed
        await writer.EndAsync(context.RequestAborted);
    }

    private static string ETagOf(IEnumerable<(StoredInstance Instance, string Form)> instances)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (instance, form) in instances)
            hash.AppendData(Encoding.ASCII.GetBytes($"{instance.Key.Series}/{instance.Key.Sop}/{instance.ETag}/{form}\n"));
        // Weak: the boundary is another each time, and the base URL is in the parts.
        return $"W/\"{Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 12))}\"";
    }
}
