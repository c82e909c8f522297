namespace DicomServerless.Unit.Archive;

/// <summary>
/// Runs asynchronous code one step at a time on one thread: every storage operation waits here, before it takes effect and before its answer arrives, until it
/// is picked. Which one is picked decides the history.
/// </summary>
internal sealed class StepScheduler : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> ready = [];
    private readonly List<Waiting> waiting = [];

    private sealed record Waiting(int Process, string What, TaskCompletionSource Go);

    public int Count => waiting.Count;

    public List<string> Trace { get; } = [];

    public override void Post(SendOrPostCallback d, object? state) => ready.Enqueue((d, state));

    /// <summary>The step of a process; once it is dead nothing of it ever goes on.</summary>
    public Task StepAsync(int process, Func<bool> isAlive, string what)
    {
        var go = new TaskCompletionSource();
        if (isAlive()) waiting.Add(new Waiting(process, what, go));
        return go.Task;
    }

    /// <summary>Lets one waiting operation go on.</summary>
    public void Release(int index)
    {
        var picked = waiting[index];
        waiting.RemoveAt(index);
        Trace.Add($"  p{picked.Process} {picked.What}");
        picked.Go.SetResult();
        Run();
    }

    /// <summary>Lets a waiting operation fail instead: before it takes effect, or after that with its answer lost.</summary>
    public void Fail(int index, Exception exception)
    {
        var picked = waiting[index];
        waiting.RemoveAt(index);
        Trace.Add($"  p{picked.Process} FAILED {picked.What}");
        picked.Go.SetException(exception);
        Run();
    }

    /// <summary>The oldest waiting step of a process, or of the other if it has none.</summary>
    public int FirstOf(int process) => Math.Max(0, waiting.FindIndex(step => step.Process == process));

    /// <summary>The process dies: what it waits for never comes.</summary>
    public void Kill(int process) => waiting.RemoveAll(step => step.Process == process);

    /// <summary>Runs everything that can run without another step.</summary>
    public void Run()
    {
        while (ready.TryDequeue(out var work)) work.Callback(work.State);
    }
}
