using DicomServerless.Storage;

namespace DicomServerless.Functions.Hosting;

/// <summary>Where objects lie that are larger than a request may be, until they are stored.</summary>
/// <param name="Container">The container <c>uploads</c>; it raises no events.</param>
/// <param name="UrlOf">A URL by which a client may put blocks of one blob until the given time; null where the account cannot sign one.</param>
internal sealed record UploadPlaces(IBlobContainer Container, Func<string, DateTimeOffset, CancellationToken, Task<Uri?>> UrlOf)
{
    /// <summary>The longest that anything stays here.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromDays(2);

    /// <summary>Removes what nobody completed. Part of every sweep. Blocks that were never committed are removed by the storage service after a week.</summary>
    public async Task SweepAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        await foreach (var blob in Container.ListAsync("", cancellationToken))
            if (blob.LastModified < now - Kept) await Container.DeleteAsync(blob.Name, blob.ETag, null, cancellationToken);
    }
}
