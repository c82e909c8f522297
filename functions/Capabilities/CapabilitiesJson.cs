using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using DicomServerless.Functions.Media;

namespace DicomServerless.Functions.Capabilities;

/// <summary>The Capabilities as JSON, and as an OpenAPI document.</summary>
internal static class CapabilitiesJson
{
    /// <summary>The limits of this deployment and every resource, as the WADL has them.</summary>
    public static void Write(Utf8JsonWriter json, string baseUrl, Limits limits)
    {
        json.WriteStartObject();
        json.WriteString("base", baseUrl);
        json.WriteStartObject("limits");
        json.WriteNumber("maxBodyBytes", limits.MaxBodyBytes);
        json.WriteNumber("maxResults", limits.MaxResults);
        json.WriteEndObject();
        json.WriteStartArray("operations");
        foreach (var operation in Catalog.All)
        {
            json.WriteStartObject();
            json.WriteString("id", operation.Name);
            json.WriteString("method", operation.Method);
            json.WriteString("path", Template(operation));
            json.WriteString("summary", operation.Summary);
            WriteTexts(json, "consumes", operation.Consumes);
            WriteTexts(json, "produces", operation.Produces);
            WriteTexts(json, "parameters", operation.Parameters.Select(parameter => parameter.Name));
            json.WriteStartArray("statuses");
            foreach (var status in operation.Statuses) json.WriteNumberValue(status);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The same as OpenAPI 3.0.</summary>
    public static void WriteOpenApi(Utf8JsonWriter json, string baseUrl, Limits limits)
    {
        json.WriteStartObject();
        json.WriteString("openapi", "3.0.3");
        json.WriteStartObject("info");
        json.WriteString("title", "DicomServerless");
        json.WriteString("description", string.Create(CultureInfo.InvariantCulture,
            $"DICOMweb (PS3.18). A store takes {limits.MaxBodyBytes} bytes, a search gives {limits.MaxResults} results at once."));
        json.WriteString("version", typeof(CapabilitiesJson).Assembly.GetName().Version?.ToString(3) ?? "0.0.0");
        json.WriteEndObject();
        json.WriteStartArray("servers");
        json.WriteStartObject();
        json.WriteString("url", baseUrl);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartObject("paths");
        foreach (var path in Catalog.All.GroupBy(Template))
        {
            json.WriteStartObject(path.Key.Length == 0 ? "/" : path.Key);
            foreach (var operation in path) WriteOperation(json, operation);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        WriteComponents(json);
        json.WriteEndObject();
    }

    private static void WriteOperation(Utf8JsonWriter json, Operation operation)
    {
        json.WriteStartObject(operation.Method.ToLowerInvariant());
        json.WriteString("operationId", operation.Name);
        json.WriteString("summary", operation.Summary);
        json.WriteStartArray("parameters");
        foreach (var name in operation.PathParameters) WriteParameter(json, name, "path", "string", null);
        // Attributes of a search are whatever the dictionary has; OpenAPI has them as one object that is spread out.
        foreach (var parameter in operation.Parameters)
            WriteParameter(json, parameter.Name.Trim('{', '}'), "query", parameter.Name[0] == '{' ? "object" : parameter.Type, parameter.Summary);
        json.WriteEndArray();
        if (operation.Consumes.Length > 0)
        {
            json.WriteStartObject("requestBody");
            json.WriteBoolean("required", true);
            WriteContent(json, operation.Consumes);
            json.WriteEndObject();
        }
        json.WriteStartObject("responses");
        foreach (var status in operation.Statuses)
        {
            json.WriteStartObject(status.ToString(CultureInfo.InvariantCulture));
            json.WriteString("description", ReasonPhrases.GetReasonPhrase(status));
            if (status is 200 or 201 or 202 or 206) WriteContent(json, operation.Produces);
            json.WriteEndObject();
        }
        json.WriteStartObject("default");
        json.WriteString("$ref", "#/components/responses/problem");
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteParameter(Utf8JsonWriter json, string name, string place, string type, string? summary)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("in", place);
        if (place == "path") json.WriteBoolean("required", true);
        if (summary is not null) json.WriteString("description", summary);
        json.WriteStartObject("schema");
        json.WriteString("type", type);
        if (type == "object")
        {
            json.WriteStartObject("additionalProperties");
            json.WriteString("type", "string");
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteContent(Utf8JsonWriter json, string[] mediaTypes)
    {
        if (mediaTypes.Length == 0) return;
        json.WriteStartObject("content");
        foreach (var mediaType in mediaTypes)
        {
            json.WriteStartObject(mediaType);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void WriteComponents(Utf8JsonWriter json)
    {
        json.WriteStartObject("components");
        json.WriteStartObject("responses");
        json.WriteStartObject("problem");
        json.WriteString("description", "What is wrong, and the id under which the log has it (RFC 9457).");
        WriteContent(json, [MediaTypes.ProblemJson]);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static string Template(Operation operation) => operation.Path.Replace("**", "", StringComparison.Ordinal);

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }
}

/// <summary>What this deployment allows.</summary>
/// <param name="MaxBodyBytes">The largest body of a store.</param>
/// <param name="MaxResults">The most results of a search at once.</param>
internal readonly record struct Limits(long MaxBodyBytes, int MaxResults);
