using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DicomServerless.Shared;
using DicomServerless.Storage;
using DicomServerless.Storage.Azure;

namespace DicomServerless.Functional.Storage;

[Collection(AzuriteCollection.Name)]
public sealed class AzureAccountTests(AzuriteFixture azurite)
{
    private string WithoutKey => string.Join(';', azurite.ConnectionString.Split(';').Where(part => !part.StartsWith("AccountKey", StringComparison.Ordinal)));

    [Fact]
    public async Task Every_operation_of_the_seam_is_one_transaction()
    {
        var sent = new List<string>();
        var account = azurite.Connect(t => { lock (sent) sent.Add($"{t.Service} {t.Operation}"); });
        var container = account.BlobContainer(AzuriteFixture.NewName());
        var table = account.Table(AzuriteFixture.NewName());
        async Task Costs(string expected, Func<Task> operation)
        {
            sent.Clear();
            await operation();
            Assert.Equal([expected], sent);
        }
        await Costs("blob PUT container", () => container.CreateIfAbsentAsync(default));
        await Costs("blob PUT container", () => container.CreateIfAbsentAsync(default));
        await Costs("blob PUT blob", () => container.PutAsync("b", new(new byte[525_000]), new BlobWrite(BlobCondition.Absent), default));
        await Costs("blob PUT blob", () => container.PutAsync("b", new(new byte[525_000]), new BlobWrite(BlobCondition.Absent), default));
        await Costs("blob PUT block", () => container.StageBlockAsync("c", "YWFhYQ==", new(new byte[10]), default));
        await Costs("blob PUT blocklist", () => container.CommitBlocksAsync("c", ["YWFhYQ=="], new BlobWrite(BlobCondition.Absent), default));
        await Costs("blob HEAD blob", () => container.HeadAsync("b", default));
        await Costs("blob HEAD blob", () => container.HeadAsync("absent", default));
        await Costs("blob GET list", async () => await container.ListAsync("", default).ToListAsync());
        await Costs("blob GET blob", async () =>
        {
            await using var read = await container.ReadAsync("b", 100, 500_000, null, default);
            await read.Content.CopyToAsync(Stream.Null);
        });
        await Costs("blob GET blob", async () => await container.ReadAsync("absent", 0, null, null, default));
        await Costs("blob DELETE blob", () => container.DeleteAsync("b", null, null, default));
        await Costs("table POST table", () => table.CreateIfAbsentAsync(default));
        await Costs("table POST table", () => table.CreateIfAbsentAsync(default));
        await Costs("table POST entity", () => table.SubmitAsync([TableWrite.Insert(new TableRow("p", "r"))], default));
        await Costs("table POST batch", () =>
            table.SubmitAsync([TableWrite.Insert(new TableRow("p", "s")), TableWrite.Upsert(new TableRow("p", "r"))], default));
        await Costs("table GET entity", () => table.GetAsync("p", "absent", null, default));
        await Costs("table GET query", () => table.QueryAsync(new TableQuery { PartitionKey = "p" }, null, default));
    }

    [Fact]
    public async Task A_batch_cut_by_TableRowSize_passes_and_one_above_4_MiB_is_too_large()
    {
        var table = azurite.Account.Table(AzuriteFixture.NewName());
        await table.CreateIfAbsentAsync(default);
        TableRow Row(int i) => new("p", i.ToString("000", CultureInfo.InvariantCulture)) { ["A"] = new byte[60 * 1024], ["T"] = new string('山', 1000) };
        var writes = new List<TableWrite>();
        for (long size = 0; (size += TableRowSize.Encoded(Row(writes.Count))) <= TableRowSize.MaxBatchBytes;) writes.Add(TableWrite.Insert(Row(writes.Count)));
        Assert.InRange(writes.Count, 40, 50);
        Assert.Equal(StorageStatus.Ok, (await table.SubmitAsync(writes, default)).Status);
        var large = Enumerable.Range(100, 70).Select(i => TableWrite.Insert(Row(i))).ToArray();
        var written = await table.SubmitAsync(large, default);
        Assert.Equal(StorageStatus.TooLarge, written.Status);
        Assert.Null(await table.GetAsync("p", "100", null, default));
    }

