using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace DicomServerless.Functions.Viewer;

/// <summary>A file of the viewer.</summary>
/// <param name="Path">Where it lies, uncompressed; null where it lies compressed only.</param>
/// <param name="Brotli">Where it lies compressed by br, or null.</param>
/// <param name="Gzip">Where it lies compressed by gzip, or null.</param>
internal sealed record ViewerFile(string? Path, string? Brotli, string? Gzip);

/// <summary>
/// The viewer as infra/viewer.mjs has prepared it: its files by the names that browsers ask for. Names come from the folder alone, so that no request leads out
/// of it.
/// </summary>
internal sealed class ViewerFiles
{
    private readonly Dictionary<string, ViewerFile> files = new(StringComparer.Ordinal);

    private ViewerFiles(string version, string index, string configuration) => (Version, Index, Configuration) = (version, index, configuration);

    /// <summary>Which viewer it is, and how it was prepared.</summary>
    public string Version { get; }

    /// <summary>The page, with <c>{{base}}</c> in place of the path where it is served.</summary>
    public string Index { get; }

    /// <summary>The configuration, with <c>{{base}}</c>, <c>{{router}}</c> and <c>{{dicomweb}}</c>.</summary>
    public string Configuration { get; }

    /// <summary>Reads the folder; null if there is no viewer in it.</summary>
    public static ViewerFiles? Open(string folder, string? configurationFile)
    {
        var version = Path.Combine(folder, "viewer.version");
        if (!File.Exists(version)) return null;
        var viewer = new ViewerFiles(File.ReadAllText(version).Trim(), File.ReadAllText(Path.Combine(folder, "index.html")),
            File.ReadAllText(configurationFile ?? Path.Combine(folder, "app-config.js")));
        foreach (var path in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(folder, path).Replace('\\', '/');
            var (stem, extension) = (name[..^Path.GetExtension(name).Length], Path.GetExtension(name));
            if (extension is not (".br" or ".gz"))
            {
                viewer.files[name] = new ViewerFile(path, null, null);
                continue;
            }
            var file = viewer.files.GetValueOrDefault(stem) ?? new ViewerFile(null, null, null);
            viewer.files[stem] = extension == ".br" ? file with { Brotli = path } : file with { Gzip = path };
        }
        return viewer;
    }

    /// <summary>Finds a file by its name below the viewer's root.</summary>
    public bool TryFind(string name, [NotNullWhen(true)] out ViewerFile? file) => files.TryGetValue(name, out file);

    /// <summary>Fills in where the viewer and the service are.</summary>
    public static byte[] Fill(string text, string rootPath) => Encoding.UTF8.GetBytes(text
        .Replace("{{base}}", rootPath + "/viewer/", StringComparison.Ordinal)
        .Replace("{{router}}", rootPath + "/viewer", StringComparison.Ordinal)
        .Replace("{{dicomweb}}", rootPath + "/dicomweb", StringComparison.Ordinal));
}
