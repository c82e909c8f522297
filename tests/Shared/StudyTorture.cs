using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using DicomServerless.Archive;
using DicomServerless.Archive.Search;
using DicomServerless.Dev;
using DicomServerless.Storage.Azure;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Shared;

/// <summary>How hard, and how long.</summary>
public sealed record TortureOptions
{
    public int Clients { get; init; } = 16;
    public int Kills { get; init; }
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(10);
    public int Seed { get; init; } = 1;
    public bool WithRebuild { get; init; } = true;
    public Action<string> Say { get; init; } = _ => { };
}

/// <summary>What happened, and what was wrong in the end.</summary>
public sealed record TortureTally(int Stores, int Acknowledged, int Deletes, int Kills, int Events, int Present, IReadOnlyList<string> Problems)
{
    public override string ToString() =>
        $"{Stores} instances sent, {Acknowledged} acknowledged; {Deletes} deletes; {Kills} kills; {Events} events delivered; {Present} instances in the "
            + $"end; {Problems.Count} problems"
        + string.Concat(Problems.Take(20).Select(problem => "\n  " + problem));
}

/// <summary>
/// Many clients store into one study, re-send, delete instances, series and the whole of it, while events come doubled and out of order, a rebuild runs in the
/// middle and the function app is killed at random. In the end counts and attributes in QIDO must be those of a fresh rebuild, nothing acknowledged may be gone
/// and nothing deleted back.
/// </summary>
public sealed class StudyTorture : IDisposable
{
    private const string Study = "1.2.826.0.1.3680043.10.1338.7";
    private const int SeriesCount = 4, InstancesPerSeries = 60;

    private readonly TortureOptions options;
    private readonly Random random;
    private readonly ConcurrentQueue<byte[]> events = [];
    private readonly ConcurrentBag<Operation> operations = [];
    private readonly List<string> problems = [];
    private readonly HttpClient http = new(new SocketsHttpHandler { MaxConnectionsPerServer = 64 }) { Timeout = TimeSpan.FromSeconds(60) };
    private long sequence;
    private int delivered, kills;
    private FunctionsProcess functions = null!;
    private EventsOnQueue queue = null!;

    private StudyTorture(TortureOptions options) => (this.options, random) = (options, new Random(options.Seed));

    // What a client did, and between which moments it happened. Without an answer it may have happened or not, now or a little later.
    private sealed record Operation(bool IsStore, int Series, int Instance, long Started, long Ended, bool IsAcknowledged)
    {
        public bool Concerns(int series, int instance) => (Series < 0 || Series == series) && (Instance < 0 || Instance == instance);
    }

    public static async Task<TortureTally> RunAsync(TortureOptions options)
    {
        using var torture = new StudyTorture(options);
        using var azurite = await Azurite.StartAsync(torture.OnLine);
        return await torture.RunAsync(azurite);
    }

    public void Dispose()
    {
        functions?.Dispose();
        http.Dispose();
    }

    private void OnLine(string line)
    {
        if (AzuriteAccessLog.Read(line) is not { Container: "dicom" } access) return;
        var made = GridEvents.Of(access, Interlocked.Increment(ref sequence));
        events.Enqueue(made);
        if (sequence % 5 == 0) events.Enqueue(made);
    }

