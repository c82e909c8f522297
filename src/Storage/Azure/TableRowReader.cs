using System.Globalization;
using System.Text.Json;

namespace DicomServerless.Storage.Azure;

/// <summary>
/// Reads the table service's JSON straight into rows. Names of properties are made once per page, since every row repeats them; binary values are decoded
/// from the answer's bytes. The system property Timestamp is left out.
/// </summary>
internal ref struct TableRowReader
{
    private const string TypeSuffix = "@odata.type";
    private readonly List<(string Text, string? TypeOf)> names = [];
    private readonly List<(string Name, string Type)> types = [];
    private readonly List<(string Name, string Text)> texts = [];
    private Utf8JsonReader json;
    private int expected;

    private TableRowReader(ReadOnlySpan<byte> utf8)
    {
        json = new Utf8JsonReader(utf8);
        json.Read();
    }

    /// <summary>The rows of a query's answer: <c>{"odata.metadata": …, "value": [ … ]}</c>.</summary>
    public static List<TableRow> ReadPage(ReadOnlySpan<byte> utf8)
    {
        var reader = new TableRowReader(utf8);
        var rows = new List<TableRow>();
        while (reader.json.Read() && reader.json.TokenType == JsonTokenType.PropertyName)
        {
            var isValue = reader.json.ValueTextEquals("value"u8);
            reader.json.Read();
            if (!isValue || reader.json.TokenType != JsonTokenType.StartArray)
            {
                reader.json.Skip();
                continue;
            }
            while (reader.json.Read() && reader.json.TokenType == JsonTokenType.StartObject) rows.Add(reader.ReadRow());
        }
        return rows;
    }

    /// <summary>The row of a point read's answer.</summary>
    public static TableRow ReadOne(ReadOnlySpan<byte> utf8) => new TableRowReader(utf8).ReadRow();

    private TableRow ReadRow()
    {
        var row = new TableRow("", "");
        types.Clear();
        texts.Clear();
        expected = 0;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var (name, typeOf) = Name();
            json.Read();
            if (typeOf is not null)
            {
                types.Add((typeOf, json.GetString()!));
                continue;
            }
            switch (name)
            {
                case "PartitionKey": row.PartitionKey = json.GetString()!; break;
                case "RowKey": row.RowKey = json.GetString()!; break;
                case "odata.etag": row.ETag = json.GetString(); break;
                case "Timestamp": break;
                case var _ when name.StartsWith("odata.", StringComparison.Ordinal): json.Skip(); break;
                default: row[name] = Value(name); break;
            }
        }
        // A type that came after its value.
        foreach (var (name, text) in texts)
        {
            if (TypeOf(name) is { } type) row[name] = Convert(type, text);
        }
        return row;
    }

    private (string Text, string? TypeOf) Name()
    {
        if (expected < names.Count && json.ValueTextEquals(names[expected].Text)) return names[expected++];
        for (var i = 0; i < names.Count; i++)
        {
            if (!json.ValueTextEquals(names[i].Text)) continue;
            expected = i + 1;
            return names[i];
        }
        var text = json.GetString()!;
        names.Add((text, text.EndsWith(TypeSuffix, StringComparison.Ordinal) ? text[..^TypeSuffix.Length] : null));
        expected = names.Count;
        return names[^1];
    }

    private object? Value(string name)
    {
        switch (json.TokenType)
        {
            case JsonTokenType.True: return true;
            case JsonTokenType.False: return false;
            case JsonTokenType.Null: return null;
            case JsonTokenType.Number:
                switch (TypeOf(name))
                {
                    case "Edm.Double": return json.GetDouble();
                    case "Edm.Int64": return json.GetInt64();
                    default: return Number();
                }
            case JsonTokenType.String:
                switch (TypeOf(name))
                {
                    case "Edm.Binary": return json.GetBytesFromBase64();
                    case { } type: return Convert(type, json.GetString()!);
                }
                var text = json.GetString()!;
                texts.Add((name, text));
                return text;
            default:
                throw new JsonException($"The table service sent a {json.TokenType} as the property {name}.");
        }
    }

    // A double keeps its point or exponent; an Int32 has neither.
    private readonly object Number()
    {
        if (json.ValueSpan.IndexOfAny((byte)'.', (byte)'e', (byte)'E') < 0 && json.TryGetInt32(out var number)) return number;
        return json.GetDouble();
    }

    private readonly string? TypeOf(string name)
    {
        for (var i = types.Count - 1; i >= 0; i--)
        {
            if (ReferenceEquals(types[i].Name, name) || types[i].Name == name) return types[i].Type;
        }
        return null;
    }

    private static object Convert(string type, string text) => type switch
    {
        "Edm.Int64" => long.Parse(text, CultureInfo.InvariantCulture),
        "Edm.Int32" => int.Parse(text, CultureInfo.InvariantCulture),
        "Edm.Binary" => System.Convert.FromBase64String(text),
        "Edm.Boolean" => bool.Parse(text),
        "Edm.Guid" => Guid.Parse(text),
        "Edm.DateTime" => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal),
        "Edm.Double" => text switch
        {
            "NaN" => double.NaN,
            "Infinity" or "INF" => double.PositiveInfinity,
            "-Infinity" or "-INF" => double.NegativeInfinity,
            _ => double.Parse(text, CultureInfo.InvariantCulture),
        },
        _ => text,
    };
}
