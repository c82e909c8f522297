using DicomServerless.Shared;

namespace DicomServerless.Functional.Host;

/// <summary>The short version; tests/Torture runs the full one and prints its tally.</summary>
public sealed class TortureTests(ITestOutputHelper output)
{
    [Fact]
    public Task One_study_ends_exact_after_many_clients_doubled_events_and_a_rebuild() => RunAsync(kills: 0, seconds: 10);

    [Fact]
    public Task One_study_ends_exact_after_kills() => RunAsync(kills: 8, seconds: 12);

    private async Task RunAsync(int kills, int seconds)
    {
        var tally = await StudyTorture.RunAsync(new TortureOptions
            { Kills = kills, Duration = TimeSpan.FromSeconds(seconds), Seed = 7, Say = output.WriteLine });
        output.WriteLine(tally.ToString());
        Assert.Empty(tally.Problems);
        Assert.True(tally.Acknowledged > 20, "The function app hardly answered.");
        Assert.True(tally.Events > 0, "No event was delivered.");
    }
}
