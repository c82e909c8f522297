using DicomServerless.Dicom;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>Reads of an archive's answer that end when nothing has come for a while. What is read belongs to it.</summary>
/// <param name="inner">The answer.</param>
/// <param name="patience">The longest wait for the next bytes.</param>
internal sealed class LimitedWaits(Stream inner, TimeSpan patience) : ForwardStream
{
    // One for all reads: an object takes dozens of them.
    private readonly CancellationTokenSource limit = new();

    /// <summary>Reads what there is, or the next that comes.</summary>
    /// <exception cref="IOException">The answer broke off, or nothing came in time.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var cancelled = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), limit);
        limit.CancelAfter(patience);
        try
        {
            return await inner.ReadAsync(buffer, limit.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"The archive sent nothing for {patience.TotalSeconds:0} seconds.", exception);
        }
        finally
        {
            limit.CancelAfter(Timeout.InfiniteTimeSpan); // whoever reads may take its time
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        limit.Dispose();
        await base.DisposeAsync();
    }
}
