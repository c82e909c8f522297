using DicomServerless.Archive;

namespace DicomServerless.Unit.Archive;

public sealed class HeaderMemoryTests
{
    private const long MiB = 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Headers_share_what_there_is_and_one_may_always_go_on()
    {
        var memory = new HeaderMemory(4 * MiB);
        // Eight units are there: the first header takes four, the second the other four.
        using var first = new HeaderMemory.Share(memory);
        using var second = new HeaderMemory.Share(memory);
        Assert.True(await first.GrowAsync(4 * MiB, Patience, default));
        Assert.True(await second.GrowAsync(4 * MiB, Patience, default));
        // Small ones need none; the next large one may have all, and the one behind it waits.
        using var small = new HeaderMemory.Share(memory);
        Assert.True(await small.GrowAsync(HeaderMemory.OwnBytes, TimeSpan.Zero, default));
        var third = new HeaderMemory.Share(memory);
        Assert.True(await third.GrowAsync(2 * MiB, TimeSpan.Zero, default));
        Assert.True(await third.GrowAsync(4 * MiB, TimeSpan.Zero, default));
        using var fourth = new HeaderMemory.Share(memory);
        Assert.False(await fourth.GrowAsync(2 * MiB, TimeSpan.FromMilliseconds(50), default));
        var waiting = fourth.GrowAsync(2 * MiB, Patience, default);
        Assert.False(waiting.IsCompleted);
        third.Dispose();
        Assert.True(await waiting);
        // What is given back can be had again, and only once.
        first.Dispose();
        first.Dispose();
        using var fifth = new HeaderMemory.Share(memory);
        Assert.True(await fifth.GrowAsync(4 * MiB, TimeSpan.Zero, default));
        using var sixth = new HeaderMemory.Share(memory);
        Assert.False(await sixth.GrowAsync(2 * MiB, TimeSpan.Zero, default));
        using var left = new CancellationTokenSource(50);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sixth.GrowAsync(2 * MiB, Patience, left.Token));
    }

    [Fact]
    public async Task Of_large_headers_one_is_made_into_an_index_entry_at_a_time()
    {
        var memory = new HeaderMemory(64 * MiB);
        var (working, most) = (0, 0);
        var shares = Enumerable.Range(0, 4).Select(_ => new HeaderMemory.Share(memory)).ToArray();
        foreach (var share in shares) Assert.True(await share.GrowAsync(2 * MiB, Patience, default));
        var made = await Task.WhenAll(shares.Select((share, number) => Task.Run(() => share.MakeAsync(() =>
        {
            most = Math.Max(most, Interlocked.Increment(ref working));
            Thread.Sleep(20);
            Interlocked.Decrement(ref working);
            return number;
        }, default))));
        Assert.Equal([0, 1, 2, 3], made);
        Assert.Equal(1, most);
        foreach (var share in shares) share.Dispose();
    }
}
