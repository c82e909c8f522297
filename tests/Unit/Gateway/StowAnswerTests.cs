using System.Text;
using DicomServerless.EdgeGateway.Forwarding;

namespace DicomServerless.Unit.Gateway;

/// <summary>PS3.18 10.5.3 and I.2, and what the forwarder makes of each Failure Reason.</summary>
public sealed class StowAnswerTests
{
    private const string Stored = """{"00081199":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2.1"]}}]}}""";
    private const string Failed = """
        {"00081199":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2.1"]}}]},
         "00081198":{"vr":"SQ","Value":[{"00081155":{"vr":"UI","Value":["1.2.2"]},"00081197":{"vr":"US","Value":[43264]}},{"00081155":{"vr":"UI",
         "Value":["1.2.3"]}}]}}
        """;
    private const string Other = """{"0008119A":{"vr":"SQ","Value":[{"00081197":{"vr":"US","Value":[272]}}]}}""";

    [Fact]
    public void What_is_stored_and_what_failed_is_named()
    {
        Assert.True(Read(Stored)!.HasStored("1.2.1"));
        var answer = Read(Failed)!;
        Assert.True(answer.HasStored("1.2.1"));
        Assert.True(answer.HasFailed("1.2.2", out var reason));
        Assert.Equal(0xA900, reason);
        Assert.True(answer.HasFailed("1.2.3", out reason));
        Assert.Equal(FailureReasons.Processing, reason); // none is given
        Assert.False(answer.HasStored("1.2.2") || answer.HasFailed("1.2.1", out _));
        Assert.Equal((ushort?)0x0110, Read(Other)!.OnlyFailure);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("<html></html>")]
    [InlineData("""{"00081199":{"vr":"SQ","Value":[]}}""")]
    [InlineData("""{"00081199":{"vr":"SQ","Value":[{}]}}""")]
    [InlineData("""{"00081190":{"vr":"UR","Value":["http://archive/studies/1.2"]}}""")]
    public void What_names_no_instance_is_no_answer(string text) => Assert.Null(Read(text));

    [Fact]
    public void An_answer_that_is_cut_off_anywhere_is_no_answer()
    {
        for (var length = 0; length < Failed.Length - 1; length++) Assert.Null(Read(Failed[..length].TrimEnd()));
    }

    [Theory]
    [InlineData(0xA700, null, false, "Transient")]
    [InlineData(0xA7FF, null, false, "Transient")]
    [InlineData(0x0110, null, false, "Doubtful")]
    [InlineData(0x0111, null, false, "Permanent")]
    [InlineData(0x0111, null, true, "Done")]
    [InlineData(0x0111, "replace", true, "Permanent")]
    [InlineData(45070, "reject", false, "Done")]
    [InlineData(45070, "replace", false, "Permanent")]
    [InlineData(0xA900, null, false, "Permanent")]
    [InlineData(0xC000, null, false, "Permanent")]
    [InlineData(0x0122, null, false, "Permanent")]
    public void Each_reason_has_its_verdict(int reason, string? policy, bool duplicatesAreStored, string verdict) =>
        Assert.Equal(verdict, FailureReasons.VerdictOf((ushort)reason, policy, duplicatesAreStored).ToString());

    private static StowAnswer? Read(string text) => StowAnswer.TryRead(Encoding.UTF8.GetBytes(text));
}
