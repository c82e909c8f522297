using System.Diagnostics.Metrics;
using DicomServerless.Dicom;

namespace DicomServerless.Functions.Hosting;

/// <summary>Reads another stream and counts its bytes.</summary>
internal sealed class CountedStream(Stream source, Counter<long> counter) : ForwardStream
{
    /// <summary>Bytes read so far.</summary>
    public long Count { get; private set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await source.ReadAsync(buffer, cancellationToken);
        Count += count;
        counter.Add(count);
        return count;
    }
}
