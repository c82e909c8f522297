using DicomServerless.Storage;

namespace DicomServerless.Functions.Hosting;

/// <summary>Where objects lie that are larger than a request may be, until they are stored.</summary>
/// <param name="Container">The container <c>uploads</c>; it raises no events.</param>
/// <param name="UrlOf">A URL by which a client may put blocks of one blob until the given time; null where the account cannot sign one.</param>
internal sealed record UploadPlaces(IBlobContainer Container, Func<string, DateTimeOffset, CancellationToken, Task<Uri?>> UrlOf);
