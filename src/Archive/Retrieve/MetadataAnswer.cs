using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Retrieve;

/// <summary>The metadata of some instances: compressed as the rows hold it until it is written, and of many instances read while it is written.</summary>
public sealed class MetadataAnswer
{
    private const int FlushBytes = 64 * 1024;

    private readonly Uid study;
    private readonly InstanceListing listing;
    private readonly IBlobContainer derived;

    internal MetadataAnswer(Uid study, InstanceListing listing, IBlobContainer derived)
    {
        (this.study, this.listing, this.derived) = (study, listing, derived);
        ETag = Hash(listing.Rows);
    }

    /// <summary>Changes whenever an instance in it comes, goes or changes, or is written in another form. Without quotes.</summary>
    public string ETag { get; }

    /// <summary>How many instances there are.</summary>
    public int Count => listing.Rows.Count;

    /// <summary>Writes a JSON array of one object an instance (PS3.18 F.2).</summary>
    /// <param name="writer">Where to; flushed now and then.</param>
    /// <param name="baseUrl">The public URL of the service's root, without a slash at its end, for BulkDataURIs.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    public async Task WriteToAsync(PipeWriter writer, string baseUrl, CancellationToken cancellationToken)
    {
        writer.Write("["u8);
        var isFirst = true;
        await foreach (var row in listing.RowsAsync(cancellationToken))
        {
            if (!isFirst) writer.Write(","u8);
            isFirst = false;
            await WriteAsync(writer, row, baseUrl, cancellationToken);
            if (writer.UnflushedBytes >= FlushBytes && (await writer.FlushAsync(cancellationToken)).IsCompleted) return;
        }
        writer.Write("]"u8);
        await writer.FlushAsync(cancellationToken);
    }

    /// <summary>The same objects, one after the other. What is given is gone with the next step.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ObjectsAsync(string baseUrl, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var json = new ArrayBufferWriter<byte>();
        await foreach (var row in listing.RowsAsync(cancellationToken))
        {
            json.ResetWrittenCount();
            await WriteAsync(json, row, baseUrl, cancellationToken);
            yield return json.WrittenMemory;
        }
    }

    private async Task WriteAsync(IBufferWriter<byte> writer, InstanceState row, string baseUrl, CancellationToken cancellationToken)
    {
        var metadata = RowBytes.Decompress(row.Metadata ?? await derived.ReadAllAsync(row.DerivedMetadata!, cancellationToken));
        Write(writer, metadata, Encoding.UTF8.GetBytes($"{baseUrl}/studies/{study}/series/{row.Name.Series}/instances/{row.Name.Sop}/bulkdata/"));
    }

    private static void Write(IBufferWriter<byte> writer, ReadOnlySpan<byte> metadata, ReadOnlySpan<byte> bulkDataUrl)
    {
        for (int mark; (mark = metadata.IndexOf(InstanceContent.BulkDataMark)) >= 0; metadata = metadata[(mark + 1)..])
        {
            writer.Write(metadata[..mark]);
            writer.Write(bulkDataUrl);
        }
        writer.Write(metadata);
    }

    private static string Hash(IReadOnlyList<InstanceState> rows)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var row in rows) hash.AppendData(Encoding.ASCII.GetBytes($"{row.Name.Series}/{row.Name.Sop}/{row.BlobETag}/{row.SchemaVersion}\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }
}
