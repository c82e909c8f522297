using System.Text;

namespace DicomServerless.Storage;

/// <summary>How large a row is on the wire, so that batches can be cut below the service's 4 MiB before they are sent.</summary>
public static class TableRowSize
{
    /// <summary>The largest batch, in encoded bytes, with room left for the envelope of 100 operations.</summary>
    public const int MaxBatchBytes = (4 * 1024 * 1024) - (64 * 1024);

    /// <summary>The largest number of writes in a batch.</summary>
    public const int MaxBatchWrites = 100;

    /// <summary>An upper bound of the row's share of a batch body, in bytes: its JSON, its keys in the operation's URL and the part's headers.</summary>
    public static int Encoded(TableRow row)
    {
        var size = 700 + (2 * Escaped(row.PartitionKey)) + (2 * Escaped(row.RowKey));
        foreach (var (name, value) in row.Values)
        {
            size += (2 * name.Length) + 40 + value switch
            {
                string text => Escaped(text),
                byte[] bytes => ((bytes.Length + 2) / 3 * 4) + 2,
                _ => 40,
            };
        }
        return size;
    }

    // JSON writes some characters as \uXXXX; a URL writes each UTF-8 byte as %XX.
    private static int Escaped(string text)
    {
        var size = 2;
        foreach (var rune in text.EnumerateRunes())
            size += rune.IsAscii && (Rune.IsLetterOrDigit(rune) || rune.Value is ' ' or '.' or '-' or '_' or ',' or ':') ? 1 : 12;
        return size;
    }
}
