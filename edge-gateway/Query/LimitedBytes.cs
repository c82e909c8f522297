using DicomServerless.Dicom;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>
/// An answer that may have so many bytes and no more, whatever its headers say: a chunked or compressed one has no Content-Length. What is read belongs to it.
/// </summary>
/// <param name="inner">The answer.</param>
/// <param name="most">Bytes.</param>
internal sealed class LimitedBytes(Stream inner, long most) : ForwardStream
{
    private long count;

    /// <summary>Reads what there is, or the next that comes.</summary>
    /// <exception cref="InvalidDataException">There are more bytes.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        if ((count += read) > most) throw new InvalidDataException($"The answer is larger than {most / (1024 * 1024)} MiB.");
        return read;
    }

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        await base.DisposeAsync();
    }
}
