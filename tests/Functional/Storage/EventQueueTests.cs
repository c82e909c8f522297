using System.Text;
using Azure.Storage.Queues;
using DicomServerless.Storage;

namespace DicomServerless.Functional.Storage;

[Collection(AzuriteCollection.Name)]
public sealed class EventQueueTests(AzuriteFixture azurite)
{
    private static readonly TimeSpan Hidden = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task An_event_is_received_hidden_put_back_and_removed()
    {
        var queue = azurite.Account.EventQueue(AzuriteFixture.NewName());
        await queue.CreateIfAbsentAsync(default);
        await queue.CreateIfAbsentAsync(default);
        Assert.Empty(await queue.ReceiveAsync(32, Hidden, default));
        await queue.SendAsync("{\"山\":1}"u8.ToArray(), null, default);
        var first = Assert.Single(await queue.ReceiveAsync(32, Hidden, default));
        Assert.Equal("{\"山\":1}", Encoding.UTF8.GetString(first.Body.Span));
        Assert.Equal(1, first.DequeueCount);
        Assert.Empty(await queue.ReceiveAsync(32, Hidden, default));
        var kept = (await queue.HideAsync(first, TimeSpan.Zero, default))!;
        var second = Assert.Single(await queue.ReceiveAsync(32, Hidden, default));
        Assert.Equal(2, second.DequeueCount);
        Assert.Equal(first.Body.ToArray(), second.Body.ToArray());
        Assert.Equal(StorageStatus.NotFound, await queue.DeleteAsync(kept, default)); // Another receiver has it now.
        Assert.Null(await queue.HideAsync(kept, Hidden, default));
        Assert.Equal(StorageStatus.Ok, await queue.DeleteAsync(second, default));
        Assert.Equal(StorageStatus.NotFound, await queue.DeleteAsync(second, default));
    }

    [Fact]
    public async Task A_poison_event_moves_with_its_content_also_when_its_queue_is_missing()
    {
        var queue = azurite.Account.EventQueue(AzuriteFixture.NewName());
        await new QueueClient(azurite.ConnectionString, queue.Name).CreateAsync();
        await queue.SendAsync("x"u8.ToArray(), null, default);
        Assert.Equal(StorageStatus.Ok, await queue.MoveToPoisonAsync(Assert.Single(await queue.ReceiveAsync(1, Hidden, default)), default));
        Assert.Empty(await queue.ReceiveAsync(1, Hidden, default));
        var poison = Assert.Single(await queue.ReceivePoisonAsync(1, Hidden, default));
        Assert.Equal("x"u8.ToArray(), poison.Body.ToArray());
        Assert.Equal(StorageStatus.Ok, await queue.DeletePoisonAsync(poison, default));
    }

    [Fact]
    public async Task Plain_text_is_received_beside_base64()
    {
        var queue = azurite.Account.EventQueue(AzuriteFixture.NewName());
        await queue.CreateIfAbsentAsync(default);
        await new QueueClient(azurite.ConnectionString, queue.Name).SendMessageAsync("{\"id\":\"<1>\"}");
        await new QueueClient(azurite.ConnectionString, queue.Name, new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 })
            .SendMessageAsync("{\"id\":\"2\"}");
        Assert.Equal(["{\"id\":\"2\"}", "{\"id\":\"<1>\"}"], (await queue.ReceiveAsync(32, Hidden, default))
            .Select(m => Encoding.UTF8.GetString(m.Body.Span)).Order());
    }
}
