using DicomServerless.Storage;
using DicomServerless.Storage.Azure;
using Microsoft.AspNetCore.Http;

namespace DicomServerless.Functional.Storage;

/// <summary>What goes over the wire: how many requests, with which headers, and what is sent again.</summary>
public sealed class AzureRequestTests
{
    private readonly List<StorageTransaction> sent = [];

    private AzureStorageAccount Connect(RecordingService service) =>
        new(new AzureStorageOptions { ConnectionString = service.ConnectionString, OnTransaction = t => { lock (sent) sent.Add(t); } });

    private static void Created(HttpResponse response)
    {
        response.StatusCode = 201;
        response.Headers.ETag = "\"0x1\"";
        response.Headers.LastModified = "Mon, 06 May 2024 07:08:09 GMT";
    }

    [Theory]
    [InlineData(0)]
    [InlineData(525_000)]
    [InlineData(64 << 20)]
    public async Task A_put_is_one_request_with_the_whole_body_whatever_its_size(int size)
    {
        await using var service = await RecordingService.StartAsync((_, response) => Created(response));
        var bytes = new byte[size];
        new Random(1).NextBytes(bytes);
        var written = await Connect(service).BlobContainer("dicom")
            .PutAsync("a/b.dcm", new(bytes), new BlobWrite(BlobCondition.Absent, ClientRequestId: "own-id-1"), default);
        Assert.Equal((StorageStatus.Ok, "0x1"), (written.Status, written.ETag));
        var request = Assert.Single(service.Requests);
        Assert.Equal(("PUT", "/account/dicom/a/b.dcm"), (request.Method, request.Url));
        Assert.Equal("*", request.Headers["If-None-Match"]);
        Assert.Equal("own-id-1", request.Headers["x-ms-client-request-id"]);
        Assert.Equal("BlockBlob", request.Headers["x-ms-blob-type"]);
        Assert.True(bytes.AsSpan().SequenceEqual(request.Body));
        Assert.Equal([new StorageTransaction("blob", "PUT blob")], sent);
    }

    [Fact]
    public async Task The_client_request_id_goes_with_commits_and_deletes_and_with_nothing_after_them()
    {
        await using var service = await RecordingService.StartAsync((_, response) =>
        {
            Created(response);
            if (response.HttpContext.Request.Method == "DELETE") response.StatusCode = 202;
        });
        var container = Connect(service).BlobContainer("dicom");
        await container.CommitBlocksAsync("b", ["YWFhYQ=="], new BlobWrite(BlobCondition.None, ClientRequestId: "one"), default);
        await container.DeleteAsync("b", "0x1", "two", default);
        await container.DeleteAsync("b", null, null, default);
        Assert.Equal(["one", "two"], service.Requests.Take(2).Select(request => request.Headers["x-ms-client-request-id"]));
        Assert.DoesNotContain(service.Requests[2].Headers["x-ms-client-request-id"], new[] { "one", "two" });
        Assert.Equal("\"0x1\"", service.Requests[1].Headers["If-Match"]);
    }

    [Fact]
    public async Task A_busy_service_is_asked_again_with_the_same_body_and_each_try_is_counted()
    {
        await using var service = await RecordingService.StartAsync((number, response) =>
        {
            if (number < 2) response.StatusCode = 503;
            else Created(response);
        });
        var bytes = new byte[300_000];
        new Random(1).NextBytes(bytes);
        Assert.Equal(StorageStatus.Ok, (await Connect(service).BlobContainer("dicom").PutAsync("b", new(bytes), new BlobWrite(BlobCondition.Absent), default))
            .Status);
        Assert.Equal(3, service.Requests.Count);
        Assert.All(service.Requests, request => Assert.True(bytes.AsSpan().SequenceEqual(request.Body)));
        Assert.Equal(3, sent.Count);
    }

