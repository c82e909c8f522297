using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.Unit.Gateway;

/// <summary>Which folders are removed: none in which an object lies or is about to be put.</summary>
public sealed class SpoolFoldersTests : IDisposable
{
    private const int Hour = 2026112112;
    private readonly string root = Directory.CreateTempSubdirectory("folders-").FullName;
    private readonly FlushThreads threads = new();
    private readonly SpoolFolders folders;

    public SpoolFoldersTests() => folders = new SpoolFolders(root, threads, null);

    public void Dispose()
    {
        threads.Dispose();
        Directory.Delete(root, recursive: true);
    }

    [Fact]
    public void Empty_folders_of_closed_hours_go_and_nothing_else()
    {
        string[] made = ["2026112110/1.2", "2026112110/1.3", "2026112111/1.2", "2026112112/1.2", "lost+found", "2026112109"];
        foreach (var name in made) Directory.CreateDirectory(At(name));
        File.WriteAllText(At("2026112111/1.2/object"), "");
        folders.RemoveEmpty("archive", Hour);
        folders.RemoveEmpty("other", Hour); // has no folder yet
        Assert.Equal(["2026112111", "2026112111/1.2", "2026112112", "2026112112/1.2", "lost+found"], Left());
    }

    [Fact]
    public void A_folder_in_use_stays_with_its_parents_and_keeps_no_other()
    {
        Directory.CreateDirectory(At("2026112110/1.2"));
        Directory.CreateDirectory(At("2026112111/1.2"));
        var used = folders.Enter(At("2026112110/1.3")); // it is about to be made there
        Assert.Same(used, folders.Enter(At("2026112110/1.3")));
        Assert.Equal(2, used.Users);
        folders.Leave(used);
        folders.RemoveEmpty("archive", Hour);
        Assert.Equal(["2026112110"], Left());
        Assert.Equal(0, used.Make());
        folders.RemoveEmpty("archive", Hour);
        Assert.Equal(["2026112110", "2026112110/1.3"], Left());
        folders.Leave(used);
        folders.RemoveEmpty("archive", Hour);
        Assert.Empty(Left());
        // The clock was set back, say: it is made again.
        Assert.Equal(0, folders.Enter(At("2026112110/1.3")).Make());
        Assert.Equal(["2026112110", "2026112110/1.3"], Left());
    }

    [Fact]
    public void Folders_of_closed_hours_that_nobody_uses_are_forgotten()
    {
        var (closed, used, current) = (folders.Enter(At("2026112110/1.2")), folders.Enter(At("2026112110/1.3")), folders.Enter(At($"{Hour}/1.2")));
        folders.Leave(closed);
        folders.Leave(current);
        folders.Trim(Hour);
        Assert.NotSame(closed, folders.Enter(At("2026112110/1.2")));
        Assert.Same(used, folders.Enter(At("2026112110/1.3")));
        Assert.Same(current, folders.Enter(At($"{Hour}/1.2")));
    }

    private string At(string name) => Path.Combine(root, "archive", name);

    private IEnumerable<string> Left() =>
        Directory.GetDirectories(At(""), "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(At(""), path)).Order(StringComparer.Ordinal);
}
