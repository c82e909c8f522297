using System.Diagnostics;
using System.Globalization;
using DicomServerless.Bench.Archive;
using DicomServerless.Shared;

namespace DicomServerless.Bench.Gateway;

/// <summary>
/// The gateway beside its peers: storing, forwarding, a long queue at restart, queries and retrieves. The program is the published one; senders are stock DCMTK
/// programs.
/// </summary>
internal static class GatewayBench
{
    /// <summary>Runs one part (store, forward, restart, find, move) or all.</summary>
    /// <param name="isQuick">Little of everything, once.</param>
    /// <param name="only">The part; null for all.</param>
    public static async Task RunAsync(bool isQuick, string? only)
    {
        Environment.SetEnvironmentVariable("GATEWAY_EXECUTABLE", await PublishAsync());
        var objects = new CtObjects();
        var folder = Directory.CreateTempSubdirectory("bench-ct-").FullName;
        try
        {
            if (only is null or "store")
            {
                using var store = new StoreBench(await WriteAsync(objects, folder, isQuick ? 300 : 1_500), isQuick ? 1 : 3);
                await store.RunAsync();
            }
            if (only is null or "forward") await ForwardBench.RunAsync(objects, await WriteAsync(objects, folder, isQuick ? 200 : 2_000), isQuick ? 1 : 3);
            if (only is null or "restart") await RestartBench.RunAsync(await WriteAsync(objects, folder, isQuick ? 100 : 500), isQuick ? 5_000 : 200_000);
            if (only is null or "find") await FindBench.RunAsync(isQuick ? 5_000 : 50_000, isQuick ? 1_000 : 10_000);
            if (only is null or "move") await MoveBench.RunAsync(await WriteAsync(objects, folder, isQuick ? 100 : 500), isQuick ? 1 : 3);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The median.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var ordered = values.Order().ToArray();
        return ordered[ordered.Length / 2];
    }

    private static async Task<string[]> WriteAsync(CtObjects objects, string folder, int count)
    {
        var paths = Enumerable.Range(0, count).Select(i => Path.Combine(folder, i.ToString("D5", CultureInfo.InvariantCulture))).ToArray();
        var bytes = new byte[objects.Length];
        for (var i = 0; i < count; i++)
        {
            if (File.Exists(paths[i])) continue;
            objects.Write(bytes, 1, i);
            await File.WriteAllBytesAsync(paths[i], bytes);
        }
        return paths;
    }

    // With the flags of the Containerfile.
    private static async Task<string> PublishAsync()
    {
        if (Environment.GetEnvironmentVariable("GATEWAY_EXECUTABLE") is { Length: > 0 } given) return given;
        var folder = Path.Combine(Repository.Root, "artifacts/bench/gateway");
        Console.WriteLine($"Publishing to {Path.GetRelativePath(Repository.Root, folder)} …");
        using var dotnet = Process.Start(new ProcessStartInfo("dotnet",
        [
            "publish", Path.Combine(Repository.Root, "edge-gateway/EdgeGateway.csproj"), "-c", "Release", "-r",
                "linux-x64", "--self-contained", "-p:PublishTrimmed=true", "-p:PublishReadyToRun=true", "-p:DebugType=none",
            "-p:GenerateDocumentationFile=false", "-o", folder, "--nologo", "-v", "quiet",
        ]) { RedirectStandardOutput = true })!;
        var said = await dotnet.StandardOutput.ReadToEndAsync();
        await dotnet.WaitForExitAsync();
        if (dotnet.ExitCode != 0) throw new InvalidOperationException($"dotnet publish ended with {dotnet.ExitCode}: {said}");
        return Path.Combine(folder, "DicomServerless.EdgeGateway");
    }
}
