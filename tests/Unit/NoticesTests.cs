using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using DicomServerless.Shared;

namespace DicomServerless.Unit;

/// <summary>Every package is there for a reason, and who made what is shipped is named.</summary>
public sealed partial class NoticesTests
{
    [Fact]
    public void Every_package_of_a_shipped_project_is_named_in_the_notices()
    {
        var shipped = Projects().Where(project => project.StartsWith("src/", StringComparison.Ordinal)
            || project is "functions/Functions.csproj" or "edge-gateway/EdgeGateway.csproj").ToArray();
        Assert.True(shipped.Length >= 7, string.Join(", ", shipped));
        var packages = shipped.SelectMany(Packages).Distinct().ToArray();
        Assert.Contains("Azure.Storage.Blobs", packages);
        Assert.Empty(packages.Except(Named()));
    }

    /// <summary>
    /// What our packages bring along is shipped too: "s" in the service, "g" in the gateway, "h" in what the Functions host loads beside the service.
    /// </summary>
    [Theory]
    [InlineData('s', "functions/DicomServerless.Functions.deps.json", "Azure.Storage.Common")]
    [InlineData('g', "edge-gateway/DicomServerless.EdgeGateway.deps.json", "System.ClientModel")]
    [InlineData('h', "functions/.azurefunctions/function.deps.json", "Azure.Storage.Common")]
    public void Every_package_that_comes_with_these_is_named_in_the_notices(char program, string dependencies, string example)
    {
        var file = BuiltFile(dependencies);
        var shipped = Libraries(file).Where(library => program != 'h' || library.Assemblies.Any(name => IsBeside(file, name))).Select(library => library.Name)
            .ToArray();
        Assert.Contains(example, shipped);
        Assert.Empty(shipped.Except(Named(program)));
        // Those of .NET itself come out of the framework. What the host loads has the versions that its makers chose, and so what comes with these.
        var unshipped = Named(program).Except(shipped).ToArray();
        if (program != 'h') Assert.All(unshipped, name => Assert.StartsWith("Microsoft.Extensions.", name, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_assembly_that_the_host_loads_is_of_a_package_in_the_notices()
    {
        var file = BuiltFile("functions/.azurefunctions/function.deps.json");
        var known = Libraries(file).SelectMany(library => library.Assemblies).Select(Path.GetFileName).ToHashSet(StringComparer.Ordinal);
        var others = Directory.EnumerateFiles(Path.GetDirectoryName(file)!, "*.dll", SearchOption.AllDirectories).Select(Path.GetFileName)
            .Where(name => !known.Contains(name)).Order(StringComparer.Ordinal);
        // The first is made by the build and has nothing in it; the second is of Microsoft.Azure.Functions.Worker.Sdk, as the notices say.
        Assert.Equal(["Microsoft.Azure.Functions.Worker.Extensions.dll", "Microsoft.Azure.WebJobs.Extensions.FunctionMetadataLoader.dll"], others);
        Assert.Contains("Microsoft.Azure.Functions.Worker.Sdk", Named('h'));
    }

    [Fact]
    public void Every_package_is_used_and_has_a_reason()
    {
        var versions = Elements("Directory.Packages.props", "PackageVersion").Order(StringComparer.Ordinal).ToArray();
        var used = Projects().Concat(["Directory.Build.props", "tests/Directory.Build.props"]).SelectMany(Packages).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(versions, used);
        var reasons = Reason().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs/decisions/0009-packages.md")))
            .Select(match => match.Groups["name"].Value).Order(StringComparer.Ordinal);
        Assert.Equal(versions, reasons);
    }

    private static HashSet<string> Named(char? program = null)
    {
        var named = NamedPackage().Matches(File.ReadAllText(Path.Combine(Repository.Root, "THIRD-PARTY-NOTICES")));
        Assert.True(named.Count >= 15, "The pattern of packages finds hardly any.");
        return named.Where(match => program is not { } letter || match.Groups["in"].Value.Contains(letter)).Select(match => match.Groups["name"].Value)
            .ToHashSet(StringComparer.Ordinal);
    }

    // These tests' build has built the programs too.
    private static string BuiltFile(string path)
    {
        var output = Path.GetRelativePath(Path.Combine(Repository.Root, "tests", "Unit"), AppContext.BaseDirectory);
        var parts = path.Split('/', 2);
        return Path.Combine(Repository.Root, parts[0], output, parts[1]);
    }

    // The packages of a deps.json with their assemblies, relative to its folder or to that of the package.
    private static List<(string Name, string[] Assemblies)> Libraries(string file)
    {
        using var dependencies = JsonDocument.Parse(File.ReadAllBytes(file));
        var kinds = dependencies.RootElement.GetProperty("libraries");
        return [.. dependencies.RootElement.GetProperty("targets").EnumerateObject().First().Value.EnumerateObject()
            .Where(library => kinds.GetProperty(library.Name).GetProperty("type").GetString() == "package")
            .Select(library => (library.Name.Split('/')[0], AssembliesOf(library.Value).ToArray()))];
    }

    private static IEnumerable<string> AssembliesOf(JsonElement library) => new[] { "runtime", "runtimeTargets" }
        .SelectMany(kind => library.TryGetProperty(kind, out var files) ? files.EnumerateObject().Select(item => item.Name) : []);

    private static bool IsBeside(string file, string assembly)
    {
        var folder = Path.GetDirectoryName(file)!;
        return File.Exists(Path.Combine(folder, Path.GetFileName(assembly))) || File.Exists(Path.Combine(folder, assembly));
    }

    private static IEnumerable<string> Projects() =>
        new[] { "bench", "dev", "edge-gateway", "functions", "src", "tests" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.csproj", SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/')).Where(path => !path.Contains("/obj/", StringComparison.Ordinal));

    private static IEnumerable<string> Packages(string project) => Elements(project, "PackageReference");

    private static IEnumerable<string> Elements(string file, string element) =>
        XDocument.Load(Path.Combine(Repository.Root, file)).Descendants(element).Select(item => item.Attribute("Include")!.Value);

    [GeneratedRegex(@"^(?<name>[A-Z][\w.]+) +(?<in>[s ] [g ] [h ]) +\S", RegexOptions.Multiline)]
    private static partial Regex NamedPackage();

    [GeneratedRegex(@"^\| `(?<name>[^`]+)` \| (?:yes|no) \| \S", RegexOptions.Multiline)]
    private static partial Regex Reason();
}
