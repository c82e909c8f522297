using DicomServerless.Dicom;
using System.Buffers.Binary;
using System.Net;
using DicomServerless.Functional.Http;
using DicomServerless.Shared;
using DicomServerless.Shared.Worker;

namespace DicomServerless.Functional.Host;

/// <summary>The worker from its start to its end: cold starts, drains, deaths, and how much memory it takes.</summary>
public sealed class WorkerLifeTests : IAsyncLifetime
{
    private static readonly HttpClient client = new();
    private Azurite azurite = null!;
    private WorkerHost host = null!;

    public async ValueTask InitializeAsync()
    {
        azurite = await Azurite.StartAsync();
        host = await WorkerHost.StartAsync(HostTests.Assembly, new Dictionary<string, string>
            { ["DataStorage"] = azurite.ConnectionString, ["Http__MaxBodyBytes"] = "1000000000" }, bodyLimit: 1_000_000_000);
        // The functions are loaded before the server listens; a search waits for the stores.
        Assert.Equal(HttpStatusCode.NoContent, (await client.GetAsync(host.Url + "/dicomweb/studies?limit=1")).StatusCode);
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        azurite.Dispose();
    }

    [Fact]
    public async Task A_request_that_is_at_work_is_answered_before_the_worker_ends()
    {
        await BeginStore("1.11", TimeSpan.FromSeconds(3), out var storing);
        var ending = host.TerminateAsync(TimeSpan.FromSeconds(10));
        using var stored = await storing;
        Assert.True(HttpStatusCode.OK == stored.StatusCode, host.Output);
        Assert.Equal(0, await ending);
    }

    [Fact]
    public async Task A_worker_that_is_told_to_end_while_it_starts_ends_well()
    {
        for (var i = 0; i < 3; i++)
        {
            await using var starting = await WorkerHost.StartAsync(HostTests.Assembly, new Dictionary<string, string>
                { ["DataStorage"] = azurite.ConnectionString });
            Assert.True(await starting.TerminateAsync(TimeSpan.FromSeconds(10)) == 0, starting.Output);
        }
    }

    [Fact]
    public async Task A_worker_that_dies_under_a_request_costs_that_request_alone()
    {
        await BeginStore("1.12", TimeSpan.FromSeconds(5), out var storing);
        await host.KillAsync();
        var failure = await Record.ExceptionAsync(async () =>
        {
            using var answer = await storing;
            Assert.False(answer.IsSuccessStatusCode);
        });
        Assert.True(failure is null or HttpRequestException, failure?.ToString());
        Assert.Equal(HttpStatusCode.NoContent, (await client.GetAsync(host.Url + "/dicomweb/studies?limit=1")).StatusCode);
    }

    [Fact]
    public async Task Large_objects_are_stored_in_little_memory_with_and_without_a_length()
    {
        const long withLength = 120_000_000, chunked = 600_000_000;
        foreach (var (study, length, isChunked) in new[] { ("1.21", withLength, false), ("1.22", chunked, true) })
        {
            using var content = new LargeContent(study, length, isChunked);
            using var stored = await client.PostAsync(host.Url + "/dicomweb/studies", content);
            Assert.True(stored.IsSuccessStatusCode, await stored.Content.ReadAsStringAsync() + host.Output);
        }
        Assert.InRange(FunctionsProcess.PeakResidentMiB(host.ProcessId), 10, 250);
    }

    [Fact]
    public async Task An_answer_that_breaks_off_after_it_began_is_cut_and_never_looks_whole()
    {
        using (var content = new LargeContent("1.23", 80_000_000, isChunked: true))
        using (var stored = await client.PostAsync(host.Url + "/dicomweb/studies", content)) Assert.True(stored.IsSuccessStatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Get, host.Url + "/dicomweb/studies/1.23/series/1.23.1/instances/1.23.1.1");
        request.Headers.TryAddWithoutValidation("Accept", "application/dicom; transfer-syntax=*");
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await using var body = await answer.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[1000]);
        azurite.Dispose();
        await Assert.ThrowsAnyAsync<IOException>(() => body.CopyToAsync(Stream.Null));
    }

    [Fact]
    public async Task A_hundred_requests_into_a_cold_start_are_all_answered()
    {
        await host.KillAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => client.GetAsync(host.Url + "/dicomweb/studies?limit=1")));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode));
    }

    // Done when half of the object is on its way.
    private Task BeginStore(string study, TimeSpan pause, out Task<HttpResponseMessage> answer)
    {
        var slow = new SlowContent(Server.Image(study, study + ".1", study + ".1.1").ToFile(), pause);
        slow.Headers.TryAddWithoutValidation("Content-Type", "application/dicom");
        answer = client.PostAsync(host.Url + "/dicomweb/studies", slow);
        return slow.Begun;
    }

    // Sends the first half at once and the rest after a while, without a length.
    private sealed class SlowContent(byte[] bytes, TimeSpan pause) : HttpContent
    {
        private readonly TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Begun => begun.Task;

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(bytes.AsMemory(0, bytes.Length / 2));
            await stream.FlushAsync();
            begun.SetResult();
            await Task.Delay(pause);
            await stream.WriteAsync(bytes.AsMemory(bytes.Length / 2));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    // An object whose pixels are so many zeros, which are in nobody's memory.
    private sealed class LargeContent : HttpContent
    {
        private readonly byte[] head;
        private readonly long pixels;
        private readonly bool isChunked;

        public LargeContent(string study, long pixels, bool isChunked)
        {
            (this.pixels, this.isChunked) = (pixels, isChunked);
            head = TestObject.Of(study, study + ".1", study + ".1.1").Add(0x7FE00010, "OB", Array.Empty<byte>()).ToFile();
            BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(^4), (uint)pixels);
            Headers.TryAddWithoutValidation("Content-Type", "application/dicom");
        }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(head);
            var zeros = new byte[64 * 1024];
            for (var left = pixels; left > 0; left -= zeros.Length) await stream.WriteAsync(zeros.AsMemory(0, (int)Math.Min(left, zeros.Length)));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = head.Length + pixels;
            return !isChunked;
        }
    }
}
