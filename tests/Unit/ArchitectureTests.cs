using System.Xml.Linq;
using DicomServerless.Shared;

namespace DicomServerless.Unit;

/// <summary>Dependencies run only along the arrows in docs/design.md, "The parts".</summary>
public sealed class ArchitectureTests
{
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["src/Dicom/Dicom.csproj"] = [],
        ["src/Dicom.Network/Dicom.Network.csproj"] = ["src/Dicom/Dicom.csproj"],
        ["src/Dicom.Web/Dicom.Web.csproj"] = [],
        ["src/Storage/Storage.csproj"] = [],
        ["src/Archive/Archive.csproj"] = ["src/Dicom/Dicom.csproj", "src/Storage/Storage.csproj"],
        ["src/EventGridTrigger/EventGridTrigger.csproj"] = [],
        ["functions/Functions.csproj"] = ["src/Archive/Archive.csproj", "src/Dicom.Web/Dicom.Web.csproj", "src/EventGridTrigger/EventGridTrigger.csproj"],
        ["edge-gateway/EdgeGateway.csproj"] = ["src/Dicom.Network/Dicom.Network.csproj", "src/Dicom.Web/Dicom.Web.csproj"],
        // Started as a process of its own; nothing of it is referenced.
        ["dev/Dev.csproj"] = ["functions/Functions.csproj", "edge-gateway/EdgeGateway.csproj", "src/Dicom.Network/Dicom.Network.csproj",
            "src/Storage/Storage.csproj"],
    };

    [Fact]
    public void Project_references_run_only_along_the_arrows()
    {
        var projects = Directory.EnumerateFiles(Repository.Root, "*.csproj", SearchOption.AllDirectories).Select(Relative)
            .Where(project => !project.StartsWith("tests/", StringComparison.Ordinal)
                && !project.StartsWith("bench/", StringComparison.Ordinal) && !project.StartsWith('.')
                && !project.Contains("/obj/", StringComparison.Ordinal)).Order().ToArray();
        Assert.Equal(Arrows.Keys.Order(), projects);
        foreach (var project in projects)
        {
            var references = References(project, "ProjectReference")
                .Select(path => Relative(Path.GetFullPath(Path.Combine(Repository.Root, Path.GetDirectoryName(project)!, path))));
            Assert.All(references, reference => Assert.Contains(reference, Arrows[project]));
        }
    }

    [Fact]
    public void Dicom_needs_no_package() => Assert.Empty(References("src/Dicom/Dicom.csproj", "PackageReference"));

    [Fact]
    public void Storage_knows_no_dicom() =>
        Assert.DoesNotContain(Directory.EnumerateFiles(Path.Combine(Repository.Root, "src", "Storage"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal)),
            file => File.ReadAllText(file).Contains("DicomServerless.Dicom", StringComparison.Ordinal));

    private static IEnumerable<string> References(string project, string element) =>
        XDocument.Load(Path.Combine(Repository.Root, project)).Descendants(element).Select(reference => reference.Attribute("Include")!.Value);

    private static string Relative(string path) => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/');
}
