using System.Collections.Concurrent;
using System.Globalization;
using DicomServerless.EdgeGateway.Hosting;

namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>
/// The objects that were acknowledged and are not in every destination yet. The folders are the queue; there is no database, and an operator reads it with
/// <c>ls</c>:
/// <c>{destination}/{yyyyMMddHH}/{study}/{sequence}.{checksum}.dcm</c>, one name per destination on the same bytes; <c>.incoming</c> for what is being
/// received,
/// <c>quarantine</c> for what a destination refused for good, <c>sent</c> for what is kept on request. Files are 0600, folders 0700.
/// </summary>
/// <remarks>
/// <para>How an object becomes durable stands in <see cref="SpoolCommit"/>.</para>
/// <para>
/// The hour is a folder's name and nothing more, and is never compared with the clock except to leave the current one alone; the order of objects is their
/// sequence. So the clock may jump.
/// </para>
/// </remarks>
internal sealed class Spool : IAsyncDisposable
{
    private const int ObjectsPerFlush = 256;
    private const long RoomMadeAtOnce = 256 << 20;
    private static readonly TimeSpan FlushEvery = TimeSpan.FromSeconds(5), TidyEvery = TimeSpan.FromMinutes(1), ProbeKept = TimeSpan.FromSeconds(3);
    private static readonly int[] NoRoom = [Posix.NoSpace, Posix.QuotaExceeded];

    private readonly ConcurrentDictionary<string, SpoolQueue> queues = new(StringComparer.Ordinal);
    private readonly SpoolOptions options;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly FileStream ownership;
    private readonly long startedAt;
    private readonly ITimer tidyTimer;
    private readonly ITimer flushTimer;
    private readonly Lock probing = new();
    private Task<bool> probe = Task.FromResult(false);
    private long probedAt = long.MinValue / 2;
    private long sequence;
    private int unflushed, failedFlushes;
    private readonly SharedFlush wholeFlush;

    private Spool(SpoolOptions options, TimeProvider time, ILogger log, FileStream ownership, Func<string, int> flushFolder)
    {
        (this.options, this.time, this.log, this.ownership) = (options, time, log, ownership);
        Root = Path.GetFullPath(options.Path);
        IncomingFolder = Path.Combine(Root, SpoolName.Incoming);
        startedAt = time.GetTimestamp();
        Limits = new SpoolLimits(options, time);
        Folders = new SpoolFolders(Root, Threads, IsFlushed ? flushFolder : null);
        Commit = new SpoolCommit(this);
        Quarantine = new Quarantine(this, time, log);
        Sent = new SentObjects(this);
        wholeFlush = new SharedFlush(FlushWhole, Threads);
        tidyTimer = time.CreateTimer(_ => Threads.Post(Tidy), null, TidyEvery, TidyEvery);
        flushTimer = time.CreateTimer(_ => FlushIfDirty(), null, FlushEvery, FlushEvery);
    }

    /// <summary>The root folder.</summary>
    public string Root { get; }

    /// <summary>The number of the last object that was begun; what is begun later has a higher one.</summary>
    public long LastSequence => Interlocked.Read(ref sequence);

    /// <summary>How full it is.</summary>
    public SpoolLimits Limits { get; }

    /// <summary>What destinations refused for good.</summary>
    public Quarantine Quarantine { get; }

    /// <summary>What destinations have taken and is kept.</summary>
    public SentObjects Sent { get; }

    /// <summary>How long this process has had it, on the monotonic clock.</summary>
    public TimeSpan Uptime => time.GetElapsedTime(startedAt);

    /// <summary>The destinations for which something waits or has waited.</summary>
    public IReadOnlyCollection<SpoolQueue> Queues => [.. queues.Values.OrderBy(queue => queue.Destination, StringComparer.Ordinal)];

