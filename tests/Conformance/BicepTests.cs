using System.Diagnostics;
using DicomServerless.Shared;
using Xunit.Abstractions;

namespace DicomServerless.Conformance;

/// <summary>The infrastructure's Bicep files have no errors by a checker beside the repository, where there is one.</summary>
public sealed class BicepTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Infrastructure_has_no_errors()
    {
        var checker = Path.GetFullPath(Path.Combine(Repository.Root, "../shared/tools/check-bicep"));
        if (!File.Exists(checker))
        {
            output.WriteLine("Skipped: there is no Bicep checker beside the repository.");
            return;
        }
        using var process = Process.Start(new ProcessStartInfo(Peers.Python, [checker, Path.Combine(Repository.Root, "infra")])
            { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (said, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        output.WriteLine(await said);
        Assert.True(process.ExitCode == 0, await said + await errors);
        Assert.Matches(@"[1-9]\d* files, 0 errors", await said);
    }
}