    [Fact]
    public async Task A_busy_table_is_asked_again_with_the_same_row()
    {
        await using var service = await RecordingService.StartAsync((number, response) => response.StatusCode = number == 0 ? 503 : 204);
        var row = new TableRow("p", "r") { ["B"] = new byte[1000] };
        Assert.True((await Connect(service).Table("rows").SubmitAsync([TableWrite.Insert(row)], default)).IsOk);
        Assert.Equal(2, service.Requests.Count);
        Assert.Equal(service.Requests[0].Body, service.Requests[1].Body);
        Assert.All(service.Requests, request => Assert.StartsWith("SharedKey", request.Headers["Authorization"], StringComparison.Ordinal));
        Assert.Equal([new("table", "POST entity"), new("table", "POST entity")], sent);
    }

    [Fact]
    public async Task A_single_write_goes_without_the_envelope_of_a_batch()
    {
        await using var service = await RecordingService.StartAsync((_, response) => response.StatusCode = 204);
        var table = Connect(service).Table("rows");
        await table.SubmitAsync([TableWrite.Merge(new TableRow("O'B", "r") { ["V"] = 1 }, "W/\"e\"")], default);
        await table.SubmitAsync([TableWrite.Delete("p", "r", "*")], default);
        await Assert.ThrowsAsync<Azure.RequestFailedException>(() => table.QueryAsync(new TableQuery { PartitionKey = "p" }, null, default));
        Assert.Equal(("PATCH", "/account/rows(PartitionKey='O''B',RowKey='r')"), (service.Requests[0].Method, service.Requests[0].Url.Split('?')[0]));
        Assert.Equal("W/\"e\"", service.Requests[0].Headers["If-Match"]);
        Assert.Contains("\"V\":1", System.Text.Encoding.UTF8.GetString(service.Requests[0].Body), StringComparison.Ordinal);
        Assert.Equal(("DELETE", 0), (service.Requests[1].Method, service.Requests[1].Body.Length));
        Assert.Equal(["PATCH entity", "DELETE entity", "GET query"], sent.Select(t => t.Operation));
    }

    [Fact]
    public async Task The_size_of_a_row_is_an_upper_bound_of_what_is_sent()
    {
        const int envelope = 1024;
        await using var service = await RecordingService.StartAsync((_, response) => response.StatusCode = 413);
        var table = Connect(service).Table("instances");
        var random = new Random(5);
        string[] texts = ["", "plain", "O'Brien''", "山田", "😀😀", "\u0001\u0002", "\"\\", "<>&%", "\u2028\ud800", "a b"];
        for (var n = 0; n < 500; n++)
        {
            string Key() => string.Concat(Enumerable.Range(0, random.Next(5)).Select(_ => texts[random.Next(texts.Length)]));
            var writes = Enumerable.Range(0, random.Next(2, 6)).Select(_ =>
            {
                var row = new TableRow(Key(), Key());
                for (var i = random.Next(8); i > 0; i--)
                {
                    row["N" + (char)('a' + i)] = random.Next(7) switch
                    {
                        0 => Key(), 1 => new byte[random.Next(50)], 2 => random.NextInt64(long.MinValue, long.MaxValue), 3 =>
                            -random.NextDouble() * 1e-300, 4 => DateTimeOffset.UnixEpoch, 5 => Guid.Empty, _ => random.Next(2) == 0,
                    };
                }
                return new TableWrite((TableWriteKind)random.Next(5), row, "W/\"datetime'2024-05-06T07%3A08%3A09.1234567Z'\"");
            }).ToArray();
            for (var i = 0; i < writes.Length; i++) writes[i].Row.PartitionKey = writes[0].Row.PartitionKey;
            Assert.Equal(StorageStatus.TooLarge, (await table.SubmitAsync(writes, default)).Status);
            Assert.InRange(service.Requests[^1].Body.Length, 1, envelope + writes.Sum(write => (long)TableRowSize.Encoded(write.Row)));
        }
    }
}
