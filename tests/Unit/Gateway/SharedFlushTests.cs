using System.Collections.Concurrent;
using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.Functional.Gateway;

namespace DicomServerless.Unit.Gateway;

/// <summary>A caller is answered by a flush that began after it asked; Success waits for it.</summary>
public sealed class SharedFlushTests
{
    [Fact]
    public async Task Who_comes_while_a_flush_runs_is_answered_by_one_that_begins_later_and_shares_it()
    {
        using var threads = new FlushThreads();
        var flushes = new BlockingCollection<TaskCompletionSource<int>>();
        var shared = new SharedFlush(() =>
        {
            var flush = new TaskCompletionSource<int>();
            flushes.Add(flush);
            return flush.Task.GetAwaiter().GetResult();
        }, threads);

        var first = await BeginAsync(threads, shared, flushes);
        var (second, third) = (shared.RunAsync(), shared.RunAsync());
        Assert.Same(second, third);
        first.Flush.SetResult(0);
        Assert.Equal(0, await first.Answer);
        var later = flushes.Take(); // it begins once the running one has ended
        Assert.False(second.IsCompleted);
        var fourth = shared.RunAsync();
        Assert.NotSame(second, fourth);
        later.SetResult(5);
        Assert.Equal(5, await second);
        Assert.False(fourth.IsCompleted);
        flushes.Take().SetResult(0);
        Assert.Equal(0, await fourth);
    }

    [Fact]
    public async Task An_object_is_queued_and_acknowledged_only_after_a_flush_of_its_folder_that_began_after_its_name_was_there()
    {
        var flushes = new BlockingCollection<(string Folder, TaskCompletionSource<int> Flush)>();
        var isHeld = false;
        await using var test = new TestSpool(flushFolder: folder =>
        {
            if (!Volatile.Read(ref isHeld)) return 0;
            var flush = new TaskCompletionSource<int>();
            flushes.Add((folder, flush));
            return flush.Task.GetAwaiter().GetResult();
        });
        await test.StoreAsync("1.2", "1.2.1"); // makes the folders
        Volatile.Write(ref isHeld, true);
        var first = test.StoreAsync("1.2", "1.2.2");
        var running = await Task.Run(flushes.Take);
        // The second comes to its folder while the first one's flush runs.
        var second = test.StoreAsync("1.2", "1.2.3");
        while (test.Files().Length < 3) await Task.Yield();
        running.Flush.SetResult(0);
        Assert.Equal(SpoolOutcome.Ok, (await first).Outcome);
        var later = await Task.Run(flushes.Take);
        Assert.Equal((running.Folder, false, 2), (later.Folder, second.IsCompleted, test.Spool.Queue("archive").Count));
        later.Flush.SetResult(0);
        Assert.Equal((SpoolOutcome.Ok, 3), ((await second).Outcome, test.Spool.Queue("archive").Count));
        Volatile.Write(ref isHeld, false);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_flushed_fails_the_store_and_leaves_no_name_for_a_restart()
    {
        var error = 0;
        await using var test = new TestSpool(flushFolder: _ => Volatile.Read(ref error));
        await test.StoreAsync("1.2", "1.2.1", "v1", "AE", "a", "b");
        Volatile.Write(ref error, 5);
        Assert.Equal(SpoolOutcome.Failed, (await test.StoreAsync("1.2", "1.2.2", "v1", "AE", "a", "b")).Outcome);
        Volatile.Write(ref error, 0);
        await test.RestartAsync();
        Assert.Equal((1, 1), (test.Spool.Queue("a").Count, test.Spool.Queue("b").Count));
    }

    [Fact]
    public async Task A_release_waits_for_the_flush_that_another_release_has_begun()
    {
        await using var test = new TestSpool(configure: options => options.Fsync = FsyncPolicy.Association);
        await test.StoreAsync("1.2", "1.2.1");
        // Occupies every thread of the spool, so that a flush cannot end before the second release asks.
        var gate = new TaskCompletionSource();
        for (var i = 0; i < 64; i++) test.Spool.Threads.Post(() => gate.Task.GetAwaiter().GetResult());
        var (first, second) = (test.Spool.FlushAsync(), test.Spool.FlushAsync());
        Assert.False(first.IsCompleted);
        Assert.False(second.IsCompleted); // it found nothing to flush before, and was answered at once
        gate.SetResult();
        Assert.True(await first && await second);
        Assert.True(test.Spool.FlushAsync().IsCompletedSuccessfully); // now nothing is left to flush
    }

    private static async Task<(Task<int> Answer, TaskCompletionSource<int> Flush)> BeginAsync(
        FlushThreads threads, SharedFlush shared, BlockingCollection<TaskCompletionSource<int>> flushes)
    {
        // The first caller flushes on its own thread, so its task comes only when that flush has ended.
        var answer = threads.Run(shared.RunAsync);
        var flush = await Task.Run(flushes.Take);
        return (Task.Run(async () => await await answer), flush);
    }
}
