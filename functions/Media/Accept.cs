using DicomServerless.Dicom.Web;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functions.Media;

/// <summary>One alternative that a client takes.</summary>
/// <param name="Type">For multipart/related the parts' type is its <c>type</c> parameter.</param>
internal readonly record struct AcceptedType(MediaType Type)
{
    /// <summary>The transfer syntax asked for: null, <c>*</c> or a UID (PS3.18 8.7.3.5.2).</summary>
    public string? TransferSyntax => Type["transfer-syntax"] is { Length: > 0 } text ? text : null;

    /// <summary>Whether the alternative names no more than a category: <c>*/*</c>.</summary>
    public bool IsAnything => Type.Type == "*";

    /// <summary>How exactly it names a representation: 0 not at all, 1 <c>*/*</c>, 2 <c>type/*</c>, 3 by name.</summary>
    public int Fit(Representation representation)
    {
        if (IsAnything) return 1;
        if (!representation.IsMultipart) return Fit(Type, representation.MediaType);
        if (Type.Type != "multipart" || Type.Subtype is not ("*" or "related")) return 0;
        if (Type["type"] is not { Length: > 0 } parts) return 2; // any parts
        return MediaType.Parse(parts) is not { } root ? 0 : root.Type == "*" ? 2 : Fit(root, representation.MediaType);
    }

    private static int Fit(MediaType accepted, string mediaType)
    {
        if (accepted.Subtype == "*") return mediaType.StartsWith(accepted.Type + "/", StringComparison.OrdinalIgnoreCase) ? 2 : 0;
        return string.Equals(Alias(accepted.Name), mediaType, StringComparison.OrdinalIgnoreCase) ? 3 : 0;
    }

    // Names from before the types were registered, still sent (PS3.18 8.7.3.3).
    private static string Alias(string name) => name switch
    {
        "image/x-jls" or "image/dicom+jpeg-ls" => "image/jls",
        "image/x-dicom-rle" or "image/x-rle" or "image/dicom+rle" => "image/dicom-rle",
        "image/jpg" or "image/dicom+jpeg" => "image/jpeg",
        "image/dicom+jp2" => "image/jp2",
        "image/dicom+jpx" => "image/jpx",
        _ => name,
    };
}

/// <summary>
/// What a client accepts: the <c>accept</c> query parameter first, then the Accept headers (PS3.18 8.7.8.1), each by falling weight. Neither given means
/// anything:
/// the standard's 406 for that (8.7.5) would refuse every browser and script, so it is a declared deviation.
/// </summary>
internal sealed class Accept
{
    private const int MaxAlternatives = 64;

    private readonly List<AcceptedType> refused = [];

    private Accept(List<AcceptedType> alternatives) => Alternatives = alternatives;

    /// <summary>What is accepted, the most wanted first.</summary>
    public List<AcceptedType> Alternatives { get; }

    /// <summary>Reads a request.</summary>
    public static Accept Of(HttpRequest request) => Read(request.Query["accept"], request.Headers.Accept);

    /// <summary>Reads the values of the query parameter and of the headers.</summary>
    public static Accept Read(IEnumerable<string?> parameters, IEnumerable<string?> headers)
    {
        var result = new Accept([]);
        result.Add(parameters);
        result.Add(headers);
        if (result.Alternatives.Count == 0 && !headers.Any(HasText) && !parameters.Any(HasText))
            result.Alternatives.Add(new AcceptedType(MediaType.Parse("*/*")!));
        return result;

        static bool HasText(string? text) => !string.IsNullOrWhiteSpace(text);
    }

    /// <summary>Whether a representation was refused by name with <c>q=0</c>, and nothing names it better (RFC 9110 12.5.1).</summary>
    public bool Refuses(Representation representation)
    {
        var worst = refused.Select(type => type.Fit(representation)).DefaultIfEmpty().Max();
        return worst > 0 && !Alternatives.Any(type => type.Fit(representation) > worst);
    }

    /// <summary>The best of what can be given, the server's first choice first; null if nothing fits.</summary>
    public Representation? Choose(params ReadOnlySpan<Representation> offers)
    {
        foreach (var alternative in Alternatives)
            foreach (var offer in offers)
                if (alternative.Fit(offer) > 0 && !Refuses(offer)) return offer;
        return null;
    }

    private void Add(IEnumerable<string?> values)
    {
        var types = values.Where(value => value is not null).SelectMany(value => MediaType.ParseList(value!)).Take(MaxAlternatives).ToList();
        refused.AddRange(types.Where(type => type.Quality <= 0).Select(type => new AcceptedType(type)));
        Alternatives.AddRange(types.Where(type => type.Quality > 0).OrderByDescending(type => type.Quality).Select(type => new AcceptedType(type)));
    }
}
