using System.Globalization;
using System.Text;
using DicomServerless.Dicom;

namespace DicomServerless.Archive.Index;

/// <summary>A value behind a BulkDataURI.</summary>
/// <param name="Path">Its path, as in the URI.</param>
/// <param name="Vr">Its VR.</param>
/// <param name="Offset">Where it starts, counted from the start of the (inflated) data set.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="IsBigEndian">Whether its words are turned around as stored.</param>
/// <param name="IsEncapsulated">Whether it is fragments.</param>
internal readonly record struct BulkEntry(string Path, Vr Vr, long Offset, long Length, bool IsBigEndian, bool IsEncapsulated);

/// <summary>Where the values behind the BulkDataURIs of an instance are: a line each.</summary>
internal static class BulkTable
{
    public static byte[]? Write(IReadOnlyList<BulkValue> values)
    {
        if (values.Count == 0) return null;
        var text = new StringBuilder();
        foreach (var value in values)
        {
            text.Append(CultureInfo.InvariantCulture, $"{value.Path} {value.Vr.Code()} {value.Offset} {value.Length} ")
                .Append(value.IsBigEndian ? 'B' : 'L').Append(value.IsEncapsulated ? 'E' : 'N').Append('\n');
        }
        var bytes = Encoding.ASCII.GetBytes(text.ToString());
        return bytes.Length > 4096 ? [(byte)'z', .. RowBytes.Compress(bytes)] : bytes;
    }

    public static bool TryFind(byte[] table, string path, out BulkEntry entry)
    {
        foreach (var candidate in Read(table))
        {
            if (!string.Equals(candidate.Path, path, StringComparison.OrdinalIgnoreCase)) continue;
            entry = candidate;
            return true;
        }
        entry = default;
        return false;
    }

    public static IEnumerable<BulkEntry> Read(byte[] table)
    {
        var text = Encoding.ASCII.GetString(table.Length > 0 && table[0] == 'z' ? RowBytes.Decompress(table[1..]) : table);
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = line.Split(' ');
            var vr = (Vr)((parts[1][0] << 8) | parts[1][1]);
            yield return new BulkEntry(parts[0], vr, long.Parse(parts[2], CultureInfo.InvariantCulture), long.Parse(parts[3], CultureInfo.InvariantCulture),
                parts[4][0] == 'B', parts[4][1] == 'E');
        }
    }
}
