using DicomServerless.Dicom;

namespace DicomServerless.Archive.Retrieve;

/// <summary>How a request for frames came out.</summary>
public enum FrameOutcome
{
    /// <summary>The frames are there.</summary>
    Ok,
    /// <summary>No such instance.</summary>
    NotFound,
    /// <summary>The instance has no pixel data.</summary>
    NoPixelData,
    /// <summary>A frame number is past the last frame.</summary>
    OutOfRange,
}

/// <summary>The answer to a request for frames.</summary>
/// <param name="Outcome">How it came out.</param>
/// <param name="Instance">The instance, when Ok.</param>
/// <param name="Count">Frames that there are, when the instance has pixel data.</param>
/// <param name="IsEncapsulated">Whether frames are compressed as stored; else they are little endian pixels.</param>
/// <param name="Frames">The frames, opened one by one as they are asked for; dispose each before the next.</param>
public sealed record FrameAnswer(FrameOutcome Outcome, StoredInstance? Instance, int Count, bool IsEncapsulated, IAsyncEnumerable<FrameContent> Frames);

/// <summary>One frame.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Content">The bytes; disposed with the next step of the enumeration or by the caller.</param>
public sealed record FrameContent(int Number, long Length, Stream Content);

/// <summary>A value behind a BulkDataURI.</summary>
/// <param name="Instance">Its instance.</param>
/// <param name="Path">The path in its URI.</param>
/// <param name="Vr">Its VR.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="IsEncapsulated">Whether it is encapsulated pixel data, which is better asked for by frames.</param>
/// <param name="MediaType">The media type that the instance states for an encapsulated document; null for none.</param>
/// <param name="Open">Opens a range of it, little endian.</param>
public sealed record BulkAnswer(StoredInstance Instance, string Path, Vr Vr, long Length, bool IsEncapsulated, string? MediaType,
    Func<long, long, CancellationToken, Task<Stream>> Open);

/// <summary>Pixel data of an instance: one of the two.</summary>
/// <param name="Instance">The instance.</param>
/// <param name="Value">The whole value, native.</param>
/// <param name="Frame">A frame; disposed with the next step of the enumeration or by the caller.</param>
public sealed record PixelAnswer(StoredInstance Instance, BulkAnswer? Value, FrameContent? Frame);
