using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using DicomServerless.Shared;

namespace DicomServerless.Bench.Gateway;

/// <summary>A program that is measured beside ours, or that sends: started, waited for, ended.</summary>
internal sealed class Peer : IDisposable
{
    private readonly Process process;
    private readonly string? own;

    private Peer(string program, IEnumerable<string> arguments, bool noDelay, string? own = null)
    {
        this.own = own;
        // DCMTK, and Orthanc which is built on it, leave Nagle's algorithm on unless this variable says otherwise.
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["TCP_NODELAY"] = noDelay ? "1" : "0";
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Where it listens.</summary>
    public int Port { get; private init; }

    /// <summary>Orthanc's REST port.</summary>
    public int HttpPort { get; private init; }

    /// <summary>DCMTK's storescp, which keeps the bytes as they come.</summary>
    /// <param name="noDelay">Whether it switches Nagle's algorithm off.</param>
    /// <param name="folder">Where it keeps them; null for a folder that goes with it.</param>
    public static async Task<Peer> StoreScpAsync(bool noDelay, string? folder = null)
    {
        var (port, own) = (FreePorts.Next(), folder is null ? Directory.CreateTempSubdirectory("bench-storescp-").FullName : null);
        var peer = new Peer("storescp", ["-aet", "STORESCP", "--bit-preserving", "-od", folder ?? own!, port.ToString(CultureInfo.InvariantCulture)],
            noDelay, own) { Port = port };
        await peer.WaitAsync(port);
        return peer;
    }

    /// <summary>Orthanc with an empty database; knows the other as MOVEDEST.</summary>
    /// <param name="noDelay">Whether it switches Nagle's algorithm off.</param>
    /// <param name="moveDestination">The other's port.</param>
    /// <param name="folder">Where it keeps them; null for a folder that goes with it.</param>
    public static async Task<Peer> OrthancAsync(bool noDelay, int moveDestination = 1, string? folder = null)
    {
        var (port, http, own) = (FreePorts.Next(), FreePorts.Next(), folder is null ? Directory.CreateTempSubdirectory("bench-orthanc-").FullName : null);
        folder ??= own!;
        var configuration = Path.Combine(folder, "orthanc.json");
        await File.WriteAllTextAsync(configuration, $$"""
            { "Name": "bench", "StorageDirectory": "{{folder}}/db", "IndexDirectory": "{{folder}}/db", "DicomAet": "ORTHANC", "DicomPort": {{port}},
            "HttpPort": {{http}}, "RemoteAccessAllowed": false, "AuthenticationEnabled": false,
              "DicomAlwaysAllowStore": true, "DicomAlwaysAllowEcho": true, "DicomModalities": { "dest": ["MOVEDEST", "127.0.0.1",
              {{moveDestination}}], "mover": ["MOVESCU", "127.0.0.1", 1] }, "Plugins": [], "SaveJobs": false }
            """);
        var peer = new Peer("Orthanc", [configuration], noDelay, own) { Port = port, HttpPort = http };
        await peer.WaitAsync(http);
        await peer.WaitAsync(port);
        return peer;
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task RunAsync(string program, IEnumerable<string> arguments, bool noDelay)
    {
        using var peer = new Peer(program, arguments, noDelay);
        await peer.process.WaitForExitAsync();
        if (peer.process.ExitCode != 0) throw new InvalidOperationException($"{program} ended with {peer.process.ExitCode}.");
    }

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.WaitForExit();
        process.Dispose();
        if (own is not null) Directory.Delete(own, recursive: true);
    }

    private async Task WaitAsync(int port)
    {
        for (var watch = Stopwatch.StartNew(); ; await Task.Delay(50))
        {
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync("127.0.0.1", port);
                return;
            }
            catch (SocketException) when (!process.HasExited && watch.Elapsed < TimeSpan.FromSeconds(30))
            {
                // Not yet.
            }
        }
    }
}
