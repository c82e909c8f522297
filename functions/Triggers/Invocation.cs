using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace DicomServerless.Functions.Triggers;

/// <summary>
/// Reads what the Functions host posts for a trigger: <c>{"Data":{name:value},"Metadata":{…}}</c>. Depending on the binding a value is an object, a string that
/// holds JSON, such a string once more, or base64 of it; all of them are read.
/// </summary>
internal static class Invocation
{
    private const int MaxLevels = 4;

    /// <summary>The value of the first of these bindings, unwrapped. Null if the body is no invocation or the value holds no JSON object or array.</summary>
    public static JsonElement? Read(ReadOnlyMemory<byte> body, params ReadOnlySpan<string> bindings)
    {
        if (Parse(body) is not { ValueKind: JsonValueKind.Object } root || !TryGet(root, "Data", out var data)) return null;
        // The whole of Data may be a string too.
        if (Unwrap(data) is not { ValueKind: JsonValueKind.Object } values) return null;
        foreach (var binding in bindings)
            if (TryGet(values, binding, out var value)) return Unwrap(value);
        return null;
    }

    /// <summary>Unwraps the text of a queue message: JSON, or base64 of JSON.</summary>
    public static JsonElement? ReadMessage(ReadOnlyMemory<byte> message) => Unwrap(Encoding.UTF8.GetString(message.Span), 0);

    private static JsonElement? Unwrap(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object or JsonValueKind.Array => value,
        JsonValueKind.String => Unwrap(value.GetString()!, 0),
        _ => null,
    };

    private static JsonElement? Unwrap(string text, int level)
    {
        for (; level < MaxLevels; level++)
        {
            text = text.Trim('\uFEFF', ' ', '\t', '\r', '\n');
            if (text.Length == 0) return null;
            if (text[0] is '{' or '[') return Parse(Encoding.UTF8.GetBytes(text));
            if (text[0] == '"')
            {
                if (Parse(Encoding.UTF8.GetBytes(text)) is not { ValueKind: JsonValueKind.String } inner) return null;
                text = inner.GetString()!;
            }
            else if (Base64.IsValid(text)) text = Encoding.UTF8.GetString(Convert.FromBase64String(text));
            else return null;
        }
        return null;
    }

    private static JsonElement? Parse(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = 32 });
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool TryGet(JsonElement element, string name, out JsonElement value)
    {
        foreach (var property in element.EnumerateObject())
        {
            if (!property.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) continue;
            value = property.Value;
            return true;
        }
        value = default;
        return false;
    }
}
