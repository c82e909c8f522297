using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;

namespace DicomServerless.Shared;

/// <summary>What happened between modality and archive, and what was wrong in the end.</summary>
public sealed record GatewayTally(int Sent, int Acknowledged, int Attempts, int GatewayKills,
    int FunctionsKills, int Faults, int InArchive, int Quarantined, TimeSpan Duration, IReadOnlyList<string> Problems)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Sent} instances, {Acknowledged} acknowledged in {Attempts} attempts; {GatewayKills} kills of the gateway, {FunctionsKills} of the functions, "
            + $"{Faults} faulty connections; {InArchive} in the archive, {Quarantined} in quarantine, {Sent - InArchive - Quarantined} lost; "
            + $"{Problems.Count} problems; {Duration.TotalSeconds:0} s")
        + string.Concat(Problems.Take(20).Select(problem => "\n  " + problem));
}

/// <summary>
/// Modalities store over several associations, through the gateway, a faulty link and the function app, while gateway and function app are killed at random. In
/// the end every object that got Success is in the archive bit for bit, or in quarantine, and none is counted twice.
/// </summary>
public sealed class GatewayTorture : IDisposable
{
    private const int PerStudy = 25, PerSeries = 10;
    private static readonly Uid SecondaryCapture = Uid.Parse("1.2.840.10008.5.1.4.1.1.7");
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly int instances, associations, kills, seed;
    private readonly ConcurrentDictionary<int, bool> acknowledged = new();
    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(60) };
    private readonly List<string> problems = [];
    private readonly Action<string> say;
    private int attempts, gatewayKills, functionsKills;

    private GatewayTorture(int instances, int associations, int kills, int seed, Action<string> say) =>
        (this.instances, this.associations, this.kills, this.seed, this.say) = (instances, associations, kills, seed, say);

    public static async Task<GatewayTally> RunAsync(int instances, int associations, int kills, int seed, Action<string>? say = null)
    {
        using var torture = new GatewayTorture(instances, associations, kills, seed, say ?? (_ => { }));
        return await torture.RunAsync();
    }

    public void Dispose() => http.Dispose();

    private async Task<GatewayTally> RunAsync()
    {
        var watch = Stopwatch.StartNew();
        using var azurite = await Azurite.StartAsync();
        using var functions = await FunctionsProcess.StartAsync(azurite.ConnectionString, new Dictionary<string, string>
            { ["Archive__JournalDueSeconds"] = "2" });
        await using var proxy = new FaultyProxy(functions.Port, seed);
        await using var gateway = await GatewayProcess.StartAsync($"http://127.0.0.1:{proxy.Port}/dicomweb", new Dictionary<string, string>
        {
            ["Gateway__Destinations__archive__TimeoutSeconds"] = "5", ["Gateway__Destinations__archive__MaxBatchMiB"] = "1",
        });
        var senders = Enumerable.Range(0, associations).Select(number => SendAsync(gateway, number)).ToArray();
        await KillAsync(gateway, functions);
        await Task.WhenAll(senders).WaitAsync(Patience + TimeSpan.FromSeconds(instances));
        say($"{acknowledged.Count} acknowledged after {watch.Elapsed.TotalSeconds:0} s; the link heals");
        await proxy.HealAsync();
        // A start begins without the pauses that the faults have earned.
        await gateway.RestartAsync();
        await gateway.WaitUntilDrainedAsync(Patience + TimeSpan.FromSeconds(instances / 5.0));
        var quarantined = Quarantined(gateway);
        var inArchive = await CheckAsync(functions, quarantined);
        if (acknowledged.Count != instances) problems.Add($"{instances - acknowledged.Count} instances never got Success");
        return new GatewayTally(instances, acknowledged.Count, attempts, gatewayKills,
            functionsKills, proxy.Faults, inArchive, quarantined.Count, watch.Elapsed, problems);
    }

    // A modality sends an object again until it hears Success.
    private async Task SendAsync(GatewayProcess gateway, int number)
    {
        var client = new AssociationClient(new AssociationOptions
            { Response = TimeSpan.FromSeconds(60), Artim = TimeSpan.FromSeconds(10) }, TimeProvider.System);
        var peer = new RemoteAe("127.0.0.1", gateway.DimsePort, "DICOMGW", $"MODALITY{number}");
        Association? association = null;
        for (var i = number; i < instances;)
        {
            try
            {
                Interlocked.Increment(ref attempts);
                association ??= await client.ConnectAsync(peer, [new(SecondaryCapture, [TransferSyntax.ExplicitVrLittleEndian.Uid])], default);
                var response = await association.StoreAsync(
                    DimseCommand.CStore(association.NextMessageId(), SecondaryCapture, Uid.Parse(SopOf(i))),
                        association.FindContext(SecondaryCapture)!, DataSetOf(i).AsMemory(), default);
                if (response.Status != DimseStatus.Success) continue;
                acknowledged[i] = true;
                i += associations;
            }
            catch (IOException)
            {
                if (association is not null) await association.DisposeAsync();
                association = null;
                await Task.Delay(50); // as a modality does before it calls again
            }
        }
        if (association is null) return;
        try
        {
            await association.ReleaseAsync(default);
        }
        catch (IOException)
        {
            // Killed after the last Success.
        }
        await association.DisposeAsync();
    }

    // Spread over the sending: each kill when so many more objects were acknowledged, so that slow machines are hit in the same places.
    private async Task KillAsync(GatewayProcess gateway, FunctionsProcess functions)
    {
        var random = new Random(seed);
        for (var i = 1; i <= kills; i++)
        {
            var at = (int)((long)instances * i / (kills + 1)) - random.Next(Math.Max(1, instances / (kills + 1) / 2));
            var watch = Stopwatch.StartNew();
            while (acknowledged.Count < at && watch.Elapsed < Patience) await Task.Delay(5);
            if (random.Next(2) == 0)
            {
                gateway.Kill();
                await gateway.RestartAsync();
                gatewayKills++;
            }
            else
            {
                await functions.KillAndRestartAsync();
                functionsKills++;
            }
        }
    }

    private async Task<int> CheckAsync(FunctionsProcess functions, HashSet<string> quarantined)
    {
        var found = 0;
        foreach (var study in Enumerable.Range(0, instances).GroupBy(StudyOf))
        {
            var expected = study.Where(i => !quarantined.Contains(SopOf(i))).ToList();
            using var listed = JsonDocument.Parse(await StringAsync($"{functions.Url}/dicomweb/studies/{study.Key}/instances?limit=1000"));
            var sops = listed.RootElement.EnumerateArray().Select(item => item.GetProperty("00080018").GetProperty("Value")[0].GetString()!).ToList();
            foreach (var twice in sops.GroupBy(sop => sop).Where(group => group.Count() > 1)) problems.Add($"{twice.Key} is listed {twice.Count()} times");
            foreach (var missing in expected.Select(SopOf).Except(sops)) problems.Add($"{missing} is not listed");
            if (expected.Count > 0)
            {
                using var counted = JsonDocument.Parse(
                    await StringAsync($"{functions.Url}/dicomweb/studies?StudyInstanceUID={study.Key}&includefield=00201208"));
                var count = counted.RootElement.GetArrayLength() == 1
                    ? counted.RootElement[0].GetProperty("00201208").GetProperty("Value")[0].GetInt32() : -counted.RootElement.GetArrayLength();
                if (count != expected.Count) problems.Add($"study {study.Key} counts {count} instances, not {expected.Count}");
            }
            foreach (var i in expected)
            {
                var bytes = await WadoDataSet.GetAsync(http, functions.Url + "/dicomweb", StudyOf(i), SeriesOf(i), SopOf(i));
                if (bytes is null) problems.Add($"{SopOf(i)} is not in the archive");
                else if (!bytes.AsSpan().SequenceEqual(DataSetOf(i))) problems.Add($"{SopOf(i)} came back with other bytes");
                else found++;
            }
        }
        return found;
    }

    private async Task<string> StringAsync(string url)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.TryAddWithoutValidation("Accept", "application/dicom+json");
        using var answer = await http.SendAsync(request);
        return answer.StatusCode == HttpStatusCode.OK ? await answer.Content.ReadAsStringAsync() : "[]";
    }

    private static HashSet<string> Quarantined(GatewayProcess gateway)
    {
        var folder = Path.Combine(gateway.SpoolFolder, "quarantine");
        if (!Directory.Exists(folder)) return [];
        return [.. Directory.EnumerateFiles(folder, "*.dcm", SearchOption.AllDirectories).Select(file =>
        {
            using var scanner = new InstanceScanner(new ScanOptions { ComputeHash = false });
            scanner.Push(File.ReadAllBytes(file));
            scanner.Complete();
            return InstanceUids.Read(scanner.Result!.DataSet).Key.Sop.Value;
        })];
    }

    private static string StudyOf(int i) => $"1.2.826.0.1.3680043.10.1338.9.{i / PerStudy}";

    private static string SeriesOf(int i) => $"{StudyOf(i)}.{i % PerStudy / PerSeries}";

    private static string SopOf(int i) => $"{SeriesOf(i)}.{i}";

    // The same bytes each time that an object is sent or compared.
    private byte[] DataSetOf(int i)
    {
        var pixels = new byte[2 * new Random(seed + i).Next(1_000, 12_000)];
        new Random(i).NextBytes(pixels);
        BinaryPrimitives.WriteInt32LittleEndian(pixels, i);
        return TestObject.Of(StudyOf(i), SeriesOf(i), SopOf(i)).Add(0x00080060, "CS", "OT")
            .Add(0x00100020, "LO", $"P{i / PerStudy}").Add(0x7FE00010, "OW", pixels).DataSet();
    }
}
