using System.IO.Pipelines;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Media;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Endpoints;

/// <summary>Sends bytes: all of them or a range, in bounded memory.</summary>
internal static class Payload
{
    private const int BufferSize = 64 * 1024;

    /// <summary>Copies exactly this many bytes.</summary>
    public static async Task CopyAsync(Stream source, PipeWriter output, long length, CancellationToken cancellationToken)
    {
        while (length > 0)
        {
            var memory = output.GetMemory(BufferSize);
            var count = await source.ReadAsync(memory[..(int)Math.Min(memory.Length, length)], cancellationToken);
            if (count == 0) throw new EndOfStreamException("The stored value ends early.");
            output.Advance(count);
            length -= count;
            // IsCompleted: nobody reads any more.
            if ((await output.FlushAsync(cancellationToken)).IsCompleted) throw new OperationCanceledException();
        }
    }

    /// <summary>Answers with one payload, or with the range that was asked for.</summary>
    /// <param name="context">The request.</param>
    /// <param name="contentType">Its media type.</param>
    /// <param name="etag">Its version, quoted, which has been sent already.</param>
    /// <param name="total">All its bytes.</param>
    /// <param name="open">Opens a range of it.</param>
    public static async Task SendAsync(HttpContext context, string contentType, string etag, long total, Func<long, long, CancellationToken, Task<Stream>> open)
    {
        var response = context.Response;
        response.Headers.AcceptRanges = "bytes";
        var range = RangeHeader.Read(Caching.AllowsRange(context, etag)
            && !HttpMethods.IsHead(context.Request.Method) ? context.Request.Headers.Range.ToString() : null, total);
        if (range.Kind == RangeKind.Unsatisfiable)
        {
            response.Headers.ContentRange = $"bytes */{total}";
            await Problem.WriteAsync(context, 416, $"The range begins behind the end; there are {total} bytes.");
            return;
        }
        response.ContentType = contentType;
        response.ContentLength = range.Length;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await using var content = range.Length == 0 ? Stream.Null : await open(range.Offset, range.Length, context.RequestAborted);
        if (range.Kind == RangeKind.Part)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = $"bytes {range.Offset}-{range.Offset + range.Length - 1}/{total}";
        }
        context.Telemetry().BytesOut.Add(range.Length);
        await CopyAsync(content, response.BodyWriter, range.Length, context.RequestAborted);
    }
}
