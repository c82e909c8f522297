using DicomServerless.Dicom.Web;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using DicomServerless.Archive.Retrieve;
using DicomServerless.Dicom;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Media;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Endpoints;

/// <summary>
/// Retrieves frames (PS3.18 10.4.1.1.6): native ones as little endian pixels, compressed ones as they are stored. Each part says its transfer syntax, because viewers
/// that are not told take octets for raw pixels. Frames come in the order asked for, also when a number is given twice.
/// </summary>
internal static class WadoFrames
{
    private const string OctetStream = "application/octet-stream";
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
        if (!TryChoose(Accept.Of(context.Request), answer, numbers.Count, out var choice, out var reason))
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

    /// <summary>How frames are given.</summary>
    private readonly record struct Choice(bool IsMultipart, string MediaType, string TransferSyntax)
    {
        public string ContentType => $"{MediaType}; transfer-syntax={TransferSyntax}";
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

    private static bool TryChoose(Accept accept, FrameAnswer answer, int count, out Choice choice, [NotNullWhen(false)] out string? reason)
    {
        // Native frames are always given little endian, so that is what they are called.
        var syntax = answer.IsEncapsulated ? answer.Instance!.TransferSyntaxUid : TransferSyntax.ExplicitVrLittleEndian.Uid.Value;
        var image = answer.IsEncapsulated ? answer.Instance!.TransferSyntax?.FrameMediaType ?? OctetStream : OctetStream;
        reason = null;
        // With its own media type a compressed frame is what the standard has; octets are what viewers ask for.
        string[] types = image == OctetStream ? [OctetStream] : [image, OctetStream];
        foreach (var alternative in accept.Alternatives)
        {
            foreach (var type in types)
            {
                foreach (var isMultipart in (ReadOnlySpan<bool>)[true, false])
                {
                    var representation = new Representation(type, isMultipart);
                    if (alternative.Fit(representation) == 0 || accept.Refuses(representation)) continue;
                    if (!isMultipart && count > 1)
                    {
                        reason ??= "Several frames are multipart/related; ask for one frame, or accept multipart/related.";
                        continue;
                    }
                    if (!IsMade(alternative, type, image, syntax, answer.IsEncapsulated))
                    {
                        reason ??= $"The frames are stored in the transfer syntax {syntax} and are not decoded; accept multipart/related; type=\"{image}\", or transfer-syntax=*.";
                        continue;
                    }
                    choice = new Choice(isMultipart, type, syntax);
                    return true;
                }
            }
        }
        choice = default;
        reason ??= $"The frames are {string.Join(" or ", types.Select(type => Representation.Multipart(type).ToString()))}.";
        return false;
    }

    private static bool IsMade(AcceptedType alternative, string type, string image, string syntax, bool isEncapsulated)
    {
        if (alternative.TransferSyntax is { } wanted && wanted != "*")
            return wanted == syntax || (!isEncapsulated && wanted == TransferSyntax.ImplicitVrLittleEndian.Uid.Value); // native pixels are the same in both
        // Octets without a transfer syntax are raw pixels (PS3.18 8.7.3.3.2); compressed ones would be shown as noise.
        return !isEncapsulated || type == image || alternative.TransferSyntax == "*" || alternative.IsAnything;
    }

    private static async Task WriteMultipartAsync(HttpContext context, FrameAnswer answer, Choice choice)
    {
        var boundary = MultipartWriter.NewBoundary(context.RequestServices.GetRequiredService<Func<Guid>>());
        var key = answer.Instance!.Key;
        var location = $"{context.BaseUrl()}/studies/{key.Study}/series/{key.Series}/instances/{key.Sop}/frames/";
        context.Response.ContentType = MultipartWriter.ContentType(choice.MediaType, boundary);
        if (HttpMethods.IsHead(context.Request.Method)) return;
        var writer = new MultipartWriter(context.Response.BodyWriter, boundary);
        await foreach (var frame in answer.Frames.WithCancellation(context.RequestAborted))
        {
            await using var content = frame.Content;
            writer.Begin(choice.ContentType, location + frame.Number.ToString(CultureInfo.InvariantCulture), null);
            context.Telemetry().BytesOut.Add(frame.Length);
            await Payload.CopyAsync(content, context.Response.BodyWriter, frame.Length, context.RequestAborted);
        }
        await writer.EndAsync(context.RequestAborted);
    }

    private static async Task WriteSingleAsync(HttpContext context, FrameAnswer answer, Choice choice, string etag)
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
