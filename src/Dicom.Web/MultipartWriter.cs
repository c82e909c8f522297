using System.Globalization;
using System.IO.Pipelines;
using System.Text;

namespace DicomServerless.Dicom.Web;

/// <summary>
/// Writes a multipart/related message (RFC 2387, PS3.18 8.7.3). No preamble, because clients take the first line for the boundary. A message that cannot be
/// finished must not be ended: without the closing boundary the client sees that something is missing.
/// </summary>
public sealed class MultipartWriter(PipeWriter output, string boundary)
{
    private bool hasBegun;

    /// <summary>Whether there is a part yet.</summary>
    public bool HasParts => hasBegun;

    /// <summary>A boundary of 128 random bits, which no content has by chance.</summary>
    public static string NewBoundary(Func<Guid> newGuid) => "b" + newGuid().ToString("n");

    /// <summary>The Content-Type of the message.</summary>
    public static string ContentType(string partType, string boundary) => $"multipart/related; type=\"{partType}\"; boundary={boundary}";

    /// <summary>Writes the headers of the next part. Its content goes to the same output.</summary>
    public void Begin(string contentType, string? location, long? length)
    {
        WriteText(Start(boundary, contentType, location, length, !hasBegun));
        hasBegun = true;
    }

    /// <summary>Writes the closing boundary and all that is left.</summary>
    public async Task EndAsync(CancellationToken cancellationToken)
    {
        WriteText(End(boundary));
        await output.FlushAsync(cancellationToken);
    }

    private static string Start(string boundary, string contentType, string? location, long? length, bool isFirst)
    {
        var text = new StringBuilder(isFirst ? "--" : "\r\n--", 256).Append(boundary).Append("\r\nContent-Type: ").Append(contentType);
        if (length is { } bytes) text.Append(CultureInfo.InvariantCulture, $"\r\nContent-Length: {bytes}");
        if (location is not null) text.Append("\r\nContent-Location: ").Append(location);
        return text.Append("\r\n\r\n").ToString();
    }

    private static string End(string boundary) => $"\r\n--{boundary}--\r\n";

    private void WriteText(string text) => Encoding.UTF8.GetBytes(text, output);
}
