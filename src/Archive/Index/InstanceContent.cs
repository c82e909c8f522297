using DicomServerless.Dicom;

namespace DicomServerless.Archive.Index;

/// <summary>What the index takes from one object's bytes. Made by <see cref="InstanceContentReader"/> while they go by.</summary>
internal sealed record InstanceContent
{
    public required InstanceKey Key { get; init; }
    public required string SopClassUid { get; init; }
    public required string TransferSyntaxUid { get; init; }

    /// <summary>SHA-256 of the data set, lower-case hexadecimal (docs/design.md, "Blobs").</summary>
    public required string DataSetHash { get; init; }

    /// <summary>Where the data set starts in the blob; frame and bulk offsets count from there.</summary>
    public required long DataSetOffset { get; init; }

    /// <summary>When the blob was received. Milliseconds since 1970.</summary>
    public required long Received { get; init; }

    /// <summary>The blob's length.</summary>
    public required long Length { get; init; }

    /// <summary>True if the data set is deflated, so that offsets are none of the blob.</summary>
    public required bool IsDeflated { get; init; }

    /// <summary>The value of Instance Number, or null.</summary>
    public required long? InstanceNumber { get; init; }

    /// <summary>Study attributes that have a value (<see cref="IndexedAttributes.Study"/>).</summary>
    public required IReadOnlyList<KeyValuePair<Tag, byte[]>> StudyAttributes { get; init; }

    /// <summary>Series attributes that have a value (<see cref="IndexedAttributes.Series"/>).</summary>
    public required IReadOnlyList<KeyValuePair<Tag, byte[]>> SeriesAttributes { get; init; }

    /// <summary>Values of the configured attributes (<see cref="QueryTagValues"/>).</summary>
    public required IReadOnlyList<(string Key, string Value)> QueryValues { get; init; }

    /// <summary>Instance attributes as one DICOM JSON object (<see cref="IndexedAttributes.Instance"/>).</summary>
    public required byte[] InstanceAttributes { get; init; }

    /// <summary>The full metadata as DICOM JSON, deflated; BulkDataURIs start with <see cref="BulkDataMark"/>.</summary>
    public required byte[] Metadata { get; init; }

    /// <summary>The frame table, or null where there is no pixel data.</summary>
    public required byte[]? Frames { get; init; }

    /// <summary>The bulk table, or null where every value is inline.</summary>
    public required byte[]? Bulk { get; init; }

    /// <summary>Stands in stored metadata where the instance's URL goes: a byte that JSON text cannot hold.</summary>
    public const byte BulkDataMark = 0x01;
}
