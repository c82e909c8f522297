using DicomServerless.Archive;
using DicomServerless.Archive.Metadata;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Web;
using DicomServerless.Functions.Hosting;
using DicomServerless.Functions.Media;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace DicomServerless.Functions.Endpoints;

/// <summary>What is known of a store before its body is read.</summary>
/// <param name="Boundary">Of a multipart body; null for a single part.</param>
/// <param name="Form">The form of metadata, when objects come as metadata and bulk data; null for Part 10 objects.</param>
/// <param name="TransferSyntax">Of compressed bulk data that do not say it themselves; null for none.</param>
/// <param name="Encodings">The body's Content-Encoding.</param>
/// <param name="Policy">What happens to other content under a UID that is there.</param>
/// <param name="AnswerType">Media type of the answer.</param>
internal readonly record struct StowEnvelope(string? Boundary, MetadataForm? Form,
    Uid? TransferSyntax, IReadOnlyList<string> Encodings, DuplicatePolicy Policy, string AnswerType)
{
    private const string Unsupported =
        $"Send multipart/related with type=\"{MediaTypes.Dicom}\", \"{MediaTypes.DicomJson}\" or \"{MediaTypes.DicomXml}\", or one of these by itself.";

    /// <summary>The form that a media type names; null for none.</summary>
    public static MetadataForm? FormOf(string? mediaType) => mediaType switch
        { MediaTypes.DicomJson => MetadataForm.Json, MediaTypes.DicomXml => MetadataForm.Xml, _ => null };

    /// <summary>Reads it. Null when the answer has been given.</summary>
    /// <param name="context">The request.</param>
    /// <param name="allowsParts">Whether the body may be multipart.</param>
    /// <param name="standard">The policy where the request states none.</param>
    public static async Task<StowEnvelope?> ReadAsync(HttpContext context, bool allowsParts, DuplicatePolicy standard)
    {
        var request = context.Request;
        var limit = context.Settings().Http.MaxBodyBytes;
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = limit;
        if (Accept.Of(request).Choose(Representation.Single(MediaTypes.DicomJson), Representation.Single(MediaTypes.Json), XmlParts.Single) is not { } answer)
        {
            await Problem.WriteAsync(context, 406,
                $"The answer to a store is {MediaTypes.DicomJson} or {MediaTypes.DicomXml}; accept one of them or */*. Nothing was stored.");
            return null;
        }
        var (status, problem) = (415, "");
        var type = MediaType.Parse(request.ContentType);
        var encodings = ContentDecoding.Read(request.Headers.ContentEncoding);
        var (boundary, form) = ((string?)null, FormOf(type?.Name));
        if (request.ContentLength > limit) (status, problem) = (413, TooLarge(context));
        else if (encodings is null)
        {
            problem = $"The Content-Encoding of a store may be {ContentDecoding.Supported}.";
            context.Response.Headers.AcceptEncoding = ContentDecoding.Supported; // RFC 9110 15.5.16
        }
        else if (type is { Name: "multipart/related" } && allowsParts)
        {
            // A type that is missing is taken for DICOM: each part says what it is.
            var parts = type["type"] is { Length: > 0 } root ? MediaType.Parse(root)?.Name : MediaTypes.Dicom;
            form = FormOf(parts);
            if (parts != MediaTypes.Dicom && form is null) problem = Unsupported;
            else if (type["boundary"] is not { Length: > 0 and <= MultipartReader.MaxBoundaryLength } given)
                (status, problem) = (400,
                    $"Content-Type must have a boundary parameter of 1 to {MultipartReader.MaxBoundaryLength} characters (RFC 2046 5.1.1).");
            else boundary = given;
        }
        else if (type?.Name != MediaTypes.Dicom && form is null)
            problem = allowsParts ? Unsupported : $"Send one object as {MediaTypes.Dicom}, {MediaTypes.DicomJson} or {MediaTypes.DicomXml}.";
        if (problem.Length > 0)
        {
            if (status == 415 && encodings is not null)
                context.Response.Headers.Accept = (allowsParts ? $"multipart/related; type=\"{MediaTypes.Dicom}\", multipart/related; "
                    + $"type=\"{MediaTypes.DicomJson}\", multipart/related; type=\"{MediaTypes.DicomXml}\", " : "") + $"{MediaTypes.Dicom}, "
                    + $"{MediaTypes.DicomJson}, {MediaTypes.DicomXml}";
            await Problem.WriteAsync(context, status, problem);
            return null;
        }
        if (await ReadPolicyAsync(context, standard) is not { } policy) return null;
        return new StowEnvelope(boundary, form, SyntaxOf(type), encodings!, policy, answer.MediaType);
    }

    /// <summary>The policy that the request asks for, else the standard one. Null when the answer has been given.</summary>
    public static async Task<DuplicatePolicy?> ReadPolicyAsync(HttpContext context, DuplicatePolicy standard)
    {
        if (context.Request.Headers["Duplicate-Policy"] is not [{ } wanted]) return standard;
        DuplicatePolicy? named = wanted.Trim().ToLowerInvariant() switch { "reject" => DuplicatePolicy.Reject, "replace" =>
            DuplicatePolicy.Replace, "keep-first" => DuplicatePolicy.KeepFirst, _ => null };
        if (named is null) await Problem.WriteAsync(context, 400, "The header Duplicate-Policy must be reject, replace or keep-first.");
        return named;
    }

    /// <summary>The transfer syntax that a media type states; null for none.</summary>
    public static Uid? SyntaxOf(MediaType? type) => type?["transfer-syntax"] is { } text && Uid.TryParse(text, out var uid) ? uid : null;

    public static string TooLarge(HttpContext context) =>
        $"The body of a store may have {context.Settings().Http.MaxBodyBytes} bytes here; send fewer objects at once.";
}
