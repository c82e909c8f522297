namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>A folder of the spool: made when first needed, flushed once for all who need it at the same time.</summary>
/// <param name="path">Its whole path.</param>
/// <param name="parent">The folder that it lies in; null for the root.</param>
/// <param name="threads">Where shared flushes run.</param>
/// <param name="flushFolder">Flushes the names in a folder and gives the error number; null where folders are not flushed.</param>
/// <remarks>Its methods block: they are called on <see cref="FlushThreads"/> only.</remarks>
internal sealed class SpoolFolder(string path, SpoolFolder? parent, FlushThreads threads, Func<string, int>? flushFolder)
{
    private readonly Lock making = new();
    private readonly SharedFlush flush = new(() => flushFolder!(path), threads);
    private volatile bool isMade;

    /// <summary>Its whole path.</summary>
    public string Path => path;

    /// <summary>How many are at work in it; guarded by <see cref="SpoolFolders"/>.</summary>
    public int Users { get; set; }

    /// <summary>
    /// Makes it and its parents, and flushes the parent: on the first use in this process even if the folder is there, because a process that was killed before
    /// may not have come to it.
    /// </summary>
    /// <returns>The error number, 0 for success.</returns>
    public int Make()
    {
        if (isMade) return 0;
        lock (making)
        {
            if (isMade) return 0;
            var error = parent?.Make() ?? 0;
            if (error == 0) error = Posix.CreateFolder(path);
            if (error == 0 && parent is not null && flushFolder is not null) error = flushFolder(parent.Path);
            isMade = error == 0;
            return error;
        }
    }

    /// <summary>It vanished, perhaps with its parents: somebody removed a whole branch. The next use makes all of them again.</summary>
    public void Forget()
    {
        isMade = false;
        parent?.Forget();
    }

    /// <summary>Ends when a flush of its names that began after this call has ended.</summary>
    /// <returns>The error number, 0 for success.</returns>
    public Task<int> FlushAsync() => flushFolder is not null ? flush.RunAsync() : Task.FromResult(0);
}
