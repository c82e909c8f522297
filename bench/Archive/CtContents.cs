using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace DicomServerless.Bench.Archive;

/// <summary>The body of a store request: instances of one study, made while they are sent.</summary>
internal sealed class StowContent : HttpContent
{
    private static readonly byte[] Head = Encoding.ASCII.GetBytes("\r\n--bench\r\nContent-Type: application/dicom\r\n\r\n"),
        Tail = Encoding.ASCII.GetBytes("\r\n--bench--\r\n");

    private readonly CtObjects objects;
    private readonly int study, first, count;
    private readonly bool isChunked;

    public StowContent(CtObjects objects, int study, int first, int count, bool isChunked = false)
    {
        (this.objects, this.study, this.first, this.count, this.isChunked) = (objects, study, first, count, isChunked);
        Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/related; type=\"application/dicom\"; boundary=bench");
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(objects.Length);
        for (var i = 0; i < count; i++)
        {
            objects.Write(buffer, study, first + i);
            await stream.WriteAsync(Head);
            await stream.WriteAsync(buffer.AsMemory(0, objects.Length));
        }
        await stream.WriteAsync(Tail);
        ArrayPool<byte>.Shared.Return(buffer);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = (long)count * (Head.Length + objects.Length) + Tail.Length;
        return !isChunked;
    }
}

/// <summary>The body of a raw Put Blob: one instance, made the same way.</summary>
internal sealed class BlobContent(CtObjects objects, int study, int instance) : HttpContent
{
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(objects.Length);
        objects.Write(buffer, study, instance);
        await stream.WriteAsync(buffer.AsMemory(0, objects.Length));
        ArrayPool<byte>.Shared.Return(buffer);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = objects.Length;
        return true;
    }
}
