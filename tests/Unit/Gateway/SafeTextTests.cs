using DicomServerless.EdgeGateway.Hosting;

namespace DicomServerless.Unit.Gateway;

public sealed class SafeTextTests
{
    [Fact]
    public void An_exception_is_told_without_its_message_which_may_hold_a_study()
    {
        var path = "/spool/archive/2026112100/1.2.840.99/000000000001.dcm";
        var exception = Assert.ThrowsAny<IOException>(() => File.OpenRead(path));
        var text = SafeText.Of(new InvalidOperationException(path, exception));
        Assert.Contains("InvalidOperationException <- DirectoryNotFoundException (0x", text, StringComparison.Ordinal);
        Assert.DoesNotContain("1.2.840.99", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', text);
    }

    [Fact]
    public void A_title_that_a_peer_chose_cannot_command_a_terminal() => Assert.Equal("A?[31mB?C", SafeText.Of("A\u001b[31mB\nC"));
}
