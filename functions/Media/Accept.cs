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
        var (type, subtype) = Split(representation.IsMultipart ? "multipart/related" : representation.MediaType);
        if (Type.Type != type || (Type.Subtype != "*" && Type.Subtype != subtype)) return 0;
        if (!representation.IsMultipart) return Type.Subtype == "*" ? 2 : 3;
        if (MediaType.Parse(Type["type"]) is not { Type: not "*" } root) return 2; // any parts
        var (partType, partSubtype) = Split(representation.MediaType);
        var wanted = Alias(root.Name);
        if (root.Type != partType) return 0;
        return root.Subtype == "*" ? 2 : wanted == $"{partType}/{partSubtype}" ? 3 : 0;
    }

    // Names from before the types were registered, still sent (PS3.18 8.7.3.3).
    private static string Alias(string name) => name switch
    {
        "image/x-jls" => "image/jls",
        "image/x-dicom-rle" or "image/x-rle" => "image/dicom-rle",
        "image/jpg" => "image/jpeg",
        _ => name,
    };

    private static (string, string) Split(string mediaType)
    {
        var slash = mediaType.IndexOf('/', StringComparison.Ordinal);
        return (mediaType[..slash], mediaType[(slash + 1)..].ToLowerInvariant());
    }
}

/// <summary>
/// What a client accepts: the <c>accept</c> query parameter first, then the Accept headers (PS3.18 8.7.8.1), each by falling weight. Neither given means anything:
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
        if (result.Alternatives.Count == 0 && !headers.Any(HasText) && !parameters.Any(HasText)) result.Alternatives.Add(new AcceptedType(MediaType.Parse("*/*")!));
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
