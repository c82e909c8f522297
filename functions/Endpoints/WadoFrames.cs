using DicomServerless.Archive;
using DicomServerless.Dicom.Web;
using System.Globalization;
using DicomServerless.Archive.Retrieve;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Media;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Endpoints;

/// <summary>
/// Retrieves frames (PS3.18 10.4.1.1.6): native ones as little endian pixels, compressed ones as they are stored. Each part says its transfer syntax, because
/// viewers that are not told take octets for raw pixels. Frames come in the order asked for, also when a number is given twice.
/// </summary>
internal static class WadoFrames
{
    private const int MaxNumbers = 100_000;

    public static async Task RetrieveAsync(HttpContext context)
    {
        if (await context.ReadUidsAsync() is not { } uids) return;
        if (!TryReadNumbers(context.Request.RouteValues["frames"] as string ?? "", out var numbers))
        {
            await Problem.WriteAsync(context, 400, $"The frame list must be numbers from 1 with commas, at most {MaxNumbers}.");
            return;
        }
        var answer = await context.Archive().Retrieval.FramesAsync(uids.Key, numbers, context.RequestAborted);
        switch (answer.Outcome)
        {
            case FrameOutcome.NotFound:
                await NotFound.WriteAsync(context, uids);
                return;
            case FrameOutcome.NoPixelData:
                await Problem.WriteAsync(context, 404, "The instance has no frames: no pixel data that can be told apart into frames.");
                return;
            case FrameOutcome.OutOfRange:
                await Problem.WriteAsync(context, 400, $"The frame list goes past the last frame; the instance has {answer.Count}.");
                return;
        }
        if (!FrameForm.TryChoose(Accept.Of(context.Request), answer.Instance!, answer.IsEncapsulated, numbers.Count, out var choice, out var reason))
        {
            await Problem.WriteAsync(context, 406, reason);
            return;
        }
        var instance = answer.Instance!;
        var etag = $"\"{instance.ETag.Trim('"')}-{Caching.Short(choice.ContentType)}{(choice.IsMultipart ? "m" : "s")}\"";
        if (Caching.IsNotModified(context, etag)) return;
        if (choice.IsMultipart) await WriteMultipartAsync(context, answer, choice);
        else await WriteSingleAsync(context, answer, choice, etag);
    }

    private static bool TryReadNumbers(string text, out List<int> numbers)
    {
        numbers = [];
        foreach (var part in text.AsSpan().Split(','))
        {
            // Past the last frame whatever it is: more digits than an int are the largest one.
            var digits = text.AsSpan()[part];
            if (digits.IsEmpty || digits.ContainsAnyExceptInRange('0', '9') || numbers.Count == MaxNumbers) return false;
            var number = int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : int.MaxValue;
            if (number == 0) return false;
            numbers.Add(number);
        }
        return true;
    }

    private static async Task WriteMultipartAsync(HttpContext context, FrameAnswer answer, FrameForm choice)
    {
        var boundary = context.NewBoundary();
        var key = answer.Instance!.Key;
        context.Response.ContentType = MultipartWriter.ContentType(choice.MediaType, boundary);
        if (HttpMethods.IsHead(context.Request.Method)) return;
        var writer = new MultipartWriter(context.Response.BodyWriter, boundary);
        await foreach (var frame in answer.Frames.WithCancellation(context.RequestAborted))
        {
            await using var content = frame.Content;
            writer.Begin(choice.ContentType, context.BaseUrl() + DicomWebPath.OfFrame(key, frame.Number), null);
            context.Telemetry().BytesOut.Add(frame.Length);
            await Payload.CopyAsync(content, context.Response.BodyWriter, frame.Length, context.RequestAborted);
        }
        await writer.EndAsync(context.RequestAborted);
    }

    private static async Task WriteSingleAsync(HttpContext context, FrameAnswer answer, FrameForm choice, string etag)
    {
        await foreach (var frame in answer.Frames.WithCancellation(context.RequestAborted))
        {
            await using var content = frame.Content;
            await Payload.SendAsync(context, choice.ContentType, etag, frame.Length, async (offset, _, cancellationToken) =>
            {
                await SkipAsync(content, offset, cancellationToken);
                return content;
            });
            return;
        }
    }

    private static async Task SkipAsync(Stream content, long count, CancellationToken cancellationToken)
    {
        var buffer = new byte[(int)Math.Min(count, 64 * 1024)];
        while (count > 0)
        {
            var read = await content.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, count)), cancellationToken);
            if (read == 0) throw new EndOfStreamException("The stored frame ends early.");
            count -= read;
        }
    }
}
