using System.Diagnostics;
using DicomServerless.Shared;

namespace DicomServerless.Bench.Archive;

/// <summary>
/// The published program against the storage service under it. Both sides are driven by the same HttpClient code in this process; A and B alternate; each
/// measurement of a store begins with an emulator of its own, because its rates fall as it fills.
/// </summary>
internal sealed class ArchiveBench(string executable, CtObjects objects, bool isQuick, int instances)
{
    private const int WarmUp = 50, Warm = 9000; // the study that warm-ups go to
    private readonly Dictionary<int, List<double>> processorTime = []; // of the program, ms an instance
    private readonly int rounds = isQuick ? 1 : 3, retrieved = isQuick ? 100 : 500;

    /// <summary>Runs one part (start, store, retrieve, transactions) or all.</summary>
    /// <param name="isQuick">One round of little instead of three.</param>
    /// <param name="only">The part; null for all.</param>
    /// <param name="instances">How many are stored, a multiple of 50; null for the usual number.</param>
    public static async Task RunAsync(bool isQuick, string? only, int? instances)
    {
        var (executable, objects) = (await PublishedProgram.PathAsync(), new CtObjects());
        var bench = new ArchiveBench(executable, objects, isQuick, instances ?? (isQuick ? 200 : 1000));
        if (only is null or "start") await StartBench.RunAsync(executable);
        if (only is null or "transactions") await TransactionBench.RunAsync(executable, objects);
        if (only is null or "retrieve") await bench.RetrieveAsync();
        if (only is null or "store") await bench.StoreAsync();
    }

    private async Task StoreAsync()
    {
        int[] clientCounts = [1, 4, 8];
        var raw = new Dictionary<int, List<double>>();
        var one = new Dictionary<int, List<double>>();
        var fifty = new Dictionary<int, List<double>>();
        for (var round = 1; round <= rounds; round++)
        {
            foreach (var clients in clientCounts)
            {
                Add(raw, clients, await PutRateAsync(clients));
                Add(fifty, clients, await StowRateAsync(clients, 50));
                Add(one, clients, await StowRateAsync(clients, 1));
                Console.WriteLine($"round {round}, {clients} clients: raw {raw[clients][^1]:F0}/s, 50 a request {fifty[clients][^1]:F0}/s, 1 a request "
                    + $"{one[clients][^1]:F0}/s");
            }
        }
        Console.WriteLine($"\n## Store: {instances} CT instances of {objects.Length} bytes, instances/s, median of {rounds}\n");
        Console.WriteLine("| clients | raw Put Blob | STOW, 50 a request | of raw (aim ≥ 0.75) | STOW, 1 a request | of raw (aim ≥ 0.40) "
            + "|\n|---|---|---|---|---|---|");
        foreach (var clients in clientCounts)
        {
            // Each round's ratio is of neighbours in time.
            var ofFifty = Median(fifty[clients].Zip(raw[clients], (a, b) => a / b));
            var ofOne = Median(one[clients].Zip(raw[clients], (a, b) => a / b));
            Console.WriteLine($"| {clients} | {Median(raw[clients]):F0} | {Median(fifty[clients]):F0} | {ofFifty:F2} {Verdict(ofFifty >= 0.75)} | "
                + $"{Median(one[clients]):F0} | {ofOne:F2} {Verdict(ofOne >= 0.4)} |");
        }
        Console.WriteLine($"\nProcessor time of the program: {Median(processorTime[50]):F1} ms an instance with 50 a request, "
            + $"{Median(processorTime[1]):F1} ms with 1.\n");
    }

    private async Task<double> PutRateAsync(int clients)
    {
        using var azurite = await Azurite.StartAsync();
        using var http = Client();
        var raw = await RawStorage.OpenAsync(azurite, http, "raw");
        Task PutAsync(int study, int instance) => raw.PutAsync(CtObjects.BlobName(study, instance), new BlobContent(objects, study, instance));
        await InParallelAsync(clients, WarmUp, i => PutAsync(Warm, i));
        return instances / await InParallelAsync(clients, instances, i => PutAsync(1, i));
    }

    private async Task<double> StowRateAsync(int clients, int perRequest)
    {
        using var azurite = await Azurite.StartAsync();
        using var program = await FunctionsProcess.StartAsync(azurite.ConnectionString, executable: executable);
        using var http = Client();
        Task PostAsync(int study, int request) => StowAsync(http, program.Url, new StowContent(objects, study, request * perRequest, perRequest));
        await InParallelAsync(clients, Math.Max(WarmUp / perRequest, 1), i => PostAsync(Warm, i));
        using var process = Process.GetProcessById(program.ProcessId);
        var before = process.TotalProcessorTime;
        var seconds = await InParallelAsync(clients, instances / perRequest, i => PostAsync(1, i));
        process.Refresh();
        Add(processorTime, perRequest, (process.TotalProcessorTime - before).TotalMilliseconds / instances);
        return instances / seconds;
    }

