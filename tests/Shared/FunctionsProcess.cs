using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Reflection;

namespace DicomServerless.Shared;

/// <summary>The function app as a process of its own, without the Functions host.</summary>
public sealed class FunctionsProcess : IDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly Dictionary<string, string> settings;
    private readonly string executable;
    private readonly Queue<string> lines = [];
    private Process process;

    private FunctionsProcess(string executable, Dictionary<string, string> settings, int port)
    {
        (this.executable, this.settings, Port) = (executable, settings, port);
        process = Launch();
    }

    public int Port { get; }

    public string Url => $"http://127.0.0.1:{Port}";

    public int ProcessId => process.Id;

    /// <summary>The last lines that it said.</summary>
    public string Output
    {
        get
        {
            lock (lines) return string.Join('\n', lines);
        }
    }

    /// <summary>Where the built executable is.</summary>
    public static string BuiltExecutable => Path.Combine(
        typeof(FunctionsProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(attribute => attribute.Key == "FunctionsFolder").Value!,
            "DicomServerless.Functions");

    /// <summary>Starts it and waits until it is ready.</summary>
    public static async Task<FunctionsProcess> StartAsync(string connectionString,
        IReadOnlyDictionary<string, string>? settings = null, string? executable = null, int port = 0)
    {
        if (port == 0) port = FreePorts.Next();
        // Neither events nor sweeps unless they are asked for: a test is to know what works when.
        var all = new Dictionary<string, string>
        {
            ["Http__Urls"] = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"), ["DataStorage"] = connectionString,
            ["Events__Poll"] = "false", ["Events__SweepSeconds"] = "0",
        };
        foreach (var (name, value) in settings ?? new Dictionary<string, string>()) all[name] = value;
        var started = new FunctionsProcess(executable ?? BuiltExecutable, all, port);
        await started.WaitAsync();
        return started;
    }

    /// <summary>SIGKILL, and a new process on the same port.</summary>
    public async Task KillAndRestartAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
        process = Launch();
        await WaitAsync();
    }

    /// <summary>The most memory that the process has had in RAM, MiB.</summary>
    public double PeakResidentMiB() => PeakResidentMiB(process.Id);

    /// <summary>The most memory that a process has had in RAM, MiB.</summary>
    public static double PeakResidentMiB(int processId) => File.ReadLines($"/proc/{processId}/status")
        .Where(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))
        .Select(line => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024.0).Single();

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.Dispose();
        Privacy.Check("The function app's log", Output);
    }

    private Process Launch()
    {
        var start = new ProcessStartInfo(executable)
            { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetDirectoryName(executable)! };
        foreach (var (key, value) in settings) start.Environment[key] = value;
        var launched = new Process { StartInfo = start };
        launched.OutputDataReceived += Keep;
        launched.ErrorDataReceived += Keep;
        launched.Start();
        launched.BeginOutputReadLine();
        launched.BeginErrorReadLine();
        return launched;
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null) return;
        lock (lines)
        {
            lines.Enqueue(line.Data);
            if (lines.Count > 200) lines.Dequeue();
        }
    }

    private async Task WaitAsync()
    {
        using var http = new HttpClient();
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                using var response = await http.GetAsync(Url + "/health/ready");
                if (response.IsSuccessStatusCode) return;
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }
            if (process.HasExited || watch.Elapsed > StartTimeout) throw new InvalidOperationException($"The function app did not start:\n{Output}");
            await Task.Delay(20);
        }
    }
}
