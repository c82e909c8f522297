using System.Text;
using DicomServerless.Archive;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Archive;

/// <summary>Objects that come in blocks: their stores go on when their requests have ended, and so have a bound of their own.</summary>
public sealed class UploadTests
{
    private readonly MemoryWorld world = new(TimeProvider.System);

    [Fact]
    public async Task No_more_uploads_are_stored_at_a_time_than_may_be_whoever_has_left()
    {
        const int most = 2;
        var (release, begun) = (new TaskCompletionSource(), 0);
        var archive = Archives.Open(world, step: async step =>
        {
            if (!step.StartsWith("put ", StringComparison.Ordinal) || !step.EndsWith(".dcm", StringComparison.Ordinal)) return;
            Interlocked.Increment(ref begun);
            await release.Task;
        });
        var container = world.Client().Derived;
        var number = 0;
        var uploads = new ResumableUploads(container, (_, _, _) => Task.FromResult<Uri?>(null), archive.Store, TimeProvider.System,
            () => new Guid(++number, 0, 0, new byte[8]), most);
        var ids = new List<string>();
        for (var i = 1; i <= 5; i++)
        {
            ids.Add((await uploads.BeginAsync(default)).Id);
            await uploads.PutBlockAsync(ids[^1], 0, TestObject.Of("1.2.3", "1.2.3.1", $"1.2.3.1.{i}").ToFile(), default);
        }
        foreach (var id in ids) await Assert.ThrowsAsync<TimeoutException>(() => CompleteAsync(id, TimeSpan.Zero));
        while (Volatile.Read(ref begun) < most) await Task.Delay(10);
        // Who asks again for one that is at work waits for it; others still start nothing.
        await Assert.ThrowsAsync<TimeoutException>(() => CompleteAsync(ids[0], TimeSpan.FromMilliseconds(50)));
        await Assert.ThrowsAsync<TimeoutException>(() => CompleteAsync(ids[4], TimeSpan.FromSeconds(30)));
        Assert.Equal(most, begun);
        release.SetResult();
        foreach (var id in ids)
        {
            UploadAnswer? answer = null;
            while (answer is null)
            {
                try
                {
                    answer = await CompleteAsync(id, TimeSpan.FromSeconds(30));
                }
                catch (TimeoutException)
                {
                    await Task.Delay(10);
                }
            }
            Assert.Equal("Stored", Encoding.ASCII.GetString(answer.Body));
        }
        await uploads.CloseAsync();
        Assert.Equal(5, world.Dicom.Blobs.Count);

        Task<UploadAnswer?> CompleteAsync(string id, TimeSpan patience) => uploads.CompleteAsync(id, 1, new StoreRequest(null, DuplicatePolicy.Reject, "test"),
            results => new UploadAnswer(200, Encoding.ASCII.GetBytes(results.Single().Outcome.ToString())), patience, default);
    }
}
