using System.Globalization;
using DicomServerless.Dicom;

namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>The names in the spool: <c>{destination}/{yyyyMMddHH}/{study}/{sequence}.{checksum}.dcm</c>.</summary>
internal static class SpoolName
{
    public const string Incoming = ".incoming", Ownership = ".lock", Quarantine = "quarantine", Sent = "sent", PartEnding = ".part", Probe = "probe.part",
        ObjectEnding = ".dcm", ReasonEnding = ".json";
    private const int ChecksumDigits = 32;

    /// <summary>
    /// Whether a destination may be called so: letters, digits, <c>-</c>, <c>_</c>, and <c>.</c> except at the start; at most 64; not a folder of the spool's
    /// own.
    /// </summary>
    public static bool IsDestination(string name) =>
        name.Length is > 0 and <= 64 && name[0] != '.' && name is not (Quarantine or Sent)
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    public static string FileName(long sequence, UInt128 checksum) =>
        string.Create(CultureInfo.InvariantCulture, $"{sequence:D12}.{checksum:x32}{ObjectEnding}");

    /// <summary>What the names of the files with a number fit.</summary>
    public static string Pattern(long sequence) => string.Create(CultureInfo.InvariantCulture, $"{sequence:D12}.*{ObjectEnding}");

    public static string PartName(long sequence) => string.Create(CultureInfo.InvariantCulture, $"{sequence:D12}{PartEnding}");

    public static int Hour(DateTimeOffset time) => ((time.Year * 100 + time.Month) * 100 + time.Day) * 100 + time.Hour;

    public static bool TryHour(ReadOnlySpan<char> name, out int hour) =>
        int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out hour) && name.Length == 10;

    public static bool IsStudy(ReadOnlySpan<char> name) => Uid.IsValid(name);

    public static bool TryFile(ReadOnlySpan<char> name, out long sequence, out UInt128 checksum)
    {
        (sequence, checksum) = (0, default);
        var dot = name.IndexOf('.');
        return dot > 0 && name.EndsWith(ObjectEnding, StringComparison.Ordinal) && name.Length == dot + 1 + ChecksumDigits + ObjectEnding.Length
            && long.TryParse(name[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out sequence)
            && UInt128.TryParse(name.Slice(dot + 1, ChecksumDigits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out checksum);
    }
}
