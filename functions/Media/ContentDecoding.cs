using System.IO.Compression;
using DicomServerless.Dicom;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Media;

/// <summary>Takes the Content-Encoding of a request's body off (RFC 9110 8.4) while it is read.</summary>
internal static class ContentDecoding
{
    /// <summary>What is taken, for Accept-Encoding (RFC 9110 15.5.16).</summary>
    public const string Supported = "gzip, deflate, br";

    private const int MaxEncodings = 2;

    /// <summary>
    /// Reads the header: the encodings in the order in which they were applied, without identity. Null if one is unknown or there are too many.
    /// </summary>
    public static IReadOnlyList<string>? Read(IEnumerable<string?> header)
    {
        var names = header.SelectMany(value => (value ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .Select(name => name.ToLowerInvariant()).Where(name => name != "identity").ToList();
        return names.Count <= MaxEncodings && names.All(name => name is "gzip" or "x-gzip" or "deflate" or "br") ? names : null;
    }

    /// <summary>The body without its encodings.</summary>
    /// <param name="body">As it is sent.</param>
    /// <param name="encodings">From <see cref="Read"/>.</param>
    /// <param name="maxBytes">What it may come to; beyond that reading fails as if the body itself were too large: 413.</param>
    public static Stream Open(Stream body, IReadOnlyList<string> encodings, long maxBytes)
    {
        if (encodings.Count == 0) return body;
        foreach (var encoding in encodings.Reverse())
        {
            body = encoding switch
            {
                "br" => new BrotliStream(body, CompressionMode.Decompress),
                "deflate" => new DeflateBody(body),
                _ => new GZipStream(body, CompressionMode.Decompress),
            };
        }
        return new LimitedStream(body, maxBytes);
    }

    // RFC 9110 8.4.1.2: deflate is the zlib format; some senders leave its header out.
    private sealed class DeflateBody(Stream body) : ForwardStream
    {
        private Stream? inner;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (inner is null)
            {
                var head = new byte[2];
                var count = await body.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken);
                var all = new PrefixedStream(head[..count], body);
                // RFC 1950 2.2: method 8, and a check over both bytes.
                var isZlib = count == 2 && (head[0] & 0x0F) == 8 && ((head[0] << 8) | head[1]) % 31 == 0;
                inner = isZlib ? new ZLibStream(all, CompressionMode.Decompress) : new DeflateStream(all, CompressionMode.Decompress);
            }
            return await inner.ReadAsync(buffer, cancellationToken);
        }
    }

    private sealed class LimitedStream(Stream source, long maxBytes) : ForwardStream
    {
        private long total;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int count;
            try
            {
                count = await source.ReadAsync(buffer, cancellationToken);
            }
            catch (Exception exception) when (exception is InvalidOperationException or InvalidDataException)
            {
                throw new InvalidDataException("The body is not what its Content-Encoding says, or it is cut off.", exception);
            }
            total += count;
            return total <= maxBytes ? count
                : throw new BadHttpRequestException("The body is too large when its Content-Encoding is taken off.", StatusCodes.Status413PayloadTooLarge);
        }
    }
}
