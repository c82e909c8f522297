using System.Diagnostics;
using System.Globalization;
using DicomServerless.Bench.Archive;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.Shared;

namespace DicomServerless.Bench.Gateway;

/// <summary>
/// C-STORE with stock storescu processes: the gateway, DCMTK's storescp and Orthanc side by side in each round, and the disk alone: write, flush, rename and
/// directory flush of the same files by as many writers. What was stored is emptied at once and deleted at the end: for minutes ext4 passes over deleted inodes
/// one by one when it makes a file, so what is measured next would pay for what was deleted before it.
/// </summary>
/// <param name="files">
/// The objects, a third of them for warming up: a gateway runs for weeks, and what it compiles in its first seconds is not the question.
/// </param>
/// <param name="rounds">How often each is measured.</param>
internal sealed class StoreBench(string[] files, int rounds) : IDisposable
{
    private const int WarmUps = 4; // of the gateway, which compiles as it runs; the others are native programs
    private static readonly int[] Counts = [1, 4, 8];

    private readonly string root = Directory.CreateTempSubdirectory("bench-store-").FullName;
    private readonly string[] measured = files[..(files.Length * 2 / 3)], warmUp = files[(files.Length * 2 / 3)..];
    private int folders;
    private readonly Dictionary<(string Target, bool NoDelay, int Senders), List<double>> rates = [];

    public void Dispose() => Directory.Delete(root, recursive: true);

    public async Task RunAsync()
    {
        for (var round = 1; round <= rounds; round++)
        {
            foreach (var noDelay in new[] { true, false })
            {
                // A peer takes 40 ms an object with Nagle's algorithm: fewer objects tell as much.
                if (!noDelay && round > 1) continue;
                foreach (var senders in Counts) await RoundAsync(round, senders, noDelay);
            }
        }
        Report(true);
        Report(false);
    }

    private async Task RoundAsync(int round, int senders, bool noDelay)
    {
        var sent = noDelay ? measured : measured[..(measured.Length * Math.Min(senders, 4) / 4)];
        if (noDelay) Add("disk", noDelay, senders, await InFolderAsync(folder => DiskAsync(folder, sent, senders)));
        foreach (var policy in new[] { "object", "none" })
        {
            Add("gateway, " + policy, noDelay, senders, await InFolderAsync(async folder =>
            {
                await using var gateway = await StoringGatewayAsync(policy, folder);
                return await SendAsync(sent, senders, gateway.DimsePort, "DICOMGW", noDelay, warmUp, WarmUps);
            }));
        }
        var few = noDelay ? sent : sent[..Math.Min(sent.Length, 40 * senders)];
        Add("storescp", noDelay, senders, await InFolderAsync(async folder =>
        {
            using var peer = await Peer.StoreScpAsync(noDelay, folder);
            return await SendAsync(few, senders, peer.Port, "STORESCP", noDelay, warmUp);
        }));
        Add("Orthanc", noDelay, senders, await InFolderAsync(async folder =>
        {
            using var peer = await Peer.OrthancAsync(noDelay, folder: folder);
            return await SendAsync(few, senders, peer.Port, "ORTHANC", noDelay, warmUp);
        }));
        Console.WriteLine($"round {round}, {senders} associations, TCP_NODELAY {(noDelay ? "on" : "off")}: " + string.Join(", ",
            rates.Where(rate => rate.Key.NoDelay == noDelay && rate.Key.Senders == senders).Select(rate => $"{rate.Key.Target} {rate.Value[^1]:F0}/s")));
    }

