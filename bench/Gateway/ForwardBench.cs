using System.Diagnostics;
using System.Globalization;
using DicomServerless.Bench.Archive;
using DicomServerless.Shared;

namespace DicomServerless.Bench.Gateway;

/// <summary>Draining a full spool into the service, beside the same objects sent to it by STOW-RS with nothing in between.</summary>
internal static class ForwardBench
{
    private const int PerRequest = 50, Clients = 4;

    public static async Task RunAsync(CtObjects objects, string[] files, int rounds)
    {
        var (direct, drained) = (new List<double>(), new List<double>());
        for (var round = 1; round <= rounds; round++)
        {
            direct.Add(await DirectAsync(objects, files.Length));
            drained.Add(await DrainAsync(files));
            Console.WriteLine($"round {round}: STOW {direct[^1]:F0}/s, drained {drained[^1]:F0}/s");
        }
        var ratio = GatewayBench.Median(drained.Zip(direct, (a, b) => a / b));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\n### Draining {files.Length} spooled instances: "
            + $"{GatewayBench.Median(drained):F0}/s, {ratio:F2} of STOW alone ({GatewayBench.Median(direct):F0}/s; aim 0.8)\n"));
    }

    private static async Task<double> DirectAsync(CtObjects objects, int count)
    {
        using var azurite = await Azurite.StartAsync();
        using var functions = await FunctionsProcess.StartAsync(azurite.ConnectionString);
        using var http = new HttpClient();
        var next = -1;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < count / PerRequest;)
            {
                using var content = new StowContent(objects, 1, i * PerRequest, PerRequest, isChunked: true);
                using var response = await http.PostAsync(functions.Url + "/dicomweb/studies", content);
                response.EnsureSuccessStatusCode();
            }
        }));
        return count / watch.Elapsed.TotalSeconds;
    }

    private static async Task<double> DrainAsync(string[] files)
    {
        using var azurite = await Azurite.StartAsync();
        using var functions = await FunctionsProcess.StartAsync(azurite.ConnectionString);
        // The window is closed while the spool fills, and opens by a change of the configuration.
        const string closed = """{ "Gateway": { "Destinations": { "archive": { "Window": "WINDOW", "TimeZone": "UTC" } } } }""";
        var hour = DateTime.UtcNow.Hour;
        var never = string.Create(CultureInfo.InvariantCulture, $"{(hour + 2) % 24:D2}:00-{(hour + 3) % 24:D2}:00");
        await using var gateway = await GatewayProcess.StartAsync(functions.Url + "/dicomweb", null, closed.Replace("WINDOW", never, StringComparison.Ordinal));
        await StoreBench.SendAsync(files, 4, gateway.DimsePort, "DICOMGW", noDelay: true);
        var waiting = GatewayProcess.Waiting(await gateway.StatusAsync());
        await File.WriteAllTextAsync(gateway.ConfigurationFile, closed.Replace("WINDOW", "", StringComparison.Ordinal));
        await gateway.UntilAsync(status => GatewayProcess.Waiting(status) < waiting, "the first objects are sent");
        // From the first answer on; what came with it counts as sent before.
        var left = GatewayProcess.Waiting(await gateway.StatusAsync());
        var watch = Stopwatch.StartNew();
        await gateway.WaitUntilDrainedAsync(TimeSpan.FromMinutes(10));
        return left / watch.Elapsed.TotalSeconds;
    }
}
