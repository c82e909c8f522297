using System.Globalization;

namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>Makes one received object safe and queues it.</summary>
/// <remarks>
/// The order is the promise. With <see cref="FsyncPolicy.Object"/>:
/// <list type="number">
/// <item>Write the rest of the bytes to the file in <c>.incoming</c>.</item>
/// <item>Flush the file. An error fails the store; the file is never flushed again.</item>
/// <item>Make each destination's folder. A folder that is new in this process has its parent flushed before anything is put into it.</item>
/// <item>Add a name (a hard link) for every destination but the last, then rename the file to the last one's: never over an existing name, and <c>.incoming</c>
/// is left without a name.</item>
/// <item>Flush the folders, shared with all who flush them at the same time.</item>
/// <item>Queue the object for each destination.</item>
/// <item>Only now does the caller answer Success.</item>
/// </list>
/// A power cut between any two of these leaves either nothing or a whole object. A failure after 4 takes the names away again, so that a restart does not queue
/// what was not acknowledged.
/// </remarks>
internal sealed class SpoolCommit(Spool spool)
{
    /// <summary>Commits what a writer has.</summary>
    public async Task<SpoolOutcome> RunAsync(SpoolWriter writer, string study, ObjectDescription? description)
    {
        var hour = spool.CurrentHour;
        var folders = new SpoolFolder[writer.Destinations.Count];
        for (var i = 0; i < folders.Length; i++)
            folders[i] = spool.Folders.Enter(Path.Combine(spool.Root, writer.Destinations[i], hour.ToString("D10", CultureInfo.InvariantCulture), study));
        try
        {
            // Only what waits for the disk is worth another thread.
            var put = spool.IsFlushed ? await spool.Threads.Run(() => Put(writer, folders)) : Put(writer, folders);
            if (put.Outcome != SpoolOutcome.Ok) return put.Outcome;
            foreach (var flush in put.Flushes)
            {
                var error = await flush;
                if (error == 0) continue;
                await spool.Threads.Run(() => Withdraw(writer, folders, folders.Length));
                return spool.Failed("flush of a folder", error);
            }
        }
        finally
        {
            foreach (var folder in folders) spool.Folders.Leave(folder);
        }
        await spool.CountUnflushedAsync();
        var links = folders.Length > 1 ? new LinkCount(folders.Length) : null;
        foreach (var destination in writer.Destinations)
        {
            var queue = spool.Queue(destination);
            queue.Add(new SpoolEntry(queue, study, hour, writer.Sequence, writer.Checksum, writer.Length, spool.Uptime, links), description);
        }
        return SpoolOutcome.Ok;
    }

    private (SpoolOutcome Outcome, Task<int>[] Flushes) Put(SpoolWriter writer, SpoolFolder[] folders)
    {
        var outcome = writer.Finish(spool.IsFlushed);
        if (outcome != SpoolOutcome.Ok) return (outcome, []);
        for (var i = 0; i < folders.Length; i++)
        {
            var error = Name(writer, folders[i], isLast: i == folders.Length - 1);
            if (error == 0) continue;
            Withdraw(writer, folders, i);
            return (spool.Failed("rename", error), []);
        }
        return (SpoolOutcome.Ok, [.. folders.Select(folder => folder.FlushAsync())]);
    }

    private static int Name(SpoolWriter writer, SpoolFolder folder, bool isLast)
    {
        for (var attempt = 0; ; attempt++)
        {
            var error = folder.Make();
            if (error == 0)
            {
                var path = PathOf(writer, folder);
                error = isLast ? Posix.Move(writer.PartPath, path) : Posix.AddName(writer.PartPath, path);
            }
            if (error != Posix.NotFound || attempt > 0) return error;
            folder.Forget(); // an operator removed it
        }
    }

    private static int Withdraw(SpoolWriter writer, SpoolFolder[] folders, int count)
    {
        for (var i = 0; i < count; i++) Posix.Remove(PathOf(writer, folders[i]));
        return 0;
    }

    private static string PathOf(SpoolWriter writer, SpoolFolder folder) => Path.Combine(folder.Path, SpoolName.FileName(writer.Sequence, writer.Checksum));
}