    private async Task<TortureTally> RunAsync(Azurite azurite)
    {
        functions = await FunctionsProcess.StartAsync(azurite.ConnectionString, new Dictionary<string, string>
            { ["Archive__JournalDueSeconds"] = "2", ["Archive__KeepStudySeconds"] = "1", ["Archive__TombstoneSeconds"] = "4",
            ["Events__Poll"] = "true", ["Events__PollSeconds"] = "0.1", ["Events__HideSeconds"] = "5", ["Events__MaxDequeueCount"] = "100",
            ["Events__SweepSeconds"] = "1" });
        queue = new EventsOnQueue(azurite.ConnectionString);
        var stores = Connect(azurite.ConnectionString);
        await stores.CreateIfAbsentAsync(default);
        using var stop = new CancellationTokenSource();
        using var stopEvents = new CancellationTokenSource();
        var delivering = Task.WhenAll(Enumerable.Range(0, 4).Select(i => DeliverAsync(new Random(options.Seed + 100 + i), stopEvents.Token)));
        var clients = Enumerable.Range(0, options.Clients).Select(i => ClientAsync(new Random(options.Seed + i), stop.Token)).ToArray();
        var rebuilding = options.WithRebuild ? RebuildAsync(stores) : Task.CompletedTask;
        await KillAsync();
        await stop.CancelAsync();
        await Task.WhenAll(clients);
        await rebuilding;
        options.Say($"{operations.Count} operations; waiting for events and sweep");
        await SettleAsync(stores);
        await stopEvents.CancelAsync();
        await delivering.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var present = await CheckAsync(stores);
        var stored = operations.Where(operation => operation.IsStore).ToArray();
        return new TortureTally(stored.Length, stored.Count(operation => operation.IsAcknowledged),
            operations.Count(operation => !operation.IsStore), kills, delivered, present, problems);
    }

    private static ArchiveStores Connect(string connectionString)
    {
        var account = new AzureStorageAccount(new AzureStorageOptions { ConnectionString = connectionString });
        return new ArchiveStores(
            account.BlobContainer("dicom"), account.BlobContainer("derived"), account.BlobContainer("inbox"), account.BlobContainer("rejected"),
            account.Table("instances"), account.Table("studies"), account.Table("keys"), account.Table("uids"), account.Table("journal"));
    }

