namespace DicomServerless.Dicom.Web;

/// <summary>A part of a multipart message. Its content must be read before the next part is asked for; what is left over is skipped.</summary>
public sealed class MultipartPart(Dictionary<string, string> headers, string? problem, Stream content)
{
    /// <summary>The headers, names compared without case; a repeated one counts once, as it comes first.</summary>
    public IReadOnlyDictionary<string, string> Headers => headers;

    /// <summary>The Content-Type, null if there is none.</summary>
    public string? ContentType => headers.GetValueOrDefault("Content-Type");

    /// <summary>What is wrong with the headers; the content then cannot be told from them.</summary>
    public string? Problem => problem;

    /// <summary>The bytes. Reading throws InvalidDataException when the message ends before the part does.</summary>
    public Stream Content => content;
}
