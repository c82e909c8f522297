using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Index;

/// <summary>
/// One process's note in <c>journal</c> that a study is being worked on (docs/design.md, rule 2). It is there before the first blob changes, is put off while
/// the work goes on, and goes when the search rows agree; should the process die, it comes due and the sweep reconciles the study.
/// </summary>
internal sealed class JournalEntry(ITable journal, Uid study, string nonce, TimeSpan dueAfter, TimeProvider clock) : IDisposable
{
    public const string Reconcile = "reconcile", Purge = "purge";

    private readonly SemaphoreSlim gate = new(1);
    private string? etag;
    private DateTimeOffset due = DateTimeOffset.MinValue;

    /// <summary>Makes sure that the row is there and does not come due soon. Called before every blob commit.</summary>
    public async Task HoldAsync(CancellationToken cancellationToken)
    {
        if (IsHeld) return;
        await gate.WaitAsync(CancellationToken.None); // for another request's write of the same row
        try
        {
            while (!IsHeld)
            {
                var until = clock.GetUtcNow() + dueAfter;
                var row = Row(study, nonce, Reconcile, until);
                // A sweep that took the row for abandoned may have changed or removed it: then it is written anew.
                var written = await journal.SubmitAsync([etag is null ? TableWrite.Upsert(row) : TableWrite.Replace(row, etag)], cancellationToken);
                etag = written.IsOk ? written.ETags[0] : null;
                if (written.IsOk) due = until;
            }
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Removes the row, unless somebody else changed it: then it is theirs.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        if (etag is not null) await journal.SubmitAsync([TableWrite.Delete(Layout.JournalPartition(study), RowKey(study, nonce), etag)], cancellationToken);
        etag = null;
    }

    /// <summary>Whether nobody else has work on the study that must end.</summary>
    public async Task<bool> IsAloneAsync(CancellationToken cancellationToken) => !await HasWorkAsync(journal, study, RowKey(study, nonce), cancellationToken);

    /// <summary>
    /// Whether there is work on a study that must end, apart from the entry with the given key. Purges do not count: they wait for all other work.
    /// </summary>
    public static async Task<bool> HasWorkAsync(ITable journal, Uid study, string? apartFrom, CancellationToken cancellationToken)
    {
        var query = new TableQuery { PartitionKey = Layout.JournalPartition(study), RowKeyFrom = study + ":", RowKeyBefore = study + ";",
            Select = [Columns.Kind] };
        await foreach (var row in journal.RowsAsync(query, cancellationToken))
            if (row.Text(Columns.Kind) != Purge && row.RowKey != apartFrom) return true;
        return false;
    }

    public static string RowKey(Uid study, string nonce) => $"{study}:{nonce}";

    public static TableRow Row(Uid study, string nonce, string kind, DateTimeOffset due, long attempts = 0) =>
        new(Layout.JournalPartition(study), RowKey(study, nonce)) { [Columns.SchemaVersion] = Layout.SchemaVersion, [Columns.Kind] = kind,
            [Columns.Due] = due.ToUnixTimeMilliseconds(), [Columns.Attempts] = attempts };

    public void Dispose() => gate.Dispose();

    // A blob commit that starts now must end, and be settled, before the row comes due: half the time is left for that.
    private bool IsHeld => etag is not null && due - clock.GetUtcNow() > dueAfter / 2;
}
