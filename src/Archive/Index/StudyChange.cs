using DicomServerless.Dicom;

namespace DicomServerless.Archive.Index;

/// <summary>What a process knew of a study before it changed a blob (docs/design.md, rule 3).</summary>
/// <param name="ForeignChanges">How many changes by others the writer had noticed.</param>
/// <param name="Commits">How many commits it had made.</param>
/// <param name="Patients">The patients of the study, as far as they were known.</param>
internal readonly record struct StudyGuard(long ForeignChanges, long Commits, StudyPatients? Patients);

/// <summary>How an instance stands after it was settled.</summary>
internal enum SettledAs
{
    /// <summary>The blob is there and the row says what it holds.</summary>
    Present,
    /// <summary>Neither blob nor row.</summary>
    Absent,
    /// <summary>The blob is there but is no DICOM object with the UIDs of its name: no row.</summary>
    Misplaced,
    /// <summary>The blob is there and was stored by us, and is not understood any more: no row. It stays, since it was acknowledged once.</summary>
    NotUnderstood,
}

/// <summary>How an instance came out of settling, and of which version of its blob that was found.</summary>
/// <param name="As">How it stands.</param>
/// <param name="ETag">The version that was judged, where it is misplaced: this one may go elsewhere, and none that came under the name since.</param>
internal readonly record struct Settlement(SettledAs As, string? ETag = null);

/// <summary>A name whose row is to follow its blob.</summary>
internal sealed class StudyChange
{
    private readonly TaskCompletionSource<Settlement> settled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private StudyChange(InstanceName name) => Name = name;

    public InstanceName Name { get; }

    /// <summary>What our own put wrote; null if we put nothing.</summary>
    public InstanceContent? Content { get; private init; }

    /// <summary>The ETag of our own put.</summary>
    public string? BlobETag { get; private init; }

    /// <summary>True if our own put found no blob there, so that a row is not to be expected either.</summary>
    public bool IsNew { get; private init; }

    /// <summary>True if we deleted the blob. The study's row is then written in any case, so that a put which has not committed yet notices.</summary>
    public bool IsDelete { get; private init; }

    /// <summary>Known before our put or delete; null if we changed nothing, so that the blob must be asked.</summary>
    public StudyGuard? Guard { get; private init; }

    /// <summary>What the blob held when it was last read back, for the attempts that follow a conflict; null if it was not read.</summary>
    public BlobContent? ReadBack { get; set; }

    /// <summary>About what it holds in memory until it is settled. Bytes.</summary>
    public long HeldBytes => Content is { } content
        ? 4096 + content.Metadata.Length + content.InstanceAttributes.Length + (content.Frames?.Length ?? 0) + (content.Bulk?.Length ?? 0)
            + content.StudyAttributes.Concat(content.SeriesAttributes).Sum(attribute => (long)attribute.Value.Length)
        : 256;

    /// <summary>Done when rows and search rows agree with the blob.</summary>
    public Task<Settlement> Settled => settled.Task;

    public static StudyChange Put(InstanceContent content, string blobETag, bool isNew, StudyGuard guard) =>
        new(content.Key.Name) { Content = content, BlobETag = blobETag, IsNew = isNew, Guard = guard };

    public static StudyChange Deleted(InstanceName name, StudyGuard guard) => new(name) { IsDelete = true, Guard = guard };

    public static StudyChange Look(InstanceName name) => new(name);

    /// <summary>
    /// Waits for all of them, one after the other, so that the order of what follows is the awaiting context's own. Who cancels no longer waits; the changes
    /// are settled all the same.
    /// </summary>
    public static async Task<Settlement[]> AllAsync(IReadOnlyList<StudyChange> changes, CancellationToken cancellationToken)
    {
        using var leaving = cancellationToken.Register(() =>
        {
            foreach (var change in changes) change.settled.TrySetCanceled(cancellationToken);
        });
        var results = new Settlement[changes.Count];
        for (var i = 0; i < results.Length; i++) results[i] = await changes[i].Settled;
        return results;
    }

    public void Complete(Settlement result) => settled.TrySetResult(result);

    public void Fail(Exception exception) => settled.TrySetException(exception);
}
