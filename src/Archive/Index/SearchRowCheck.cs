using DicomServerless.Dicom;
using DicomServerless.Storage;

namespace DicomServerless.Archive.Index;

/// <summary>Goes over every search row and removes those that nothing claims (rules 5 and 8). What is missing is written by reconciling the studies.</summary>
internal sealed class SearchRowCheck(ArchiveStores stores, InstanceContentReader contents, ConflictWait wait)
{
    private const int RememberedStudies = 1024;

    private readonly Dictionary<Uid, (Func<(string Partition, string Row), bool> IsClaimed, string? ETag)> claims = [];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await foreach (var row in stores.Studies.RowsAsync(new TableQuery { Select = ["SV"] }, cancellationToken))
            if (StudyAtEnd(row.RowKey) is { } study) await CheckAsync(stores.Studies, row, study, cancellationToken);
        await foreach (var row in stores.Keys.RowsAsync(new TableQuery { Select = ["SV"] }, cancellationToken))
        {
            if (StudyAtEnd(row.RowKey) is not { } study) continue;
            if (row.PartitionKey == SearchClaims.Series) await RowsOf(study).RemoveSeriesAsync([Uid.Parse(row.RowKey.Split(':')[0])], cancellationToken);
            else await CheckAsync(stores.Keys, row, study, cancellationToken);
        }
        await foreach (var row in stores.Uids.RowsAsync(new TableQuery { Select = ["SV"] }, cancellationToken))
            if (Layout.TryParseUidRowKey(row.RowKey, out var key)) await RowsOf(key.Study).RemoveUidsAsync([key.Name], cancellationToken);
    }

    private async Task CheckAsync(ITable table, TableRow row, Uid study, CancellationToken cancellationToken)
    {
        // A remembered claim only spares the reading of rows that are right; a row is removed after reading the study anew.
        if (!claims.TryGetValue(study, out var known))
        {
            if (claims.Count >= RememberedStudies) claims.Clear();
            known = claims[study] = (await RowsOf(study).ClaimedAsync(cancellationToken), null);
        }
        if (known.IsClaimed((row.PartitionKey, row.RowKey))) return;
        if ((await RowsOf(study).ClaimedAsync(cancellationToken))((row.PartitionKey, row.RowKey))) return;
        await table.SubmitAsync([TableWrite.Delete(row.PartitionKey, row.RowKey, row.ETag!)], cancellationToken);
    }

    private SearchRows RowsOf(Uid study) => new(study, stores, new InstanceRowReader(study, stores, contents), wait);

    private static Uid? StudyAtEnd(string rowKey) => Uid.TryParse(rowKey.AsSpan(rowKey.LastIndexOf(':') + 1), out var study) ? study : null;
}
