using System.Diagnostics;
using System.Globalization;
using DicomServerless.Bench.Archive;
using DicomServerless.Shared;

namespace DicomServerless.Bench.Gateway;

/// <summary>
/// C-MOVE of one study to DCMTK's storescp: the gateway with the service behind it, and Orthanc with its own disk. TCP_NODELAY is on everywhere.
/// </summary>
internal static class MoveBench
{
    public static async Task RunAsync(string[] files, int rounds)
    {
        var (ours, theirs) = (new List<double>(), new List<double>());
        using var azurite = await Azurite.StartAsync();
        using var functions = await FunctionsProcess.StartAsync(azurite.ConnectionString);
        using var destination = await Peer.StoreScpAsync(noDelay: true);
        await using var gateway = await GatewayProcess.StartAsync(functions.Url + "/dicomweb", new Dictionary<string, string>
            { ["Gateway__RemoteAes__MOVEDEST__Host"] = "127.0.0.1", ["Gateway__RemoteAes__MOVEDEST__Port"] = Text(destination.Port) });
        using var orthanc = await Peer.OrthancAsync(noDelay: true, destination.Port);
        await StoreBench.SendAsync(files, 4, gateway.DimsePort, "DICOMGW", noDelay: true);
        await StoreBench.SendAsync(files, 4, orthanc.Port, "ORTHANC", noDelay: true);
        await gateway.WaitUntilDrainedAsync(TimeSpan.FromMinutes(5));
        for (var round = 0; round <= rounds; round++)
        {
            var (a, b) = (await MoveAsync(gateway.DimsePort, "DICOMGW", files.Length), await MoveAsync(orthanc.Port, "ORTHANC", files.Length));
            if (round == 0) continue; // warm
            ours.Add(a);
            theirs.Add(b);
            Console.WriteLine($"round {round}: gateway {a:F0}/s, Orthanc {b:F0}/s");
        }
        var ratio = GatewayBench.Median(ours.Zip(theirs, (a, b) => a / b));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\n### C-MOVE of {files.Length} instances: {GatewayBench.Median(ours):F0}/s, "
            + $"{ratio:F2} of Orthanc ({GatewayBench.Median(theirs):F0}/s; aim 0.7)\n"));
    }

    private static async Task<double> MoveAsync(int port, string aeTitle, int count)
    {
        var watch = Stopwatch.StartNew();
        await Peer.RunAsync("movescu", ["-S", "-aec", aeTitle, "-aem", "MOVEDEST", "-k", "QueryRetrieveLevel=STUDY",
            "-k", $"StudyInstanceUID={CtObjects.StudyUid(1)}", "127.0.0.1", Text(port)], noDelay: true);
        return count / watch.Elapsed.TotalSeconds;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
