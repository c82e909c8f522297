namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>What destinations have taken and is kept for a while: <c>sent/{destination}/{hour}/…</c>. The oldest go first, by age and by size.</summary>
internal sealed class SentObjects(Spool spool)
{
    private readonly Lock gate = new();
    private readonly Queue<Sent> kept = [];
    private long bytes;

    private readonly record struct Sent(string Folder, long Sequence, UInt128 Checksum, long Size, TimeSpan At);

    /// <summary>Objects kept.</summary>
    public int Count
    {
        get { lock (gate) return kept.Count; }
    }

    /// <summary>Bytes kept.</summary>
    public long Bytes
    {
        get { lock (gate) return bytes; }
    }

    /// <summary>Whether anything is to be kept now.</summary>
    public bool IsKept => spool.Options.RetentionHours > 0;

    /// <summary>Moves a file here; on a thread of the spool. It needs no flush: the destination has the object, so a power cut may lose it here.</summary>
    public int Keep(SpoolEntry entry)
    {
        var folder = Path.Combine(spool.Root, SpoolName.Sent, entry.Destination,
            spool.CurrentHour.ToString("D10", System.Globalization.CultureInfo.InvariantCulture));
        var path = Path.Combine(folder, SpoolName.FileName(entry.Sequence, entry.Checksum));
        var error = Posix.Move(entry.Path, path);
        if (error == Posix.NotFound)
        {
            Posix.CreateFolder(Path.Combine(spool.Root, SpoolName.Sent));
            Posix.CreateFolder(Path.GetDirectoryName(folder)!);
            Posix.CreateFolder(folder);
            error = Posix.Move(entry.Path, path);
        }
        if (error != 0) return error;
        Add(new Sent(folder, entry.Sequence, entry.Checksum, entry.Size, spool.Uptime));
        return 0;
    }

    /// <summary>What a start finds, oldest first.</summary>
    public void Load(IEnumerable<(FileInfo File, long Sequence, UInt128 Checksum, TimeSpan At)> found)
    {
        foreach (var (file, sequence, checksum, at) in found.OrderBy(item => item.At)) Add(new Sent(file.DirectoryName!, sequence, checksum, file.Length, at));
    }

    /// <summary>Removes what is too old or too much.</summary>
    /// <param name="wanted">Bytes to make room for, because the disk is nearly full; 0 otherwise.</param>
    public void Trim(long wanted = 0)
    {
        var oldest = spool.Uptime - TimeSpan.FromHours(spool.Options.RetentionHours);
        var most = spool.Options.RetentionMaxMiB << 20;
        while (true)
        {
            Sent first;
            lock (gate)
            {
                if (!kept.TryPeek(out first) || (first.At > oldest && bytes <= most && wanted <= 0)) return;
                kept.Dequeue();
                bytes -= first.Size;
            }
            Posix.Remove(Path.Combine(first.Folder, SpoolName.FileName(first.Sequence, first.Checksum)));
            Posix.RemoveFolder(first.Folder); // fails until the last one
            wanted -= first.Size;
        }
    }

    private void Add(Sent sent)
    {
        lock (gate)
        {
            kept.Enqueue(sent);
            bytes += sent.Size;
        }
    }
}
