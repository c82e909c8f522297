using System.Text.RegularExpressions;
using DicomServerless.Shared;

namespace DicomServerless.Unit;

/// <summary>Tests use no program that CI does not install: all of them stand in <c>tests/peers.tsv</c>.</summary>
public sealed partial class PeersTests
{
    // What the machine has before CI installs anything (README: .NET SDK and Node).
    private static readonly string[] OfTheMachine = ["dotnet", "node", "npm"];

    [GeneratedRegex("""(?:ProcessStartInfo|Process\.Start|Peers\.Require|Run)\("(?<program>[A-Za-z][A-Za-z0-9.-]*|/[^" ]+)"[,)]""")]
    private static partial Regex Started();

    [Fact]
    public void Asking_for_what_is_not_on_the_list_fails_whether_it_is_installed_or_not()
    {
        foreach (var program in new[] { "cat", "/bin/cat", "no-such-program" })
            Assert.Contains("tests/peers.tsv", Assert.Throws<InvalidOperationException>(() => Peers.Require(program)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => Peers.RequirePython("numpy"));
    }

    [Fact]
    public void Every_program_that_tests_start_is_on_the_list()
    {
        var files = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal));
        var started = files.SelectMany(file => Started().Matches(File.ReadAllText(file))
            .Select(match => (File: Path.GetFileName(file), Program: match.Groups["program"].Value))).ToList();
        Assert.True(started.Count > 20);
        Assert.DoesNotContain(started, item => item.File != nameof(PeersTests) + ".cs"
            && !Peers.All.ContainsKey(item.Program) && !OfTheMachine.Contains(item.Program));
    }

    [Fact]
    public void The_list_names_each_thing_once_with_a_package() =>
        Assert.All(Peers.All, item => Assert.Matches("^[a-z0-9][a-z0-9+.-]+$", item.Value));
}
