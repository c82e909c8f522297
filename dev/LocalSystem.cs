using System.Diagnostics;
using DicomServerless.Storage.Azure;
using Spectre.Console;

namespace DicomServerless.Dev;

/// <summary>Starts everything, in order, and ends it.</summary>
internal sealed class LocalSystem(DevOptions options)
{
    private const string EventsQueue = "dicom-events";
    private static readonly TimeSpan StartTimeout = TimeSpan.FromMinutes(3);

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var state = await Preflight.CheckAsync(options, cancellationToken);
            await InstallAsync(cancellationToken);
            await PrepareViewerAsync(cancellationToken);
            using var http = new HttpClient { Timeout = TimeSpan.FromMinutes(5) };
            var relay = new BlobEventRelay(
                new AzureStorageAccount(new AzureStorageOptions { ConnectionString = options.ConnectionString }).EventQueue(EventsQueue));
            await using var azurite = StartAzurite(relay.OnLine);
            await WaitAsync(azurite, () => IsOpenAsync(options.AzuritePort + 2, cancellationToken), cancellationToken);
            await using var functions = StartFunctions();
            await WaitAsync(functions, async () => (await http.GetAsync(options.ServiceUrl + "/health/ready", cancellationToken)).IsSuccessStatusCode,
                cancellationToken);
            await using var gateway = StartGateway();
            await WaitAsync(gateway, async () => (await http.GetAsync(options.DashboardUrl + "/health/ready", cancellationToken)).IsSuccessStatusCode,
                cancellationToken);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var relaying = relay.RunAsync(stop.Token);
            if (options.SendSamples)
            {
                var samples = new SampleStudies(options, http);
                await samples.SendAsync(cancellationToken);
                await samples.ShowAsync(cancellationToken);
            }
            ShowUrls();
            Console.WriteLine("Ready");
            var ended = await Task.WhenAny(azurite.Ended, functions.Ended, gateway.Ended, Task.Delay(Timeout.Infinite, cancellationToken));
            await stop.CancelAsync();
            await relaying.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var child in new[] { azurite, functions, gateway })
                if (ended == child.Ended || (child.HasEnded && !cancellationToken.IsCancellationRequested))
                    throw new StartException($"{child.Name} ended by itself:\n{child.LastLines}");
            return 0;
        }
        catch (StartException exception)
        {
            Console.Error.WriteLine(exception.Message);
            return 1;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return 0;
        }
    }

    // npm ci takes a while; the lock file's time tells whether it has been done.
    private static async Task InstallAsync(CancellationToken cancellationToken)
    {
        var done = Path.Combine(Folders.Dev, "node_modules", ".package-lock.json");
        if (File.Exists(done) && File.GetLastWriteTimeUtc(done) >= File.GetLastWriteTimeUtc(Path.Combine(Folders.Dev, "package-lock.json"))) return;
        Console.WriteLine("Installing Azurite (npm ci) …");
        using var npm = Process.Start(new ProcessStartInfo(Folders.Npm, ["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            { WorkingDirectory = Folders.Dev, RedirectStandardError = true, RedirectStandardOutput = true })!;
        var errors = npm.StandardError.ReadToEndAsync(cancellationToken);
        await npm.StandardOutput.ReadToEndAsync(cancellationToken);
        await npm.WaitForExitAsync(cancellationToken);
        if (npm.ExitCode != 0) throw new StartException($"npm ci failed in {Folders.Dev}:\n{await errors}");
        File.SetLastWriteTimeUtc(done, DateTime.UtcNow);
    }

    // The script does nothing when the viewer is there in the version that it knows.
    private static async Task PrepareViewerAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(Folders.Viewer)) Console.WriteLine("Preparing the OHIF viewer …");
        using var node = Process.Start(new ProcessStartInfo("node", [Path.Combine(Folders.Infra, "viewer.mjs"), Folders.Viewer])
            { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var errors = node.StandardError.ReadToEndAsync(cancellationToken);
        await node.StandardOutput.ReadToEndAsync(cancellationToken);
        await node.WaitForExitAsync(cancellationToken);
        if (node.ExitCode != 0) throw new StartException($"The viewer could not be prepared in {Folders.Viewer}:\n{await errors}");
    }

    private ChildProcess StartAzurite(Action<string> onLine)
    {
        var location = Path.Combine(options.Data, "azurite");
        Directory.CreateDirectory(location);
        return ChildProcess.Start("Azurite", "node",
        [
            Path.Combine(Folders.Dev, "node_modules", "azurite", "dist", "src", "azurite.js"),
                "--location", location, "--disableTelemetry", "--skipApiVersionCheck",
            "--blobPort", Text(options.AzuritePort), "--queuePort", Text(options.AzuritePort + 1), "--tablePort", Text(options.AzuritePort + 2),
        ], new Dictionary<string, string>(), options.Data, Path.Combine(options.Data, "azurite.log"), onLine);
    }

    private ChildProcess StartFunctions()
    {
        var settings = new Dictionary<string, string>
        {
            ["DataStorage"] = options.ConnectionString, ["Archive__JournalDueSeconds"] = "15", ["Viewer__Path"] = Folders.Viewer,
        };
        var log = Path.Combine(options.Data, "functions.log");
        if (options.IsUnderHost)
        {
            settings["AzureWebJobsStorage"] = options.ConnectionString;
            settings["FUNCTIONS_WORKER_RUNTIME"] = "dotnet-isolated";
            settings["EVENTS_QUEUE"] = EventsQueue;
            settings["SWEEP_CRON"] = "*/10 * * * * *";
            settings["AzureWebJobs.eventsGrid.Disabled"] = "true";
            return ChildProcess.Start("The DICOMweb service", OperatingSystem.IsWindows() ? "func.cmd" : "func",
                ["start", "--port", Text(options.FunctionsPort)], settings, Folders.FunctionsProject, log);
        }
        settings["Http__Urls"] = options.ServiceUrl;
        settings["Events__PollSeconds"] = "0.2";
        settings["Events__SweepSeconds"] = "10";
        return ChildProcess.Start("The DICOMweb service", Program(Folders.Functions, "DicomServerless.Functions"), [], settings, Folders.Functions, log);
    }

    private ChildProcess StartGateway()
    {
        var settings = new Dictionary<string, string>
        {
            ["Gateway__Dimse__Address"] = "127.0.0.1", ["Gateway__Dimse__Port"] = Text(options.DimsePort), ["Gateway__Http__Url"] = options.DashboardUrl,
            ["Gateway__Destinations__archive__Url"] = options.DicomWebUrl, ["Gateway__Spool__Path"] = Path.Combine(options.Data, "spool"),
        };
        if (Environment.GetEnvironmentVariable("GATEWAY_CONFIG") is null or "")
        {
            // Else it would read that of a gateway that is installed on this machine.
            settings["GATEWAY_CONFIG"] = Path.Combine(options.Data, "gateway.json");
            File.WriteAllText(settings["GATEWAY_CONFIG"], "{}");
        }
        return ChildProcess.Start("The gateway", Program(Folders.Gateway, "DicomServerless.EdgeGateway"), [], settings, Folders.Gateway,
            Path.Combine(options.Data, "gateway.log"));
    }

    private static async Task WaitAsync(ChildProcess child, Func<Task<bool>> isUp, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                if (await isUp()) return;
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }
            if (child.HasEnded || watch.Elapsed > StartTimeout) throw new StartException($"{child.Name} did not start:\n{child.LastLines}");
            await Task.Delay(100, cancellationToken);
        }
    }

    private static async Task<bool> IsOpenAsync(int port, CancellationToken cancellationToken)
    {
        using var client = new System.Net.Sockets.TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", port, cancellationToken);
            return true;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    private void ShowUrls()
    {
        var table = new Table().AddColumns("What", "Where");
        table.AddRow("DICOMweb", options.DicomWebUrl);
        table.AddRow("Viewer (OHIF)", options.ServiceUrl + "/viewer/");
        table.AddRow("DIMSE", $"127.0.0.1:{options.DimsePort}, AE title DICOMGW");
        table.AddRow("Gateway dashboard and API", options.DashboardUrl + "/");
        table.AddRow("Health", options.ServiceUrl + "/health/ready");
        table.AddRow("Azurite (blob, queue, table)", $"127.0.0.1:{options.AzuritePort}, {options.AzuritePort + 1}, {options.AzuritePort + 2}");
        table.AddRow("State and logs", Markup.Escape(options.Data));
        AnsiConsole.Write(table);
    }

    private static string Program(string folder, string name) => Path.Combine(folder, OperatingSystem.IsWindows() ? name + ".exe" : name);

    private static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
