using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace DicomServerless.Storage.Azure;

/// <summary>
/// Writes rows as the table service's JSON (OData 3, minimal metadata): a type that JSON has not goes beside its value as <c>NAME@odata.type</c>.
/// </summary>
internal static class TableRowJson
{
    // The service takes UTF-8; only quotes, backslashes and control characters need escaping in a body that no browser sees.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static void Write(IBufferWriter<byte> output, TableRow row)
    {
        using var json = new Utf8JsonWriter(output, Options);
        json.WriteStartObject();
        json.WriteString("PartitionKey"u8, row.PartitionKey);
        json.WriteString("RowKey"u8, row.RowKey);
        foreach (var (name, value) in row.Values) Write(json, name, value);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, object value)
    {
        switch (value)
        {
            case string text:
                json.WriteString(name, text);
                break;
            case int number:
                json.WriteNumber(name, number);
                break;
            case bool flag:
                json.WriteBoolean(name, flag);
                break;
            case long number:
                Type(json, name, "Edm.Int64");
                json.WriteString(name, number.ToString(CultureInfo.InvariantCulture));
                break;
            case byte[] bytes:
                Type(json, name, "Edm.Binary");
                json.WriteBase64String(name, bytes);
                break;
            case double number:
                Type(json, name, "Edm.Double");
                if (double.IsFinite(number)) json.WriteNumber(name, number);
                else json.WriteString(name, double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
                break;
            case DateTimeOffset time:
                Type(json, name, "Edm.DateTime");
                json.WriteString(name, time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffffZ", CultureInfo.InvariantCulture));
                break;
            case Guid id:
                Type(json, name, "Edm.Guid");
                json.WriteString(name, id);
                break;
            default:
                throw new ArgumentException($"The property {name} is a {value.GetType().Name}, which a row cannot hold.");
        }
    }

    private static void Type(Utf8JsonWriter json, string name, string type) => json.WriteString(name + "@odata.type", type);
}