    private async Task RetrieveAsync()
    {
        using var azurite = await Azurite.StartAsync();
        using var program = await FunctionsProcess.StartAsync(azurite.ConnectionString, executable: executable);
        using var http = Client();
        for (var first = 0; first < retrieved; first += 50) await StowAsync(http, program.Url, new StowContent(objects, 1, first, 50));
        var raw = await RawStorage.OpenAsync(azurite, http, "dicom");
        var names = Enumerable.Range(0, retrieved).Select(i => CtObjects.BlobName(1, i)).ToArray();
        var buffer = new byte[128 * 1024];
        var study = $"{program.Url}/dicomweb/studies/{CtObjects.StudyUid(1)}";

        async Task GetBlobsAsync()
        {
            foreach (var name in names)
                if (await raw.GetAsync(name, buffer) != objects.Length) throw new InvalidOperationException("A blob is not whole.");
        }
        async Task GetStudyAsync()
        {
            if (await GetAsync(http, study, "multipart/related; type=\"application/dicom\"; transfer-syntax=*", buffer) < (long)retrieved * objects.Length)
                throw new InvalidOperationException("The study is not whole.");
        }
        Task GetMetadataAsync() => GetAsync(http, study + "/metadata", "application/dicom+json", buffer);
        Task QueryAsync() => raw.QueryRowsAsync(CtObjects.StudyUid(1), buffer);

        await GetBlobsAsync();
        await GetStudyAsync();
        var (blobs, wado, ratios) = await AlternateAsync(Math.Max(rounds, 3), GetBlobsAsync, GetStudyAsync);
        Console.WriteLine($"\n## Retrieve: a study of {retrieved} CT instances, one client with one connection, median of {Math.Max(rounds, 3)}\n");
        Console.WriteLine("| | instances/s | of raw (aim ≥ 0.80) |\n|---|---|---|");
        Console.WriteLine($"| raw Get Blob, one after the other | {retrieved / Median(blobs):F0} | |");
        var ratio = Median(ratios);
        Console.WriteLine($"| WADO of the study, transfer-syntax=* | {retrieved / Median(wado):F0} | {ratio:F2} {Verdict(ratio >= 0.8)} |");

        for (var i = 0; i < 5; i++)
        {
            await QueryAsync();
            await GetMetadataAsync();
        }
        var (query, metadata, _) = await AlternateAsync(isQuick ? 5 : 21, QueryAsync, GetMetadataAsync);
        Console.WriteLine($"\n## Metadata of {retrieved} CT instances, median\n\n| | ms | aim |\n|---|---|---|");
        Console.WriteLine($"| raw table query of the same rows | {Median(query) * 1000:F1} | |\n| /metadata | {Median(metadata) * 1000:F1} | ≤ 40 "
            + $"{Verdict(Median(metadata) <= 0.040)} |\n| of that ours | {(Median(metadata) - Median(query)) * 1000:F1} | |\n");
    }

    /// <summary>A B A B …; seconds of each, and of each pair how fast B is as a part of A.</summary>
    private static async Task<(List<double> A, List<double> B, List<double> Ratios)> AlternateAsync(int times, Func<Task> a, Func<Task> b)
    {
        var (ofA, ofB, ratios) = (new List<double>(), new List<double>(), new List<double>());
        for (var i = 0; i < times; i++)
        {
            ofA.Add(await SecondsAsync(a));
            ofB.Add(await SecondsAsync(b));
            ratios.Add(ofA[^1] / ofB[^1]);
        }
        return (ofA, ofB, ratios);
    }

    public static HttpClient Client() => new(new SocketsHttpHandler { UseCookies = false, UseProxy = false }) { Timeout = TimeSpan.FromMinutes(10) };

    public static async Task StowAsync(HttpClient http, string url, HttpContent content)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url + "/dicomweb/studies") { Content = content };
        request.Headers.TransferEncodingChunked = content.Headers.ContentLength is null;
        using var response = await http.SendAsync(request);
        if ((int)response.StatusCode != 200)
            throw new InvalidOperationException($"The store was answered with {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
    }

    /// <summary>Gets and reads away; gives the length.</summary>
    public static async Task<long> GetAsync(HttpClient http, string url, string accept, byte[] buffer)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if ((int)response.StatusCode != 200) throw new InvalidOperationException($"{url} was answered with {(int)response.StatusCode}.");
        return await Drain.Async(response, buffer);
    }

    public static string Verdict(bool isMet) => isMet ? "✓" : "**missed**";

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private static void Add(Dictionary<int, List<double>> lists, int key, double value)
    {
        if (!lists.TryGetValue(key, out var list)) lists[key] = list = [];
        list.Add(value);
    }

    private static async Task<double> InParallelAsync(int clients, int count, Func<int, Task> action)
    {
        var next = -1;
        return await SecondsAsync(() => Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < count;) await action(i);
        }))));
    }

    private static async Task<double> SecondsAsync(Func<Task> action)
    {
        var watch = Stopwatch.StartNew();
        await action();
        return watch.Elapsed.TotalSeconds;
    }
}
