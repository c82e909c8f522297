namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>A folder of the spool: made when first needed, flushed once for all who need it at the same time.</summary>
/// <remarks>Its methods block: they are called on <see cref="FlushThreads"/> only.</remarks>
internal sealed class SpoolFolder(string path, SpoolFolder? parent, FlushThreads threads, bool isFlushed)
{
    private readonly Lock making = new();
    private readonly Lock flushing = new();
    private TaskCompletionSource<int>? running;
    private TaskCompletionSource<int>? next;
    private volatile bool isMade;

    public string Path => path;

    /// <summary>Who is at work in it; guarded by <see cref="SpoolFolders"/>.</summary>
    public int Users { get; set; }

    /// <summary>
    /// Makes it and its parents, and flushes the parent: on the first use in this process even if the folder is there, because a process that was killed before may not have come to it.
    /// </summary>
    public int Make()
    {
        if (isMade) return 0;
        lock (making)
        {
            if (isMade) return 0;
            var error = parent?.Make() ?? 0;
            if (error == 0) error = Posix.CreateFolder(path);
            if (error == 0 && parent is not null && isFlushed) error = Posix.FlushFolder(parent.Path);
            isMade = error == 0;
            return error;
        }
    }

    /// <summary>It vanished; the next use makes it again.</summary>
    public void Forget() => isMade = false;

    /// <summary>
    /// Ends when a flush that began after this call has ended. At most one runs at a time; those who come meanwhile share the next one, so that many writers into one folder cost
    /// few flushes.
    /// </summary>
    public Task<int> FlushAsync()
    {
        if (!isFlushed) return Task.FromResult(0);
        TaskCompletionSource<int> mine;
        lock (flushing)
        {
            if (running is not null) return (next ??= NewFlush()).Task;
            running = mine = NewFlush();
        }
        Flush(mine);
        return mine.Task;
    }

    private void Flush(TaskCompletionSource<int> mine)
    {
        var error = Posix.FlushFolder(path);
        TaskCompletionSource<int>? following;
        lock (flushing)
        {
            running = following = next;
            next = null;
        }
        mine.SetResult(error);
        if (following is not null) threads.Post(() => Flush(following));
    }

    private static TaskCompletionSource<int> NewFlush() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
