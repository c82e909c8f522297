using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.Unit.Gateway;

/// <summary>The system calls of the spool: an error is given, and nothing that exists is written over.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class PosixTests : IDisposable
{
    private const int NotFolder = 20;
    private readonly string root = Directory.CreateTempSubdirectory("posix-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void A_disk_that_is_full_and_a_flush_that_fails_are_errors()
    {
        using (var full = File.OpenHandle("/dev/full", access: FileAccess.Write)) Assert.Equal(Posix.NoSpace, Posix.WriteAll(full, "bytes"u8));
        using (var file = File.OpenHandle("/dev/null", access: FileAccess.Write)) Assert.Equal(Posix.InvalidArgument, Posix.Flush(file));
        Assert.Equal(0, Posix.CreateFile(At("a"), out var created));
        using (created)
        {
            Assert.Equal(0, Posix.WriteAll(created, "bytes"u8));
            Assert.Equal(0, Posix.Flush(created));
        }
        Assert.Equal("bytes", File.ReadAllText(At("a")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(At("a")));
    }

    [Fact]
    public void Only_a_folder_that_is_there_can_be_flushed()
    {
        File.WriteAllText(At("a"), "a");
        Assert.Equal((0, 0), (Posix.FlushFolder(root), Posix.FlushFileSystem(root)));
        Assert.Equal((Posix.NotFound, Posix.NotFound), (Posix.FlushFolder(At("no")), Posix.FlushFileSystem(At("no"))));
        Assert.Equal((NotFolder, NotFolder), (Posix.FlushFolder(At("a")), Posix.FlushFileSystem(At("a"))));
    }

    [Fact]
    public void Nothing_that_exists_gets_other_bytes()
    {
        File.WriteAllText(At("a"), "a");
        File.WriteAllText(At("b"), "b");
        var created = Posix.CreateFile(At("b"), out var file);
        file.Dispose();
        Assert.Equal((Posix.Exists, Posix.Exists, Posix.Exists), (created, Posix.AddName(At("a"), At("b")), Posix.Move(At("a"), At("b"))));
        Assert.Equal(("a", "b"), (File.ReadAllText(At("a")), File.ReadAllText(At("b"))));
        Assert.Equal((0, 0), (Posix.AddName(At("a"), At("c")), Posix.Move(At("a"), At("d"))));
        Assert.Equal((false, "a", "a"), (File.Exists(At("a")), File.ReadAllText(At("c")), File.ReadAllText(At("d"))));
        Assert.Equal((Posix.NotFound, Posix.NotFound, Posix.NotFound),
            (Posix.AddName(At("a"), At("e")), Posix.Move(At("a"), At("e")), Posix.Remove(At("a"))));
    }

    [Fact]
    public void A_folder_is_made_with_its_parent_there_and_removed_when_it_is_empty()
    {
        Assert.Equal(Posix.NotFound, Posix.CreateFolder(At("f/g")));
        Assert.Equal((0, 0, 0), (Posix.CreateFolder(At("f")), Posix.CreateFolder(At("f")), Posix.CreateFolder(At("f/g"))));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(At("f")));
        Assert.Equal(Posix.NotEmpty, Posix.RemoveFolder(At("f")));
        Assert.Equal((0, 0, Posix.NotFound), (Posix.RemoveFolder(At("f/g")), Posix.RemoveFolder(At("f")), Posix.RemoveFolder(At("f"))));
    }

    [Fact]
    public async Task What_a_thread_of_the_spool_throws_comes_to_its_caller()
    {
        using var threads = new FlushThreads();
        await Assert.ThrowsAsync<IOException>(() => threads.Run<int>(() => throw new IOException()));
        Assert.Equal(7, await threads.Run(() => 7));
    }

    private string At(string name) => Path.Combine(root, name);
}
