using System.Text.Json;
using DicomServerless.Dicom;

namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>
/// What a destination refused for good, or what is damaged: <c>quarantine/{destination}/{sequence}.{checksum}.dcm</c> with the reason as JSON beside it. Nothing leaves it but by an
/// operator's word.
/// </summary>
internal sealed class Quarantine(Spool spool, TimeProvider time, ILogger log)
{
    private const int CopyBytes = 64 * 1024;

    /// <summary>Moves an object from its queue here: reason first, then the file, so that there is none without a reason. False if the disk failed; then it waits on.</summary>
    public async Task<bool> PutAsync(SpoolEntry entry, QuarantineReason reason)
    {
        reason = reason with { Time = time.GetUtcNow(), Destination = entry.Destination, StudyInstanceUid = entry.Study };
        var folder = spool.Folders.Enter(Path.Combine(spool.Root, SpoolName.Quarantine, entry.Destination));
        try
        {
            var path = Path.Combine(folder.Path, SpoolName.FileName(entry.Sequence, entry.Checksum));
            var error = await spool.Threads.Run(() =>
            {
                var failed = folder.Make();
                if (failed == 0) failed = WriteReason(path, reason);
                return failed != 0 ? failed : Posix.Move(entry.Path, path);
            });
            if (error != 0)
            {
                SpoolLog.QuarantineFailed(log, entry.Sequence, entry.Destination, error);
                return false;
            }
            // It has its new name, so it is no longer in the queue even if the flush fails; a power cut then leaves it under one of the two.
            error = await spool.FlushFoldersAsync([folder.Path, entry.Folder]);
            if (error != 0) spool.Failed("flush of a folder of the quarantine", error);
        }
        finally
        {
            spool.Folders.Leave(folder);
        }
        spool.Queue(entry.Destination).Remove(entry.Study, new HashSet<SpoolEntry> { entry });
        // Its bytes stay counted; if other destinations still wait for the same bytes, they are counted for this one too.
        if (entry.Links is { } links && !links.Drop()) spool.Limits.Found(entry.Size);
        SpoolLog.Quarantined(log, entry.Sequence, entry.Destination, reason.Message);
        return true;
    }

    /// <summary>What lies here, oldest first.</summary>
    /// <param name="destination">Only this one's; null for all.</param>
    public IReadOnlyList<QuarantinedObject> List(string? destination = null)
    {
        var root = Path.Combine(spool.Root, SpoolName.Quarantine);
        if (!Directory.Exists(root)) return [];
        var found = new List<QuarantinedObject>();
        foreach (var folder in Directory.EnumerateDirectories(root))
        {
            if (destination is not null && Path.GetFileName(folder) != destination) continue;
            foreach (var file in new DirectoryInfo(folder).EnumerateFiles("*" + SpoolName.ObjectEnding))
                if (SpoolName.TryFile(file.Name, out var sequence, out _)) found.Add(new QuarantinedObject(sequence, file.Length, file.FullName, ReadReason(file.FullName, Path.GetFileName(folder))));
        }
        found.Sort((a, b) => a.Sequence.CompareTo(b.Sequence));
        return found;
    }

    /// <summary>How many lie here, by destination; nothing is read but the folders.</summary>
    public IReadOnlyDictionary<string, long> Count()
    {
        var root = Path.Combine(spool.Root, SpoolName.Quarantine);
        return !Directory.Exists(root) ? new Dictionary<string, long>()
            : Directory.EnumerateDirectories(root).ToDictionary(folder => Path.GetFileName(folder), folder => Directory.EnumerateFiles(folder, "*" + SpoolName.ObjectEnding).LongCount());
    }

    /// <summary>One object; null if it is not here.</summary>
    public QuarantinedObject? Find(string destination, long sequence) =>
        SpoolName.IsDestination(destination) ? List(destination).FirstOrDefault(item => item.Sequence == sequence) : null;