    // Kills at random moments over the duration; without kills it only waits.
    private async Task KillAsync()
    {
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < options.Kills; i++)
        {
            await Task.Delay(random.Next(50, 900));
            await functions.KillAndRestartAsync();
            kills++;
            if (kills % 20 == 0) options.Say($"{kills} kills, {operations.Count} operations");
        }
        if (watch.Elapsed < options.Duration) await Task.Delay(options.Duration - watch.Elapsed);
    }

    // A process of its own (this one) rebuilds while everything goes on.
    private async Task RebuildAsync(ArchiveStores stores)
    {
        await Task.Delay(options.Duration / 2);
        var archive = new DicomArchive(stores, new ArchiveOptions { JournalDueSeconds = 2 },
            TimeProvider.System, Guid.NewGuid, NullLogger<DicomArchive>.Instance);
        await archive.Rebuild.RunAsync(default);
        await archive.CloseAsync();
    }

    private async Task ClientAsync(Random own, CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            var (series, instance) = (own.Next(SeriesCount), own.Next(InstancesPerSeries));
            switch (own.Next(100))
            {
                case < 88:
                    await StoreAsync(Enumerable.Range(0, own.Next(1, 5)).Select(i => (series, (instance + i) % InstancesPerSeries)).ToArray());
                    break;
                case < 97:
                    await DeleteAsync(series, instance);
                    break;
                case < 99:
                    await DeleteAsync(series, -1);
                    break;
                default:
                    await DeleteAsync(-1, -1);
                    break;
            }
        }
        // So that there is something to compare, whatever was deleted last.
        await StoreAsync(Enumerable.Range(0, 4).Select(_ => (own.Next(SeriesCount), own.Next(InstancesPerSeries))).Distinct().ToArray());
    }

    // The content of an instance is always the same, so a store of what is there is a re-send.
    private static byte[] Content(int series, int instance)
    {
        var made = TestObject.Of(Study, SeriesUid(series), InstanceUid(series, instance)).Add(0x00080060, "CS", series == 3 ? "MR" : "CT")
            .Add(0x00100020, "LO", "ID" + instance).Add(0x00200013, "IS", instance.ToString(CultureInfo.InvariantCulture));
        // Only some have the attributes of the study, so that where they come from changes as instances come and go.
        if (instance % 3 == 0) made.Add(0x00100010, "PN", $"Name{instance}^S{series}").Add(0x00080020, "DA", $"202401{1 + (instance % 28):D2}");
        return made.ToFile();
    }

    private static string SeriesUid(int series) => $"{Study}.{series + 1}";

    private static string InstanceUid(int series, int instance) => $"{Study}.{series + 1}.{instance + 1}";

    private async Task StoreAsync((int Series, int Instance)[] objects)
    {
        var started = Stopwatch.GetTimestamp();
        var acknowledged = new HashSet<string>();
        try
        {
            using var body = new MultipartContent("related", "torture");
            body.Headers.ContentType!.Parameters.Add(new("type", "\"application/dicom\""));
            foreach (var (series, instance) in objects)
            {
                var part = new ByteArrayContent(Content(series, instance));
                part.Headers.ContentType = new("application/dicom");
                body.Add(part);
            }
            using var response = await http.PostAsync($"{functions.Url}/dicomweb/studies", body);
            if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.Accepted or HttpStatusCode.Conflict) acknowledged = await StoredAsync(response);
            else Unexpected(response.StatusCode, "store");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
        {
            // Killed while it worked. A client waits a little before it tries again.
            await Task.Delay(100);
        }
        var ended = Stopwatch.GetTimestamp();
        foreach (var (series, instance) in objects)
            operations.Add(new Operation(true, series, instance, started, ended, acknowledged.Contains(InstanceUid(series, instance))));
    }

    private static async Task<HashSet<string>> StoredAsync(HttpResponseMessage response)
    {
        using var answer = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync());
        if (!answer.RootElement.TryGetProperty("00081199", out var referenced)) return [];
        return [.. referenced.GetProperty("Value").EnumerateArray().Select(item => item.GetProperty("00081155").GetProperty("Value")[0].GetString()!)];
    }

    private async Task DeleteAsync(int series, int instance)
    {
        var started = Stopwatch.GetTimestamp();
        var acknowledged = false;
        try
        {
            var path = series < 0 ? "" : instance < 0 ? $"/series/{SeriesUid(series)}"
                : $"/series/{SeriesUid(series)}/instances/{InstanceUid(series, instance)}";
            using var response = await http.DeleteAsync($"{functions.Url}/dicomweb/studies/{Study}{path}");
            if (response.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotFound) acknowledged = true;
            else Unexpected(response.StatusCode, "delete");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or OperationCanceledException)
        {
            // Killed while it worked. A client waits a little before it tries again.
            await Task.Delay(100);
        }
        operations.Add(new Operation(false, series, instance, started, Stopwatch.GetTimestamp(), acknowledged));
    }

    private void Unexpected(HttpStatusCode status, string what)
    {
        if (status == HttpStatusCode.ServiceUnavailable) return;
        var errors = functions.Output.Split('\n')
            .Where(line => line.Contains("rror", StringComparison.Ordinal) || line.Contains("xception", StringComparison.Ordinal));
        lock (problems) problems.Add($"{(int)status} on a {what}\n{string.Concat(errors.TakeLast(3))}");
    }

    // At least once, late, in any order.
    private async Task DeliverAsync(Random own, CancellationToken cancellationToken)
    {
        var held = new List<byte[]>();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            while (held.Count < 50 && events.TryDequeue(out var next)) held.Add(next);
            if (held.Count == 0)
            {
                await Task.Delay(20, cancellationToken);
                continue;
            }
            var index = own.Next(held.Count);
            var blobEvent = held[index];
            held.RemoveAt(index);
            await queue.SendAsync(blobEvent, TimeSpan.FromSeconds(own.Next(3)), cancellationToken);
            Interlocked.Increment(ref delivered);
        }
    }

    private async Task SettleAsync(ArchiveStores stores)
    {
        var watch = Stopwatch.StartNew();
        var quiet = 0;
        while (quiet < 3)
        {
            await Task.Delay(500);
            var pending = events.Count + await queue.CountAsync() + await PendingAsync(stores);
            quiet = pending == 0 ? quiet + 1 : 0;
            if (watch.Elapsed > TimeSpan.FromMinutes(3))
            {
                problems.Add($"The journal or the events do not become empty: {pending} left.\n{functions.Output}");
                return;
            }
        }
    }

    // Purge entries only wait for their time, and a lease is no work; they change nothing that is seen.
    private static async Task<int> PendingAsync(ArchiveStores stores)
    {
        var page = await stores.Journal.QueryAsync(new Storage.TableQuery { Select = ["K"] }, null, default);
        return page.Rows.Count(row => row.PartitionKey != "lease" && row.Text("K") != "purge");
    }

    private async Task<int> CheckAsync(ArchiveStores stores)
    {
        var present = new HashSet<string>();
        await foreach (var blob in stores.Dicom.ListAsync("", default)) present.Add(blob.Name.Split('/')[^1][..^4]);
        for (var series = 0; series < SeriesCount; series++)
            for (var instance = 0; instance < InstancesPerSeries; instance++) CheckPromise(series, instance, present.Contains(InstanceUid(series, instance)));
        var fresh = await FreshAsync(stores);
        foreach (var path in new[] { $"/studies?StudyInstanceUID={Study}&includefield=all", $"/studies/{Study}/series?includefield=all",
            $"/studies/{Study}/instances?includefield=all", "/studies?PatientName=*ame*&includefield=all" })
        {
            var expected = Normal(await AnswerAsync(fresh, path));
            using var response = await http.GetAsync($"{functions.Url}/dicomweb{path}");
            var actual = response.StatusCode == HttpStatusCode.NoContent ? "" : Normal(await response.Content.ReadAsStringAsync());
            if (expected != actual) problems.Add($"{path} differs from a fresh rebuild's:\n    {Clip(actual)}\n    {Clip(expected)}");
        }
        return present.Count;
    }

    // An index of the same blobs made from nothing.
    private static async Task<DicomArchive> FreshAsync(ArchiveStores stores)
    {
        var memory = new MemoryWorld(TimeProvider.System).Client();
        var archive = new DicomArchive(memory with { Dicom = stores.Dicom }, new ArchiveOptions(),
            TimeProvider.System, Guid.NewGuid, NullLogger<DicomArchive>.Instance);
        await archive.Rebuild.RunAsync(default);
        return archive;
    }

    private async Task<string> AnswerAsync(DicomArchive archive, string pathAndQuery)
    {
        var path = pathAndQuery.Split('?')[0];
        var level = path.EndsWith("/series", StringComparison.Ordinal)
            ? QidoLevel.Series : path.EndsWith("/instances", StringComparison.Ordinal) ? QidoLevel.Instance : QidoLevel.Study;
        var parameters = pathAndQuery.Split('?')[1].Split('&').Select(pair => pair.Split('=')).Select(pair => KeyValuePair.Create(pair[0], pair[1]));
        var query = QidoQuery.Parse(level, level == QidoLevel.Study ? null : Dicom.Uid.Parse(Study), null, parameters, out _);
        var answer = await archive.Search.SearchAsync(query, $"{functions.Url}/dicomweb", default);
        return "[" + string.Join(',', answer.Results.Select(Encoding.UTF8.GetString)) + "]";
    }

    private static string Normal(string json)
    {
        using var document = JsonDocument.Parse(json);
        return string.Join('\n', document.RootElement.EnumerateArray().Select(item => item.GetRawText()));
    }

    private static string Clip(string text) => text.Length > 1500 ? text[..1500] + "…" : text;

    // Acknowledged and not contradicted by anything at the same time or later: stored means there, deleted means gone.
    private void CheckPromise(int series, int instance, bool isPresent)
    {
        var concerning = operations.Where(operation => operation.Concerns(series, instance)).ToArray();
        foreach (var operation in concerning.Where(operation => operation.IsAcknowledged))
        {
            var contradicted = concerning.Any(other => other.IsStore != operation.IsStore && (!other.IsAcknowledged || other.Ended > operation.Started));
            if (contradicted || operation.IsStore == isPresent) continue;
            problems.Add(operation.IsStore ? $"acknowledged and gone: {InstanceUid(series, instance)}" : $"deleted and back: {InstanceUid(series, instance)}");
            return;
        }
    }
}
