using System.Text;
using System.Text.Encodings.Web;

namespace DicomServerless.Archive.Rendering;

/// <summary>Builds a page out of an object's texts, each of them escaped.</summary>
internal sealed class Html
{
    private const string Style =
        "body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 "
            + "1rem;color:#1b1f24}h1{font-size:1.5rem}h2{font-size:1.15rem;margin:1.2rem 0 .3rem}" +
        "section{border-left:3px solid #d0d7de;padding-left:1rem;margin:.5rem 0}dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem "
            + "1rem}dt{color:#57606a}dd{margin:0}" +
        "p{margin:.3rem 0;white-space:pre-wrap}b{font-weight:600}table{border-collapse:collapse}td,th{border:1px solid #d0d7de;padding:.2rem "
            + ".5rem;text-align:left;vertical-align:top}";

    private readonly StringBuilder text = new();

    public Html(string title)
    {
        text.Append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>")
            .Append(Escape(title)).Append("</title><style>").Append(Style)
            .Append("</style></head><body><h1>").Append(Escape(title)).Append("</h1>");
    }

    /// <summary>Adds mark-up of ours.</summary>
    public Html Raw(string markup)
    {
        text.Append(markup);
        return this;
    }

    /// <summary>Adds a text of the object.</summary>
    public Html Text(string value)
    {
        text.Append(Escape(value));
        return this;
    }

    /// <summary>Adds lines of names and values; those without value are left out.</summary>
    public Html List(params ReadOnlySpan<(string Name, string? Value)> lines)
    {
        text.Append("<dl>");
        foreach (var (name, value) in lines)
            if (!string.IsNullOrWhiteSpace(value)) text.Append("<dt>").Append(Escape(name)).Append("</dt><dd>").Append(Escape(value)).Append("</dd>");
        text.Append("</dl>");
        return this;
    }

    /// <summary>The whole page.</summary>
    public byte[] ToBytes() => Encoding.UTF8.GetBytes(text.ToString() + "</body></html>");

    private static string Escape(string value) => HtmlEncoder.Default.Encode(value)
        .Replace("&#xA;", "\n", StringComparison.Ordinal).Replace("&#xD;", "", StringComparison.Ordinal);
}
