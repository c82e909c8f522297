using System.Globalization;
using System.Xml;

namespace DicomServerless.Functions.Capabilities;

/// <summary>The Capabilities as WADL (PS3.18 8.9 and annex H): one tree of resources.</summary>
internal static class Wadl
{
    private const string Namespace = "http://wadl.dev.java.net/2009/02";

    /// <summary>Writes the document.</summary>
    public static async Task WriteAsync(Stream output, string baseUrl, Limits limits)
    {
        await using var xml = XmlWriter.Create(output, new XmlWriterSettings { Async = true });
        await xml.WriteStartDocumentAsync();
        await StartAsync(xml, "application");
        await xml.WriteAttributeStringAsync("xmlns", "xs", null, "http://www.w3.org/2001/XMLSchema");
        await StartAsync(xml, "doc");
        await xml.WriteAttributeStringAsync(null, "title", null, "DicomServerless");
        await xml.WriteStringAsync(string.Create(CultureInfo.InvariantCulture,
            $"A store takes {limits.MaxBodyBytes} bytes, a search gives {limits.MaxResults} results at once."));
        await xml.WriteEndElementAsync();
        await StartAsync(xml, "resources");
        await xml.WriteAttributeStringAsync(null, "base", null, baseUrl);
        await WriteAsync(xml, Catalog.All.Select(operation => (operation.Path.Split('/', StringSplitOptions.RemoveEmptyEntries), operation)).ToArray(), 0);
        await xml.WriteEndElementAsync();
        await xml.WriteEndElementAsync();
        await xml.WriteEndDocumentAsync();
        await xml.FlushAsync();
    }

    // The operations that share a path's beginning; as deep as the deepest path of the catalog.
    private static async Task WriteAsync(XmlWriter xml, IReadOnlyList<(string[] Path, Operation Operation)> operations, int depth)
    {
        foreach (var (_, operation) in operations.Where(item => item.Path.Length == depth)) await WriteMethodAsync(xml, operation);
        foreach (var group in operations.Where(item => item.Path.Length > depth).GroupBy(item => item.Path[depth]))
        {
            await StartAsync(xml, "resource");
            await xml.WriteAttributeStringAsync(null, "path", null, group.Key.Replace("**", "", StringComparison.Ordinal));
            if (group.Key.StartsWith('{')) await WriteParameterAsync(xml, group.Key.Trim('{', '}', '*'), "template", "string");
            await WriteAsync(xml, [.. group], depth + 1);
            await xml.WriteEndElementAsync();
        }
    }

    private static async Task WriteMethodAsync(XmlWriter xml, Operation operation)
    {
        await StartAsync(xml, "method");
        await xml.WriteAttributeStringAsync(null, "name", null, operation.Method);
        await xml.WriteAttributeStringAsync(null, "id", null, operation.Name);
        await StartAsync(xml, "doc");
        await xml.WriteStringAsync(operation.Summary);
        await xml.WriteEndElementAsync();
        await StartAsync(xml, "request");
        foreach (var parameter in operation.Parameters) await WriteParameterAsync(xml, parameter.Name, "query", parameter.Type);
        await WriteRepresentationsAsync(xml, operation.Consumes);
        await xml.WriteEndElementAsync();
        await StartAsync(xml, "response");
        await xml.WriteAttributeStringAsync(null, "status", null,
            string.Join(' ', operation.Statuses.Select(status => status.ToString(CultureInfo.InvariantCulture))));
        await WriteRepresentationsAsync(xml, operation.Produces);
        await xml.WriteEndElementAsync();
        await xml.WriteEndElementAsync();
    }

    private static async Task WriteParameterAsync(XmlWriter xml, string name, string style, string type)
    {
        await StartAsync(xml, "param");
        await xml.WriteAttributeStringAsync(null, "name", null, name);
        await xml.WriteAttributeStringAsync(null, "style", null, style);
        await xml.WriteAttributeStringAsync(null, "type", null, "xs:" + type); // the JSON types in use are named alike there
        if (style == "template") await xml.WriteAttributeStringAsync(null, "required", null, "true");
        await xml.WriteEndElementAsync();
    }

    private static async Task WriteRepresentationsAsync(XmlWriter xml, string[] mediaTypes)
    {
        foreach (var mediaType in mediaTypes)
        {
            await StartAsync(xml, "representation");
            await xml.WriteAttributeStringAsync(null, "mediaType", null, mediaType);
            await xml.WriteEndElementAsync();
        }
    }

    private static Task StartAsync(XmlWriter xml, string name) => xml.WriteStartElementAsync(null, name, Namespace);
}
