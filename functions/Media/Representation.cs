namespace DicomServerless.Functions.Media;

/// <summary>A form in which a resource can be given: a media type, or a multipart/related message with parts of a media type.</summary>
/// <param name="MediaType">The media type of the payload, or of each part: lower case, without parameters.</param>
/// <param name="IsMultipart">Whether it comes as multipart/related.</param>
internal readonly record struct Representation(string MediaType, bool IsMultipart)
{
    /// <summary>One payload.</summary>
    public static Representation Single(string mediaType) => new(mediaType, false);

    /// <summary>A multipart/related message.</summary>
    public static Representation Multipart(string mediaType) => new(mediaType, true);

    /// <summary>As it would stand in an Accept header.</summary>
    public override string ToString() => IsMultipart ? $"multipart/related; type=\"{MediaType}\"" : MediaType;
}
