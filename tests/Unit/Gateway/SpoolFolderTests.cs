using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.Functional.Gateway;

namespace DicomServerless.Unit.Gateway;

public sealed class SpoolFolderTests
{
    [Theory]
    [InlineData(0)] // the study's folder
    [InlineData(1)] // the hour's
    [InlineData(2)] // the destination's
    public async Task Folders_that_an_operator_removed_are_made_again_with_their_parents(int above)
    {
        await using var test = new TestSpool();
        await test.StoreAsync("1.2", "1.2.1");
        var folder = Path.GetDirectoryName(test.Files()[0])!;
        for (var i = 0; i < above; i++) folder = Path.GetDirectoryName(folder)!;
        Directory.Delete(folder, recursive: true);
        Assert.Equal(SpoolOutcome.Ok, (await test.StoreAsync("1.2", "1.2.2")).Outcome);
        Assert.Equal(SpoolOutcome.Ok, (await test.StoreAsync("1.3", "1.3.1")).Outcome);
        Assert.Equal(2, test.Files().Length);
    }

    [Fact]
    public async Task The_disk_is_probed_every_few_seconds_however_often_it_is_asked_for()
    {
        var time = new DicomServerless.Shared.ManualTime(new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero));
        await using var test = new TestSpool(time: time);
        var sequence = test.Spool.LastSequence;
        Assert.True(await test.Spool.CanWriteAsync());
        Directory.Delete(test.Spool.IncomingFolder);
        for (var i = 0; i < 100; i++) Assert.True(await test.Spool.CanWriteAsync());
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.False(await test.Spool.CanWriteAsync());
        Directory.CreateDirectory(test.Spool.IncomingFolder);
        Assert.Equal(sequence, test.Spool.LastSequence); // no number of an object is used up
    }
}
