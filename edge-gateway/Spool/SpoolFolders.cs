using System.Globalization;

namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>The folders of the spool that are in use, each once, so that flushes are shared and none is removed under a writer.</summary>
internal sealed class SpoolFolders
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, SpoolFolder> folders = new(StringComparer.Ordinal);
    private readonly SpoolFolder root;
    private readonly FlushThreads threads;
    private readonly Func<string, int>? flushFolder;

    /// <param name="path">The root of the spool.</param>
    /// <param name="threads">Where the disk is waited for.</param>
    /// <param name="flushFolder">Flushes the names in a folder (policy <c>object</c>); null where that is not done.</param>
    public SpoolFolders(string path, FlushThreads threads, Func<string, int>? flushFolder)
    {
        (this.threads, this.flushFolder) = (threads, flushFolder);
        root = new SpoolFolder(path, null, threads, flushFolder);
    }

    /// <summary>The folder <paramref name="path"/> names below the root, kept until <see cref="Leave"/>.</summary>
    public SpoolFolder Enter(string path)
    {
        lock (gate)
        {
            var folder = Get(path);
            folder.Users++;
            return folder;
        }
    }

    public void Leave(SpoolFolder folder)
    {
        lock (gate) folder.Users--;
    }

    /// <summary>Removes the folders of closed hours that are empty and not in use.</summary>
    /// <param name="destination">A destination's folder below the root.</param>
    /// <param name="currentHour">The hour in which objects are being put.</param>
    public void RemoveEmpty(string destination, int currentHour)
    {
        var top = Path.Combine(root.Path, destination);
        if (!Directory.Exists(top)) return;
        foreach (var hour in Directory.EnumerateDirectories(top))
        {
            if (!SpoolName.TryHour(Path.GetFileName(hour.AsSpan()), out var number) || number == currentHour) continue;
            foreach (var study in Directory.EnumerateDirectories(hour)) RemoveEmpty(study);
            RemoveEmpty(hour);
        }
    }

    private void RemoveEmpty(string path)
    {
        lock (gate)
        {
            if (folders.TryGetValue(path, out var folder) && folder.Users > 0) return;
            // A child in use keeps its parents: it may be about to be made in them.
            foreach (var (other, child) in folders)
                if (child.Users > 0 && other.StartsWith(path + "/", StringComparison.Ordinal)) return;
            if (Posix.RemoveFolder(path) == 0)
            {
                folder?.Forget();
                folders.Remove(path);
            }
        }
    }

    /// <summary>Forgets folders that nobody uses, so that the cache does not grow with the studies.</summary>
    /// <param name="currentHour">The hour in which objects are being put.</param>
    public void Trim(int currentHour)
    {
        var current = $"/{currentHour.ToString("D10", CultureInfo.InvariantCulture)}";
        lock (gate)
        {
            foreach (var (path, folder) in folders.ToArray())
                if (folder.Users == 0 && !path.Contains(current, StringComparison.Ordinal)) folders.Remove(path);
        }
    }

    private SpoolFolder Get(string path)
    {
        if (path == root.Path) return root;
        if (folders.TryGetValue(path, out var folder)) return folder;
        var parent = Get(Path.GetDirectoryName(path)!);
        return folders[path] = new SpoolFolder(path, parent, threads, flushFolder);
    }
}
