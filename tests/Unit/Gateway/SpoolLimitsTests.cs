using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.Unit.Gateway;

public sealed class SpoolLimitsTests
{
    [Fact]
    public async Task What_many_associations_promise_write_and_give_back_at_once_adds_up_to_nothing()
    {
        var limits = new SpoolLimits(new SpoolOptions { Path = Path.GetTempPath(), MinFreeMiB = 0 }, TimeProvider.System);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 200_000; i++)
            {
                Assert.True(limits.TryReserve(10));
                limits.Written(7);
                limits.GiveBack(3);
                limits.Removed(7);
            }
        })));
        Assert.Equal((0, 0), (limits.UsedBytes, limits.PromisedBytes));
    }

    [Fact]
    public void No_more_is_promised_than_the_spool_may_hold()
    {
        var limits = new SpoolLimits(new SpoolOptions { Path = Path.GetTempPath(), MinFreeMiB = 0, MaxSizeMiB = 1 }, TimeProvider.System);
        Assert.True(limits.TryReserve(1 << 20));
        Assert.False(limits.HasRoom);
        Assert.False(limits.TryReserve(1));
        limits.GiveBack(1);
        Assert.True(limits.TryReserve(1));
    }
}
