namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>
/// A flush that many callers share: each is answered by one that began after it asked. At most one runs at a time; those who come meanwhile share the next one,
/// so that many writers cost few flushes.
/// </summary>
/// <param name="flush">Flushes; gives the error number, 0 for success. Blocks.</param>
/// <param name="threads">Where the shared flushes run.</param>
internal sealed class SharedFlush(Func<int> flush, FlushThreads threads)
{
    private readonly Lock gate = new();
    private TaskCompletionSource<int>? running;
    private TaskCompletionSource<int>? next;

    /// <summary>
    /// Ends when a flush that began after this call has ended. The first of several callers flushes on its own thread, which is one of
    /// <see cref="FlushThreads"/>.
    /// </summary>
    public Task<int> RunAsync()
    {
        TaskCompletionSource<int> own;
        lock (gate)
        {
            // The running one may have begun before this caller's names were there.
            if (running is not null) return (next ??= NewFlush()).Task;
            running = own = NewFlush();
        }
        Run(own);
        return own.Task;
    }

    private void Run(TaskCompletionSource<int> own)
    {
        var error = flush();
        TaskCompletionSource<int>? following;
        lock (gate)
        {
            running = following = next;
            next = null;
        }
        own.SetResult(error);
        if (following is not null) threads.Post(() => Run(following));
    }

    private static TaskCompletionSource<int> NewFlush() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
