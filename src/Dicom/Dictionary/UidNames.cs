using System.Text;

namespace DicomServerless.Dicom;

/// <summary>The names of well-known UIDs (PS3.6 annex A). Tables without start-up work.</summary>
public static partial class UidNames
{
    /// <summary>The name of a UID, such as CT Image Storage; null when the standard does not know it.</summary>
    public static string? Find(ReadOnlySpan<char> uid) => Text(uid, 2);

    /// <summary>The keyword of a UID, such as CTImageStorage; null when the standard does not know it.</summary>
    public static string? FindKeyword(ReadOnlySpan<char> uid) => Text(uid, 1);

    /// <summary>True for a SOP class that is known, retired ones included.</summary>
    public static bool IsSopClass(ReadOnlySpan<char> uid) => IndexOf(uid) is >= 0 and var index && (Kinds[index] & 0x7F) == 0;

    /// <summary>
    /// True for a storage SOP class of the standard, retired ones included: 1.2.840.10008.5.1.4.1.1 and what lies under it, the arc of PS3.4 B.5, and those of
    /// other arcs whose name says Storage (PS3.4 B.5, GG.3). Query and retrieve models that share an arc with storage are left out.
    /// </summary>
    public static bool IsStorage(ReadOnlySpan<char> uid) => IndexOf(uid) is >= 0 and var index && (Kinds[index] & 0x7F) == 0
        && (uid.StartsWith("1.2.840.10008.5.1.4.1.1.") || Find(uid)!.Contains(" Storage", StringComparison.Ordinal)) && !uid.StartsWith("1.2.840.10008.1.20.")
        && !Find(uid)!.Contains("Information Model", StringComparison.Ordinal) && !IsInventoryService(uid);

    /// <summary>
    /// True for a storage SOP class whose instances belong to a patient's study, so that an archive can file them. Directories and the non-patient objects of
    /// PS3.4 GG (hanging protocols, color palettes, implant templates, defined procedure protocols, protocol approvals, inventories) do not.
    /// </summary>
    public static bool IsArchivable(ReadOnlySpan<char> uid) => IsStorage(uid) && uid is not (
        "1.2.840.10008.1.3.10" or "1.2.840.10008.5.1.4.38.1" or "1.2.840.10008.5.1.4.39.1" or "1.2.840.10008.5.1.4.43.1" or "1.2.840.10008.5.1.4.44.1"
        or "1.2.840.10008.5.1.4.45.1" or "1.2.840.10008.5.1.4.1.1.200.1" or "1.2.840.10008.5.1.4.1.1.200.3"
            or "1.2.840.10008.5.1.4.1.1.200.7" or "1.2.840.10008.5.1.4.1.1.201.1");

    // Query, retrieve and creation of inventories share the arc of their storage class, 1.2.840.10008.5.1.4.1.1.201.1 (PS3.4 JJ).
    private static bool IsInventoryService(ReadOnlySpan<char> uid) =>
        uid.StartsWith("1.2.840.10008.5.1.4.1.1.201.") && uid is not "1.2.840.10008.5.1.4.1.1.201.1";

    /// <summary>The UIDs of all storage SOP classes, in order; for configuration and presentation contexts, not for hot paths.</summary>
    public static IEnumerable<string> StorageSopClasses()
    {
        for (var i = 0; i < Count; i++)
        {
            var line = Line(i);
            var uid = line[..line.IndexOf('\t', StringComparison.Ordinal)];
            if (IsStorage(uid)) yield return uid;
        }
    }

    /// <summary>The UIDs and names of all transfer syntaxes in the table.</summary>
    internal static IEnumerable<(string Uid, string Keyword, string Name)> TransferSyntaxes()
    {
        for (var i = 0; i < Count; i++)
        {
            if ((Kinds[i] & 0x7F) == 2 && Line(i).Split('\t') is [var uid, var keyword, var name]) yield return (uid, keyword, name);
        }
    }

    private static string? Text(ReadOnlySpan<char> uid, int column) => IndexOf(uid) is >= 0 and var index ? Line(index).Split('\t')[column] : null;

    private static string Line(int index) => Encoding.UTF8.GetString(Texts[TextOffsets[index]..(TextOffsets[index + 1] - 1)]);

    private static int IndexOf(ReadOnlySpan<char> uid)
    {
        var (low, high) = (0, Count - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = Compare(uid, Texts[TextOffsets[middle]..]);
            if (order == 0) return middle;
            if (order < 0) high = middle - 1;
            else low = middle + 1;
        }
        return -1;
    }

    private static int Compare(ReadOnlySpan<char> uid, ReadOnlySpan<byte> line)
    {
        for (var i = 0; ; i++)
        {
            var u = i == uid.Length ? 0 : uid[i];
            var t = line[i] == '\t' ? 0 : line[i];
            if (u != t) return u - t;
            if (t == 0) return i == uid.Length ? 0 : 1;
        }
    }
}
