using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Web;
using DicomServerless.EdgeGateway.Forwarding;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>Searches and retrieves at a DICOMweb server (PS3.18 10.4, 10.6): ours, or any other.</summary>
/// <param name="client">With the destination's address, credentials, proxy and certificates.</param>
/// <param name="pageSize">Results per request after the first.</param>
/// <param name="timeout">How long the server may take to begin an answer, and to go on with one.</param>
internal sealed class ArchiveClient(DestinationClient client, int pageSize, TimeSpan timeout)
{
    // Few, so that the first answer comes soon.
    private const int FirstPage = 25;
    // A URL of 8,190 bytes is what most servers take.
    private const int UidsPerSearch = 50;
    private const int ResultChecks = 15;
    private static readonly TimeSpan FirstResultPause = TimeSpan.FromSeconds(2), LongestResultPause = TimeSpan.FromMinutes(1);
    private const int MaxPageBytes = 256 * 1024 * 1024;
    private const string Json = "application/dicom+json", Objects = "multipart/related; type=\"application/dicom\"; transfer-syntax=*";

    /// <summary>Searches, page after page, until there is nothing more.</summary>
    /// <param name="resource">Such as <c>studies</c>.</param>
    /// <param name="keys">Attributes and values, not yet escaped; a list of UIDs is separated by commas, and cut over several searches if it is long.</param>
    /// <param name="include">Attributes to return beyond the usual.</param>
    /// <param name="fuzzy">Whether names match fuzzily.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ArchiveException">
    /// The archive gave no usable answer; or, behind all others, some results cannot be read, so that the answer is not whole.
    /// </exception>
    public async IAsyncEnumerable<DataSet> SearchAsync(
        string resource, IReadOnlyList<KeyValuePair<string, string>> keys, IEnumerable<Tag> include,
            bool fuzzy, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var unreadable = 0;
        foreach (var parameters in SplitLongLists(keys))
        {
            var query = Query(parameters, include, fuzzy);
            string? firstOfLast = null, next = null;
            var isRepeated = false;
            for (int offset = 0, limit = FirstPage; ; limit = pageSize)
            {
                using var page = await PageAsync(resource, next ?? $"{query}limit={limit}&offset={offset}", cancellationToken);
                var count = 0;
                foreach (var result in page.Results())
                {
                    // A server that does not know offsets gives the first page again and again.
                    var text = result.GetRawText();
                    if (count++ == 0 && (isRepeated = text == firstOfLast)) break;
                    if (count == 1) firstOfLast = text;
                    if (DicomJsonReader.TryRead(Encoding.UTF8.GetBytes(text), null, out var dataSet, out _)) yield return dataSet;
                    else unreadable++;
                }
                if (isRepeated) break;
                offset += count;
                // A link repeats the size of its page, so the small first one is followed only where the server stopped early: an offset would begin that work
                // again.
                var last = next;
                next = limit == pageSize || count < limit ? page.Next : null;
                if (next is not null && next != last) continue;
                next = null;
                if (count == 0 || (count != limit && !(count < limit && page.HasMore))) break;
            }
        }
        if (unreadable > 0) throw new ArchiveException($"{unreadable} of the archive's search results cannot be read.");
    }

    /// <summary>Gets objects, as stored: of a study, a series, or one instance.</summary>
    /// <exception cref="ArchiveException">The archive gave no usable answer.</exception>
    public async IAsyncEnumerable<Stream> RetrieveAsync(string resource, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await SendAsync(HttpMethod.Get, "/" + resource, Objects, cancellationToken);
        if (!response.IsSuccessStatusCode) throw Failure(response);
        var type = MediaType.Parse(response.Content.Headers.ContentType?.ToString());
        await using var body = new LimitedWaits(await response.Content.ReadAsStreamAsync(cancellationToken), timeout);
        if (type?.Name == "application/dicom")
        {
            yield return body;
            yield break;
        }
        if (type?.Name != "multipart/related" || type["boundary"] is not { Length: > 0 } boundary)
            throw new ArchiveException("The archive answered a retrieve with neither multipart/related nor application/dicom.");
        using var parts = new MultipartReader(body, boundary);
        while (await NextAsync(parts, cancellationToken) is { } part) yield return part.Content;
    }

    /// <summary>Whether the archive gives out an instance: it has the object itself, not only a record of it.</summary>
    /// <exception cref="ArchiveException">The archive gave no usable answer.</exception>
    public async Task<bool> HasAsync(InstanceKey key, CancellationToken cancellationToken)
    {
        var path = $"/studies/{key.Study}/series/{key.Series}/instances/{key.Sop}";
        foreach (var method in new[] { HttpMethod.Head, HttpMethod.Get })
        {
            using var response = await SendAsync(method, path, Objects, cancellationToken);
            if (response.IsSuccessStatusCode) return true;
            // Not every server knows HEAD; the answer to GET is let go after its headers.
            if (method == HttpMethod.Get) return response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone ? false : throw Failure(response);
        }
        return false;
    }

