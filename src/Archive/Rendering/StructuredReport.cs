using System.Globalization;
using System.Text;
using System.Text.Json;

namespace DicomServerless.Archive.Rendering;

/// <summary>
/// A structured report (PS3.3 C.17.3) as a page or as text: its content tree in reading order. Works on the metadata, without recursion, because its author
/// chooses how deep the tree is.
/// </summary>
public static class StructuredReport
{
    private const string ContentSequence = "0040A730", ConceptName = "0040A043", ValueType = "0040A040";

    /// <summary>Whether the instance has a content tree.</summary>
    public static bool IsOne(JsonElement instance) => instance.TryGetProperty(ValueType, out _)
        && (instance.TryGetProperty(ContentSequence, out _) || instance.TryGetProperty(ConceptName, out _));

    /// <summary>The report as a page.</summary>
    public static byte[] ToHtml(JsonElement instance)
    {
        var html = new Html(Title(instance)).List(
            ("Patient", Name(instance, "00100010")), ("Patient ID", Text(instance, "00100020")),
                ("Born", Text(instance, "00100030")), ("Sex", Text(instance, "00100040")),
            ("Study", Join(Text(instance, "00081030"), Text(instance, "00080020"))),
                ("Accession", Text(instance, "00080050")), ("Report", Join(Text(instance, "00080023"), Text(instance, "00080033"))),
            ("Status", Join(Text(instance, "0040A491"), Text(instance, "0040A493"))));
        foreach (var (item, step) in Walk(instance))
        {
            if (step == Step.Leave)
            {
                html.Raw("</section>");
                continue;
            }
            var (name, value) = (Meaning(item, ConceptName), Value(item));
            if (Text(item, ValueType) == "CONTAINER") html.Raw("<section>").Raw(name.Length > 0 ? "<h2>" : "").Text(name).Raw(name.Length > 0 ? "</h2>" : "");
            else html.Raw("<section><p>").Raw("<b>").Text(name).Raw(name.Length > 0 ? "</b>: " : "</b>").Text(value).Raw("</p>");
        }
        return html.ToBytes();
    }

    /// <summary>The report as plain text.</summary>
    public static byte[] ToText(JsonElement instance)
    {
        var text = new StringBuilder(Title(instance)).Append('\n');
        foreach (var line in new[] { Join("Patient", Name(instance, "00100010")), Join("Patient ID", Text(instance, "00100020")),
            Join("Study", Text(instance, "00081030")), Join("Status", Text(instance, "0040A491")) })
            if (line.Contains(", ", StringComparison.Ordinal)) text.Append(line.Replace(", ", ": ", StringComparison.Ordinal)).Append('\n');
        var depth = 0;
        foreach (var (item, step) in Walk(instance))
        {
            if (step == Step.Leave)
            {
                depth--;
                continue;
            }
            var (name, value) = (Meaning(item, ConceptName), Value(item));
            text.Append('\n').Append(' ', Math.Min(depth, 40) * 2).Append(name).Append(name.Length > 0 && value.Length > 0 ? ": " : "").Append(value);
            depth++;
        }
        return Encoding.UTF8.GetBytes(text.Append('\n').ToString());
    }

    private enum Step { Enter, Leave }

    private static IEnumerable<(JsonElement Item, Step Step)> Walk(JsonElement instance)
    {
        var open = new Stack<(JsonElement Item, JsonElement.ArrayEnumerator Children)>();
        open.Push((instance, Children(instance)));
        while (open.Count > 0)
        {
            var (item, children) = open.Pop();
            if (!children.MoveNext())
            {
                if (open.Count > 0) yield return (item, Step.Leave);
                continue;
            }
            open.Push((item, children));
            yield return (children.Current, Step.Enter);
            open.Push((children.Current, Children(children.Current)));
        }
    }

    private static JsonElement.ArrayEnumerator Children(JsonElement item) =>
        item.TryGetProperty(ContentSequence, out var sequence) && sequence.TryGetProperty("Value", out var items)
            && items.ValueKind == JsonValueKind.Array ? items.EnumerateArray() : default;

    private static string Title(JsonElement instance) => Meaning(instance, ConceptName) is { Length: > 0 } meaning ? meaning : "Report";

    // PS3.3 C.17.3.2.1: where an item's value stands by its Value Type.
    private static string Value(JsonElement item) => Text(item, ValueType) switch
    {
        "TEXT" => Text(item, "0040A160"),
        "CODE" => Meaning(item, "0040A168"),
        "NUM" => First(item, "0040A300") is { } measured ? $"{Text(measured, "0040A30A")} {Meaning(measured, "004008EA")}".Trim() : "",
        "DATE" => Text(item, "0040A121"),
        "TIME" => Text(item, "0040A122"),
        "DATETIME" => Text(item, "0040A120"),
        "PNAME" => Name(item, "0040A123"),
        "UIDREF" => Text(item, "0040A124"),
        "IMAGE" or "COMPOSITE" or "WAVEFORM" => First(item, "00081199") is { } reference
            ? Join(Text(reference, "00081155"), Text(reference, "00081160") is { Length: > 0 } frames ? "frame " + frames : "") : "",
        "SCOORD" or "SCOORD3D" => Text(item, "00700023"),
        "TCOORD" => Text(item, "0040A130"),
        _ => "",
    };

    private static JsonElement? First(JsonElement item, string tag) =>
        item.TryGetProperty(tag, out var sequence) && sequence.TryGetProperty("Value", out var items)
            && items.ValueKind == JsonValueKind.Array && items.GetArrayLength() > 0 && items[0].ValueKind == JsonValueKind.Object ? items[0] : null;

    private static string Meaning(JsonElement item, string tag) => First(item, tag) is { } code ? Text(code, "00080104") : "";

    private static string Name(JsonElement item, string tag) => First(item, tag) is { } name
        ? string.Join(" · ", name.EnumerateObject()
            .Select(group => string.Join(' ', (group.Value.GetString() ?? "").Split('^', StringSplitOptions.RemoveEmptyEntries))))
        : "";

    private static string Text(JsonElement item, string tag)
    {
        if (!item.TryGetProperty(tag, out var attribute) || !attribute.TryGetProperty("Value", out var values) || values.ValueKind != JsonValueKind.Array)
            return "";
        return string.Join(", ", values.EnumerateArray().Where(value => value.ValueKind is JsonValueKind.String or JsonValueKind.Number)
            .Select(value => value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetDouble().ToString(CultureInfo.InvariantCulture)));
    }

    private static string Join(params ReadOnlySpan<string> parts) => string.Join(", ", parts.ToArray().Where(part => part.Length > 0));
}
