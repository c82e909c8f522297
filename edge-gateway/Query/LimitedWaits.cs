using DicomServerless.Dicom;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>Reads of an archive's answer that end when nothing has come for a while. What is read belongs to it.</summary>
/// <param name="inner">The answer.</param>
/// <param name="patience">The longest wait for the next bytes.</param>
internal sealed class LimitedWaits(Stream inner, TimeSpan patience) : ForwardStream
{
    /// <summary>Reads what there is, or the next that comes.</summary>
    /// <exception cref="IOException">The answer broke off, or nothing came in time.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        try
        {
            return await inner.ReadAsync(buffer, limit.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"The archive sent nothing for {patience.TotalSeconds:0} seconds.", exception);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        await base.DisposeAsync();
    }
}
