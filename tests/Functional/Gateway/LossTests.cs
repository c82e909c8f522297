using DicomServerless.Shared;

namespace DicomServerless.Functional.Gateway;

/// <summary>The short form of tests/GatewayTorture.</summary>
public sealed class LossTests
{
    [Fact]
    public async Task Nothing_acknowledged_is_lost_or_counted_twice_over_a_bad_link_and_kills()
    {
        var tally = await GatewayTorture.RunAsync(instances: 150, associations: 4, kills: 4, seed: 1);
        Console.WriteLine(tally);
        Assert.True(tally.Problems.Count == 0, tally.ToString());
        Assert.Equal(4, tally.GatewayKills + tally.FunctionsKills);
        Assert.True(tally.Faults > 0);
    }
}
