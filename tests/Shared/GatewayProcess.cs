using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace DicomServerless.Shared;

/// <summary>
/// The edge gateway as a process of its own, on free ports of loopback, with a temporary spool. It ends with this object, and with this process however that
/// ends.
/// </summary>
public sealed class GatewayProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(30) };

    private readonly Dictionary<string, string> environment;
    private readonly string[] command;
    private readonly bool isWrapped;
    private readonly string folder = Directory.CreateTempSubdirectory("gateway").FullName;
    private readonly Queue<string> lines = [];
    private Process process = null!;

    private GatewayProcess(string archiveUrl, IReadOnlyDictionary<string, string>? settings, string? configuration, string[] wrapper)
    {
        (DimsePort, HttpPort, isWrapped) = (FreePorts.Next(), FreePorts.Next(), wrapper.Length > 0);
        command = [.. File.Exists("/usr/bin/setpriv") ? (string[])["/usr/bin/setpriv", "--pdeathsig", "KILL"] : [], .. wrapper, Executable];
        if (configuration is not null) File.WriteAllText(ConfigurationFile, configuration);
        environment = new Dictionary<string, string>
        {
            ["Gateway__Dimse__Address"] = "127.0.0.1", ["Gateway__Dimse__Port"] = Text(DimsePort),
                ["Gateway__Http__Url"] = Url, ["Gateway__Spool__Path"] = SpoolFolder,
            ["Gateway__Spool__MinFreeMiB"] = "64", ["Gateway__Destinations__archive__Url"] = archiveUrl,
            ["GATEWAY_CONFIG"] = configuration is null ? "" : ConfigurationFile,
        };
        foreach (var (key, value) in settings ?? new Dictionary<string, string>()) environment[key] = value;
        // An empty setting is one that the caller takes away, for instance because the file has it.
        foreach (var key in environment.Where(pair => pair.Value.Length == 0).Select(pair => pair.Key).ToArray()) environment.Remove(key);
    }

    /// <summary>Where the executable is: the one that GATEWAY_EXECUTABLE names, else the built one.</summary>
    public static string Executable => Environment.GetEnvironmentVariable("GATEWAY_EXECUTABLE") is { Length: > 0 } given ? given : Path.Combine(
        typeof(GatewayProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(attribute => attribute.Key == "GatewayFolder").Value!,
            "DicomServerless.EdgeGateway");

    /// <summary>The port for associations, AE title <c>DICOMGW</c> unless the settings say otherwise.</summary>
    public int DimsePort { get; }

    public int HttpPort { get; }

    /// <summary>Where its API is, without a slash at the end.</summary>
    public string Url => $"http://127.0.0.1:{HttpPort}";

    public string SpoolFolder => Path.Combine(folder, "spool");

    /// <summary>The configuration's file, if one was given; a test that writes it changes a running gateway.</summary>
    public string ConfigurationFile => Path.Combine(folder, "gateway.json");

    /// <summary>Of the gateway itself, whatever it was wrapped in.</summary>
    public int ProcessId { get; private set; }

    public bool HasExited => process.HasExited;

    /// <summary>The last lines that it said.</summary>
    public string Output
    {
        get
        {
            lock (lines) return string.Join('\n', lines);
        }
    }

    /// <summary>Waits until a line that it said has this text. What it says may come after what it answers.</summary>
    public async Task UntilSaysAsync(string text)
    {
        for (var watch = Stopwatch.StartNew(); !Output.Contains(text, StringComparison.Ordinal); await Task.Delay(20))
            if (watch.Elapsed > Patience) throw new TimeoutException($"It did not say \"{text}\":\n{Output}");
    }

    /// <summary>Starts it and waits until it is ready.</summary>
    /// <param name="archiveUrl">The DICOMweb base of the destination <c>archive</c>.</param>
    /// <param name="settings">Further environment variables, such as <c>Gateway__Spool__Fsync</c>; an empty one is not set.</param>
    /// <param name="configuration">The text of a configuration file.</param>
    /// <param name="wrapper">A program with its arguments that runs the gateway as its child, such as strace.</param>
    public static async Task<GatewayProcess> StartAsync(string archiveUrl,
        IReadOnlyDictionary<string, string>? settings = null, string? configuration = null, params string[] wrapper)
    {
        var started = new GatewayProcess(archiveUrl, settings, configuration, wrapper);
        try
        {
            await started.LaunchAsync();
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs the program to its end, in a folder without a configuration.</summary>
    /// <param name="arguments">A verb, or settings with which it does not start.</param>
    /// <param name="environment">Environment variables.</param>
    /// <returns>The exit code, and what it said on both streams.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(string[] arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(Executable, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (key, value) in environment ?? new Dictionary<string, string>()) start.Environment[key] = value;
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync() + await error;
        using var limit = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, output);
    }

    /// <summary>SIGKILL, and waits until it is gone.</summary>
    public void Kill()
    {
        if (!process.HasExited) Process.GetProcessById(ProcessId).Kill();
        process.WaitForExit();
    }

    /// <summary>SIGTERM, and waits for the end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync()
    {
        using (var kill = Process.Start("kill", ["-TERM", Text(ProcessId)])) await kill.WaitForExitAsync();
        using var limit = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(limit.Token);
        return process.ExitCode;
    }

    /// <summary>A new process on the same ports and spool; the old one is killed if it still runs.</summary>
    public async Task RestartAsync()
    {
        Kill();
        process.Dispose();
        await LaunchAsync();
    }

    /// <summary>What /api/status answers.</summary>
    public async Task<JsonElement> StatusAsync()
    {
        using var json = JsonDocument.Parse(await Http.GetByteArrayAsync(Url + "/api/status"));
        return json.RootElement.Clone();
    }

    /// <summary>Waits until the status fits.</summary>
    public async Task UntilAsync(Func<JsonElement, bool> condition, string what, TimeSpan? patience = null)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var status = await StatusAsync();
            if (condition(status)) return;
            if (watch.Elapsed > (patience ?? Patience)) throw new TimeoutException($"Not within the time: {what}. {status}\n{Output}");
            await Task.Delay(50);
        }
    }

    /// <summary>Waits until nothing waits for any destination.</summary>
    public Task WaitUntilDrainedAsync(TimeSpan? patience = null) => UntilAsync(status => Waiting(status) == 0, "every queue is empty", patience);

    /// <summary>The objects that wait, over all destinations.</summary>
    public static int Waiting(JsonElement status) => status.GetProperty("destinations")
        .EnumerateArray().Sum(destination => destination.GetProperty("waiting").GetInt32());

    /// <summary>The most memory that it has had in RAM since its start or the last <see cref="ForgetPeak"/>. MiB.</summary>
    public double PeakResidentMiB() => FunctionsProcess.PeakResidentMiB(ProcessId);

    /// <summary>Counts the peak anew.</summary>
    public void ForgetPeak() => File.WriteAllText($"/proc/{ProcessId}/clear_refs", "5");

    /// <summary>What it needs now: memory in RAM (MiB), open files, threads.</summary>
    public (double ResidentMiB, int Handles, int Threads) Footprint()
    {
        using var now = Process.GetProcessById(ProcessId);
        return (now.WorkingSet64 / 1048576.0, Directory.EnumerateFileSystemEntries($"/proc/{ProcessId}/fd").Count(), now.Threads.Count);
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            if (ProcessId != 0) Kill();
            else if (!process.HasExited) process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
        Privacy.Check("The gateway's log", Output);
        // Transactions, reasons beside quarantined objects, open commitments.
        foreach (var file in Directory.EnumerateFiles(folder, "*.json*", SearchOption.AllDirectories)) Privacy.Check(file, await File.ReadAllTextAsync(file));
        Directory.Delete(folder, recursive: true);
    }

    private async Task LaunchAsync()
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        foreach (var (key, value) in environment) start.Environment[key] = value;
        (process, ProcessId) = (new Process { StartInfo = start }, 0);
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        await StartOnOwnThreadAsync(process);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var watch = Stopwatch.StartNew();
        while (!await IsReadyAsync())
        {
            if (process.HasExited || watch.Elapsed > Patience) throw new InvalidOperationException($"The gateway did not start:\n{Output}");
            await Task.Delay(20);
        }
        ProcessId = isWrapped ? int.Parse((await File.ReadAllTextAsync($"/proc/{process.Id}/task/{process.Id}/children")).Split(' ')[0],
            CultureInfo.InvariantCulture) : process.Id;
    }

    private async Task<bool> IsReadyAsync()
    {
        try
        {
            using var response = await Http.GetAsync(Url + "/health/ready");
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    // The kernel sends the death signal when the thread that started the child ends, and pool threads come and go: so a thread that lives as long as the child.
    private static Task StartOnOwnThreadAsync(Process process)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                process.Start();
                var id = process.Id;
                started.SetResult();
                using var own = Process.GetProcessById(id);
                own.WaitForExit();
            }
            catch (Exception e)
            {
                started.TrySetException(e);
            }
        }) { IsBackground = true, Name = "gateway" }.Start();
        return started.Task;
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null) return;
        lock (lines)
        {
            lines.Enqueue(line.Data);
            if (lines.Count > 400) lines.Dequeue();
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