    private async Task<double> InFolderAsync(Func<string, Task<double>> measure)
    {
        var folder = Directory.CreateDirectory(Path.Combine(root, Text(folders++))).FullName;
        var rate = await measure(folder);
        foreach (var file in Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }))
            using (var handle = File.OpenHandle(file, FileMode.Truncate, FileAccess.Write)) { }
        return rate;
    }

    /// <summary>A gateway whose only destination cannot be reached: it stores and does nothing else.</summary>
    /// <param name="policy">When it flushes.</param>
    /// <param name="spool">Its folder, which stays; null for one of its own.</param>
    public static Task<GatewayProcess> StoringGatewayAsync(string policy, string? spool = null)
    {
        var settings = new Dictionary<string, string> { ["Gateway__Spool__Fsync"] = policy };
        if (spool is not null) settings["Gateway__Spool__Path"] = spool;
        return GatewayProcess.StartAsync("http://127.0.0.1:9/dicomweb", settings);
    }

    /// <summary>Objects a second over as many storescu processes as there are associations.</summary>
    public static async Task<double> SendAsync(string[] files, int senders, int port, string aeTitle, bool noDelay, string[]? warmUp = null, int warmUps = 1)
    {
        for (var i = 0; i < warmUps; i++) await Peer.RunAsync("storescu", ["-aec", aeTitle, "127.0.0.1", Text(port), .. warmUp ?? files[..1]], noDelay: true);
        // What warming up left for the disk is not to be written while the clock runs.
        await Peer.RunAsync("sync", [], noDelay: true);
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, senders)
            .Select(sender => Peer.RunAsync("storescu", ["-aec", aeTitle, "127.0.0.1", Text(port), .. files.Where((_, i) => i % senders == sender)], noDelay)));
        return files.Length / watch.Elapsed.TotalSeconds;
    }

    private static async Task<double> DiskAsync(string folder, string[] files, int writers)
    {
        var bytes = await File.ReadAllBytesAsync(files[0]);
        Directory.CreateDirectory(Path.Combine(folder, "incoming"));
        Directory.CreateDirectory(Path.Combine(folder, "study"));
        var next = -1;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, writers).Select(_ => Task.Factory.StartNew(() =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < files.Length;) Write(folder, i, bytes);
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        return files.Length / watch.Elapsed.TotalSeconds;
    }

    private static void Write(string folder, int number, byte[] bytes)
    {
        var part = Path.Combine(folder, "incoming", number.ToString(CultureInfo.InvariantCulture));
        var error = Posix.CreateFile(part, out var file);
        using (file)
        {
            if (error == 0) error = Posix.WriteAll(file, bytes);
            if (error == 0) error = Posix.Flush(file);
        }
        if (error == 0) error = Posix.Move(part, Path.Combine(folder, "study", number.ToString(CultureInfo.InvariantCulture)));
        if (error == 0) error = Posix.FlushFolder(Path.Combine(folder, "study"));
        if (error != 0) throw new IOException($"The disk answered {error}.");
    }

    private void Add(string target, bool noDelay, int senders, double rate)
    {
        if (!rates.TryGetValue((target, noDelay, senders), out var list)) rates[(target, noDelay, senders)] = list = [];
        list.Add(rate);
    }

    private double Of(string target, bool noDelay, int senders) => rates.TryGetValue((target, noDelay, senders), out var list)
        ? list.Order().ElementAt(list.Count / 2) : 0;

    private double Ratio(string target, string other, bool noDelay, int senders)
    {
        if (!rates.TryGetValue((target, noDelay, senders), out var ours) || !rates.TryGetValue((other, noDelay, senders), out var theirs)) return 0;
        return ours.Zip(theirs, (a, b) => a / b).Order().ElementAt(ours.Count / 2);
    }

    private void Report(bool noDelay)
    {
        Console.WriteLine($"\n### C-STORE, TCP_NODELAY {(noDelay ? "on" : "off (stock DCMTK)")}, objects/s, median of {(noDelay ? rounds : 1)}\n");
        Console.WriteLine("| associations | disk alone | gateway, object | gateway, none | storescp | Orthanc | object / disk (≥ 0.8) | object / "
            + "Orthanc (≥ 1.5) | none / storescp (≥ 1) |\n|---|---|---|---|---|---|---|---|---|");
        foreach (var senders in Counts)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {senders} | {Of("disk", noDelay, senders):F0} | "
                + $"{Of("gateway, object", noDelay, senders):F0} | {Of("gateway, none", noDelay, senders):F0} | {Of("storescp", noDelay, senders):F0} | "
                + $"{Of("Orthanc", noDelay, senders):F0} | {Ratio("gateway, object", "disk", noDelay, senders):F2} | "
                + $"{Ratio("gateway, object", "Orthanc", noDelay, senders):F2} | {Ratio("gateway, none", "storescp", noDelay, senders):F2} |"));
        if (!noDelay) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\nStock senders, one association: "
            + $"{Ratio("gateway, object", "storescp", false, 1):F1} x storescp, {Ratio("gateway, object", "Orthanc", false, 1):F1} x Orthanc (aim 10)."));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
