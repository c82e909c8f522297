using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.Unit.Gateway;

/// <summary>Entries of a queue whose files nobody reads, for what decides by number, size and head alone.</summary>
internal static class LooseEntries
{
    public static SpoolQueue Queue(string root = "/nowhere") => new(root, "archive", () => TimeSpan.Zero);

    public static SpoolEntry Entry(long sequence, long size = 10, SpoolQueue? queue = null, TimeSpan queuedAt = default) =>
        new(queue ?? Queue(), "1.2", 2026112112, sequence, (UInt128)sequence, size, queuedAt, null);

    /// <summary>A batch of entries with these SOP Instance UIDs, numbered from 1; null for a file that does not say.</summary>
    public static Batch Batch(params string?[] sops)
    {
        SpoolEntry[] entries = [.. sops.Select((_, i) => Entry(i + 1))];
        return new Batch("1.2", null, entries, entries.Zip(sops).ToDictionary(item => item.First, item => new SpoolHead(FileState.Intact, item.Second)), false);
    }
}
