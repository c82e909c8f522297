using System.Collections.Concurrent;

namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>
/// Threads of the spool's own for calls that wait for the disk. A flush takes milliseconds; on the thread pool, which starts with one thread per processor and
/// grows by a few a second, fifty associations would leave no thread for the network. More threads than disks on purpose: file systems commit concurrent
/// flushes together.
/// </summary>
internal sealed class FlushThreads : IDisposable
{
    private const int Count = 16;
    private const int StackSize = 256 * 1024;

    private readonly BlockingCollection<Action> work = [];
    private readonly Thread[] threads = new Thread[Count];

    public FlushThreads()
    {
        for (var i = 0; i < Count; i++)
        {
            threads[i] = new Thread(Work, StackSize) { IsBackground = true, Name = "spool" };
            threads[i].Start();
        }
    }

    /// <summary>Runs it on one of the threads; what follows the await runs on the thread pool again.</summary>
    public Task<T> Run<T>(Func<T> call)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        work.Add(() =>
        {
            try
            {
                done.SetResult(call());
            }
#pragma warning disable CA1031 // The awaiting caller gets it.
            catch (Exception e)
#pragma warning restore CA1031
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    /// <summary>Runs it on one of the threads.</summary>
    public void Post(Action call) => work.Add(call);

    /// <summary>Runs what was posted before to its end, then stops the threads.</summary>
    public void Dispose()
    {
        work.CompleteAdding();
        foreach (var thread in threads) thread.Join();
        work.Dispose();
    }

    private void Work()
    {
        foreach (var call in work.GetConsumingEnumerable()) call();
    }
}
