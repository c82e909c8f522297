using DicomServerless.Dicom;
using DicomServerless.Storage;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Archive.Index;

/// <summary>How far a configured attribute is.</summary>
public enum QueryTagState
{
    /// <summary>Studies that were there before it was configured are being looked at; until then searches by it look at studies one by one.</summary>
    Building,
    /// <summary>Every study has its pointers.</summary>
    Ready,
    /// <summary>It is no longer configured; its pointers are being removed.</summary>
    Removing,
}

/// <summary>A configured attribute, or one that was.</summary>
/// <param name="Id">What it is (<see cref="QueryTag.Id"/>).</param>
/// <param name="State">How far it is.</param>
/// <param name="Done">Studies done.</param>
/// <param name="Seen">Studies that were there when the work began.</param>
/// <param name="Started">When the work began; null if it has not.</param>
/// <param name="Finished">When it ended; null if it has not.</param>
public sealed record QueryTagStatus(string Id, QueryTagState State, long Done, long Seen, DateTimeOffset? Started, DateTimeOffset? Finished);

/// <summary>What one run of the build did.</summary>
/// <param name="Done">Studies looked at.</param>
/// <param name="Remaining">Studies that were left, as far as is known.</param>
/// <param name="IsFinished">Whether nothing is left to do.</param>
/// <param name="Failed">Studies that could not be done; the walk over all studies begins again because of them.</param>
public readonly record struct QueryTagRun(int Done, long Remaining, bool IsFinished, long Failed = 0);

/// <summary>
/// Brings the pointers of studies that are there already in line with the configured attributes: those of new ones are written, those of former ones go. It
/// walks over the studies newest first, remembers in <c>journal</c> how far it is, and goes on from there; two at once do some work twice and no harm.
/// </summary>
public sealed class QueryTagBuild
{
    private const string Partition = "querytags", PassRow = "!pass";
    private const int PageStudies = 50;

    private static readonly TimeSpan Budget = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan RememberReady = TimeSpan.FromSeconds(30);

    private readonly ArchiveStores stores;
    private readonly StudyIndex index;
    private readonly IReadOnlyList<QueryTag> configured;
    private readonly TimeProvider clock;
    private readonly ILogger log;
    private (IReadOnlySet<string> Ids, DateTimeOffset At) ready = (new HashSet<string>(), DateTimeOffset.MinValue);

    internal QueryTagBuild(ArchiveStores stores, StudyIndex index, ArchiveOptions options, TimeProvider clock, ILogger log) =>
        (this.stores, this.index, configured, this.clock, this.log) = (stores, index, options.QueryTags, clock, log);

    /// <summary>Every attribute that is or was configured, and how far it is.</summary>
    public async Task<IReadOnlyList<QueryTagStatus>> StatusAsync(CancellationToken cancellationToken)
    {
        var (states, pass) = await ReadAsync(cancellationToken);
        var found = new List<QueryTagStatus>();
        foreach (var (id, state, row) in Plan(states))
        {
            var progress = state == QueryTagState.Ready ? row : pass;
            found.Add(new QueryTagStatus(id, state, progress?.Number(Columns.WalkDone) ?? 0, progress?.Number(Columns.WalkSeen) ?? 0,
                Time(progress, Columns.WalkStarted), state == QueryTagState.Ready ? Time(row, Columns.WalkFinished) : null));
        }
        return found;
    }

    /// <summary>The ids of the attributes whose pointers are complete. Looked up twice a minute at most.</summary>
    public async Task<IReadOnlySet<string>> ReadyAsync(CancellationToken cancellationToken)
    {
        if (clock.GetUtcNow() - ready.At > RememberReady)
        {
            var (states, _) = await ReadAsync(cancellationToken);
            ready = (Plan(states).Where(item => item.State == QueryTagState.Ready).Select(item => item.Id)
                .ToHashSet(StringComparer.Ordinal), clock.GetUtcNow());
        }
        return ready.Ids;
    }

    /// <summary>Works for a while; call it again until it is finished.</summary>
    public async Task<QueryTagRun> RunAsync(CancellationToken cancellationToken)
    {
        var (states, pass) = await ReadAsync(cancellationToken);
        var plan = Plan(states).ToArray();
        if (plan.All(item => item.State == QueryTagState.Ready)) return new QueryTagRun(0, 0, true);
        var until = clock.GetUtcNow() + Budget;
        // What the walk is for. When that changes, it begins again; studies that are right already are passed over quickly.
        var purpose = string.Join('|', plan.Where(item => item.State != QueryTagState.Ready).Select(item => $"{item.State} {item.Id}"));
        if (pass?.Text(Columns.WalkPurpose) != purpose)
        {
            var etag = pass?.ETag;
            pass = new TableRow(Partition, PassRow) { [Columns.WalkPurpose] = purpose, [Columns.WalkPlace] = "", [Columns.WalkDone] = 0L,
                [Columns.WalkSeen] = await CountAsync(cancellationToken), [Columns.WalkFailed] = 0L, [Columns.WalkStarted] = Now() };
            if (!await SaveAsync(pass, etag, cancellationToken)) return new QueryTagRun(0, 0, false);
        }
        var done = 0;
        while (await PageAsync(pass.Text(Columns.WalkPlace)!, cancellationToken) is { Count: > 0 } page)
        {
            var failed = 0;
            await Concurrently.ForEachAsync(page, async row =>
            {
                if (Uid.TryParse(row.RowKey.AsSpan(row.RowKey.LastIndexOf(':') + 1), out var study)
                    && !await BringInLineAsync(study, cancellationToken)) Interlocked.Increment(ref failed);
            });
            done += page.Count;
            pass[Columns.WalkPlace] = page[^1].PartitionKey + "|" + page[^1].RowKey;
            pass[Columns.WalkDone] = pass.Number(Columns.WalkDone) + page.Count;
            pass[Columns.WalkFailed] = pass.Number(Columns.WalkFailed) + failed;
            if (!await SaveAsync(pass, pass.ETag, cancellationToken)
                || clock.GetUtcNow() >= until) return new QueryTagRun(done, Math.Max(0, (pass.Number(Columns.WalkSeen) - pass.Number(Columns.WalkDone)) ?? 0),
                false);
        }
        var failures = pass.Number(Columns.WalkFailed) ?? 0;
        return new QueryTagRun(done, 0, await FinishAsync(plan, pass, cancellationToken), failures);
    }

