using Azure.Core;
using Azure.Core.Pipeline;

namespace DicomServerless.Storage.Azure;

/// <summary>
/// Gives a request time by the size of its body: 30 s, and a second for every 512 KiB (64 MiB: 158 s). So a dead connection is noticed soon, and a slow line
/// can still send.
/// </summary>
internal sealed class BodyTimeoutPolicy : HttpPipelineSynchronousPolicy
{
    public static readonly TimeSpan Base = TimeSpan.FromSeconds(30);
    public static readonly BodyTimeoutPolicy Instance = new();
    private const long BytesPerSecond = 512 * 1024;

    public override void OnSendingRequest(HttpMessage message)
    {
        if (message.Request.Content is { } content && content.TryComputeLength(out var length) && length > BytesPerSecond)
            message.NetworkTimeout = Base + TimeSpan.FromSeconds((double)length / BytesPerSecond);
    }
}
