using DicomServerless.Archive;
using DicomServerless.Shared;
using DicomServerless.Storage;

namespace DicomServerless.Unit.Archive;

/// <summary>
/// What comes through the inbox, or lies under a name that says nothing, is stored or kept in <c>rejected</c>, and never lost (docs/design.md, rule 10).
/// </summary>
public sealed class InboxTests
{
    private readonly MemoryWorld world = new(TimeProvider.System);

    [Fact]
    public async Task Blobs_of_one_name_that_are_rejected_one_after_the_other_are_all_kept()
    {
        foreach (var text in (string[])["first", "second", "third"]) await DropAsync(world.Client().Inbox, "IM000001", Bytes(text));
        await DropAsync(world.Client().Dicom, "IM000001", Bytes("stray"));
        Assert.Empty(world.Inbox.Blobs);
        Assert.Empty(world.Dicom.Blobs);
        Assert.Equal(["dicom/IM000001", "inbox/IM000001", "inbox/IM000001.0x2", "inbox/IM000001.0x3"], world.Rejected.Blobs.Keys);
        Assert.Equal(["stray", "first", "second", "third"], world.Rejected.Blobs.Values.Select(blob => System.Text.Encoding.ASCII.GetString(blob.Bytes)));
    }

    [Fact]
    public async Task What_is_rejected_keeps_its_metadata_beside_the_reason()
    {
        await DropAsync(world.Client().Inbox, "a/ü.bin", Bytes("x"), new() { ["sender"] = "CT1", ["long"] = new string('l', 8_150), ["station"] = "7" });
        var (info, _) = world.Rejected.Blobs["inbox/a/ü.bin"];
        Assert.Equal(("inbox", "0x1", "CT1", "7"),
            (info.Metadata["container"], info.Metadata["etag"], info.Metadata["sender"], info.Metadata["station"])); // and no room for the long one
        Assert.NotEmpty(info.Metadata["reason"]);
    }

    [Fact]
    public async Task A_name_that_leaves_no_room_is_cut()
    {
        foreach (var text in (string[])["first", "second"]) await DropAsync(world.Client().Inbox, new string('n', 1024), Bytes(text));
        Assert.Equal(2, world.Rejected.Blobs.Count);
        Assert.Empty(world.Inbox.Blobs);
    }

    [Fact]
    public async Task An_empty_blob_is_kept_too()
    {
        await DropAsync(world.Client().Inbox, "empty", []);
        Assert.Equal("It is empty.", Assert.Single(world.Rejected.Blobs).Value.Info.Metadata["reason"]);
        Assert.Empty(world.Inbox.Blobs);
    }

    /// <summary>Other content under a UID that is there is not stored by either policy, and has no other copy.</summary>
    [Theory]
    [InlineData(DuplicatePolicy.Reject)]
    [InlineData(DuplicatePolicy.KeepFirst)]
    public async Task Other_content_under_a_known_uid_is_kept(DuplicatePolicy policy)
    {
        await Archives.Open(world).StoreAsync(Made("A"));
        await DropAsync(world.Client().Inbox, "x", Made("B"), policy: policy);
        Assert.Equal(Made("A"), Assert.Single(world.Dicom.Blobs).Value.Bytes);
        Assert.Equal(Made("B"), Assert.Single(world.Rejected.Blobs).Value.Bytes);
        Assert.Empty(world.Inbox.Blobs);
        await DropAsync(world.Client().Inbox, "y", Made("A"), policy: policy); // the same once more needs no second copy
        Assert.Single(world.Rejected.Blobs);
        Assert.Empty(world.Inbox.Blobs);
    }

    [Fact]
    public async Task A_blob_whose_taking_was_cut_off_after_it_was_kept_is_kept_once()
    {
        await world.Client().Inbox.PutAsync("x", new(Bytes("x")), new BlobWrite(BlobCondition.None), default);
        var cut = Archives.Open(world, step: what => what == "delete x" ? throw new StorageFault() : Task.CompletedTask);
        await Assert.ThrowsAsync<StorageFault>(() => cut.Events.HandleAsync(Event("inbox", "x"), default));
        await Archives.Open(world).Events.HandleAsync(Event("inbox", "x"), default);
        Assert.Single(world.Rejected.Blobs);
        Assert.Empty(world.Inbox.Blobs);
    }

    private async Task DropAsync(IBlobContainer container, string name, byte[] bytes, Dictionary<string, string>? metadata = null,
        DuplicatePolicy policy = DuplicatePolicy.Reject)
    {
        await container.PutAsync(name, new(bytes), new BlobWrite(BlobCondition.None, metadata), default);
        await Archives.Open(world, options: new ArchiveOptions { DuplicatePolicy = policy }).Events.HandleAsync(Event(container.Name, name), default);
    }

    private static BlobEvent Event(string container, string name) => new(false, container, name, Archives.Start, null);

    private static byte[] Bytes(string text) => System.Text.Encoding.ASCII.GetBytes(text);

    private static byte[] Made(string patient) => TestObject.Of("1.2.3", "1.2.3.1", "1.2.3.1.1").Add(0x00100020, "LO", patient).ToFile();
}
