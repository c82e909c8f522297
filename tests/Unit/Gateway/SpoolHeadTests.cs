using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.Functional.Gateway;

namespace DicomServerless.Unit.Gateway;

public sealed class SpoolHeadTests
{
    [Fact]
    public async Task A_file_is_intact_damaged_gone_or_cannot_be_read_now()
    {
        await using var test = new TestSpool();
        await test.StoreAsync("1.2", "1.2.1", called: "LOCAL");
        var entry = test.Spool.Waiting("archive", "1.2")[0];
        var head = SpoolHead.Read(entry);
        Assert.Equal((FileState.Intact, "1.2.1", "LOCAL"), (head.State, head.Sop, head.CalledAe));
        Assert.Equal(FileState.Intact, await SpoolHead.CheckAsync(entry, default));

        var bytes = await File.ReadAllBytesAsync(entry.Path);
        File.WriteAllBytes(entry.Path, [.. bytes[..^1], (byte)(bytes[^1] ^ 1)]);
        Assert.Equal(FileState.Damaged, await SpoolHead.CheckAsync(entry, default));

        File.Delete(entry.Path);
        Assert.Equal((FileState.Gone, FileState.Gone), (SpoolHead.Read(entry).State, await SpoolHead.CheckAsync(entry, default)));
        Directory.CreateSymbolicLink(entry.Path, entry.Path); // ELOOP
        Assert.Equal((FileState.Unreadable, FileState.Unreadable), (SpoolHead.Read(entry).State, await SpoolHead.CheckAsync(entry, default)));
        File.Delete(entry.Path);
    }

    [Fact]
    public async Task Without_its_volume_no_file_of_the_spool_is_gone()
    {
        await using var test = new TestSpool();
        await test.StoreAsync("1.2", "1.2.1");
        var entry = test.Spool.Waiting("archive", "1.2")[0];
        var (root, away) = (test.Spool.Root, test.Spool.Root + ".away");
        Directory.Move(root, away);
        Assert.Equal((FileState.Unreadable, FileState.Unreadable), (SpoolHead.Read(entry).State, await SpoolHead.CheckAsync(entry, default)));
        Directory.Move(away, root);
        Assert.Equal(FileState.Intact, SpoolHead.Read(entry).State);
    }
}
