using DicomServerless.EdgeGateway.Forwarding;

namespace DicomServerless.Unit.Gateway;

public sealed class SendWindowTests
{
    [Theory]
    [InlineData("18:00-06:00", "UTC", "2026-11-21T17:59:59Z", false)]
    [InlineData("18:00-06:00", "UTC", "2026-11-21T18:00:00Z", true)]
    [InlineData("18:00-06:00", "UTC", "2026-11-22T05:59:59Z", true)]
    [InlineData("18:00-06:00", "UTC", "2026-11-22T06:00:00Z", false)]
    [InlineData("08:00-17:00", "UTC", "2026-11-22T12:00:00Z", true)]
    [InlineData("08:00-17:00", "Europe/Berlin", "2026-07-01T06:30:00Z", true)] // 08:30 in summer
    [InlineData("08:00-17:00", "Europe/Berlin", "2026-12-01T06:30:00Z", false)] // 07:30 in winter
    public void It_is_open_from_the_start_to_the_end_in_its_zone(string text, string zone, string at, bool isOpen)
    {
        Assert.True(SendWindow.TryParse(text, zone, out var window));
        Assert.Equal(isOpen, window!.IsOpen(DateTimeOffset.Parse(at)));
    }

    [Theory]
    [InlineData("18:00", "")]
    [InlineData("18:00-18:00", "")]
    [InlineData("24:00-06:00", "")]
    [InlineData("6-18", "")]
    [InlineData("18:00-06:00", "Mars/Olympus")]
    public void Anything_else_is_refused(string text, string zone) => Assert.False(SendWindow.TryParse(text, zone, out _));

    [Fact]
    public void Nothing_means_always() => Assert.True(SendWindow.TryParse("", "", out var window) && window is null);
}
