using DicomServerless.Shared;

namespace DicomServerless.Unit.Dicom;

/// <summary>The sample files of the repository, and a larger collection beside it when there is one.</summary>
internal static class Samples
{
    public static string Folder => Path.Combine(Repository.Root, "tests", "Samples");

    public static byte[] Read(string name) => File.ReadAllBytes(Path.Combine(Folder, name));

    public static IEnumerable<string> Own() => Directory.EnumerateFiles(Folder, "*.dcm").Order(StringComparer.Ordinal);

    public static IEnumerable<string> All() => Repository.SharedSamples is { } shared
        ? Own().Concat(Directory.EnumerateFiles(shared, "*", SearchOption.AllDirectories).Where(IsSample).Order(StringComparer.Ordinal))
        : Own();

    private static bool IsSample(string file) => Path.GetExtension(file) is not (".md" or ".tsv" or ".txt" or ".json" or ".py");
}
