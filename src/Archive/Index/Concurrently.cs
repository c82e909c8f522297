namespace DicomServerless.Archive.Index;

/// <summary>Bounded concurrency on the caller's own context (a thread pool where there is none).</summary>
internal static class Concurrently
{
    /// <summary>How many storage operations one request has under way at the same time.</summary>
    public const int StorageOperations = 8;

    /// <summary>Runs the action for every item, some at a time; the first failure is thrown when all that had started have ended.</summary>
    public static async Task ForEachAsync<T>(IReadOnlyCollection<T> items, Func<T, Task> action)
    {
        using var queue = items.GetEnumerator();
        var failed = false;
        async Task WorkAsync()
        {
            while (true)
            {
                T item;
                lock (queue)
                {
                    if (failed || !queue.MoveNext()) return;
                    item = queue.Current;
                }
                try
                {
                    await action(item);
                }
                catch
                {
                    failed = true;
                    throw;
                }
            }
        }
        await Task.WhenAll(Enumerable.Range(0, Math.Min(items.Count, StorageOperations)).Select(_ => WorkAsync()).ToArray());
    }

    /// <summary>The same with results, in the order of the items.</summary>
    public static async Task<TResult[]> SelectAsync<T, TResult>(IReadOnlyList<T> items, Func<T, Task<TResult>> action)
    {
        var results = new TResult[items.Count];
        await ForEachAsync(Enumerable.Range(0, items.Count).ToArray(), async index => results[index] = await action(items[index]));
        return results;
    }
}
