using System.Diagnostics;

namespace DicomServerless.Shared;

/// <summary>The Node packages of dev/package-lock.json, installed by the first test process that needs them.</summary>
public static class NodePackages
{
    /// <summary>Where they are.</summary>
    public static string Folder => Path.Combine(Repository.Root, "dev/node_modules");

    public static async Task InstallAsync(CancellationToken cancellationToken = default)
    {
        if (IsCurrent) return;
        await using var alone = await LockAsync(cancellationToken);
        if (IsCurrent) return;
        using var npm = Process.Start(new ProcessStartInfo("npm", ["ci", "--no-audit", "--no-fund", "--prefix", Path.Combine(Repository.Root, "dev")])
        {
            RedirectStandardError = true, RedirectStandardOutput = true,
        })!;
        var output = npm.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = await npm.StandardError.ReadToEndAsync(cancellationToken);
        await npm.WaitForExitAsync(cancellationToken);
        if (npm.ExitCode != 0) throw new InvalidOperationException($"npm ci --prefix dev ended with {npm.ExitCode}: {await output}{error}");
    }

    // npm writes this file last.
    private static bool IsCurrent =>
        new FileInfo(Path.Combine(Folder, ".package-lock.json")) is { Exists: true } installed
        && installed.LastWriteTimeUtc >= File.GetLastWriteTimeUtc(Path.Combine(Repository.Root, "dev/package-lock.json"));

    // Test assemblies run in parallel processes; the operating system frees the lock however one ends.
    private static async Task<FileStream> LockAsync(CancellationToken cancellationToken)
    {
        var path = Path.Combine(Repository.Root, "dev/obj/npm.lock");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(200, cancellationToken);
            }
        }
    }
}
