using System.Text.Json;
using DicomServerless.Functional.Http;
using DicomServerless.Shared;

namespace DicomServerless.Fuzz.Http;

/// <summary>Sends broken objects to the whole application, many in a request, and holds every answer to the rules.</summary>
internal sealed class Fuzzing : IAsyncDisposable
{
    /// <summary>No request may take longer; a hundred small parts take milliseconds.</summary>
    private static readonly TimeSpan RequestLimit = TimeSpan.FromSeconds(30);
    private readonly HashSet<int> allowed = [200, 202, 409];
    private Server server;
    private int requestsHere;

    private Fuzzing(Server server) => this.server = server;

    public int Requests { get; private set; }
    public int Parts { get; private set; }
    public long Bytes { get; private set; }
    public int Stored { get; private set; }
    public int Refused => Parts - Stored;
    public TimeSpan Slowest { get; private set; }
    public SortedDictionary<int, int> Reasons { get; } = [];

    public static async Task<Fuzzing> StartAsync() => new(await Server.StartAsync(("Archive:DuplicatePolicy", "replace")));

    public ValueTask DisposeAsync() => server.DisposeAsync();

    /// <summary>One store of several parts: an answer in time, never a server error, and one result for each part.</summary>
    public async Task StoreAsync(IReadOnlyList<byte[]> parts, Func<string> describe)
    {
        using var timeout = new CancellationTokenSource(RequestLimit);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        using var response = await server.StoreAsync([.. parts]).WaitAsync(timeout.Token);
        if (clock.Elapsed > Slowest) Slowest = clock.Elapsed;
        var body = await response.Content.ReadAsStringAsync(timeout.Token);
        Assert.True(allowed.Contains((int)response.StatusCode), $"{(int)response.StatusCode} for {describe()}: {body}");
        using var answer = JsonDocument.Parse(body);
        var stored = Count(answer.RootElement, "00081199");
        Assert.True(stored + Count(answer.RootElement, "00081198") + Count(answer.RootElement, "0008119A") == parts.Count,
            $"Not one result for each of {parts.Count} parts: {describe()}: {body}");
        foreach (var tag in (string[])["00081198", "0008119A"])
            if (answer.RootElement.TryGetProperty(tag, out var sequence))
                foreach (var item in sequence.GetProperty("Value").EnumerateArray())
                {
                    var reason = item.GetProperty("00081197").GetProperty("Value")[0].GetInt32();
                    Reasons[reason] = Reasons.GetValueOrDefault(reason) + 1;
                }
        (Requests, Parts, Stored) = (Requests + 1, Parts + parts.Count, Stored + stored);
        Bytes += parts.Sum(part => (long)part.Length);
        requestsHere++;
    }

    /// <summary>The server still takes, finds and gives back a good object.</summary>
    public async Task AssertAliveAsync()
    {
        var good = Server.Image("1.2.3", "1.2.3.4", $"1.2.3.4.{requestsHere}").ToFile();
        using var stored = await server.StoreAsync(good);
        Assert.Equal(200, (int)stored.StatusCode);
        using var found = await server.GetAsync($"/instances?SOPInstanceUID=1.2.3.4.{requestsHere}");
        Assert.Equal(1, (await Server.JsonAsync(found)).GetArrayLength());
        using var returned = await server.GetAsync($"/studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.{requestsHere}",
            "multipart/related; type=\"application/dicom\"; transfer-syntax=*");
        Assert.Equal(good, Assert.Single(await Server.PartsAsync(returned)).Content);
    }

    /// <summary>What is in use with everything that an archive in memory keeps left behind. Bytes.</summary>
    public async Task<long> HeapAfterFreshArchiveAsync()
    {
        await server.DisposeAsync();
        server = await Server.StartAsync(("Archive:DuplicatePolicy", "replace"));
        requestsHere = 0;
        await AssertAliveAsync();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    public string Tally() => $"{Parts} objects in {Requests} requests: {Stored} stored, {Refused} refused "
        + $"({string.Join(", ", Reasons.Select(reason => $"{reason.Key:X4}: {reason.Value}"))}); slowest request {Slowest.TotalMilliseconds:F0} ms";

    /// <summary>Small files of the samples, largest last.</summary>
    public static IEnumerable<string> SmallSamples(int atMost) => new[]
        { Path.Combine(Repository.Root, "tests/Samples"), Repository.SharedSamples }.OfType<string>().Where(Directory.Exists)
        .SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            .Where(file => Path.GetExtension(file) is not (".md" or ".tsv"))
        .Where(file => new FileInfo(file).Length is var length && length > 0 && length <= atMost)
            .OrderBy(file => new FileInfo(file).Length).ThenBy(file => file, StringComparer.Ordinal);

    private static int Count(JsonElement answer, string tag) => answer.TryGetProperty(tag, out var sequence)
        ? sequence.GetProperty("Value").GetArrayLength() : 0;
}
