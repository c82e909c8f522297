using System.Runtime.CompilerServices;
using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>An object of a retrieve, to be read before the next is asked for.</summary>
/// <param name="Item">What it is.</param>
/// <param name="File">Its bytes; null if it could not be got.</param>
/// <param name="Problem">Why it could not, without patient data.</param>
internal sealed record RetrievedObject(RetrieveItem Item, Part10Stream? File, string? Problem);

/// <summary>
/// Gives the objects of a retrieve one after the other, never more than one in memory's reach: from the spool where they wait, whole series in one request to
/// the archive (which fetches ahead on its side), single ones otherwise. What a broken request did not bring is asked for again, one by one.
/// </summary>
internal sealed class ObjectSource(ArchiveClient? archive)
{
    private const string Unreadable = "A file of the gateway's spool cannot be read";

    /// <summary>Reads the objects.</summary>
    /// <param name="items">Which.</param>
    /// <param name="takesWholeSeries">Whether series come in one request each; else every object does.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public async IAsyncEnumerable<RetrievedObject> ReadAsync(IReadOnlyCollection<RetrieveItem> items,
        bool takesWholeSeries, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var archived = new List<RetrieveItem>();
        foreach (var item in items)
        {
            var (source, problem) = item.Waiting is { Entry: var entry } ? OpenFile(entry) : default;
            if (problem is not null) yield return new RetrievedObject(item, null, problem);
            else if (source is null) archived.Add(item); // or sent in between
            else
            {
                await using (source) yield return await OpenWaitingAsync(item, source, cancellationToken);
            }
        }
        foreach (var series in archived.GroupBy(item => (item.Key.Study, item.Key.Series)))
        {
            var missing = series.ToDictionary(item => item.Key.Sop.Value, StringComparer.Ordinal);
            if (takesWholeSeries && missing.Count > 1 && archive is not null)
                await foreach (var found in SeriesAsync(series.Key.Study, series.Key.Series, missing, cancellationToken)) yield return found;
            foreach (var item in missing.Values)
                await foreach (var found in SingleAsync(item, cancellationToken)) yield return found;
        }
    }

    private async IAsyncEnumerable<RetrievedObject> SeriesAsync(Uid study, Uid series,
        Dictionary<string, RetrieveItem> missing, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var parts = archive!.RetrieveAsync($"studies/{study}/series/{series}", cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            RetrievedObject found;
            try
            {
                if (!await parts.MoveNextAsync()) yield break;
                var (file, _) = await Part10Stream.OpenAsync(parts.Current, cancellationToken);
                // One that came in since the plan was made is not part of it.
                if (file?.Meta.MediaStorageSopInstance is not { } sop || !missing.Remove(sop.Value, out var item)) continue;
                found = new RetrievedObject(item, file, null);
            }
            catch (Exception exception) when (exception is ArchiveException or IOException or InvalidDataException or HttpRequestException)
            {
                yield break; // the rest one by one
            }
            yield return found;
        }
    }

    private async IAsyncEnumerable<RetrievedObject> SingleAsync(RetrieveItem item, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (archive is null)
        {
            yield return new RetrievedObject(item, null, "There is no archive to ask.");
            yield break;
        }
        await using var parts = archive.RetrieveAsync($"studies/{item.Key.Study}/series/{item.Key.Series}/instances/{item.Key.Sop}", cancellationToken)
            .GetAsyncEnumerator(cancellationToken);
        RetrievedObject found;
        try
        {
            found = await parts.MoveNextAsync() ? await OpenAsync(item, parts.Current, cancellationToken)
                : new RetrievedObject(item, null, "The archive's answer holds no object.");
        }
        catch (Exception exception) when (exception is ArchiveException or IOException or InvalidDataException or HttpRequestException)
        {
            found = new RetrievedObject(item, null, exception.Message);
        }
        yield return found;
    }

    private static async Task<RetrievedObject> OpenAsync(RetrieveItem item, Stream source, CancellationToken cancellationToken)
    {
        var (file, error) = await Part10Stream.OpenAsync(source, cancellationToken);
        return new RetrievedObject(item, file, error?.Message);
    }

    private static async Task<RetrievedObject> OpenWaitingAsync(RetrieveItem item, FileStream source, CancellationToken cancellationToken)
    {
        try
        {
            return await OpenAsync(item, source, cancellationToken);
        }
        catch (IOException)
        {
            return new RetrievedObject(item, null, Unreadable);
        }
    }

    // A file that cannot be read now fails its own object and no other. It is not asked of the archive, which may have an older version.
    private static (FileStream? Source, string? Problem) OpenFile(SpoolEntry entry)
    {
        try
        {
            return (new FileStream(entry.Path, new FileStreamOptions
                { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete,
                BufferSize = 0, Options = FileOptions.SequentialScan }), null);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException && entry.MayHaveLeft)
        {
            return default;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return (null, Unreadable);
        }
    }
}
