using System.Diagnostics;
using System.Text.RegularExpressions;
using DicomServerless.Shared;

namespace DicomServerless.Functional.Host;

/// <summary>The commands in the README's shell blocks.</summary>
internal static partial class ReadmeCommands
{
    /// <summary>Commands that other tests run: dev itself, the tests, and the package (PackageTests).</summary>
    private static readonly string[] RunElsewhere = ["dotnet run --project dev", "dotnet test", "infra/publish.sh artifacts/functions.zip"];

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    public static string[] Blocks() =>
        [.. Block().Matches(File.ReadAllText(Path.Combine(Repository.Root, "README.md"))).Select(match => match.Groups[1].Value.Trim())];

    /// <summary>Runs every block that needs a running dev, against this one.</summary>
    public static async Task<int> RunAsync(string serviceUrl, int dimsePort, string dashboardUrl, Action<string> say)
    {
        var blocks = Blocks();
        Assert.All(RunElsewhere, command => Assert.Contains(command, blocks));
        var folder = Directory.CreateTempSubdirectory("readme-");
        var commands = 0;
        foreach (var block in blocks.Except(RunElsewhere))
        {
            if (block.Contains("echoscu", StringComparison.Ordinal) && !Peers.Require("echoscu")) continue;
            // What the commands write goes elsewhere than into the repository.
            var script = block.Replace("http://127.0.0.1:7071", serviceUrl, StringComparison.Ordinal)
                .Replace("http://127.0.0.1:8042", dashboardUrl, StringComparison.Ordinal)
                .Replace("127.0.0.1 11112", $"127.0.0.1 {dimsePort}", StringComparison.Ordinal)
                .Replace("-o ", $"-o {folder.FullName}/", StringComparison.Ordinal);
            script = $"set -e\ncurl() {{ command curl -fsS \"$@\"; }}\n{script}";
            using var bash = Process.Start(new ProcessStartInfo("bash", ["-c", script])
                { WorkingDirectory = Repository.Root, RedirectStandardOutput = true, RedirectStandardError = true })!;
            var output = bash.StandardOutput.ReadToEndAsync();
            var errors = await bash.StandardError.ReadToEndAsync();
            await bash.WaitForExitAsync();
            say(block + "\n" + (await output is { Length: > 600 } text ? text[..600] : await output));
            Assert.True(bash.ExitCode == 0, block + "\n" + errors);
            commands++;
        }
        folder.Delete(recursive: true);
        return commands;
    }
}
