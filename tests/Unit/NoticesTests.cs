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

    /// <summary>What our packages bring along is shipped too.</summary>
    [Fact]
    public void Every_package_that_comes_with_these_is_named_in_the_notices()
    {
        using var dependencies = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "DicomServerless.Unit.deps.json")));
        var libraries = dependencies.RootElement.GetProperty("targets").EnumerateObject().First().Value.EnumerateObject()
            .ToDictionary(library => library.Name.Split('/')[0], library => library.Value);
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var left = new Stack<string>(["DicomServerless.Archive", "DicomServerless.EdgeGateway"]);
        while (left.TryPop(out var name))
        {
            if (!reached.Add(name) || !libraries.TryGetValue(name, out var library)) continue;
            if (library.TryGetProperty("dependencies", out var needed)) foreach (var item in needed.EnumerateObject()) left.Push(item.Name);
        }
        Assert.Contains("Azure.Storage.Common", reached);
        // Programs on ASP.NET Core have these from it; the notices name it.
        Assert.Empty(reached.Where(name => !name.StartsWith("DicomServerless.", StringComparison.Ordinal)
            && !name.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal)).Except(Named()));
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

    private static HashSet<string> Named()
    {
        var named = NamedPackage().Matches(File.ReadAllText(Path.Combine(Repository.Root, "THIRD-PARTY-NOTICES")))
            .Select(match => match.Groups["name"].Value).ToHashSet(StringComparer.Ordinal);
        Assert.True(named.Count >= 15, "The pattern of packages finds hardly any.");
        return named;
    }

    private static IEnumerable<string> Projects() =>
        new[] { "bench", "dev", "edge-gateway", "functions", "src", "tests" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.csproj", SearchOption.AllDirectories))
            .Select(path => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/')).Where(path => !path.Contains("/obj/", StringComparison.Ordinal));

    private static IEnumerable<string> Packages(string project) => Elements(project, "PackageReference");

    private static IEnumerable<string> Elements(string file, string element) =>
        XDocument.Load(Path.Combine(Repository.Root, file)).Descendants(element).Select(item => item.Attribute("Include")!.Value);

    [GeneratedRegex(@"^(?<name>[A-Z][\w.]+) +(?:s g|s  |  g) +\S", RegexOptions.Multiline)]
    private static partial Regex NamedPackage();

    [GeneratedRegex(@"^\| `(?<name>[^`]+)` \| (?:yes|no) \| \S", RegexOptions.Multiline)]
    private static partial Regex Reason();
}