    /// <summary>Whether the server takes storage commitment over the web.</summary>
    public bool TakesCommitmentRequests { get; init; }

    /// <summary>Asks the server to commit to instances (PS3.18 13.4), and for the result (13.5) where it does not have it at once.</summary>
    /// <param name="transaction">A Transaction UID that has not been used.</param>
    /// <param name="items">SOP class and SOP instance UIDs.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>Of each SOP Instance UID that the server decided: null where it commits, else the Failure Reason (0008,1197).</returns>
    /// <exception cref="ArchiveException">The server gave no usable answer.</exception>
    public async Task<IReadOnlyDictionary<string, ushort?>> CommitAsync(Uid transaction,
        IReadOnlyList<(string SopClass, string Sop)> items, CancellationToken cancellationToken)
    {
        var path = $"/commitment-requests/{transaction}";
        var (method, body) = (HttpMethod.Post, CommitmentBody(items));
        // A large request takes a server its time, and another try would begin it again: together some ten minutes.
        var pause = FirstResultPause;
        for (var attempt = 0; attempt < ResultChecks; attempt++)
        {
            using var content = method == HttpMethod.Post ? new ByteArrayContent(body) { Headers = { ContentType = new(Json) } } : null;
            using var response = await SendAsync(method, path, Json, cancellationToken, content);
            if (response.StatusCode == HttpStatusCode.OK) return await ReadCommitmentAsync(response, cancellationToken);
            if (response.StatusCode != HttpStatusCode.Accepted) throw Failure(response);
            method = HttpMethod.Get;
            await Task.Delay(pause, cancellationToken);
            pause = pause * 2 < LongestResultPause ? pause * 2 : LongestResultPause;
        }
        throw new ArchiveException("The archive has no result of a storage commitment request yet.");
    }

    private static byte[] CommitmentBody(IReadOnlyList<(string SopClass, string Sop)> items)
    {
        var builder = new DataSetBuilder();
        builder.BeginSequence(Tags.ReferencedSOPSequence);
        foreach (var (sopClass, sop) in items)
        {
            builder.BeginItem();
            builder.Add(Tags.ReferencedSOPClassUID, Vr.UI, Encoding.ASCII.GetBytes(sopClass));
            builder.Add(Tags.ReferencedSOPInstanceUID, Vr.UI, Encoding.ASCII.GetBytes(sop));
            builder.EndItem();
        }
        builder.EndSequence();
        var json = new System.Buffers.ArrayBufferWriter<byte>(1024);
        DicomJsonWriter.Write(builder.Build(), json);
        return json.WrittenSpan.ToArray();
    }

    private async Task<IReadOnlyDictionary<string, ushort?>> ReadCommitmentAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var bytes = new MemoryStream();
        try
        {
            await using var body = new LimitedBytes(new LimitedWaits(await response.Content.ReadAsStreamAsync(cancellationToken), timeout), MaxPageBytes);
            await body.CopyToAsync(bytes, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or HttpRequestException)
        {
            throw new ArchiveException("The archive's answer to a storage commitment request ends early or is too large.", null, exception);
        }
        if (!DicomJsonReader.TryRead(bytes.GetBuffer().AsSpan(0, (int)bytes.Length), null, out var result, out _))
            throw new ArchiveException("The archive's answer to a storage commitment request is no DICOM JSON.");
        var decided = new Dictionary<string, ushort?>(StringComparer.Ordinal);
        foreach (var sequence in new[] { Tags.ReferencedSOPSequence, Tags.FailedSOPSequence })
        {
            if (!result.TryGet(sequence, out var element)) continue;
            foreach (var item in element.Items)
            {
                if (!item.TryGetUid(Tags.ReferencedSOPInstanceUID, out var sop)) continue;
                // An instance in both sequences has failed: nothing is erased on half a word.
                if (sequence == Tags.ReferencedSOPSequence) decided[sop.Value] = null;
                else decided[sop.Value] = item.TryGet(Tags.FailureReason, out var reason) && reason.TryGetUInt16(0, out var code) ? code : (ushort)0x0110;
            }
        }
        return decided;
    }