    // False if the study could not be done; then the walk begins again.
    private async Task<bool> BringInLineAsync(Uid study, CancellationToken cancellationToken)
    {
        var row = await stores.Instances.GetAsync(study.Value, Layout.StudyRowKey, null, cancellationToken);
        if (row is null || StudyState.FromRow(row) is not { Instances: > 0 } state) return true;
        // The study's row says so before its pointers are written: while somebody has not ended that, they are written here.
        if (state.QueryValues.Covers(configured) && !await JournalEntry.HasWorkAsync(stores.Journal, study, null, cancellationToken)) return true;
        using var lease = index.Enter(study);
        try
        {
            await lease.Writer.HoldAsync(cancellationToken);
            await lease.Writer.VerifyAsync(cancellationToken);
            return true;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            lease.Writer.LeaveToSweep();
            ArchiveLog.QueryTagsNotBuilt(log, exception);
            return false;
        }
        catch
        {
            lease.Writer.LeaveToSweep();
            throw;
        }
    }

    private async Task<bool> FinishAsync((string Id, QueryTagState State, TableRow? Row)[] plan, TableRow pass, CancellationToken cancellationToken)
    {
        if (pass.Number(Columns.WalkFailed) > 0)
        {
            (pass[Columns.WalkPlace], pass[Columns.WalkDone], pass[Columns.WalkFailed]) = ("", 0L, 0L);
            await SaveAsync(pass, pass.ETag, cancellationToken);
            return false;
        }
        var writes = new List<TableWrite>();
        foreach (var (id, state, row) in plan)
        {
            if (state == QueryTagState.Removing) writes.Add(TableWrite.Delete(Partition, id, row!.ETag!));
            else if (state == QueryTagState.Building)
                writes.Add(TableWrite.Upsert(
                    new TableRow(Partition, id) { [Columns.WalkDone] = pass[Columns.WalkDone], [Columns.WalkSeen] = pass[Columns.WalkSeen],
                    [Columns.WalkStarted] = pass[Columns.WalkStarted], [Columns.WalkFinished] = Now() }));
        }
        // The walk's own row guards them all: if another process has begun a new one, this one has proved nothing.
        writes.Add(TableWrite.Delete(Partition, PassRow, pass.ETag!));
        var isDone = (await stores.Journal.SubmitAsync(writes, cancellationToken)).IsOk;
        if (isDone) ready = (ready.Ids, DateTimeOffset.MinValue);
        return isDone;
    }

    private async Task<(Dictionary<string, TableRow> States, TableRow? Pass)> ReadAsync(CancellationToken cancellationToken)
    {
        var states = new Dictionary<string, TableRow>(StringComparer.Ordinal);
        await foreach (var row in stores.Journal.RowsAsync(new TableQuery { PartitionKey = Partition }, cancellationToken)) states[row.RowKey] = row;
        states.Remove(PassRow, out var pass);
        return (states, pass);
    }

    // A row says that every study had the attribute's pointers once; only a walk that ended writes one.
    private IEnumerable<(string Id, QueryTagState State, TableRow? Row)> Plan(Dictionary<string, TableRow> states) =>
        configured.Select(tag => tag.Id).Select(id => (id, states.ContainsKey(id) ? QueryTagState.Ready : QueryTagState.Building, states.GetValueOrDefault(id)))
            .Concat(states.Where(row => !configured.Any(tag => tag.Id == row.Key)).Select(row => (row.Key, QueryTagState.Removing, (TableRow?)row.Value)));

    private async Task<bool> SaveAsync(TableRow row, string? etag, CancellationToken cancellationToken)
    {
        var written = await stores.Journal.SubmitAsync([etag is null ? TableWrite.Insert(row) : TableWrite.Replace(row, etag)], cancellationToken);
        if (written.IsOk) row.ETag = written.ETags[0];
        return written.IsOk;
    }

    private async Task<long> CountAsync(CancellationToken cancellationToken)
    {
        var count = 0L;
        await foreach (var _ in stores.Studies.RowsAsync(new TableQuery { Select = [Columns.SchemaVersion] }, cancellationToken)) count++;
        return count;
    }

    private async Task<IReadOnlyList<TableRow>> PageAsync(string at, CancellationToken cancellationToken)
    {
        var bar = at.IndexOf('|', StringComparison.Ordinal);
        (string, string)? place = bar < 0 ? null : (at[..bar], at[(bar + 1)..]);
        await foreach (var page in stores.Studies.PagesBehindAsync(place, [Columns.SchemaVersion], PageStudies, cancellationToken)) return page;
        return [];
    }

    private string Now() => clock.GetUtcNow().ToString("O");

    private static DateTimeOffset? Time(TableRow? row, string column) =>
        row?.Text(column) is { } text ? DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : null;
}
