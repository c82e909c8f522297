using DicomServerless.Dicom;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Archive.Index;

/// <summary>
/// The index of all studies. Everyone who changes or doubts a blob of a study enters it here; within this process one <see cref="StudyWriter"/> per study
/// gathers what arrives together into common commits, and stays for a second or two over the requests that follow.
/// </summary>
internal sealed class StudyIndex(ArchiveStores stores, ArchiveOptions options, InstanceContentReader contents, TimeProvider clock, Func<Guid> newGuid,
    ILogger log)
{
    private readonly Dictionary<Uid, StudyWriter> writers = [];
    private readonly Lock gate = new();

    /// <summary>Joins the work on a study. Dispose the lease when the request is done with it.</summary>
    public StudyLease Enter(Uid study)
    {
        lock (gate)
        {
            if (!writers.TryGetValue(study, out var writer))
            {
                var journal = new JournalEntry(stores.Journal, study, newGuid().ToString("n"), options.JournalDue, clock);
                writers[study] = writer = new StudyWriter(study, stores, options, contents, journal, this, clock, newGuid, log);
            }
            return LeaseOf(writer);
        }
    }

    /// <summary>One more hold on a writer that is held already: for work that goes on when its caller has left.</summary>
    public StudyLease Extend(StudyWriter writer)
    {
        lock (gate) return LeaseOf(writer);
    }

    /// <summary>Makes the rows of the names follow their blobs, whoever changed those (docs/design.md, "Settle").</summary>
    public async Task<IReadOnlyList<Settlement>> SettleAsync(Uid study, IReadOnlyCollection<InstanceName> names, CancellationToken cancellationToken)
    {
        if (names.Count == 0) return [];
        using var lease = Enter(study);
        await lease.Writer.HoldAsync(cancellationToken);
        var changes = names.Select(StudyChange.Look).ToArray();
        lease.Writer.Enqueue(changes);
        return await StudyChange.AllAsync(changes, cancellationToken);
    }

    private StudyLease LeaseOf(StudyWriter writer)
    {
        writer.Users++;
        writer.Idle?.Dispose();
        writer.Idle = null;
        return new StudyLease(writer, Leave);
    }

    private void Leave(StudyWriter writer)
    {
        lock (gate)
        {
            if (--writer.Users > 0) return;
            writer.Idle = clock.CreateTimer(_ => _ = CloseAsync(writer), null, options.KeepStudy, Timeout.InfiniteTimeSpan);
        }
    }

    private async Task CloseAsync(StudyWriter writer)
    {
        lock (gate)
        {
            if (writer.Users > 0 || !writers.TryGetValue(writer.Study, out var current) || current != writer) return;
            writers.Remove(writer.Study);
            writer.Idle?.Dispose();
        }
        try
        {
            await writer.DisposeAsync();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            ArchiveLog.JournalNotRemoved(log, exception);
        }
    }

    /// <summary>Closes every writer that nobody uses, at once: the end of the process.</summary>
    public async Task CloseAllAsync()
    {
        StudyWriter[] idle;
        lock (gate) idle = [.. writers.Values.Where(writer => writer.Users == 0)];
        foreach (var writer in idle) await CloseAsync(writer);
    }
}

/// <summary>
/// A hold on a study's writer: of a request, or of the commits that are under way. The writer is closed, and its journal row removed, only when nobody holds
/// it.
/// </summary>
internal sealed class StudyLease(StudyWriter writer, Action<StudyWriter> leave) : IDisposable
{
    private int disposed;

    public StudyWriter Writer => writer;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 0) leave(writer);
    }
}
