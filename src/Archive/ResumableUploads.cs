using System.Buffers;
using System.Globalization;
using System.Text;
using DicomServerless.Storage;

namespace DicomServerless.Archive;

/// <summary>An upload that has begun.</summary>
/// <param name="Id">Its id: 32 hexadecimal digits.</param>
/// <param name="Url">Where blocks can be put straight into the storage; null where the account cannot sign such a URL.</param>
/// <param name="Expires">Until when they can.</param>
public sealed record BegunUpload(string Id, Uri? Url, DateTimeOffset Expires);

/// <summary>The answer to a completed upload, kept for a client that did not hear it.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">The body.</param>
public sealed record UploadAnswer(int Status, byte[] Body);

/// <summary>
/// Objects larger than one request may be: they come in blocks, over several requests and straight into the storage, and are then stored by the way of every
/// other object.
/// The bytes go through this process: they have to be scanned and hashed anyway, and the commit of staged blocks is the one operation with the condition that
/// decides between versions; a server-side copy is visible before it is whole.
/// </summary>
/// <param name="container">The container <c>uploads</c>; it raises no events.</param>
/// <param name="urlOf">A URL by which a client may put blocks of one blob until the given time; null where the account cannot sign one.</param>
/// <param name="store">Stores the objects.</param>
/// <param name="clock">The time.</param>
/// <param name="newGuid">Random ids.</param>
/// <param name="most">How many objects are stored at the same time: the work goes on when its request has ended, so limits on requests do not bound it.</param>
public sealed class ResumableUploads(IBlobContainer container, Func<string, DateTimeOffset, CancellationToken, Task<Uri?>> urlOf, InstanceStore store,
    TimeProvider clock, Func<Guid> newGuid, int most)
{
    /// <summary>The largest block. Bytes.</summary>
    public const int BlockBytes = 8 << 20;

    /// <summary>The most blocks of one object, as many as a blob may have.</summary>
    public const int MaxBlocks = 50_000;

    private const string StatusKey = "status", Answered = ".answer";
    private const int TryAgain = 503;
    private static readonly TimeSpan UrlLife = TimeSpan.FromHours(2), Kept = TimeSpan.FromDays(2);

    // Stores that are at work, each until it ends. Another process that is asked begins anew: the data set is the same, so both end well.
    private readonly Dictionary<string, Task<UploadAnswer?>> working = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    /// <summary>Begins an upload.</summary>
    public async Task<BegunUpload> BeginAsync(CancellationToken cancellationToken)
    {
        var (id, expires) = (newGuid().ToString("n"), clock.GetUtcNow() + UrlLife);
        return new BegunUpload(id, await urlOf(id, expires, cancellationToken), expires);
    }

    /// <summary>Whether a text has the form of an id, so that a blob may be named by it.</summary>
    public static bool IsId(string text) => text.Length == 32 && text.All(char.IsAsciiHexDigitLower);

    /// <summary>Takes a block. False where the upload is complete already, or the block does not fit the others.</summary>
    /// <param name="id">The upload.</param>
    /// <param name="number">The block's number, from 0.</param>
    /// <param name="content">1 to <see cref="BlockBytes"/> bytes.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    public async Task<bool> PutBlockAsync(string id, int number, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        await container.StageBlockAsync(id, BlockId(number), new ReadOnlySequence<byte>(content), cancellationToken) == StorageStatus.Ok;

    /// <summary>
    /// Stores the object of an upload. Asked again it gives the same answer. The work goes on when the caller stops waiting.
    /// </summary>
    /// <param name="id">The upload.</param>
    /// <param name="blocks">How many blocks it has.</param>
    /// <param name="request">How it is stored.</param>
    /// <param name="answerOf">Makes the answer of the results.</param>
    /// <param name="patience">How long to wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The answer; null if there is no such upload or blocks of it are missing.</returns>
    /// <exception cref="TimeoutException">It is still at work, or as many others are as may be: ask again.</exception>
    public Task<UploadAnswer?> CompleteAsync(
        string id, int blocks, StoreRequest request, Func<IReadOnlyList<StoreResult>,
            UploadAnswer> answerOf, TimeSpan patience, CancellationToken cancellationToken)
    {
        Task<UploadAnswer?>? work;
        lock (gate)
        {
            if (!working.TryGetValue(id, out work))
            {
                if (working.Count >= most) return Task.FromException<UploadAnswer?>(new TimeoutException("As many uploads are being stored as may be."));
                working[id] = work = Task.Run(() => WorkAsync(id, blocks, request, answerOf), CancellationToken.None);
            }
        }
        return work.WaitAsync(patience, clock, cancellationToken);
    }

    /// <summary>Removes what nobody completed. Part of every sweep. Blocks that were never committed are removed by the storage service after a week.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var before = clock.GetUtcNow() - Kept;
        await foreach (var blob in container.ListAsync("", cancellationToken))
            if (blob.LastModified < before) await container.DeleteAsync(blob.Name, blob.ETag, null, cancellationToken);
    }

    /// <summary>Waits for stores that are at work. For an orderly stop; what a crash cuts off is done when the client asks again.</summary>
    public async Task CloseAsync()
    {
        Task[] all;
        lock (gate) all = [.. working.Values];
        await Task.WhenAll(all).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task<UploadAnswer?> WorkAsync(string id, int blocks, StoreRequest request, Func<IReadOnlyList<StoreResult>, UploadAnswer> answerOf)
    {
        try
        {
            return await StoreAsync(id, blocks, request, answerOf);
        }
        finally
        {
            // Whoever asks from here on finds the kept answer, or begins anew.
            lock (gate) working.Remove(id);
        }
    }

    private async Task<UploadAnswer?> StoreAsync(string id, int blocks, StoreRequest request, Func<IReadOnlyList<StoreResult>, UploadAnswer> answerOf)
    {
        var none = CancellationToken.None;
        if (await KeptAnswerAsync(id) is { } before) return before;
        if (await container.HeadAsync(id, none) is not { } blob)
        {
            var committed = await container.CommitBlocksAsync(id, [.. Enumerable.Range(0, blocks).Select(BlockId)], new BlobWrite(BlobCondition.Absent), none);
            if (committed.Status is not (StorageStatus.Ok or StorageStatus.Conflict)) return null;
            blob = await container.HeadAsync(id, none);
            if (blob is null) return await KeptAnswerAsync(id);
        }
        if (blob.Length == 0) return null;
        IReadOnlyList<StoreResult> results;
        await using (var read = await container.ReadAsync(id, 0, null, blob.ETag, none))
        {
            if (read.Status != StorageStatus.Ok) return await KeptAnswerAsync(id);
            await using var batch = store.Begin(request);
            try
            {
                await batch.ReceiveAsync(read.Content, none);
            }
            finally
            {
                results = await batch.CompleteAsync();
            }
        }
        var answer = answerOf(results);
        if (answer.Status == TryAgain) return answer; // nothing is kept of it
        var status = new Dictionary<string, string> { [StatusKey] = answer.Status.ToString(CultureInfo.InvariantCulture) };
        await container.PutAsync(id + Answered, new ReadOnlySequence<byte>(answer.Body), new BlobWrite(BlobCondition.None, status), none);
        await container.DeleteAsync(id, blob.ETag, null, none);
        return answer;
    }

    private async Task<UploadAnswer?> KeptAnswerAsync(string id)
    {
        await using var read = await container.ReadAsync(id + Answered, 0, null, null, CancellationToken.None);
        if (read.Status != StorageStatus.Ok || !read.Info.Metadata.TryGetValue(StatusKey, out var status)) return null;
        var body = new MemoryStream();
        await read.Content.CopyToAsync(body);
        return new UploadAnswer(int.Parse(status, CultureInfo.InvariantCulture), body.ToArray());
    }

    private static string BlockId(int number) => Convert.ToBase64String(Encoding.ASCII.GetBytes(number.ToString("D8", CultureInfo.InvariantCulture)));
}
