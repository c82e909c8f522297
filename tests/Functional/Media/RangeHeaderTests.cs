using DicomServerless.Functions.Media;

namespace DicomServerless.Functional.Media;

public sealed class RangeHeaderTests
{
    [Theory]
    [InlineData("bytes=0-", RangeKind.Part, 0, 100)]
    [InlineData("bytes=10-19", RangeKind.Part, 10, 10)]
    [InlineData("Bytes= 10 - 19 ", RangeKind.Part, 10, 10)]
    [InlineData("bytes=90-999", RangeKind.Part, 90, 10)]
    [InlineData("bytes=-10", RangeKind.Part, 90, 10)]
    [InlineData("bytes=-1000", RangeKind.Part, 0, 100)]
    [InlineData("bytes=100-", RangeKind.Unsatisfiable, 0, 0)]
    [InlineData("bytes=-0", RangeKind.Unsatisfiable, 0, 0)]
    [InlineData("bytes=20-10", RangeKind.Whole, 0, 100)]
    [InlineData("bytes=0-1,5-6", RangeKind.Whole, 0, 100)]
    [InlineData("bytes=a-b", RangeKind.Whole, 0, 100)]
    [InlineData("items=0-1", RangeKind.Whole, 0, 100)]
    [InlineData("bytes=99999999999999999999-", RangeKind.Whole, 0, 100)]
    [InlineData(null, RangeKind.Whole, 0, 100)]
    internal void Of_a_hundred_bytes(string? header, RangeKind kind, long offset, long length) =>
        Assert.Equal(new RangeHeader(kind, offset, length), RangeHeader.Read(header, 100));
}
