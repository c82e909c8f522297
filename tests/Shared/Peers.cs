using System.Diagnostics;

namespace DicomServerless.Shared;

/// <summary>
/// The foreign programs that tests compare with. A test asks for one and returns when it is absent; with REQUIRE_PEERS=1, as CI sets, absence fails it.
/// </summary>
public static class Peers
{
    /// <summary>The Python that has the distribution's packages.</summary>
    public const string Python = "/usr/bin/python3";

    /// <summary>Everything that may be asked for: <c>tests/peers.tsv</c>, from which CI installs.</summary>
    public static IReadOnlyDictionary<string, string> All { get; } = File.ReadLines(Path.Combine(Repository.Root, "tests/peers.tsv"))
        .Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('\t'))
            .ToDictionary(cells => cells[0], cells => cells[1], StringComparer.Ordinal);

    /// <summary>Whether a program or file is there, by name on the PATH or by its whole path.</summary>
    public static bool Require(string program)
    {
        Check(program);
        var found = Path.IsPathRooted(program)
            ? File.Exists(program)
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
                .Any(folder => folder.Length > 0 && File.Exists(Path.Combine(folder, program)));
        return Report(program, found);
    }

    /// <summary>Whether Python and a module are there.</summary>
    public static bool RequirePython(string module)
    {
        Check("python3:" + module);
        if (!Require(Python)) return false;
        using var process = Process.Start(new ProcessStartInfo(Python, ["-c", $"import {module}"]) { RedirectStandardError = true })!;
        process.WaitForExit();
        return Report($"Python module {module}", process.ExitCode == 0);
    }

    private static void Check(string what)
    {
        if (!All.ContainsKey(what))
            throw new InvalidOperationException($"{what} is not in tests/peers.tsv, so CI would not install it: add it there with its Debian package.");
    }

    /// <summary>Says that something is missing; fails where everything must be there.</summary>
    public static bool Report(string what, bool found)
    {
        if (found) return true;
        var message = $"{what} is not installed";
        if (Environment.GetEnvironmentVariable("REQUIRE_PEERS") == "1") throw new InvalidOperationException(message + ", and REQUIRE_PEERS=1.");
        Console.WriteLine($"Skipped: {message}.");
        return false;
    }
}
