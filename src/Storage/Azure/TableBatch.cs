using System.Buffers;
using System.Globalization;
using System.Text;

namespace DicomServerless.Storage.Azure;

/// <summary>
/// An entity-group transaction on the wire: multipart/mixed with one change set, each operation an HTTP request of its own (OData 3, "Batch processing").
/// </summary>
internal static class TableBatch
{
    /// <summary>What a batch's answer says.</summary>
    /// <param name="Status">The status of the refused operation, or 2xx.</param>
    /// <param name="ETags">An ETag per operation, null for a Delete.</param>
    /// <param name="Error">The JSON of the error, or null.</param>
    public readonly record struct Answer(int Status, IReadOnlyList<string?> ETags, ReadOnlyMemory<byte> Error);

    public static ReadOnlyMemory<byte> Write(TableAddress address, IReadOnlyList<TableWrite> writes, string boundary)
    {
        var size = 1024L;
        foreach (var write in writes) size += TableRowSize.Encoded(write.Row);
        var body = new ArrayBufferWriter<byte>((int)Math.Min(size, TableRowSize.MaxBatchBytes));
        Text(body, $"--batch_{boundary}\r\nContent-Type: multipart/mixed; boundary=changeset_{boundary}\r\n\r\n");
        foreach (var write in writes)
        {
            var (method, url) = address.Of(write);
            Text(body, $"--changeset_{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{method} {url} HTTP/1.1\r\n");
            Text(body, "Accept: application/json;odata=minimalmetadata\r\nDataServiceVersion: 3.0\r\n");
            if (write.Kind is TableWriteKind.Replace or TableWriteKind.Merge or TableWriteKind.Delete) Text(body, $"If-Match: {write.IfMatch}\r\n");
            if (write.Kind == TableWriteKind.Delete)
            {
                Text(body, "\r\n\r\n");
                continue;
            }
            Text(body, "Prefer: return-no-content\r\nContent-Type: application/json\r\n\r\n");
            TableRowJson.Write(body, write.Row);
            Text(body, "\r\n");
        }
        Text(body, $"--changeset_{boundary}--\r\n--batch_{boundary}--\r\n");
        return body.WrittenMemory;
    }

    /// <summary>Reads the answer: a part per operation, or the one that was refused.</summary>
    public static Answer Read(ReadOnlyMemory<byte> body, int operations)
    {
        var etags = new string?[operations];
        var rest = body.Span;
        for (var operation = 0; Find(ref rest, "HTTP/1.1 "u8); operation++)
        {
            var status = int.Parse(rest[..3], CultureInfo.InvariantCulture);
            if (status >= 300)
            {
                var error = body[(body.Length - rest.Length)..];
                var start = error.Span.IndexOf((byte)'{');
                return new Answer(status, [], start < 0 ? default : error[start..(error.Span.LastIndexOf((byte)'}') + 1)]);
            }
            if (operation < operations) etags[operation] = ETag(rest);
        }
        return new Answer(202, etags, default);
    }

    private static string? ETag(ReadOnlySpan<byte> part)
    {
        var end = part.IndexOf("\r\n\r\n"u8);
        if (end >= 0) part = part[..end];
        foreach (var range in part.Split("\r\n"u8))
        {
            var line = part[range];
            if (line.Length > 5 && Ascii.EqualsIgnoreCase(line[..5], "etag:"u8)) return Encoding.ASCII.GetString(line[5..]).Trim();
        }
        return null;
    }

    private static bool Find(ref ReadOnlySpan<byte> rest, ReadOnlySpan<byte> what)
    {
        var at = rest.IndexOf(what);
        if (at < 0) return false;
        rest = rest[(at + what.Length)..];
        return true;
    }

    private static void Text(ArrayBufferWriter<byte> body, string text) =>
        body.Advance(Encoding.UTF8.GetBytes(text, body.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length))));
}
