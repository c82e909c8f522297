using System.Net;

namespace DicomServerless.Functional.Http;

/// <summary>That an answer streams: it starts before the study has been read, and reading stops when the client leaves.</summary>
internal static class Streaming
{
    /// <summary>Asks for a resource of the study 1.2 with so many objects of a megabyte, and leaves after the first bytes.</summary>
    public static async Task AssertAsync(string path, string? accept, int count)
    {
        var (reads, isSlow) = (0, false);
        await using var watched = await Server.StartAsync(step: what =>
        {
            if (!what.StartsWith("read ", StringComparison.Ordinal)) return Task.CompletedTask;
            Interlocked.Increment(ref reads);
            // Storage that takes its time: what is in memory would be read to the end before the server hears that the client has left.
            return isSlow ? Task.Delay(200) : Task.CompletedTask;
        });
        for (var i = 0; i < count; i++)
            Assert.Equal(HttpStatusCode.OK,
                (await watched.StoreAsync(Server.Image("1.2", "1.2.1", $"1.2.1.{i}").Add(0x00091001, "OB", new byte[1_000_000]).ToFile())).StatusCode);
        (reads, isSlow) = (0, true);
        var response = await watched.GetAsync(path, accept);
        await (await response.Content.ReadAsStreamAsync()).ReadExactlyAsync(new byte[100_000]);
        Assert.InRange(Volatile.Read(ref reads), 1, count / 2);
        response.Dispose();
        await watched.StopAsync(); // waits for requests that are still running
        Assert.InRange(Volatile.Read(ref reads), 1, count / 2);
    }
}
