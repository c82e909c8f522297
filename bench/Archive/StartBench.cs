using System.Diagnostics;
using System.Globalization;
using DicomServerless.Shared;
using DicomServerless.Shared.Worker;

namespace DicomServerless.Bench.Archive;

/// <summary>How long the published program takes from nothing: alone to its first search, and as a worker until its functions are loaded.</summary>
internal static class StartBench
{
    private const int Rounds = 7;
    private const double SearchAimMs = 350, WorkerAimMs = 800;

    public static async Task RunAsync(string executable)
    {
        using var azurite = await Azurite.StartAsync();
        using var http = ArchiveBench.Client();
        using (await FunctionsProcess.StartAsync(azurite.ConnectionString, executable: executable)) { } // makes the tables
        var (searches, workers) = (new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            searches.Add(await FirstSearchAsync(executable, azurite.ConnectionString, http));
            await using var host = await WorkerHost.StartAsync(executable + ".dll",
                new Dictionary<string, string> { ["DataStorage"] = azurite.ConnectionString });
            workers.Add(host.StartTime.TotalMilliseconds);
        }
        Console.WriteLine($"\n## Start, median of {Rounds}\n\n| | ms | aim |\n|---|---|---|");
        Show("process start to the first search's answer, alone", searches, SearchAimMs);
        Show("process start to all functions loaded, under the Functions host", workers, WorkerAimMs);
        Console.WriteLine();
    }

    private static async Task<double> FirstSearchAsync(string executable, string connectionString, HttpClient http)
    {
        var url = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePorts.Next()}");
        var start = new ProcessStartInfo(executable) { RedirectStandardOutput = true };
        (start.Environment["Http__Urls"], start.Environment["DataStorage"]) = (url, connectionString);
        var watch = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        try
        {
            while (true)
            {
                try
                {
                    using var answer = await http.GetAsync(new Uri(url + "/dicomweb/studies?limit=1"));
                    answer.EnsureSuccessStatusCode();
                    return watch.Elapsed.TotalMilliseconds;
                }
                catch (HttpRequestException) when (watch.Elapsed < TimeSpan.FromSeconds(30) && !process.HasExited)
                {
                    await Task.Delay(2);
                }
            }
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    private static void Show(string name, List<double> values, double aim)
    {
        var median = ArchiveBench.Median(values);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {name} | {median:F0} | ≤ {aim} {ArchiveBench.Verdict(median <= aim)} |"));
    }
}