    private async Task<Page> PageAsync(string resource, string query, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(HttpMethod.Get, $"/{resource}?{query}", Json, cancellationToken);
        var next = NextLink(response, resource);
        if (response.StatusCode == HttpStatusCode.NoContent) return new Page(null, false, next);
        if (!response.IsSuccessStatusCode) throw Failure(response);
        var hasMore = response.Headers.TryGetValues("Warning", out var warnings)
            && warnings.Any(warning => warning.Contains("additional", StringComparison.OrdinalIgnoreCase));
        try
        {
            await using var body = new LimitedBytes(new LimitedWaits(await response.Content.ReadAsStreamAsync(cancellationToken), timeout), MaxPageBytes);
            var document = await JsonDocument.ParseAsync(body, AttributeJson.DocumentOptions, cancellationToken);
            if (document.RootElement.ValueKind == JsonValueKind.Array) return new Page(document, hasMore, next);
            // Of a login page, say, nobody may conclude that there is nothing.
            document.Dispose();
            throw new ArchiveException("The archive answered a search with JSON that is no list of results.");
        }
        catch (InvalidDataException exception)
        {
            throw new ArchiveException("A page of search results is larger than 256 MiB.", null, exception);
        }
        catch (Exception exception) when (exception is JsonException or IOException or HttpRequestException)
        {
            throw new ArchiveException("The archive's search results end early or are no JSON.", null, exception);
        }
    }

    // The query of a link rel="next" (RFC 8288) to the same resource. Only that is followed, and at the address that is configured, so it leads nowhere else,
    // whatever name a proxy gave the server.
    private static string? NextLink(HttpResponseMessage response, string resource)
    {
        if (!response.Headers.TryGetValues("Link", out var values)) return null;
        foreach (var link in values.SelectMany(value => value.Split('<').Skip(1)))
        {
            var end = link.IndexOf('>', StringComparison.Ordinal);
            if (end < 0 || !link[end..].Replace("\"", "", StringComparison.Ordinal).Contains("rel=next", StringComparison.OrdinalIgnoreCase)) continue;
            var mark = link.AsSpan(0, end).IndexOf('?');
            if (mark >= 0 && link.AsSpan(0, mark).EndsWith("/" + resource, StringComparison.Ordinal)) return link[(mark + 1)..end];
        }
        return null;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path,
        string accept, CancellationToken cancellationToken, HttpContent? content = null)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(timeout);
        try
        {
            return await client.SendAsync(method, path, content, request =>
            {
                request.Headers.Remove("Accept");
                request.Headers.TryAddWithoutValidation("Accept", accept);
            }, patience.Token);
        }
        catch (HttpRequestException exception)
        {
            throw new ArchiveException("The archive cannot be reached.", exception.StatusCode, exception);
        }
        catch (Exception exception) when (exception is IOException or CredentialsException)
        {
            throw new ArchiveException(exception is CredentialsException ? exception.Message : "The connection to the archive broke.", null, exception);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ArchiveException($"The archive did not begin to answer within {timeout.TotalSeconds:0} seconds.", null, exception);
        }
    }

    private static async Task<MultipartPart?> NextAsync(MultipartReader parts, CancellationToken cancellationToken)
    {
        try
        {
            return await parts.ReadNextAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException or HttpRequestException)
        {
            throw new ArchiveException("The archive's answer to a retrieve ends early.", null, exception);
        }
    }

    private static ArchiveException Failure(HttpResponseMessage response) => new($"The archive answered {(int)response.StatusCode}.", response.StatusCode);

    private static string Query(IEnumerable<KeyValuePair<string, string>> keys, IEnumerable<Tag> include, bool fuzzy)
    {
        var query = new StringBuilder();
        foreach (var (key, value) in keys) query.Append(key).Append('=').Append(Uri.EscapeDataString(value)).Append('&');
        var fields = string.Join(',', include);
        if (fields.Length > 0) query.Append("includefield=").Append(fields).Append('&');
        if (fuzzy) query.Append("fuzzymatching=true&");
        return query.ToString();
    }

    private static IEnumerable<IReadOnlyList<KeyValuePair<string, string>>> SplitLongLists(IReadOnlyList<KeyValuePair<string, string>> keys)
    {
        var at = keys.Select((key, index) => (key, index)).Where(item => item.key.Value.Count(c => c == ',') >= UidsPerSearch)
            .Select(item => item.index).DefaultIfEmpty(-1).First();
        if (at < 0) return [keys];
        return keys[at].Value.Split(',').Chunk(UidsPerSearch)
            .Select(uids => (IReadOnlyList<KeyValuePair<string, string>>)[.. keys.Take(at), new(keys[at].Key, string.Join(',', uids)), .. keys.Skip(at + 1)]);
    }

    private sealed class Page(JsonDocument? document, bool hasMore, string? next) : IDisposable
    {
        public bool HasMore => hasMore;

        /// <summary>The query of the next page, where the server links to it.</summary>
        public string? Next => next;

        public IEnumerable<JsonElement> Results() => document?.RootElement.EnumerateArray() ?? [];

        public void Dispose() => document?.Dispose();
    }
}