    internal string IncomingFolder { get; }
    internal FlushThreads Threads { get; } = new();
    internal WriteBuffers Buffers { get; } = new();
    internal SpoolFolders Folders { get; }
    internal SpoolCommit Commit { get; }
    internal SpoolOptions Options => options;
    internal bool IsFlushed => options.Fsync == FsyncPolicy.Object;

    /// <summary>Takes the folder for this process, drops what was not finished and queues the rest.</summary>
    /// <param name="options">Where it is, how safe and how large.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">The log.</param>
    /// <param name="flushFolder">Flushes the names in a folder and gives the error number; null for the system's own.</param>
    /// <exception cref="IOException">The folder cannot be used, or another process has it.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    public static Spool Open(SpoolOptions options, TimeProvider time, ILogger log, Func<string, int>? flushFolder = null)
    {
        if (!OperatingSystem.IsLinux()) throw new PlatformNotSupportedException("The spool needs the file system calls of Linux.");
        var path = Path.GetFullPath(options.Path);
        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        var made = MissingFolders(path);
        Directory.CreateDirectory(path, OwnerOnly);
        Directory.CreateDirectory(Path.Combine(path, SpoolName.Incoming), OwnerOnly);
        // A folder that a power cut takes away takes along what is in it: the names of new ones are made durable before anything is promised.
        foreach (var folder in made)
            if (options.Fsync == FsyncPolicy.Object && Posix.FlushFolder(Path.GetDirectoryName(folder)!) is var error and not 0)
                throw new IOException($"The folder of {folder} cannot be flushed: error {error}.");
        var ownership = new FileStream(Path.Combine(path, SpoolName.Ownership), new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate, Access = FileAccess.Read, Share = FileShare.None, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        // A copy, since these change with Apply: the caller's are those of a configuration, which the way back from a refused change goes to.
        var spool = new Spool(options.Copy(), time, log, ownership, flushFolder ?? Posix.FlushFolder);
        spool.Load();
        return spool;
    }

    private static List<string> MissingFolders(string path)
    {
        var missing = new List<string>();
        for (var folder = path; folder is not null && !Directory.Exists(folder); folder = Path.GetDirectoryName(folder)) missing.Add(folder);
        return missing;
    }

    /// <summary>Begins an object for these destinations; null when the limits leave no room for it (0xA700).</summary>
    /// <param name="destinations">At least one, each once; see <see cref="SpoolName.IsDestination"/>.</param>
    public SpoolWriter? TryBegin(IReadOnlyList<string> destinations)
    {
        if (destinations.Count == 0 || !destinations.All(SpoolName.IsDestination))
            throw new ArgumentException("Destinations are validated with the configuration.", nameof(destinations));
        var writer = SpoolWriter.TryBegin(this, destinations);
        if (writer is null) MakeRoom(0);
        return writer;
    }

    /// <summary>The queue of a destination; empty if nothing has come for it yet.</summary>
    public SpoolQueue Queue(string destination) => queues.GetOrAdd(destination, name => new SpoolQueue(Root, name, () => Uptime));

    /// <summary>The studies of which objects wait for the destination, oldest first.</summary>
    public IReadOnlyList<string> WaitingStudies(string destination) => Queue(destination).Studies;

    /// <summary>The objects of a study that wait for the destination, oldest first: a snapshot. A file is gone when the destination has it.</summary>
    public IReadOnlyList<SpoolEntry> Waiting(string destination, string study) => Queue(destination).Waiting(study);

    /// <summary>
    /// Ends when everything committed before is as durable as the policy says: with <see cref="FsyncPolicy.Association"/> the file system is flushed, so call
    /// it before a release is answered. False if the disk failed; then what was acknowledged since the last flush may be lost by a power cut.
    /// </summary>
    public async Task<bool> FlushAsync()
    {
        // What a flush that still runs will bring to the disk counts as not flushed: the caller waits for it, or for one that began later.
        if (options.Fsync != FsyncPolicy.Association || Volatile.Read(ref unflushed) == 0) return true;
        var flush = await Threads.Run(wholeFlush.RunAsync);
        var error = await flush;
        return error == 0 || Failed("flush of the file system", error) == SpoolOutcome.Ok;
    }

    /// <summary>How often a flush of the whole file system has failed.</summary>
    public int FailedFlushes => Volatile.Read(ref failedFlushes);

    /// <summary>
    /// A destination has these objects of one study: their files go (or move to <c>sent</c>), durably, so that neither restart nor power cut sends them again.
    /// </summary>
    public async Task CompleteAsync(IReadOnlyList<SpoolEntry> entries)
    {
        if (entries.Count == 0) return;
        var done = await Threads.Run(() => Complete(entries));
        var error = await FlushFoldersAsync(done.Select(entry => entry.Folder).Distinct(StringComparer.Ordinal));
        if (error != 0) Failed("flush of a folder", error);
        Queue(entries[0].Destination).Remove(entries[0].Study, done);
        foreach (var entry in done)
            if (entry.Links?.Drop() ?? true) Limits.Removed(entry.Size);
    }

    /// <summary>Whether the disk takes a file: writes, flushes and removes one, at most every few seconds however often it is asked.</summary>
    public Task<bool> CanWriteAsync()
    {
        lock (probing)
        {
            if (probe.IsCompleted && time.GetElapsedTime(probedAt) >= ProbeKept) (probe, probedAt) = (ProbeAsync(), time.GetTimestamp());
            return probe;
        }
    }

    private async Task<bool> ProbeAsync() => await Threads.Run(() =>
    {
        var path = Path.Combine(IncomingFolder, SpoolName.Probe);
        Posix.Remove(path); // of a process that was killed
        var error = DurableFile.Write(path, "probe"u8);
        Posix.Remove(path);
        return error;
    }) == 0;

    /// <summary>Uses limits and retention of changed options. Path and policy need a restart.</summary>
    public void Apply(SpoolOptions changed)
    {
        (options.MaxSizeMiB, options.MinFreeMiB) = (changed.MaxSizeMiB, changed.MinFreeMiB);
        (options.RetentionHours, options.RetentionMaxMiB) = (changed.RetentionHours, changed.RetentionMaxMiB);
    }

    /// <summary>Stops the threads. What waits, waits on the disk.</summary>
    public async ValueTask DisposeAsync()
    {
        await tidyTimer.DisposeAsync();
        await flushTimer.DisposeAsync();
        await FlushAsync();
        Threads.Dispose();
        await ownership.DisposeAsync();
    }

    /// <summary>One more object was committed; under <see cref="FsyncPolicy.Association"/> the disk is flushed after so many.</summary>
    internal async Task CountUnflushedAsync()
    {
        if (options.Fsync == FsyncPolicy.Association && Interlocked.Increment(ref unflushed) >= ObjectsPerFlush) await FlushAsync();
    }

    internal long NextSequence() => Interlocked.Increment(ref sequence);

    internal int CurrentHour => SpoolName.Hour(time.GetUtcNow());

    /// <summary>Flushes folders as the policy wants it, shared with all others who flush them.</summary>
    internal async Task<int> FlushFoldersAsync(IEnumerable<string> paths)
    {
        if (!IsFlushed) return 0;
        foreach (var path in paths)
        {
            var folder = Folders.Enter(path);
            try
            {
                var flush = await Threads.Run(folder.FlushAsync);
                var error = await flush;
                if (error is not (0 or Posix.NotFound)) return error;
            }
            finally
            {
                Folders.Leave(folder);
            }
        }
        return 0;
    }

    /// <summary>From quarantine to the end of the queue, under a new number.</summary>
    internal async Task<int> RequeueAsync(QuarantinedObject item, string study)
    {
        var hour = CurrentHour;
        var number = NextSequence();
        var folder = Folders.Enter(Path.Combine(Root, item.Destination, hour.ToString("D10", CultureInfo.InvariantCulture), study));
        try
        {
            var queue = Queue(item.Destination);
            var error = await Threads.Run(() =>
            {
                var made = folder.Make();
                if (made != 0) return made;
                var moved = Posix.Move(item.Path, Path.Combine(folder.Path, SpoolName.FileName(number, item.Checksum)));
                // It has its new name, so it waits from now on, even if the flush fails; a power cut then leaves it under one of the two.
                if (moved == 0) queue.Add(new SpoolEntry(queue, study, hour, number, item.Checksum, item.Size, Uptime, null));
                return moved;
            });
            if (error != 0) return error;
            error = await FlushFoldersAsync([folder.Path, Path.GetDirectoryName(item.Path)!]);
            if (error != 0) Failed("flush of a folder", error);
        }
        finally
        {
            Folders.Leave(folder);
        }
        return 0;
    }

    /// <summary>
    /// An object had no room: what is kept of those that were sent makes way, the oldest first, so that there is some when its sender tries again.
    /// </summary>
    /// <param name="bytes">What the object had come to.</param>
    internal void MakeRoom(long bytes)
    {
        if (Sent.Count > 0) Threads.Post(() => Sent.Trim(Math.Max(RoomMadeAtOnce, bytes)));
    }

    /// <summary>Logs what failed, and gives the outcome for the sender.</summary>
    internal SpoolOutcome Failed(string step, int error)
    {
        SpoolLog.WriteFailed(log, step, error);
        return NoRoom.Contains(error) ? SpoolOutcome.OutOfResources : SpoolOutcome.Failed;
    }

    private HashSet<SpoolEntry> Complete(IReadOnlyList<SpoolEntry> entries)
    {
        var done = new HashSet<SpoolEntry>(entries.Count);
        foreach (var entry in entries)
        {
            var error = 0;
            var isKept = Sent.IsKept && (error = Sent.Keep(entry)) is 0 or Posix.NotFound;
            if (error is not (0 or Posix.NotFound)) SpoolLog.KeepFailed(log, entry.Sequence, entry.Destination, error);
            // A copy that cannot be kept must not stay either: nobody would count it, and a restart would send it again.
            if (!isKept) error = Posix.Remove(entry.Path);
            if (error is not (0 or Posix.NotFound)) SpoolLog.RemoveFailed(log, entry.Sequence, entry.Destination, error);
            done.Add(entry); // The destination has it either way.
        }
        return done;
    }

    private int FlushWhole()
    {
        var covered = Volatile.Read(ref unflushed);
        var error = Posix.FlushFileSystem(Root);
        if (error != 0) Interlocked.Increment(ref failedFlushes);
        Interlocked.Add(ref unflushed, -covered);
        return error;
    }

    private void FlushIfDirty()
    {
        if (options.Fsync == FsyncPolicy.Association && Volatile.Read(ref unflushed) > 0) _ = FlushAsync();
    }

    private void Load()
    {
        var began = time.GetTimestamp();
        var scan = new SpoolScan(Root, Queue, time, Uptime);
        scan.Run();
        sequence = scan.LastSequence;
        Limits.Found(scan.Bytes);
        Sent.Load(scan.Sent);
        if (scan.Foreign > 0) SpoolLog.ForeignNames(log, scan.Foreign, scan.ForeignFolder);
        SpoolLog.Opened(log, (long)time.GetElapsedTime(began).TotalMilliseconds, scan.Waiting, scan.Bytes, scan.Dropped);
    }

    private void Tidy()
    {
        try
        {
            var hour = CurrentHour;
            foreach (var queue in queues.Keys) Folders.RemoveEmpty(queue, hour);
            Folders.Trim(hour);
            Sent.Trim();
        }
#pragma warning disable CA1031 // A housekeeping that fails is tried again; it must not end the process.
        catch (Exception e)
#pragma warning restore CA1031
        {
            SpoolLog.TidyFailed(log, SafeText.Of(e));
        }
    }
}
