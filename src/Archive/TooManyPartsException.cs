namespace DicomServerless.Archive;

/// <summary>A store request has more parts or objects than <see cref="ArchiveOptions.MaxPartsPerRequest"/>. Those before the one too many are stored.</summary>
public sealed class TooManyPartsException(int most)
    : Exception($"A store request may have {most} parts or objects here; send fewer objects at once.");
