using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DicomServerless.Dicom;

namespace DicomServerless.Archive;

/// <summary>Where everything lies: blob names and row keys, built from validated UIDs only.</summary>
public static class Layout
{
    /// <summary>
    /// The version that rows carry (those of <c>keys</c> and <c>uids</c> say nothing but their keys and have none). It is raised when an instance row is to
    /// hold something else: other attributes apart from the metadata, or metadata written in another way. A search takes what an older row does not hold from
    /// its metadata; settling the instance or a rebuild writes the row anew; and it is part of the ETag of <c>/metadata</c>. A row of a newer version is read
    /// as it is. 2: Content Date (0008,0023) is kept apart from the metadata.
    /// </summary>
    public const int SchemaVersion = 2;

    /// <summary>The key of a study's own row.</summary>
    public const string StudyRowKey = "s";

    /// <summary>The first key of all series rows, and the first behind them.</summary>
    public static readonly (string From, string Before) AllSeriesRows = ("e:", "e;");

    /// <summary>The first key of all instance rows, and the first behind them.</summary>
    public static readonly (string From, string Before) AllInstanceRows = ("i:", "i;");

    /// <summary><c>{h}/{study}/{series}/{sop}.dcm</c>.</summary>
    public static string BlobName(InstanceKey key) => $"{SeriesPrefix(key.Study, key.Series)}{key.Sop}.dcm";

    /// <summary><c>{h}/{study}/</c>: a study's blobs, in <c>dicom</c> and in <c>derived</c>.</summary>
    public static string StudyPrefix(Uid study) => $"{Spread(study)}/{study}/";

    /// <summary><c>{h}/{study}/{series}/</c>.</summary>
    public static string SeriesPrefix(Uid study, Uid series) => $"{StudyPrefix(study)}{series}/";

    /// <summary>Reads a blob name. False for everything that <see cref="BlobName"/> would not have built.</summary>
    public static bool TryParseBlobName(string name, out InstanceKey key)
    {
        key = default;
        var parts = name.Split('/');
        if (parts.Length != 4 || !parts[3].EndsWith(".dcm", StringComparison.Ordinal)) return false;
        if (!Uid.TryParse(parts[1], out var study) || !Uid.TryParse(parts[2], out var series)
            || !Uid.TryParse(parts[3].AsSpan()[..^4], out var sop)) return false;
        if (parts[0] != Spread(study)) return false;
        key = new InstanceKey(study, series, sop);
        return true;
    }

    /// <summary>The key of a series row.</summary>
    public static string SeriesRowKey(Uid series) => $"e:{series}";

    /// <summary>Reads a series row's key.</summary>
    public static bool TryParseSeriesRowKey(string rowKey, out Uid series)
    {
        series = default;
        return rowKey.StartsWith(AllSeriesRows.From, StringComparison.Ordinal) && Uid.TryParse(rowKey.AsSpan(AllSeriesRows.From.Length), out series);
    }

    /// <summary>The key of an instance row.</summary>
    public static string InstanceRowKey(InstanceName name) => $"i:{name.Series}:{name.Sop}";

    /// <summary>The first and the end of a series' instance rows.</summary>
    public static (string From, string Before) InstanceRows(Uid series) => ($"i:{series}:", $"i:{series};");

    /// <summary>The range that holds one instance's row only.</summary>
    public static (string From, string Before) InstanceRow(InstanceName name) => (InstanceRowKey(name), InstanceRowKey(name) + "!");

    /// <summary>Reads an instance row's key.</summary>
    public static bool TryParseInstanceRowKey(string rowKey, out InstanceName name)
    {
        name = default;
        var parts = rowKey.Split(':');
        if (parts.Length != 3 || parts[0] != "i" || !Uid.TryParse(parts[1], out var series) || !Uid.TryParse(parts[2], out var sop)) return false;
        name = new InstanceName(series, sop);
        return true;
    }

    /// <summary>The partition of an instance in <c>uids</c>: its UID without the last component, or one of 16 for UIDs too flat for that (2.25.…).</summary>
    public static string UidPartition(Uid sop)
    {
        var text = sop.Value;
        var last = text.LastIndexOf('.');
        return last > 0 && text.AsSpan(0, last).Count('.') >= 3 ? text[..last] : $"~{Hash(text)[0]}";
    }

    /// <summary>The key of an instance in <c>uids</c>.</summary>
    public static string UidRowKey(InstanceKey key) => $"{key.Sop}:{key.Study}:{key.Series}";

    /// <summary>Reads a key of <c>uids</c>.</summary>
    public static bool TryParseUidRowKey(string rowKey, out InstanceKey key)
    {
        key = default;
        var parts = rowKey.Split(':');
        if (parts.Length != 3 || !Uid.TryParse(parts[0], out var sop) || !Uid.TryParse(parts[1], out var study)
            || !Uid.TryParse(parts[2], out var series)) return false;
        key = new InstanceKey(study, series, sop);
        return true;
    }

    /// <summary>The partitions of the journal.</summary>
    public static IEnumerable<string> JournalPartitions { get; } = [.. Enumerable.Range(0, 16).Select(n => n.ToString("x", CultureInfo.InvariantCulture))];

    /// <summary>The journal partition of a study.</summary>
    public static string JournalPartition(Uid study) => Hash(study.Value)[..1];

    /// <summary>
    /// The three hexadecimal digits in front of a study's blob names: 4,096 prefixes, so that a busy day spreads over the store's partitions.
    /// </summary>
    public static string Spread(Uid study) => Hash(study.Value)[..3];

    private static string Hash(string text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.ASCII.GetBytes(text), hash);
        return Convert.ToHexStringLower(hash[..2]);
    }
}
