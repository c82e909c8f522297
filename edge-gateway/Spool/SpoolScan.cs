namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>What a start finds on the disk: the queue is nothing else. Names and sizes only; no file is opened.</summary>
internal sealed class SpoolScan(string root, Func<string, SpoolQueue> queueOf, TimeProvider time, TimeSpan uptime)
{
    private readonly Dictionary<long, LinkCount> links = [];
    private readonly Dictionary<string, string> studies = new(StringComparer.Ordinal);
    private readonly HashSet<long> seen = [];
    private bool hasSeveral;

    public long LastSequence { get; private set; }
    public int Waiting { get; private set; }
    public long Bytes { get; private set; }
    public int Dropped { get; private set; }
    public int Foreign { get; private set; }
    public string ForeignFolder { get; private set; } = "";
    public List<(FileInfo File, long Sequence, UInt128 Checksum, TimeSpan At)> Sent { get; } = [];

    /// <summary>Drops what was never acknowledged and fills the queues.</summary>
    public void Run()
    {
        foreach (var part in Directory.EnumerateFiles(Path.Combine(root, SpoolName.Incoming)))
        {
            if (!part.EndsWith(SpoolName.PartEnding, StringComparison.Ordinal)) continue;
            File.Delete(part);
            Dropped++;
        }
        var destinations = Directory.GetDirectories(root).Where(folder => SpoolName.IsDestination(Path.GetFileName(folder))).ToArray();
        hasSeveral = destinations.Length > 1;
        foreach (var destination in destinations) Load(destination);
        foreach (var (file, sequence, _) in Objects(SpoolName.Quarantine))
        {
            LastSequence = Math.Max(LastSequence, sequence);
            Bytes += file.Length;
        }
        foreach (var (file, sequence, checksum) in Objects(SpoolName.Sent))
        {
            LastSequence = Math.Max(LastSequence, sequence);
            Sent.Add((file, sequence, checksum, uptime - AgeOf(file, time.GetUtcNow())));
        }
    }

    private IEnumerable<(FileInfo, long, UInt128)> Objects(string area)
    {
        var folder = new DirectoryInfo(Path.Combine(root, area));
        if (!folder.Exists) yield break;
        foreach (var file in folder.EnumerateFiles("*" + SpoolName.ObjectEnding, SearchOption.AllDirectories))
            if (SpoolName.TryFile(file.Name, out var sequence, out var checksum)) yield return (file, sequence, checksum);
    }

    // The wall clock is used for this alone, the age of what was there before the start, and not trusted to be ahead of it.
    private static TimeSpan AgeOf(FileInfo file, DateTimeOffset now) => now - file.LastWriteTimeUtc is { Ticks: > 0 } age ? age : TimeSpan.Zero;

    private void Load(string folder)
    {
        var queue = queueOf(Path.GetFileName(folder));
        var now = time.GetUtcNow();
        foreach (var hourFolder in new DirectoryInfo(folder).EnumerateDirectories())
        {
            if (!SpoolName.TryHour(hourFolder.Name, out var hour))
            {
                Skip(folder);
                continue;
            }
            foreach (var studyFolder in hourFolder.EnumerateDirectories())
            {
                if (!SpoolName.IsStudy(studyFolder.Name))
                {
                    Skip(hourFolder.FullName);
                    continue;
                }
                if (!studies.TryGetValue(studyFolder.Name, out var study)) studies[studyFolder.Name] = study = studyFolder.Name;
                foreach (var file in studyFolder.EnumerateFiles()) Load(queue, study, hour, file, now);
            }
        }
        queue.EndLoad();
    }

    private void Load(SpoolQueue queue, string study, int hour, FileInfo file, DateTimeOffset now)
    {
        if (!SpoolName.TryFile(file.Name, out var sequence, out var checksum))
        {
            Skip(Path.GetDirectoryName(file.DirectoryName)!); // the study's folder has its UID as its name, which no log may have
            return;
        }
        LinkCount? count = null;
        var size = file.Length;
        if (hasSeveral)
        {
            // The names of one object carry one number.
            if (links.TryGetValue(sequence, out count)) count.Add();
            else links[sequence] = count = new LinkCount(1);
        }
        if (!hasSeveral || seen.Add(sequence)) Bytes += size;
        queue.Load(new SpoolEntry(queue, study, hour, sequence, checksum, size, uptime - AgeOf(file, now), count));
        LastSequence = Math.Max(LastSequence, sequence);
        Waiting++;
    }

    private void Skip(string folder)
    {
        if (Foreign++ == 0) ForeignFolder = folder;
    }
}
