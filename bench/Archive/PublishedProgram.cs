using System.Diagnostics;
using DicomServerless.Shared;

namespace DicomServerless.Bench.Archive;

/// <summary>The program as it is deployed: on the platform's .NET, compiled ahead (the flags of infra/publish.sh).</summary>
internal static class PublishedProgram
{
    /// <summary>Publishes it and gives the executable's path. BENCH_EXECUTABLE names one that is there already.</summary>
    public static async Task<string> PathAsync()
    {
        if (Environment.GetEnvironmentVariable("BENCH_EXECUTABLE") is { Length: > 0 } given) return given;
        var folder = Path.Combine(Repository.Root, "artifacts/bench/app");
        Console.WriteLine($"Publishing to {Path.GetRelativePath(Repository.Root, folder)} …");
        using var dotnet = Process.Start(new ProcessStartInfo("dotnet",
        [
            "publish", Path.Combine(Repository.Root, "functions/Functions.csproj"), "-c", "Release",
                "-r", "linux-x64", "--self-contained", "false", "-p:PublishReadyToRun=true",
            "-p:DebugType=none", "-p:GenerateDocumentationFile=false", "-o", folder, "--nologo", "-v", "quiet",
        ]) { RedirectStandardOutput = true })!;
        var said = await dotnet.StandardOutput.ReadToEndAsync();
        await dotnet.WaitForExitAsync();
        if (dotnet.ExitCode != 0) throw new InvalidOperationException($"dotnet publish ended with {dotnet.ExitCode}: {said}");
        return Path.Combine(folder, "DicomServerless.Functions");
    }
}
