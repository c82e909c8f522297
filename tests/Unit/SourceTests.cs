using DicomServerless.Shared;

namespace DicomServerless.Unit;

/// <summary>What the compiler and the analyzers do not look at.</summary>
public sealed class SourceTests
{
    private const int MostColumns = 160;

    private static readonly string[] Folders = ["bench", "dev", "edge-gateway", "functions", "src", "tests"];

    [Fact]
    public void No_line_is_too_long_to_be_read_beside_another_file()
    {
        var files = Folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj") && !file.EndsWith(".g.cs", StringComparison.Ordinal))
            .ToList();
        Assert.True(files.Count > 300, $"Only {files.Count} files were found.");
        var tooLong = files.SelectMany(file => File.ReadLines(file).Select((line, number) => (line.Length, Place: $"{file}:{number + 1}")))
            .Where(line => line.Length > MostColumns).Select(line => line.Place);
        Assert.Empty(tooLong);
    }
}
