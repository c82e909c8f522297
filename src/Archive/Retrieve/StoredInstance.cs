using DicomServerless.Dicom;

namespace DicomServerless.Archive.Retrieve;

/// <summary>An instance that can be retrieved.</summary>
/// <param name="Key">Its UIDs.</param>
/// <param name="SopClassUid">SOP Class UID.</param>
/// <param name="TransferSyntaxUid">The transfer syntax in which it is stored.</param>
/// <param name="ETag">The version of its blob.</param>
/// <param name="Length">Bytes of the Part 10 file as stored.</param>
/// <param name="DataSetOffset">Where its data set starts.</param>
/// <param name="DataSetHash">SHA-256 of the data set, hexadecimal.</param>
/// <param name="IsDeflated">Whether the data set is deflated.</param>
/// <param name="InstanceNumber">Instance Number, if it has a usable one.</param>
public sealed record StoredInstance(
    InstanceKey Key, string SopClassUid, string TransferSyntaxUid, string ETag, long Length, long DataSetOffset, string DataSetHash, bool IsDeflated,
    long? InstanceNumber)
{
    /// <summary>The stored transfer syntax, null if it is none that is known.</summary>
    public TransferSyntax? TransferSyntax => Dicom.TransferSyntax.Find(TransferSyntaxUid);
}

/// <summary>An instance that is being read. Dispose it when its bytes have been taken.</summary>
/// <param name="instance">Which one, as it was opened.</param>
/// <param name="content">Its Part 10 bytes as stored.</param>
/// <param name="owner">What is released with it.</param>
public sealed class OpenedInstance(StoredInstance instance, Stream content, IAsyncDisposable? owner) : IAsyncDisposable
{
    /// <summary>Which one.</summary>
    public StoredInstance Instance => instance;
    /// <summary>Its Part 10 bytes as stored.</summary>
    public Stream Content => content;
    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await content.DisposeAsync();
        if (owner is not null) await owner.DisposeAsync();
    }
}
