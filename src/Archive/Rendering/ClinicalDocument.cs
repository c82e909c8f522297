using System.Xml;

namespace DicomServerless.Archive.Rendering;

/// <summary>
/// The narrative of an HL7 Clinical Document (CDA) as a page: its title and its sections' texts, in a few elements of ours whatever it holds.
/// </summary>
public static class ClinicalDocument
{
    private const int MaxCharacters = 16 * 1024 * 1024;

    // CDA's narrative block and what shows it. Others are passed over, their text is kept.
    private static readonly Dictionary<string, string> Elements = new(StringComparer.Ordinal)
    {
        ["paragraph"] = "p", ["list"] = "ul", ["item"] = "li", ["table"] = "table", ["thead"] = "thead",
            ["tbody"] = "tbody", ["tfoot"] = "tfoot", ["tr"] = "tr", ["th"] = "th", ["td"] = "td",
        ["caption"] = "b", ["content"] = "span", ["sub"] = "sub", ["sup"] = "sup", ["section"] = "section", ["title"] = "h2", ["text"] = "div",
    };

    /// <summary>Makes the page; null if it is no well-formed document.</summary>
    public static async Task<byte[]?> ToHtmlAsync(Stream document, CancellationToken cancellationToken)
    {
        var settings = new XmlReaderSettings { Async = true, DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null,
            MaxCharactersInDocument = MaxCharacters, IgnoreComments = true, IgnoreProcessingInstructions = true };
        try
        {
            using var xml = XmlReader.Create(document, settings);
            var html = new Html("Clinical document");
            var open = new Stack<string?>();
            var inText = 0;
            while (await xml.ReadAsync())
            {
                cancellationToken.ThrowIfCancellationRequested();
                switch (xml.NodeType)
                {
                    case XmlNodeType.Element:
                        var isEmpty = xml.IsEmptyElement;
                        if (xml.LocalName == "br" && inText > 0) html.Raw("<br>");
                        var shown = Elements.GetValueOrDefault(xml.LocalName);
                        // Only sections, titles and what is inside of texts is for people (CDA R2 4.3.5).
                        if (inText == 0 && xml.LocalName is not ("section" or "title" or "text")) shown = null;
                        if (isEmpty) break;
                        if (shown is not null) html.Raw("<" + shown + ">");
                        if (inText > 0 || xml.LocalName is "title" or "text") inText++;
                        open.Push(shown);
                        break;
                    case XmlNodeType.EndElement:
                        if (open.Pop() is { } closed) html.Raw("</" + closed + ">");
                        if (inText > 0) inText--;
                        break;
                    case XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.SignificantWhitespace when inText > 0:
                        html.Text(await xml.GetValueAsync());
                        break;
                }
            }
            return html.ToBytes();
        }
        catch (XmlException)
        {
            return null;
        }
    }
}
