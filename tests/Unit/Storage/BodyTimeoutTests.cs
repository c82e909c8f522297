using Azure.Core;
using Azure.Core.Pipeline;
using DicomServerless.Storage.Azure;

namespace DicomServerless.Unit.Storage;

public sealed class BodyTimeoutTests
{
    private sealed class Options : ClientOptions;

    [Theory]
    [InlineData(0, null)]
    [InlineData(512 * 1024, null)] // The base of 30 s holds.
    [InlineData(8 << 20, 46.0)]
    [InlineData(64 << 20, 158.0)]
    public void A_large_body_has_more_time(int length, double? seconds)
    {
        using var message = HttpPipelineBuilder.Build(new Options()).CreateMessage();
        message.Request.Content = RequestContent.Create(new byte[length]);
        BodyTimeoutPolicy.Instance.OnSendingRequest(message);
        Assert.Equal(seconds, message.NetworkTimeout?.TotalSeconds);
    }
}
