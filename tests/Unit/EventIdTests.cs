using System.Text.RegularExpressions;
using DicomServerless.Shared;

namespace DicomServerless.Unit;

/// <summary>An alert on an event id fires for one event only, whichever of the solution's assemblies a process loads.</summary>
public sealed partial class EventIdTests
{
    [Fact]
    public void No_event_id_is_used_twice_in_the_solution()
    {
        var found = new[] { "src", "functions", "edge-gateway" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .SelectMany(file => Ids().Matches(File.ReadAllText(file))
                .Select(match => (Id: match.Groups[1].Value, File: Path.GetRelativePath(Repository.Root, file)))).ToList();
        Assert.True(found.Count > 40);
        var twice = found.GroupBy(item => item.Id).Where(group => group.Count() > 1)
            .Select(group => $"{group.Key}: {string.Join(", ", group.Select(item => item.File))}");
        Assert.Empty(twice);
    }

    [GeneratedRegex(@"LoggerMessage\(\s*(?:EventId\s*=\s*)?(\d+)")]
    private static partial Regex Ids();
}
