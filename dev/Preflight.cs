using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace DicomServerless.Dev;

/// <summary>What must hold before anything is started, each with a message that says what to do.</summary>
internal static class Preflight
{
    private const string StateVersion = "1";
    private const int OldestNode = 20;

    /// <summary>Checks ports, Node and the state folder. The result holds the state folder for this process alone.</summary>
    public static async Task<FileStream> CheckAsync(DevOptions options, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
            throw new StartException("The gateway's spool is made of system calls of Linux. Use Linux, in a virtual machine or on Windows in WSL.");
        CheckPort(options.FunctionsPort, "--functions-port");
        CheckPort(options.DimsePort, "--dimse-port");
        CheckPort(options.DashboardPort, "--dashboard-port");
        for (var i = 0; i < 3; i++) CheckPort(options.AzuritePort + i, "--azurite-port");
        await CheckNodeAsync(cancellationToken);
        if (options.IsUnderHost && await OutputOfAsync("func", ["--version"], cancellationToken) is null)
            throw new StartException("func is not on the PATH. Install the Azure Functions Core Tools (npm install -g azure-functions-core-tools@4), or leave "
                + "--host func out to run the service alone.");
        return HoldState(options.Data);
    }

    private static void CheckPort(int port, string option)
    {
        if (port is < 1 or > 65535) throw new StartException($"{option}: {port} is no port; give a number from 1 to 65535.");
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
        }
        catch (SocketException)
        {
            throw new StartException($"Port {port} is in use. End the program that has it (`ss -ltnp 'sport = :{port}'` shows it) or choose another "
                + $"with {option}.");
        }
    }

    private static async Task CheckNodeAsync(CancellationToken cancellationToken)
    {
        var version = await OutputOfAsync("node", ["--version"], cancellationToken)
            ?? throw new StartException($"Node is not installed, or not on the PATH. Install Node {OldestNode} or later: https://nodejs.org");
        if (!int.TryParse(version.TrimStart('v').Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major) || major < OldestNode)
            throw new StartException($"Node {version.Trim()} is too old. Install Node {OldestNode} or later: https://nodejs.org");
        if (await OutputOfAsync(Folders.Npm, ["--version"], cancellationToken) is null)
            throw new StartException("npm is not on the PATH. It comes with Node: https://nodejs.org");
    }

    private static async Task<string?> OutputOfAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true });
            var text = await process!.StandardOutput.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0 ? text : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static FileStream HoldState(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            var versionFile = Path.Combine(folder, "version");
            var found = File.Exists(versionFile) ? File.ReadAllText(versionFile).Trim() : null;
            var isEmpty = !Directory.EnumerateFileSystemEntries(folder).Any();
            if (found != StateVersion && !isEmpty && !OnlyLock(folder))
                throw new StartException($"The state folder {folder} is "
                    + $"{(found is null ? "not ours, or was left by an interrupted first start" : $"of version {found}, this program's is {StateVersion}")}. "
                    + "Delete it or choose another with --data.");
            var hold = new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            File.WriteAllText(versionFile, StateVersion);
            return hold;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartException($"The state folder {folder} cannot be used: "
                + $"{(exception is UnauthorizedAccessException ? "it is not writable" : "another run of dev has it")}. End that one or choose another "
                + $"folder with --data.");
        }
    }

    private static bool OnlyLock(string folder) => Directory.EnumerateFileSystemEntries(folder).All(entry => Path.GetFileName(entry) == "lock");
}
