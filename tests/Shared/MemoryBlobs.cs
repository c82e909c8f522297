using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using DicomServerless.Storage;

namespace DicomServerless.Shared;

/// <summary>What happened to a blob, as an event source tells it.</summary>
public sealed record MemoryBlobChange(bool IsDeleted, string Container, string Name, DateTimeOffset Time, string? ClientRequestId);

/// <summary>The state of a container that several clients share.</summary>
public sealed class MemoryBlobState(string name, TimeProvider clock)
{
    private long versions;

    public string Name => name;
    public TimeProvider Clock => clock;
    public SortedList<string, (BlobInfo Info, byte[] Bytes)> Blobs { get; } = new(StringComparer.Ordinal);
    public Dictionary<(string Blob, string Id), byte[]> Blocks { get; } = [];
    public Action<MemoryBlobChange>? Changed { get; set; }

    public string NextETag() => "0x" + (++versions).ToString("X", CultureInfo.InvariantCulture);
}

/// <summary>
/// A blob container in memory with the semantics of the real one, for tests that need to decide the order of every single operation: <paramref name="step"/> is
/// awaited before an operation takes effect and once more before its answer arrives; it may throw in either place. An operation that was cancelled ends when
/// its step comes.
/// </summary>
public sealed class MemoryBlobs(MemoryBlobState state, Func<string, Task> step) : IBlobContainer
{
    public string Name => state.Name;

    public Task CreateIfAbsentAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<BlobWritten> PutAsync(string name, ReadOnlySequence<byte> content, BlobWrite write, CancellationToken cancellationToken) =>
        DoAsync("put " + name, () => Write(name, content.ToArray(), write), cancellationToken);

    public Task<StorageStatus> StageBlockAsync(string name, string blockId, ReadOnlySequence<byte> content, CancellationToken cancellationToken) =>
        DoAsync("stage " + name, () =>
    {
        // The service takes ids of 64 bytes at most, all of a blob's of one length.
        if (blockId.Length > 88 || state.Blocks.Keys.Any(key => key.Blob == name && key.Id.Length != blockId.Length)) return StorageStatus.Invalid;
        state.Blocks[(name, blockId)] = content.ToArray();
        return StorageStatus.Ok;
    }, cancellationToken);

    public Task<BlobWritten> CommitBlocksAsync(string name, IReadOnlyList<string> blockIds, BlobWrite write, CancellationToken cancellationToken) =>
        DoAsync("commit " + name, () =>
    {
        if (blockIds.Count > 50_000) return new BlobWritten(StorageStatus.Invalid, null);
        if (!blockIds.All(id => state.Blocks.ContainsKey((name, id)))) return new BlobWritten(StorageStatus.Invalid, null);
        var written = Write(name, blockIds.SelectMany(id => state.Blocks[(name, id)]).ToArray(), write);
        if (written.Status == StorageStatus.Ok) foreach (var key in state.Blocks.Keys.Where(key => key.Blob == name).ToArray()) state.Blocks.Remove(key);
        return written;
    }, cancellationToken);

    public Task<BlobInfo?> HeadAsync(string name, CancellationToken cancellationToken) =>
        DoAsync("head " + name, () => state.Blobs.TryGetValue(name, out var blob) ? blob.Info : null, cancellationToken);

    public Task<BlobRead> ReadAsync(string name, long offset, long? length, string? ifMatch, CancellationToken cancellationToken) =>
        DoAsync("read " + name, () =>
    {
        if (!state.Blobs.TryGetValue(name, out var blob)) return new BlobRead(StorageStatus.NotFound, null, null);
        if (ifMatch is not null && ifMatch != blob.Info.ETag) return new BlobRead(StorageStatus.PreconditionFailed, null, null);
        if (offset >= blob.Bytes.Length && (offset > 0 || length is not null)) return new BlobRead(StorageStatus.RangeNotSatisfiable, null, null);
        var count = Math.Min(blob.Bytes.Length - offset, length ?? long.MaxValue);
        return new BlobRead(StorageStatus.Ok, new MemoryStream(blob.Bytes, (int)offset, (int)count, writable: false), blob.Info);
    }, cancellationToken);

    public async IAsyncEnumerable<BlobInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var found = await DoAsync("list " + prefix, () => From(prefix).TakeWhile(info => info.Name.StartsWith(prefix, StringComparison.Ordinal)).ToArray(),
            cancellationToken);
        foreach (var info in found) yield return info;
    }

    public Task<StorageStatus> DeleteAsync(string name, string? ifMatch, string? clientRequestId, CancellationToken cancellationToken) =>
        DoAsync("delete " + name, () =>
    {
        if (!state.Blobs.TryGetValue(name, out var blob)) return StorageStatus.NotFound;
        if (ifMatch is not null && ifMatch != blob.Info.ETag) return StorageStatus.PreconditionFailed;
        state.Blobs.Remove(name);
        state.Changed?.Invoke(new MemoryBlobChange(true, state.Name, name, state.Clock.GetUtcNow(), clientRequestId));
        return StorageStatus.Ok;
    }, cancellationToken);

    private IEnumerable<BlobInfo> From(string prefix)
    {
        var (low, high) = (0, state.Blobs.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (string.CompareOrdinal(state.Blobs.Keys[middle], prefix) < 0) low = middle + 1;
            else high = middle;
        }
        for (; low < state.Blobs.Count; low++) yield return state.Blobs.Values[low].Info;
    }

    // Names are C# identifiers, values ASCII without control characters, all of it together 8 KiB.
    private static bool IsAllowed(IReadOnlyDictionary<string, string>? metadata) => metadata is null
        || (metadata.Sum(pair => pair.Key.Length + pair.Value.Length) <= 8 * 1024
            && metadata.All(pair => pair.Key.Length > 0 && !char.IsAsciiDigit(pair.Key[0]) && pair.Key.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
                && pair.Value.All(c => c is >= ' ' and < (char)127)));

    private BlobWritten Write(string name, byte[] bytes, BlobWrite write)
    {
        if (name.Length is 0 or > 1024) throw new ArgumentException("A blob's name has 1 to 1,024 characters.");
        if (!IsAllowed(write.Metadata)) return new BlobWritten(StorageStatus.Invalid, null);
        var there = state.Blobs.TryGetValue(name, out var blob);
        if (write.Condition.IfAbsent && there) return new BlobWritten(StorageStatus.Conflict, null);
        if (write.Condition.IfMatch is { } etag && (!there || blob.Info.ETag != etag)) return new BlobWritten(StorageStatus.PreconditionFailed, null);
        var metadata = new Dictionary<string, string>(write.Metadata ?? new Dictionary<string, string>(), StringComparer.OrdinalIgnoreCase);
        var info = new BlobInfo(name, bytes.Length, state.NextETag(), state.Clock.GetUtcNow(), metadata);
        state.Blobs[name] = (info, bytes);
        state.Changed?.Invoke(new MemoryBlobChange(false, state.Name, name, info.LastModified, write.ClientRequestId));
        return new BlobWritten(StorageStatus.Ok, info.ETag);
    }

    private async Task<T> DoAsync<T>(string what, Func<T> effect, CancellationToken cancellationToken)
    {
        await step(what);
        cancellationToken.ThrowIfCancellationRequested();
        T result;
        lock (state) result = effect(); // a server calls from many threads
        await step("answer to " + what);
        cancellationToken.ThrowIfCancellationRequested(); // it has happened, and its caller does not hear of it
        return result;
    }
}
