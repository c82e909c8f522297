using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace DicomServerless.Shared;

/// <summary>The command of the README that runs everything, on ports and a state folder of its own, without building again what the tests have built.</summary>
public sealed class DevProcess : IDisposable
{
    private readonly string data = Directory.CreateTempSubdirectory("dicomserverless-dev-").FullName;
    private readonly StringBuilder said = new();
    private readonly Process process;

    public DevProcess(int? functionsPort = null, int? azuritePort = null, string[]? arguments = null,
        Action<string>? prepare = null, string? path = null, params IEnumerable<(string Name, string Value)> environment)
    {
        FunctionsPort = functionsPort ?? FreePorts.Next();
        AzuritePort = azuritePort ?? FreePorts.Next(3);
        prepare?.Invoke(data);
        var configuration = Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd('/'))!.TrimEnd('/')))!;
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
        [
            "run", "--no-build", "-c", configuration is "Release" ? "Release"
                : "Debug", "--project", "dev", "--", "--functions-port", Text(FunctionsPort), "--dimse-port", Text(DimsePort),
                "--dashboard-port", Text(DashboardPort), "--azurite-port", Text(AzuritePort), "--data", data, .. arguments ?? [],
        ]) { WorkingDirectory = Repository.Root, RedirectStandardOutput = true, RedirectStandardError = true };
        if (path is not null) start.Environment["PATH"] = path;
        foreach (var (name, value) in environment) start.Environment[name] = value;
        process = new Process { StartInfo = start };
        process.OutputDataReceived += Keep;
        process.ErrorDataReceived += Keep;
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The state folder.</summary>
    public string Data => data;

    public int FunctionsPort { get; }
    public int DimsePort { get; } = FreePorts.Next();
    public int DashboardPort { get; } = FreePorts.Next();
    public int AzuritePort { get; }
    public string Url => $"http://127.0.0.1:{FunctionsPort}";

    public string Output
    {
        get
        {
            lock (said) return said.ToString();
        }
    }

    public async Task<bool> SaysAsync(string line, TimeSpan timeout)
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < timeout && !process.HasExited)
        {
            if (Output.Split('\n').Contains(line)) return true;
            await Task.Delay(50);
        }
        return Output.Split('\n').Contains(line);
    }

    public async Task<int> EndAsync(string? signal)
    {
        // dotnet run passes a terminal's signal on because both have it; here it goes to the program itself.
        if (signal is not null)
            using (var kill = Process.Start("pkill", [$"-{signal}", "-f", $"DicomServerless.Dev .*--data {data}"])) await kill.WaitForExitAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return process.ExitCode;
    }

    public async Task<string> NodeAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("node", [Path.Combine(Repository.Root, "tests/Functional/Host/foreign-blobs.mjs"), Text(AzuritePort), .. arguments])
            { RedirectStandardOutput = true, RedirectStandardError = true };
        using var node = Process.Start(start)!;
        var text = await node.StandardOutput.ReadToEndAsync();
        var error = await node.StandardError.ReadToEndAsync();
        await node.WaitForExitAsync();
        if (node.ExitCode != 0) throw new InvalidOperationException(error);
        return text;
    }

    public void Dispose()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        process.Dispose();
        foreach (var log in Directory.EnumerateFiles(data, "*.log").Where(file => Path.GetFileName(file) != "azurite.log"))
            Privacy.Check(log, File.ReadAllText(log));
        Directory.Delete(data, recursive: true);
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        lock (said) said.Append(line.Data).Append('\n');
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
