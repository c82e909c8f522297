using DicomServerless.Archive;
using DicomServerless.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Unit.Archive;

/// <summary>The real archive over stores in memory.</summary>
internal static class Archives
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>How many random histories a model test plays: MODEL_HISTORIES, or 10,000. The random searches are at most as many.</summary>
    public static readonly int ModelHistories = int.TryParse(Environment.GetEnvironmentVariable("MODEL_HISTORIES"), out var count) ? count : 10_000;

    public static DicomArchive Open(MemoryWorld world, TimeProvider? clock = null, ArchiveOptions? options = null, Func<string, Task>? step = null) =>
        new(world.Client(step), options ?? new ArchiveOptions(), clock ?? TimeProvider.System, Guid.NewGuid, NullLogger<DicomArchive>.Instance);

    public static async Task<StoreResult> StoreAsync(this DicomArchive archive,
        byte[] file, DuplicatePolicy policy = DuplicatePolicy.Reject, string? study = null) =>
        (await archive.StoreAllAsync([file], policy, study))[0];

    public static async Task<IReadOnlyList<StoreResult>> StoreAllAsync(this DicomArchive archive,
        IEnumerable<byte[]> files, DuplicatePolicy policy = DuplicatePolicy.Reject, string? study = null)
    {
        await using var batch = archive.Store.Begin(new StoreRequest(study is null ? null : DicomServerless.Dicom.Uid.Parse(study), policy, "test"));
        foreach (var file in files) await batch.ReceiveAsync(new MemoryStream(file), CancellationToken.None);
        return await batch.CompleteAsync();
    }
}
