namespace DicomServerless.Unit.Dicom;

/// <summary>The sample files of the repository, and a larger collection beside it when there is one.</summary>
internal static class Samples
{
    private static readonly string Root = FindRoot();

    public static string Folder => Path.Combine(Root, "tests", "Samples");

    public static byte[] Read(string name) => File.ReadAllBytes(Path.Combine(Folder, name));

    public static IEnumerable<string> Own() => Directory.EnumerateFiles(Folder, "*.dcm").Order(StringComparer.Ordinal);

    public static IEnumerable<string> All()
    {
        var shared = Path.Combine(Root, "..", "shared", "samples");
        return Directory.Exists(shared)
            ? Own().Concat(Directory.EnumerateFiles(shared, "*", SearchOption.AllDirectories).Where(IsSample).Order(StringComparer.Ordinal))
            : Own();
    }

    private static bool IsSample(string file) => Path.GetExtension(file) is not (".md" or ".tsv" or ".txt" or ".json" or ".py");

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "DicomServerless.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("The repository's root was not found.");
    }
}
