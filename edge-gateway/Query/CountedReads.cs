using DicomServerless.Dicom;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>Counts what is read through it; the stream behind stays open.</summary>
internal sealed class CountedReads(Stream inner) : ForwardStream
{
    /// <summary>Bytes so far.</summary>
    public long Count { get; private set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        Count += read;
        return read;
    }
}
