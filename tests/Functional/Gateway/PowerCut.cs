using System.Buffers.Binary;
using System.Text;

namespace DicomServerless.Functional.Gateway;

/// <summary>
/// What a trace says about the spool: whether every object was safe before its Success, and what a disk would hold that kept nothing but what was flushed.
/// </summary>
internal sealed class PowerCut
{
    private readonly List<SystemCall> calls;
    private readonly string root;
    // Final path of an object → the file that was written.
    private readonly Dictionary<string, string> partOf = new(StringComparer.Ordinal);

    public PowerCut(List<SystemCall> calls, string root)
    {
        (this.calls, this.root) = (calls, root);
        foreach (var call in calls)
            if (IsName(call) && call.Paths[0].EndsWith(".part", StringComparison.Ordinal)) partOf[call.Paths[1]] = call.Paths[0];
        foreach (var call in calls)
            if (call.Name is "sendto" or "sendmsg" && Acknowledged(call.Bytes) is { } sop) Successes.Add((sop, call.Began));
        // The trace is in the order in which calls ended. Of two answers under way at once the later one may end first, and its object need not be safe when
        // the other begins.
        Successes.Sort((a, b) => a.At.CompareTo(b.At));
    }

    /// <summary>The objects that got Success, and where in the trace the answer began.</summary>
    public List<(string Sop, int At)> Successes { get; } = [];

    /// <summary>Every violation of the order write, flush, name, flush of the folder and of each new folder's parent, answer.</summary>
    /// <param name="pathsOf">The final paths of each object.</param>
    public IEnumerable<string> Violations(ILookup<string, string> pathsOf)
    {
        foreach (var (sop, at) in Successes)
        {
            if (!pathsOf[sop].Any()) yield return $"{sop} got Success and is nowhere";
            foreach (var path in pathsOf[sop])
            {
                var part = partOf[path];
                var written = calls.Where(call => IsWrite(call) && call.Paths[0] == part).Select(call => call.Ended).DefaultIfEmpty(int.MaxValue).Max();
                var flushed = Flush(part, written, at);
                if (flushed is null) yield return $"{sop}: no flush of the file between its last write and Success";
                var named = calls.First(call => IsName(call) && call.Paths[1] == path);
                if (flushed is not null && named.Began < flushed) yield return $"{sop}: named before the flush ended";
                if (Flush(Path.GetDirectoryName(path)!, named.Ended, at) is null) yield return $"{sop}: no flush of its folder between the name and Success";
                for (var folder = Path.GetDirectoryName(path)!; folder.Length >= root.Length; folder = Path.GetDirectoryName(folder)!)
                    if (calls.Find(call => call.Name is "mkdir" or "mkdirat" && call.Paths[0] == folder) is { } made
                        && Flush(Path.GetDirectoryName(folder)!, made.Ended, at) is null)
                        yield return $"{sop}: the folder above {Path.GetRelativePath(root, folder)} was not flushed before Success";
            }
        }
    }

    /// <summary>
    /// Builds the disk as a power cut at a moment may leave it in the worst case: files whose flush had ended, names whose folder's flush had ended.
    /// </summary>
    /// <param name="at">The moment.</param>
    /// <param name="copy">The folder to build it in.</param>
    public void Replay(int at, string copy)
    {
        Directory.CreateDirectory(copy);
        foreach (var (path, part) in partOf)
        {
            var named = calls.First(call => IsName(call) && call.Paths[1] == path);
            if (!IsDurable(named, path, at)) continue;
            // Of the bytes, those that were written when the last flush before the moment began.
            var flush = calls.FindLast(call => call.Name is "fsync" or "fdatasync" && call.Paths[0] == part && call.Ended < at);
            var length = flush is null ? 0 : calls.Where(call => IsWrite(call) && call.Paths[0] == part && call.Ended < flush.Began).Sum(call => call.Result);
            var target = Path.Combine(copy, Path.GetRelativePath(root, path));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            using var file = File.Create(target);
            using var source = File.OpenRead(path);
            var bytes = new byte[length];
            source.ReadExactly(bytes);
            file.Write(bytes);
        }
    }

    private bool IsDurable(SystemCall named, string path, int at)
    {
        if (named.Ended >= at || Flush(Path.GetDirectoryName(path)!, named.Ended, at) is null) return false;
        for (var folder = Path.GetDirectoryName(path)!; folder.Length >= root.Length; folder = Path.GetDirectoryName(folder)!)
            if (calls.Find(call => call.Name is "mkdir" or "mkdirat" && call.Paths[0] == folder) is { } made
                && Flush(Path.GetDirectoryName(folder)!, made.Ended, at) is null)
                return false;
        return true;
    }

    private int? Flush(string path, int after, int before) =>
        calls.Find(call => call.Name is "fsync" or "fdatasync" && call.Paths[0] == path && call.Began > after && call.Ended < before)?.Ended;

    private static bool IsWrite(SystemCall call) => call.Name is "write" or "writev" or "pwrite64" or "pwritev";

    private static bool IsName(SystemCall call) => call.Name.StartsWith("rename", StringComparison.Ordinal)
        || call.Name.StartsWith("link", StringComparison.Ordinal);

    // A P-DATA-TF with a C-STORE-RSP of status 0000 (PS3.8 9.3.5, PS3.7 9.3.1.2): its SOP instance.
    private static string? Acknowledged(byte[] pdu)
    {
        if (pdu.Length < 12 || pdu[0] != 4) return null;
        string? sop = null;
        int? field = null, status = null;
        for (var at = 12; at + 8 <= pdu.Length;)
        {
            var element = BinaryPrimitives.ReadUInt16LittleEndian(pdu.AsSpan(at + 2));
            var length = BinaryPrimitives.ReadInt32LittleEndian(pdu.AsSpan(at + 4));
            if (length < 0 || at + 8 + length > pdu.Length) return null;
            var value = pdu.AsSpan(at + 8, length);
            if (element == 0x0100) field = BinaryPrimitives.ReadUInt16LittleEndian(value);
            else if (element == 0x0900) status = BinaryPrimitives.ReadUInt16LittleEndian(value);
            else if (element == 0x1000) sop = Encoding.ASCII.GetString(value).TrimEnd('\0');
            at += 8 + length;
        }
        return field == 0x8001 && status == 0 ? sop : null;
    }
}
