using System.Globalization;

namespace DicomServerless.Dicom.Web;

/// <summary>
/// A media type with parameters as it stands in a header: tolerant reading of RFC 9110 8.3.1. Names are compared without case, values may be quoted or not, and
/// white space may stand anywhere. Text is lower case except for the values of parameters.
/// </summary>
public sealed class MediaType
{
    private const int MaxParameters = 32;

    private readonly List<(string Name, string Value)> parameters = [];

    private MediaType(string type, string subtype) => (Type, Subtype) = (type, subtype);

    /// <summary>For example <c>multipart</c>; <c>*</c> in a range.</summary>
    public string Type { get; }

    /// <summary>For example <c>related</c>; <c>*</c> in a range.</summary>
    public string Subtype { get; }

    /// <summary>Type and subtype.</summary>
    public string Name => $"{Type}/{Subtype}";

    /// <summary>The value of a parameter, null if it is not there.</summary>
    public string? this[string name]
    {
        get
        {
            foreach (var parameter in parameters)
                if (parameter.Name == name) return parameter.Value;
            return null;
        }
    }

    /// <summary>The weight (RFC 9110 12.4.2): 0 to 1, and 1 when it is missing or no number.</summary>
    public double Quality => this["q"] is { } text && double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
        && value <= 1 ? value : 1;

    /// <summary>Reads one media type that fills the text. Null if it is none.</summary>
    public static MediaType? Parse(string? text)
    {
        if (text is null) return null;
        var all = ParseList(text);
        return all.Count == 1 ? all[0] : null;
    }

    /// <summary>Reads a list with commas; members that are no media types are left out (PS3.18 8.7.7).</summary>
    public static List<MediaType> ParseList(string text)
    {
        var result = new List<MediaType>();
        var at = 0;
        while (at < text.Length)
        {
            if (ReadMember(text, ref at) is { } type) result.Add(type);
        }
        return result;
    }

    // Always ends behind a comma or at the end, whatever the member is.
    private static MediaType? ReadMember(string text, ref int at)
    {
        var name = ReadToken(text, ref at, ";,").Trim();
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        MediaType? result = null;
        // In a query parameter an unescaped plus has become a blank: application/dicom json.
        if (name == "*") result = new MediaType("*", "*");
        else if (slash > 0 && slash < name.Length - 1)
            result = new MediaType(name[..slash].TrimEnd().ToLowerInvariant(), name[(slash + 1)..].TrimStart().Replace(' ', '+').ToLowerInvariant());
        while (at < text.Length && text[at] == ';')
        {
            at++;
            var parameter = ReadToken(text, ref at, "=;,").Trim().ToLowerInvariant();
            if (at >= text.Length || text[at] != '=') continue;
            at++;
            var value = ReadValue(text, ref at);
            if (result is not null && parameter.Length > 0 && result.parameters.Count < MaxParameters && result[parameter] is null)
                result.parameters.Add((parameter, value));
        }
        at++;
        return result;
    }

    private static string ReadToken(string text, ref int at, string stops)
    {
        var length = text.AsSpan(at).IndexOfAny(stops);
        if (length < 0) length = text.Length - at;
        var token = text.Substring(at, length);
        at += length;
        return token;
    }

    private static string ReadValue(string text, ref int at)
    {
        while (at < text.Length && text[at] is ' ' or '\t') at++;
        if (at >= text.Length || text[at] != '"') return ReadToken(text, ref at, ";,").Trim();
        var value = new System.Text.StringBuilder();
        for (at++; at < text.Length && text[at] != '"'; at++)
        {
            if (text[at] == '\\' && at + 1 < text.Length) at++;
            value.Append(text[at]);
        }
        if (at < text.Length) at++;
        ReadToken(text, ref at, ";,"); // nothing but white space belongs here
        return value.ToString().Trim();
    }

    /// <inheritdoc />
    public override string ToString() => parameters.Count == 0 ? Name : $"{Name}; {string.Join("; ", parameters.Select(p => $"{p.Name}=\"{p.Value}\""))}";
}
