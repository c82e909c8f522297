using System.Text;
using DicomServerless.Storage;

namespace DicomServerless.Shared;

/// <summary>The limits of the table service ("Understanding the Table service data model", "Performing entity group transactions").</summary>
public static class TableLimits
{
    /// <summary>The body of a batch.</summary>
    public const int BatchBytes = 4 * 1024 * 1024;

    private const int RowBytes = 1024 * 1024, PropertyBytes = 64 * 1024, Properties = 252, KeyBytes = 1024, NameChars = 255;

    /// <summary>Whether the service takes the row.</summary>
    public static bool Allow(TableRow row) => Why(row) is null;

    /// <summary>Why the service refuses the row; null if it does not.</summary>
    public static string? Why(TableRow row)
    {
        foreach (var key in (string[])[row.PartitionKey, row.RowKey])
        {
            if (key.Length * 2 > KeyBytes) return "A key has more than 1 KiB.";
            if (key.Any(c => c is '/' or '\\' or '#' or '?' or < ' ' or (>= '\u007f' and <= '\u009f'))) return "A key has a character that keys may not have.";
        }
        if (row.Values.Count > Properties) return "More than 252 properties.";
        foreach (var (name, value) in row.Values)
        {
            if (name.Length > NameChars) return "A property's name is too long.";
            if ((value is string text ? text.Length * 2 : value is byte[] bytes ? bytes.Length : 0) > PropertyBytes) return $"{name} has more than 64 KiB.";
        }
        return SizeOf(row) > RowBytes ? "The row has more than 1 MiB." : null;
    }

    /// <summary>A write's share of a batch body: base64 and JSON of the values, the keys in JSON and in the URL, and the headers of the part.</summary>
    public static int EncodedBytes(TableWrite write)
    {
        var keys = Encoding.UTF8.GetByteCount(write.Row.PartitionKey) + Encoding.UTF8.GetByteCount(write.Row.RowKey);
        if (write.Kind == TableWriteKind.Delete) return 400 + keys;
        return 500 + (2 * keys) + write.Row.Values.Sum(pair => pair.Key.Length + 8 + pair.Value switch
        {
            string text => Encoding.UTF8.GetByteCount(text),
            byte[] bytes => pair.Key.Length + 24 + ((bytes.Length + 2) / 3 * 4),
            _ => 24,
        });
    }

    // The formula that the service documents; text counts as UTF-16.
    private static long SizeOf(TableRow row) =>
        4 + ((row.PartitionKey.Length + row.RowKey.Length) * 2L) + row.Values.Sum(pair => 8 + (pair.Key.Length * 2L) + pair.Value switch
    {
        string text => (text.Length * 2L) + 4,
        byte[] bytes => bytes.Length + 4,
        Guid => 16,
        bool => 1,
        int => 4,
        _ => 8,
    });
}
