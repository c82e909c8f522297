using System.Diagnostics.Metrics;
using DicomServerless.Dicom;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Hosting;

/// <summary>
/// The body of a request, counted. What the server cannot read of it, such as a chunk of 2^64 bytes, is the client's mistake: it comes as a
/// <see cref="BadHttpRequestException"/>, so that it is never taken for a failure of storage, which is an <see cref="IOException"/> too.
/// </summary>
internal sealed class RequestBody(Stream source, Counter<long> counter) : ForwardStream
{
    /// <summary>Bytes read so far.</summary>
    public long Count { get; private set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int count;
        try
        {
            count = await source.ReadAsync(buffer, cancellationToken);
        }
        catch (IOException exception) when (exception is not (BadHttpRequestException or ConnectionResetException))
        {
            throw new BadHttpRequestException("The body is not framed as HTTP/1.1 requires (RFC 9112 6 and 7).", exception);
        }
        Count += count;
        counter.Add(count);
        return count;
    }
}
