using System.Globalization;
using System.Text;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Storage;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Archive;

/// <summary>What a rebuild did.</summary>
/// <param name="Changed">Instances whose row differed from their blob, and blobs that were taken to their place.</param>
/// <param name="Failed">Studies, blobs and search rows that could not be brought in line: the log says why. Studies among them stay in the journal, so that
/// the sweep tries them again. Stored objects that are not understood any more are left as they are.</param>
/// <param name="IsContinued">Whether it went on where an earlier run had ended. What happened before that place since then was not looked at.</param>
public readonly record struct RebuildResult(int Changed, int Failed, bool IsContinued = false);

/// <summary>
/// Makes the whole index equal the blobs, in place, while stores and searches go on (docs/design.md, rule 8): every study in blobs or rows, every blob under
/// a name that says nothing, the inbox, and every search row. Several studies are worked on at once; one that fails is reported and passed over. A run that
/// was cut off is continued by the next.
/// </summary>
public sealed class IndexRebuild
{
    /// <summary>The blob in <c>derived</c> that is there while a rebuild is under way; it says where to go on.</summary>
    public const string Mark = "rebuild";

    private const string Blobs = "blobs", Strays = "strays", Inbox = "inbox", Rows = "rows", SearchRows = "search";

    // Prefixes of blob names that are worked on together, and rows or blobs.
    private const int Prefixes = 4096, PrefixGroup = 64, MaxPrefixes = 512, RowGroup = 64;

    private static readonly string[] Phases = [Blobs, Strays, Inbox, Rows, SearchRows];

    private readonly ArchiveStores stores;
    private readonly Reconciler reconciler;
    private readonly Inbox inbox;
    private readonly SearchRowCheck searchRows;
    private readonly ILogger log;

    internal IndexRebuild(ArchiveStores stores, Reconciler reconciler, Inbox inbox, SearchRowCheck searchRows, ILogger log) =>
        (this.stores, this.reconciler, this.inbox, this.searchRows, this.log) = (stores, reconciler, inbox, searchRows, log);

    /// <summary>Runs until everything has been looked at. Two at once do the work twice and no harm.</summary>
    public async Task<RebuildResult> RunAsync(CancellationToken cancellationToken)
    {
        var (phase, at, failed) = await ReadMarkAsync(cancellationToken);
        var (run, isContinued) = (new Run(), phase != Blobs || at.Length > 0);
        run.Fail(failed);
        foreach (var next in Phases.SkipWhile(name => name != phase))
        {
            await SaveMarkAsync(next, at, run, cancellationToken);
            await (next switch
            {
                Blobs => StudiesInBlobsAsync(at, run, cancellationToken),
                Strays => TakeAllAsync(stores.Dicom, name => !Layout.TryParseBlobName(name, out _), run, cancellationToken),
                Inbox => TakeAllAsync(stores.Inbox, _ => true, run, cancellationToken),
                Rows => StudiesInRowsAsync(at, run, cancellationToken),
                _ => CheckSearchRowsAsync(at, run, cancellationToken),
            });
            at = "";
        }
        await stores.Derived.DeleteAsync(Mark, null, null, cancellationToken);
        return new RebuildResult(run.Changed, run.Failed, isContinued);
    }

    private async Task StudiesInBlobsAsync(string at, Run run, CancellationToken cancellationToken)
    {
        _ = int.TryParse(at, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var first);
        var studies = new HashSet<Uid>();
        for (var (next, listed) = (first, 0); next < Prefixes;)
        {
            await Concurrently.ForEachAsync(Enumerable.Range(next, Math.Min(PrefixGroup, Prefixes - next)).ToArray(), async number =>
            {
                await foreach (var blob in stores.Dicom.ListAsync(Prefix(number), cancellationToken))
                    if (Layout.TryParseBlobName(blob.Name, out var key)) lock (studies) studies.Add(key.Study);
            });
            (next, listed) = (next + PrefixGroup, listed + PrefixGroup);
            // Enough to work on several at once; and not so much that it would be lost when the run is cut off.
            if (studies.Count < RowGroup && listed < MaxPrefixes && next < Prefixes) continue;
            var before = run.Changed;
            await Concurrently.ForEachAsync(studies, study => run.TryAsync(log, () => ReconcileAsync(study, run, cancellationToken), cancellationToken));
            if (studies.Count > 0) ArchiveLog.Rebuilt(log, Prefix(next - listed), studies.Count, run.Changed - before);
            if (next < Prefixes) await SaveMarkAsync(Blobs, Prefix(next), run, cancellationToken);
            studies.Clear();
            listed = 0;
        }
    }