    [Fact]
    public async Task A_missing_table_or_container_is_an_exception_that_names_the_cause()
    {
        var table = azurite.Account.Table(AzuriteFixture.NewName());
        var container = azurite.Account.BlobContainer(AzuriteFixture.NewName());
        foreach (var operation in new Func<Task>[]
        {
            () => table.GetAsync("p", "r", null, default), () => table.SubmitAsync([TableWrite.Insert(new TableRow("p", "r"))], default),
            () => table.SubmitAsync([TableWrite.Insert(new TableRow("p", "r")), TableWrite.Insert(new TableRow("p", "s"))], default),
        })
        {
            Assert.Contains("TableNotFound", (await Assert.ThrowsAnyAsync<Azure.RequestFailedException>(operation)).ToString(), StringComparison.Ordinal);
        }
        Assert.Equal("ContainerNotFound",
            (await Assert.ThrowsAsync<Azure.RequestFailedException>(() => container.PutAsync("b", new([1]), new BlobWrite(BlobCondition.None), default)))
            .ErrorCode);
    }

    [Fact]
    public async Task A_wrong_key_is_an_exception_not_an_outcome()
    {
        var account = new AzureStorageAccount(new AzureStorageOptions { ConnectionString = $"{WithoutKey};AccountKey=d3Jvbmc=" });
        Assert.Equal(403, (await Assert.ThrowsAsync<Azure.RequestFailedException>(() => account.Table("rows").GetAsync("p", "r", null, default))).Status);
        Assert.Equal(403, (await Assert.ThrowsAsync<Azure.RequestFailedException>(() => account.BlobContainer("rows").HeadAsync("b", default))).Status);
    }

    [Fact]
    public async Task A_shared_access_signature_signs_in_to_all_three_services()
    {
        var parts = azurite.ConnectionString.Split(';').Select(part => part.Split('=', 2)).ToDictionary(part => part[0], part => part[1]);
        var expiry = DateTimeOffset.UtcNow.AddHours(1).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        var signed = $"{parts["AccountName"]}\nrwdlacup\nbqt\nsco\n\n{expiry}\n\nhttps,http\n2020-12-06\n\n";
        var signature = Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(parts["AccountKey"]), Encoding.UTF8.GetBytes(signed)));
        var sas = $"sv=2020-12-06&ss=bqt&srt=sco&sp=rwdlacup&se={Uri.EscapeDataString(expiry)}&spr=https,http&sig={Uri.EscapeDataString(signature)}";
        var account = new AzureStorageAccount(new AzureStorageOptions { ConnectionString = $"{WithoutKey};SharedAccessSignature={sas}" });

        var table = account.Table(AzuriteFixture.NewName());
        await table.CreateIfAbsentAsync(default);
        Assert.True((await table.SubmitAsync([TableWrite.Insert(new TableRow("p", "1")), TableWrite.Insert(new TableRow("p", "2"))], default)).IsOk);
        Assert.NotNull(await table.GetAsync("p", "1", ["V"], default));
        var first = await table.QueryAsync(new TableQuery { PartitionKey = "p", PageSize = 1 }, null, default);
        Assert.Single((await table.QueryAsync(new TableQuery { PartitionKey = "p", PageSize = 1 }, first.Continuation, default)).Rows);
        var container = account.BlobContainer(AzuriteFixture.NewName());
        await container.CreateIfAbsentAsync(default);
        Assert.Equal(StorageStatus.Ok, (await container.PutAsync("b", new([1]), new BlobWrite(BlobCondition.Absent), default)).Status);
        await account.EventQueue(AzuriteFixture.NewName()).CreateIfAbsentAsync(default);
    }
}