    /// <summary>Puts it back, at the end of its destination's queue.</summary>
    public async Task<QuarantineOutcome> RetryAsync(string destination, long sequence)
    {
        if (Find(destination, sequence) is not { } item || !SpoolName.TryFile(Path.GetFileName(item.Path), out _, out var checksum)) return QuarantineOutcome.NotFound;
        if (!Uid.TryParse(item.Reason.StudyInstanceUid, out var study)) return QuarantineOutcome.NotDicom;
        var error = await spool.RequeueAsync(item, destination, study.Value, checksum);
        if (error != 0) return error == Posix.NotFound ? QuarantineOutcome.NotFound : QuarantineOutcome.Failed;
        await RemoveAsync(ReasonPath(item.Path));
        return QuarantineOutcome.Done;
    }

    /// <summary>Queues a corrected file in its place.</summary>
    /// <param name="destination">The destination.</param>
    /// <param name="sequence">The object's number.</param>
    /// <param name="corrected">A whole Part 10 file.</param>
    /// <param name="cancellationToken">Stops before the commit only.</param>
    public async Task<QuarantineOutcome> ReplaceAsync(string destination, long sequence, Stream corrected, CancellationToken cancellationToken)
    {
        if (Find(destination, sequence) is null) return QuarantineOutcome.NotFound;
        await using var writer = spool.TryBegin([destination]);
        if (writer is null) return QuarantineOutcome.OutOfResources;
        using var scanner = new InstanceScanner(new ScanOptions { ComputeHash = false });
        var buffer = new byte[CopyBytes];
        for (int count; (count = await corrected.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            if (scanner.Push(buffer.AsSpan(0, count)) == ScanStatus.Refused) return QuarantineOutcome.NotDicom;
            var appended = writer.Append(buffer.AsSpan(0, count));
            if (appended != SpoolOutcome.Ok) return Outcome(appended);
        }
        if (scanner.Complete() == ScanStatus.Refused || InstanceUids.Read(scanner.Result!.DataSet) is not { Problem: null } uids) return QuarantineOutcome.NotDicom;
        var commit = await writer.CommitAsync(uids.Key.Study);
        return commit.Outcome == SpoolOutcome.Ok ? await PurgeAsync(destination, sequence) : Outcome(commit.Outcome);
    }

    /// <summary>Removes it for good.</summary>
    public async Task<QuarantineOutcome> PurgeAsync(string destination, long sequence)
    {
        if (Find(destination, sequence) is not { } item) return QuarantineOutcome.NotFound;
        if (!await RemoveAsync(item.Path)) return QuarantineOutcome.Failed;
        spool.Limits.Removed(item.Size);
        await RemoveAsync(ReasonPath(item.Path));
        return QuarantineOutcome.Done;
    }

    private async Task<bool> RemoveAsync(string path)
    {
        var error = await spool.Threads.Run(() => Posix.Remove(path));
        return error is 0 or Posix.NotFound && await spool.FlushFoldersAsync([Path.GetDirectoryName(path)!]) == 0;
    }

    private static QuarantineOutcome Outcome(SpoolOutcome outcome) => outcome == SpoolOutcome.OutOfResources ? QuarantineOutcome.OutOfResources : QuarantineOutcome.Failed;

    private static string ReasonPath(string path) => Path.ChangeExtension(path, SpoolName.ReasonEnding);

    private static int WriteReason(string path, QuarantineReason reason)
    {
        var reasonPath = ReasonPath(path);
        Posix.Remove(reasonPath); // of a try that did not come to the file
        var error = Posix.CreateFile(reasonPath, out var file);
        using (file)
        {
            if (error == 0) error = Posix.WriteAll(file, JsonSerializer.SerializeToUtf8Bytes(reason, QuarantineJson.Default.QuarantineReason));
            return error != 0 ? error : Posix.Flush(file);
        }
    }

    private static QuarantineReason ReadReason(string path, string destination)
    {
        try
        {
            if (JsonSerializer.Deserialize(File.ReadAllBytes(ReasonPath(path)), QuarantineJson.Default.QuarantineReason) is { } reason) return reason;
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            // An operator may have moved it here.
        }
        return new QuarantineReason { Message = "The reason is not known.", Destination = destination };
    }
}