    private static string Prefix(int number) => number.ToString("x3", CultureInfo.InvariantCulture);

    // docs/design.md, rule 10: what lies under a name that we would not have given is moved to its place, as its event would have done.
    private async Task TakeAllAsync(IBlobContainer container, Func<string, bool> isStray, Run run, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await foreach (var blob in container.ListAsync("", cancellationToken))
        {
            if (!isStray(blob.Name)) continue;
            names.Add(blob.Name);
            if (names.Count < RowGroup) continue;
            await TakeAsync();
        }
        await TakeAsync();

        async Task TakeAsync()
        {
            await Concurrently.ForEachAsync(names, name => run.TryAsync(log, async () =>
            {
                await inbox.TakeAsync(container, name, null, cancellationToken);
                return 1;
            }, cancellationToken));
            names.Clear();
        }
    }

    private async Task StudiesInRowsAsync(string at, Run run, CancellationToken cancellationToken)
    {
        var query = new TableQuery { PartitionKeyFrom = at.Length > 0 ? at
            : null, RowKeyFrom = Layout.StudyRowKey, RowKeyBefore = Layout.StudyRowKey + "!", Select = [Columns.Instances] };
        var studies = new List<Uid>();
        await foreach (var row in stores.Instances.RowsAsync(query, cancellationToken))
        {
            if (!(row.Number(Columns.Instances) > 0) || !Uid.TryParse(row.PartitionKey, out var study)) continue;
            studies.Add(study);
            if (studies.Count < RowGroup) continue;
            await ReconcileAllAsync();
        }
        await ReconcileAllAsync();

        async Task ReconcileAllAsync()
        {
            if (studies.Count == 0) return;
            await SaveMarkAsync(Rows, studies[0].Value, run, cancellationToken);
            // Those with blobs have been reconciled already.
            await Concurrently.ForEachAsync(studies, study => run.TryAsync(log, async () =>
                await HasBlobAsync(study, cancellationToken) ? 0 : await ReconcileAsync(study, run, cancellationToken), cancellationToken));
            studies.Clear();
        }
    }

    private Task CheckSearchRowsAsync(string at, Run run, CancellationToken cancellationToken) => searchRows.RunAsync(at, async (place, failed) =>
    {
        run.Fail(failed);
        await SaveMarkAsync(SearchRows, place, run, cancellationToken);
    }, cancellationToken);

    private async Task<int> ReconcileAsync(Uid study, Run run, CancellationToken cancellationToken)
    {
        var result = await reconciler.ReconcileAsync(study, isRebuild: true, cancellationToken);
        run.Fail(result.NotUnderstood);
        return result.Changed;
    }

    private async Task<bool> HasBlobAsync(Uid study, CancellationToken cancellationToken)
    {
        await foreach (var _ in stores.Dicom.ListAsync(Layout.StudyPrefix(study), cancellationToken)) return true;
        return false;
    }

    // The phase, what has failed so far, and the place, which may be several lines.
    private Task SaveMarkAsync(string phase, string at, Run run, CancellationToken cancellationToken) =>
        stores.Derived.PutAsync(Mark, new(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{phase}\n{run.Failed}\n{at}"))),
            new BlobWrite(BlobCondition.None), cancellationToken);

    private async Task<(string Phase, string At, int Failed)> ReadMarkAsync(CancellationToken cancellationToken)
    {
        if (await stores.Derived.HeadAsync(Mark, cancellationToken) is null) return (Blobs, "", 0);
        var mark = Encoding.UTF8.GetString(await stores.Derived.ReadAllAsync(Mark, cancellationToken)).Split('\n', 3);
        // That of another version has no place that can be told: its phase begins anew.
        if (!Phases.Contains(mark[0])) return (Blobs, "", 0);
        return mark.Length == 3 && int.TryParse(mark[1], CultureInfo.InvariantCulture, out var failed) ? (mark[0], mark[2], failed) : (mark[0], "", 0);
    }

    // What one run has done so far; several studies add to it at once.
    private sealed class Run
    {
        private int changed, failed;

        public int Changed => changed;
        public int Failed => failed;

        public void Fail(int count) => Interlocked.Add(ref failed, count);

        public async Task TryAsync(ILogger log, Func<Task<int>> work, CancellationToken cancellationToken)
        {
            try
            {
                Interlocked.Add(ref changed, await work());
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                ArchiveLog.NotRebuilt(log, exception);
                Fail(1);
            }
        }
    }
}
