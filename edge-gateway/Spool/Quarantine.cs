using System.Text.Json;
using DicomServerless.Dicom;

namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>
/// Objects that a destination refused for good, or whose files are damaged: <c>quarantine/{destination}/{sequence}.{checksum}.dcm</c> with the reason as JSON
/// beside it. An object leaves the quarantine only when an operator says so.
/// </summary>
internal sealed class Quarantine(Spool spool, TimeProvider time, ILogger log)
{
    private const int CopyBytes = 64 * 1024;

    /// <summary>
    /// Moves an object from its queue here: the reason first, then the file, so that none is here without a reason. False if the disk failed; then the object
    /// stays in the queue.
    /// </summary>
    public async Task<bool> PutAsync(SpoolEntry entry, QuarantineReason reason)
    {
        reason = reason with { Time = time.GetUtcNow(), Destination = entry.Destination, StudyInstanceUid = entry.Study };
        var folder = spool.Folders.Enter(FolderOf(entry.Destination));
        try
        {
            var path = Path.Combine(folder.Path, SpoolName.FileName(entry.Sequence, entry.Checksum));
            var error = await spool.Threads.Run(() =>
            {
                var failed = folder.Make();
                if (failed == 0) failed = WriteReason(ReasonPath(path), reason);
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

    /// <summary>The oldest objects, with their reasons, and how many there are. Only the reasons of these objects are read.</summary>
    /// <param name="destination">Only this one's; null for all.</param>
    /// <param name="limit">At most so many.</param>
    public QuarantinePage List(string? destination = null, int limit = int.MaxValue)
    {
        var names = Names(destination);
        names.Sort((a, b) => a.Sequence.CompareTo(b.Sequence));
        return new QuarantinePage([.. names.Take(limit).Select(Read).OfType<QuarantinedObject>()], names.Count);
    }

    /// <summary>The SOP Instance UIDs of a destination's objects that lie here, as far as their reasons name them. Every reason is read.</summary>
    public IReadOnlySet<string> SopInstances(string destination) =>
        Names(destination).Select(Read).Select(item => item?.Reason.SopInstanceUid).OfType<string>().ToHashSet(StringComparer.Ordinal);

    /// <summary>How many lie here, by destination; nothing is read but the folders.</summary>
    public IReadOnlyDictionary<string, long> Count() =>
        Destinations().ToDictionary(name => name, name => Directory.EnumerateFiles(FolderOf(name), "*" + SpoolName.ObjectEnding).LongCount(),
            StringComparer.Ordinal);

    /// <summary>One object; null if it is not here. Found by the name of its file; no other object is looked at.</summary>
    public QuarantinedObject? Find(string destination, long sequence)
    {
        var folder = FolderOf(destination);
        if (!SpoolName.IsDestination(destination) || !Directory.Exists(folder)) return null;
        foreach (var path in Directory.EnumerateFiles(folder, SpoolName.Pattern(sequence)))
            if (SpoolName.TryFile(Path.GetFileName(path.AsSpan()), out var found, out var checksum) && found == sequence)
                return Read(new Name(destination, sequence, checksum, path));
        return null;
    }

    /// <summary>Puts it back, at the end of its destination's queue.</summary>
    public async Task<QuarantineOutcome> RetryAsync(QuarantinedObject item)
    {
        if (!Uid.TryParse(item.Reason.StudyInstanceUid, out var study)) return QuarantineOutcome.NotDicom;
        var error = await spool.RequeueAsync(item, study.Value);
        if (error != 0) return error == Posix.NotFound ? QuarantineOutcome.NotFound : QuarantineOutcome.Failed;
        await RemoveAsync(ReasonPath(item.Path));
        return QuarantineOutcome.Done;
    }

    /// <summary>Queues a corrected file in its place.</summary>
    /// <param name="item">The object.</param>
    /// <param name="corrected">A whole Part 10 file.</param>
    /// <param name="cancellationToken">Stops before the commit only.</param>
    public async Task<QuarantineOutcome> ReplaceAsync(QuarantinedObject item, Stream corrected, CancellationToken cancellationToken)
    {
        await using var writer = spool.TryBegin([item.Destination]);
        if (writer is null) return QuarantineOutcome.OutOfResources;
        using var scanner = new InstanceScanner(new ScanOptions { ComputeHash = false });
        var buffer = new byte[CopyBytes];
        for (int count; (count = await corrected.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            if (scanner.Push(buffer.AsSpan(0, count)) == ScanStatus.Refused) return QuarantineOutcome.NotDicom;
            var appended = writer.Append(buffer.AsSpan(0, count));
            if (appended != SpoolOutcome.Ok) return Outcome(appended);
        }
        if (scanner.Complete() == ScanStatus.Refused || InstanceUids.Read(scanner.Result!.DataSet) is not { Problem: null } uids)
            return QuarantineOutcome.NotDicom;
        var commit = await writer.CommitAsync(uids.Key.Study);
        return commit.Outcome == SpoolOutcome.Ok ? await PurgeAsync(item) : Outcome(commit.Outcome);
    }

    /// <summary>Removes it for good.</summary>
    public async Task<QuarantineOutcome> PurgeAsync(QuarantinedObject item)
    {
        var error = await spool.Threads.Run(() => Posix.Remove(item.Path));
        if (error == Posix.NotFound) return QuarantineOutcome.NotFound; // somebody else was faster
        if (error != 0 || await spool.FlushFoldersAsync([Path.GetDirectoryName(item.Path)!]) != 0) return QuarantineOutcome.Failed;
        spool.Limits.Removed(item.Size);
        await RemoveAsync(ReasonPath(item.Path));
        return QuarantineOutcome.Done;
    }

    private async Task<bool> RemoveAsync(string path)
    {
        var error = await spool.Threads.Run(() => Posix.Remove(path));
        return error is 0 or Posix.NotFound && await spool.FlushFoldersAsync([Path.GetDirectoryName(path)!]) == 0;
    }

    private static QuarantineOutcome Outcome(SpoolOutcome outcome) =>
        outcome == SpoolOutcome.OutOfResources ? QuarantineOutcome.OutOfResources : QuarantineOutcome.Failed;

    private static string ReasonPath(string path) => Path.ChangeExtension(path, SpoolName.ReasonEnding);

    private readonly record struct Name(string Destination, long Sequence, UInt128 Checksum, string Path);

    private string FolderOf(string destination) => Path.Combine(spool.Root, SpoolName.Quarantine, destination);

    private List<Name> Names(string? only)
    {
        var names = new List<Name>();
        foreach (var destination in Destinations().Where(name => only is null || name == only))
            foreach (var path in Directory.EnumerateFiles(FolderOf(destination), "*" + SpoolName.ObjectEnding))
                if (SpoolName.TryFile(Path.GetFileName(path.AsSpan()), out var sequence, out var checksum))
                    names.Add(new Name(destination, sequence, checksum, path));
        return names;
    }

    private IEnumerable<string> Destinations()
    {
        var root = Path.Combine(spool.Root, SpoolName.Quarantine);
        return Directory.Exists(root) ? Directory.EnumerateDirectories(root).Select(folder => Path.GetFileName(folder)) : [];
    }

    // Null when it has left since its name was read.
    private static QuarantinedObject? Read(Name name)
    {
        var file = new FileInfo(name.Path);
        return file.Exists ? new QuarantinedObject(name.Destination, name.Sequence, name.Checksum, file.Length, name.Path,
            ReadReason(name.Path, name.Destination)) : null;
    }

    private static int WriteReason(string path, QuarantineReason reason)
    {
        Posix.Remove(path); // of a try that did not come to the file
        return DurableFile.Write(path, JsonSerializer.SerializeToUtf8Bytes(reason, QuarantineJson.Default.QuarantineReason));
    }

    private static QuarantineReason ReadReason(string path, string destination)
    {
        try
        {
            if (JsonSerializer.Deserialize(File.ReadAllBytes(ReasonPath(path)), QuarantineJson.Default.QuarantineReason) is { } reason) return reason;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            // An operator may have moved the object here.
        }
        return new QuarantineReason { Message = "The reason is not known.", Destination = destination };
    }
}
