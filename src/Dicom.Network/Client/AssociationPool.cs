namespace DicomServerless.Dicom.Network;

/// <summary>Keeps associations open for a short time, so that consecutive stores to the same peer with the same contexts need only one.</summary>
/// <param name="client">Opens new ones.</param>
/// <param name="idle">How long an unused association is kept.</param>
/// <param name="time">The clock.</param>
public sealed class AssociationPool(AssociationClient client, TimeSpan idle, TimeProvider time) : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Stack<Association>> kept = new(StringComparer.Ordinal);
    private readonly HashSet<Task> watching = [];
    private readonly CancellationTokenSource closing = new();

    /// <summary>Takes a kept association that is still good, or opens one.</summary>
    /// <exception cref="AssociationRejectedException">The peer rejected it.</exception>
    /// <exception cref="IOException">There is no connection or association.</exception>
    public async Task<PooledAssociation> RentAsync(RemoteAe peer, IReadOnlyList<ContextProposal> contexts, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(closing.IsCancellationRequested, this);
        var key = KeyOf(peer, contexts);
        while (TryTake(key) is { } association)
        {
            if (association.IsReusable) return new PooledAssociation(this, key, association, isNew: false);
            await association.DisposeAsync();
        }
        return new PooledAssociation(this, key, await client.ConnectAsync(peer, contexts, cancellationToken), isNew: true);
    }

    /// <summary>Releases what is kept.</summary>
    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        Task[] last;
        lock (gate) last = [.. watching];
        await Task.WhenAll(last);
        closing.Dispose();
    }

    internal bool TryKeep(string key, Association association)
    {
        lock (gate)
        {
            if (closing.IsCancellationRequested) return false;
            if (!kept.TryGetValue(key, out var stack)) kept.Add(key, stack = new());
            stack.Push(association);
            var watch = new TaskCompletionSource();
            watching.Add(watch.Task);
            _ = WatchAsync(key, association, watch);
            return true;
        }
    }

    // Until the time is over or the peer ends it; whoever rents it meanwhile has taken it out of the pool.
    private async Task WatchAsync(string key, Association association, TaskCompletionSource done)
    {
        try
        {
            using var limit = new CancellationTokenSource(idle, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, closing.Token);
            await association.AttendAsync().WaitAsync(either.Token)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
            if (!TryRemove(key, association)) return;
            if (association.IsReusable) await association.ReleaseAsync(CancellationToken.None);
            await association.DisposeAsync();
        }
        catch (IOException)
        {
            await association.DisposeAsync();
        }
        finally
        {
            lock (gate) watching.Remove(done.Task);
            done.SetResult();
        }
    }

    private Association? TryTake(string key)
    {
        lock (gate) return kept.TryGetValue(key, out var stack) && stack.TryPop(out var association) ? association : null;
    }

    private bool TryRemove(string key, Association association)
    {
        lock (gate)
        {
            if (!kept.TryGetValue(key, out var stack) || !stack.Contains(association)) return false;
            kept[key] = new(stack.Reverse().Where(other => other != association));
            if (kept[key].Count == 0) kept.Remove(key);
            return true;
        }
    }

    private static string KeyOf(RemoteAe peer, IReadOnlyList<ContextProposal> contexts) =>
        $"{peer}\n{string.Join('\n', contexts.Select(context => $"{context.AbstractSyntax} {context.AsScp} {string.Join(' ', context.TransferSyntaxes)}"))}";
}

/// <summary>A rented association. It is closed at the end unless <see cref="Keep"/> said that everything went well.</summary>
public sealed class PooledAssociation : IAsyncDisposable
{
    private readonly AssociationPool pool;
    private readonly string key;
    private bool keep;

    internal PooledAssociation(AssociationPool pool, string key, Association association, bool isNew) =>
        (this.pool, this.key, Association, IsNew) = (pool, key, association, isNew);

    /// <summary>The association.</summary>
    public Association Association { get; }

    /// <summary>Whether it was opened for this; one that was kept may have died unnoticed, and a failure on it says little about the peer.</summary>
    public bool IsNew { get; }

    /// <summary>Says that every request was answered, so that others may use the association.</summary>
    public void Keep() => keep = true;

    /// <summary>Gives it back, or closes it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!keep || !Association.IsReusable || !pool.TryKeep(key, Association)) await Association.DisposeAsync();
    }
}
