using DicomServerless.EdgeGateway.Query;

namespace DicomServerless.Unit.Gateway;

/// <summary>An answer's size counts by its bytes, whatever it says of itself.</summary>
public sealed class LimitedBytesTests
{
    [Theory]
    [InlineData(0, true)]
    [InlineData(99, true)]
    [InlineData(100, true)]
    [InlineData(101, false)]
    public async Task More_than_the_limit_is_refused(int bytes, bool isTaken)
    {
        await using var limited = new LimitedBytes(new MemoryStream(new byte[bytes]), 100);
        var copy = new MemoryStream();
        if (isTaken) await limited.CopyToAsync(copy);
        else await Assert.ThrowsAsync<InvalidDataException>(() => limited.CopyToAsync(copy));
        Assert.True(copy.Length <= 100);
    }
}
