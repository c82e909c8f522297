using System.Diagnostics;
using System.Globalization;
using DicomServerless.CoverageFuzz;
using DicomServerless.Shared;

namespace DicomServerless.Fuzz;

/// <summary>The coverage-guided fuzzer's inputs, and a short run of it. The long run is <c>tests/CoverageFuzz/fuzz.sh 1800</c>.</summary>
public sealed class CoverageTests(ITestOutputHelper output)
{
    private const int SecondsPerTarget = 10;

    private static string Folder => Path.Combine(Repository.Root, "tests/CoverageFuzz");

    public static TheoryData<string> TargetNames() => [.. Targets.All.Keys.Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(TargetNames))]
    public void Every_input_of_the_corpus_keeps_the_promises(string target)
    {
        var inputs = Directory.GetFiles(Path.Combine(Folder, "corpus", target));
        Assert.NotEmpty(inputs);
        foreach (var input in inputs) Targets.All[target](File.ReadAllBytes(input));
    }

    [Fact]
    public async Task A_short_run_of_the_fuzzer_finds_nothing()
    {
        if (!Peers.Require("afl-fuzz")) return;
        using var fuzz = Process.Start(new ProcessStartInfo("bash", [Path.Combine(Folder, "fuzz.sh"), SecondsPerTarget.ToString(CultureInfo.InvariantCulture)])
            { RedirectStandardOutput = true })!;
        var printed = await fuzz.StandardOutput.ReadToEndAsync();
        await fuzz.WaitForExitAsync();
        output.WriteLine(printed);
        Assert.True(fuzz.ExitCode == 0, printed);
        Assert.Equal(Targets.All.Count, printed.Split('\n')
            .Count(line => line.Contains(" executions in ", StringComparison.Ordinal) && !line.Contains(": 0 executions", StringComparison.Ordinal)));
    }
}
