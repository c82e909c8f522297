using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace DicomServerless.Shared;

/// <summary>
/// A storage emulator of its own on free ports, in memory. It ends with <see cref="Dispose"/>, and with this process however that ends (where the machine has
/// setpriv).
/// </summary>
public sealed class Azurite : IDisposable
{
    /// <summary>The emulator's well-known account; not a secret.</summary>
    public const string Account = "devstoreaccount1";
    /// <summary>The account's published key.</summary>
    public const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private static readonly string[] Services = ["Blob", "Queue", "Table"];
    private readonly Process process;

    private Azurite(Process process, IReadOnlyList<int> ports)
    {
        this.process = process;
        (BlobPort, QueuePort, TablePort) = (ports[0], ports[1], ports[2]);
    }

    public int BlobPort { get; }
    public int QueuePort { get; }
    public int TablePort { get; }

    /// <summary>What an application's DataStorage setting would be.</summary>
    public string ConnectionString => $"DefaultEndpointsProtocol=http;{Endpoints};AccountName={Account};AccountKey={Key}";

    /// <summary>The part of a connection string that says where the services are.</summary>
    public string Endpoints =>
        $"BlobEndpoint=http://127.0.0.1:{BlobPort}/{Account};"
        + $"QueueEndpoint=http://127.0.0.1:{QueuePort}/{Account};TableEndpoint=http://127.0.0.1:{TablePort}/{Account}";

    /// <param name="onLine">Gets every line of the access log; null for none, which is faster.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    public static async Task<Azurite> StartAsync(Action<string>? onLine = null, CancellationToken cancellationToken = default)
    {
        await NodePackages.InstallAsync(cancellationToken);
        string[] command =
        [
            "node", Path.Combine(NodePackages.Folder, "azurite/dist/src/azurite.js"), "--inMemoryPersistence",
                "--extentMemoryLimit", "4096", "--disableTelemetry", .. onLine is null ? (string[])["--silent"] : [],
            "--skipApiVersionCheck", "--loose", "--blobPort", "0", "--queuePort", "0", "--tablePort", "0",
                "--blobKeepAliveTimeout", "600", "--queueKeepAliveTimeout", "600", "--tableKeepAliveTimeout", "600",
        ];
        var setpriv = File.Exists("/usr/bin/setpriv");
        var start = new ProcessStartInfo(setpriv ? "/usr/bin/setpriv" : "node", setpriv ? ["--pdeathsig", "KILL", .. command] : command[1..])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath(),
        };
        var process = await OnOwnThreadAsync(start);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(60));
            return new Azurite(process, await PortsAsync(process, onLine, limit.Token));
        }
        catch
        {
            process.Kill();
            throw;
        }
    }

    public void Dispose()
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended already.
        }
    }

    // The kernel sends the death signal when the thread that started the child ends, and pool threads come and go: so a thread that lives as long as the child.
    private static Task<Process> OnOwnThreadAsync(ProcessStartInfo start)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                var process = Process.Start(start)!;
                started.SetResult(process);
                process.WaitForExit();
            }
            catch (Exception e)
            {
                started.TrySetException(e);
            }
        }) { IsBackground = true, Name = "Azurite" }.Start();
        return started.Task;
    }

    // "Azurite Blob service is successfully listening at http://127.0.0.1:33925"
    private static async Task<int[]> PortsAsync(Process process, Action<string>? onLine, CancellationToken cancellationToken)
    {
        var ports = new int[Services.Length];
        var said = new StringBuilder();
        process.ErrorDataReceived += (_, line) => { lock (said) said.AppendLine(line.Data); };
        process.BeginErrorReadLine();
        while (ports.Contains(0))
        {
            var line = await process.StandardOutput.ReadLineAsync(cancellationToken);
            if (line is null)
            {
                await process.WaitForExitAsync(cancellationToken);
                lock (said) throw new InvalidOperationException($"Azurite ended with {process.ExitCode}: {said}");
            }
            lock (said) said.AppendLine(line);
            for (var i = 0; i < Services.Length; i++)
            {
                if (line.StartsWith($"Azurite {Services[i]} service is successfully listening at", StringComparison.Ordinal))
                    ports[i] = int.Parse(line.AsSpan(line.LastIndexOf(':') + 1), CultureInfo.InvariantCulture);
            }
        }
        _ = Task.Run(async () =>
        {
            while (await process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line) onLine?.Invoke(line);
        }, CancellationToken.None);
        return ports;
    }
}
