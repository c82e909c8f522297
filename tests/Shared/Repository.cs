namespace DicomServerless.Shared;

/// <summary>Where the tests find files.</summary>
public static class Repository
{
    /// <summary>The folder that holds the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The large sample collection beside the repository; null when it is not there.</summary>
    public static string? SharedSamples => Directory.Exists(Path.Combine(Root, "../shared/samples"))
        ? Path.GetFullPath(Path.Combine(Root, "../shared/samples")) : null;

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "DicomServerless.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests do not run inside the repository.");
    }
}
