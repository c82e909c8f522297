using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DicomServerless.Shared;
using DicomServerless.Storage;

namespace DicomServerless.Functional.Storage;

/// <summary>Microsoft's JavaScript clients and ours read what the other wrote.</summary>
[Collection(AzuriteCollection.Name)]
public sealed class OfficialClientTests(AzuriteFixture azurite)
{
    [Fact]
    public async Task The_official_clients_read_what_ours_wrote()
    {
        var (table, container) = await StoresAsync();
        var row = new TableRow("O'Brien", "Müller 山田")
        {
            ["text"] = "a \"quoted\" 😀", ["empty"] = "", ["int"] = -5, ["long"] = long.MaxValue,
                ["flag"] = true, ["whole"] = 3.0, ["half"] = 1.5, ["nan"] = double.NaN,
            ["time"] = new DateTimeOffset(2024, 5, 6, 7, 8, 9, 123, TimeSpan.Zero),
                ["id"] = new Guid("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), ["bytes"] = new byte[] { 0, 255, 62 },
        };
        var written = await table.SubmitAsync([TableWrite.Insert(row), TableWrite.Upsert(new TableRow("O'Brien", "zweite"))], default);
        await container.PutAsync("put/Müller #1.dcm", new("abc"u8.ToArray()),
            new BlobWrite(BlobCondition.Absent, new Dictionary<string, string> { ["sha256"] = "ff" }, "application/dicom"), default);

        using var seen = JsonDocument.Parse(await NodeAsync("read", table.Name, container.Name));
        var first = seen.RootElement.GetProperty("rows")[0].EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString()!);
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["partitionKey"] = "string O'Brien", ["rowKey"] = "string Müller 山田",
                    ["text"] = "string a \"quoted\" 😀", ["empty"] = "string ", ["int"] = "number -5",
                ["long"] = "long 9223372036854775807", ["flag"] = "bool true", ["whole"] = "number 3", ["half"] = "number 1.5", ["nan"] = first["nan"],
                ["time"] = first["time"], ["id"] = "Guid 6ba7b810-9dad-11d1-80b4-00c04fd430c8", ["bytes"] = "bytes 00ff3e", ["etag"] = written.ETags[0]!,
            }.OrderBy(p => p.Key),
            first.OrderBy(p => p.Key));
        Assert.Contains("NaN", first["nan"], StringComparison.Ordinal);
        Assert.Contains("2024-05-06T07:08:09.123", first["time"], StringComparison.Ordinal);
        Assert.Equal(2, seen.RootElement.GetProperty("rows").GetArrayLength());
        var blob = Assert.Single(seen.RootElement.GetProperty("blobs").EnumerateArray());
        Assert.Equal("put/Müller #1.dcm", blob.GetProperty("name").GetString());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData("abc"u8)), blob.GetProperty("sha256").GetString());
        Assert.Equal("ff", blob.GetProperty("metadata").GetProperty("sha256").GetString());
        Assert.Equal("application/dicom", blob.GetProperty("type").GetString());
    }

    [Fact]
    public async Task Ours_reads_what_the_official_clients_wrote()
    {
        var (table, container) = await StoresAsync();
        await NodeAsync("write", table.Name, container.Name);

        var row = (await table.GetAsync("O'Brien", "Müller 山田", null, default))!;
        var queried = (await table.QueryAsync(new TableQuery { PartitionKey = "O'Brien", RowKeyFrom = "M", RowKeyBefore = "N" }, null, default)).Rows.Single();
        Assert.Equal(row.ETag, queried.ETag);
        foreach (var read in new[] { row, queried })
        {
            Assert.Equal(
                new Dictionary<string, object>
                {
                    ["text"] = "a \"quoted\" 😀", ["empty"] = "", ["int"] = -5, ["long"] = long.MaxValue, ["flag"] = true, ["whole"] = 3.0, ["half"] = 1.5,
                    ["time"] = new DateTimeOffset(2024, 5, 6, 7, 8, 9, TimeSpan.Zero).AddTicks(1234567),
                        ["id"] = new Guid("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), ["bytes"] = new byte[] { 0, 255, 62 },
                }.OrderBy(p => p.Key),
                read.Values.OrderBy(p => p.Key));
        }
        Assert.Equal(["put/Müller.dcm", "staged"], await container.ListAsync("", default).Select(blob => blob.Name).ToListAsync());
        Assert.Equal("ff", (await container.HeadAsync("put/Müller.dcm", default))!.Metadata["sha256"]);
        await using var staged = await container.ReadAsync("staged", 4, 4, null, default);
        Assert.Equal("o wo", await new StreamReader(staged.Content).ReadToEndAsync());
    }

    private async Task<(ITable Table, IBlobContainer Container)> StoresAsync()
    {
        var table = azurite.Account.Table(AzuriteFixture.NewName());
        var container = azurite.Account.BlobContainer(AzuriteFixture.NewName());
        await table.CreateIfAbsentAsync(default);
        await container.CreateIfAbsentAsync(default);
        return (table, container);
    }

    private async Task<string> NodeAsync(string mode, string table, string container)
    {
        await NodePackages.InstallAsync();
        using var node = Process.Start(new ProcessStartInfo("node",
            [Path.Combine(Repository.Root, "tests/node/official-client.mjs"), mode, azurite.ConnectionString, table, container])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8,
        })!;
        var error = node.StandardError.ReadToEndAsync();
        var output = await node.StandardOutput.ReadToEndAsync();
        await node.WaitForExitAsync();
        Assert.True(node.ExitCode == 0, await error);
        return output;
    }
}
