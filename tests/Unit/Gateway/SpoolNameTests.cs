using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.Unit.Gateway;

/// <summary>Names of the spool's files and folders: a restart knows nothing else.</summary>
public sealed class SpoolNameTests
{
    private const string Hex = "0123456789abcdef0123456789ABCDEF";

    [Theory]
    [InlineData("archive", true)]
    [InlineData("A", true)]
    [InlineData("a-b_c.9", true)]
    [InlineData("-", true)]
    [InlineData("x123456789012345678901234567890123456789012345678901234567890123", true)] // 64
    [InlineData("x1234567890123456789012345678901234567890123456789012345678901234", false)]
    [InlineData("", false)]
    [InlineData(".incoming", false)]
    [InlineData("..", false)]
    [InlineData("a/b", false)]
    [InlineData("a b", false)]
    [InlineData("ä", false)]
    [InlineData("quarantine", false)]
    [InlineData("sent", false)]
    [InlineData("Sent", true)]
    public void A_destination_is_a_folder_below_the_root_and_none_of_the_spools_own(string name, bool isDestination) =>
        Assert.Equal(isDestination, SpoolName.IsDestination(name));

    [Theory]
    [InlineData("2026-11-21T00:00:00Z", 2026112100)]
    [InlineData("2026-01-02T23:59:59Z", 2026010223)]
    [InlineData("0999-12-31T01:00:00Z", 999123101)]
    public void An_hour_has_ten_digits_and_comes_back(string time, int hour)
    {
        Assert.Equal(hour, SpoolName.Hour(DateTimeOffset.Parse(time)));
        Assert.True(SpoolName.TryHour(hour.ToString("D10"), out var found));
        Assert.Equal(hour, found);
    }

    [Theory]
    [InlineData("")]
    [InlineData("202611210")]
    [InlineData("02026112100")]
    [InlineData("20261121xx")]
    [InlineData("+202611210")]
    [InlineData("9999999999")] // no int
    public void Anything_else_is_no_hour(string name) => Assert.False(SpoolName.TryHour(name, out _));

    [Fact]
    public void A_file_has_its_number_and_its_checksum_and_they_come_back()
    {
        foreach (var sequence in new[] { 1L, 999_999_999_999, 1_000_000_000_000, long.MaxValue })
        {
            Assert.True(SpoolName.TryFile(SpoolName.FileName(sequence, UInt128.MaxValue - 1), out var found, out var checksum));
            Assert.Equal((sequence, UInt128.MaxValue - 1), (found, checksum));
        }
        Assert.Equal("000000000007.0000000000000000000000000000000a.dcm", SpoolName.FileName(7, 10));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".dcm")]
    [InlineData("." + Hex + ".dcm")]
    [InlineData("x." + Hex + ".dcm")]
    [InlineData("-1." + Hex + ".dcm")]
    [InlineData("1." + Hex + ".dcn")]
    [InlineData("1." + Hex)]
    [InlineData("1." + Hex + "0.dcm")]
    [InlineData("1." + Hex + ".dcm.dcm")]
    [InlineData("1.g123456789abcdef0123456789ABCDEF.dcm")]
    [InlineData("000000000007.dcm")]
    [InlineData("000000000000000000000000000000000000.dcm")]
    [InlineData("9999999999999999999." + Hex + ".dcm")] // no long
    public void Anything_else_is_no_file_of_the_spool(string name) => Assert.False(SpoolName.TryFile(name, out _, out _));
}
