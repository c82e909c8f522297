using System.Diagnostics;

namespace DicomServerless.Dev;

/// <summary>A program that ends when this one does.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(8);

    private readonly Process process;
    private readonly StreamWriter log;
    private readonly Queue<string> lastLines = [];

    private ChildProcess(string name, Process process, StreamWriter log) => (Name, this.process, this.log) = (name, process, log);

    public string Name { get; }

    /// <summary>Ends with the process.</summary>
    public Task Ended => process.WaitForExitAsync();

    public bool HasEnded => process.HasExited;

    public string LastLines
    {
        get
        {
            lock (lastLines) return string.Join('\n', lastLines);
        }
    }

    /// <summary>Starts a program whose output goes to a log file, and line by line to whoever wants it.</summary>
    public static ChildProcess Start(string name, string program, IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string> environment, string workingDirectory, string logFile, Action<string>? onLine = null)
    {
        // Should this process be killed, the pipe to the child's watcher breaks, and the watcher ends the child.
        var start = new ProcessStartInfo("node", [Path.Combine(Folders.Dev, "child.mjs"), program, .. arguments]);
        start.RedirectStandardOutput = start.RedirectStandardError = start.RedirectStandardInput = true;
        start.WorkingDirectory = workingDirectory;
        foreach (var (key, value) in environment) start.Environment[key] = value;
        var log = new StreamWriter(logFile, append: false) { AutoFlush = true };
        var process = new Process { StartInfo = start };
        var child = new ChildProcess(name, process, log);
        process.OutputDataReceived += (_, line) => child.Take(line.Data, onLine);
        process.ErrorDataReceived += (_, line) => child.Take(line.Data, null);
        try
        {
            process.Start();
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new StartException($"Node cannot be started: {exception.Message}. It is needed for Azurite and the viewer as well.");
        }
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return child;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.StandardInput.Close();
            try
            {
                await process.WaitForExitAsync().WaitAsync(Grace);
            }
            catch (TimeoutException)
            {
                process.Kill(entireProcessTree: true);
                await process.WaitForExitAsync();
            }
        }
        process.Dispose();
        await log.DisposeAsync();
    }

    private void Take(string? line, Action<string>? onLine)
    {
        if (line is null) return;
        lock (lastLines)
        {
            log.WriteLine(line);
            lastLines.Enqueue(line);
            if (lastLines.Count > 12) lastLines.Dequeue();
        }
        onLine?.Invoke(line);
    }
}
