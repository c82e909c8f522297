using System.Text.Json;

namespace DicomServerless.Functional.Infra;

/// <summary>The compiler, which knows the types of Azure's resources, has nothing to say of <c>infra/</c>.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class BicepTests
{
    public static TheoryData<string> Files() => Names("*.bicep");

    public static TheoryData<string> ParameterFiles() => Names("*.bicepparam");

    [Theory]
    [MemberData(nameof(Files))]
    public async Task The_linter_warns_of_nothing(string file) => Assert.Equal("", await Bicep.RunAsync("lint", Path.Combine(Bicep.Sources, file)));

    [Theory]
    [MemberData(nameof(ParameterFiles))]
    public async Task Parameters_fit_the_template(string file)
    {
        using var built = JsonDocument.Parse(await Bicep.RunAsync("build-params", Path.Combine(Bicep.Sources, file), "--stdout"));
        Assert.Contains("deploymentParameters.json", built.RootElement.GetProperty("parametersJson").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_compiles_and_subscribes_to_events_only_when_their_sender_has_its_roles()
    {
        using var template = JsonDocument.Parse(await Bicep.RunAsync("build", Path.Combine(Bicep.Sources, "main.bicep"), "--stdout"));
        const string roleAssignments = "Microsoft.Authorization/roleAssignments";
        var events = template.RootElement.GetProperty("resources").GetProperty("events").GetProperty("properties").GetProperty("template")
            .GetProperty("resources").EnumerateArray().ToList();
        var subscriptions = Assert.Single(events, resource => Type(resource) == "Microsoft.EventGrid/systemTopics/eventSubscriptions");
        // Event Grid tries the queue and the container when a subscription is made.
        Assert.Equal(events.Count(resource => Type(resource) == roleAssignments), subscriptions.GetProperty("dependsOn").EnumerateArray()
            .Count(one => one.GetString()!.Contains(roleAssignments, StringComparison.Ordinal)));
    }

    private static string Type(JsonElement resource) => resource.GetProperty("type").GetString()!;

    private static TheoryData<string> Names(string pattern) => new(Directory.EnumerateFiles(Bicep.Sources, pattern, SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(Bicep.Sources, file)).Order(StringComparer.Ordinal));
}
