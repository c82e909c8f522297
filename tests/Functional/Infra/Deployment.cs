using System.Text.Json;
using System.Text.RegularExpressions;

namespace DicomServerless.Functional.Infra;

/// <summary>
/// What Azure would be asked to make, as the compiler predicts it: modules, loops and conditions are carried out, names and parameters are filled in. What only
/// Azure knows stays an expression; outputs of modules are written <c>module.output</c> in it.
/// </summary>
internal sealed partial class Deployment
{
    private const string Group = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/group/providers/";

    private Deployment(JsonElement prediction)
    {
        Resources = [.. prediction.GetProperty("predictedResources").EnumerateArray().Select(resource => new Resource(resource))];
        Outputs = new Resource(prediction.GetProperty("outputs"));
        Assert.Equal(0, prediction.GetProperty("diagnostics").GetArrayLength());
    }

    /// <summary>All of it, in no particular order.</summary>
    public IReadOnlyList<Resource> Resources { get; }

    /// <summary>The outputs, by name.</summary>
    public Resource Outputs { get; }

    /// <summary>Predicts a deployment of a file of <c>infra/</c>.</summary>
    /// <param name="source">The file, such as main.bicep.</param>
    /// <param name="parameters">Lines of a parameter file.</param>
    public static async Task<Deployment> OfAsync(string source, params string[] parameters)
    {
        var folder = Directory.CreateTempSubdirectory("bicep-");
        try
        {
            var file = Path.Combine(folder.FullName, "test.bicepparam");
            // The compiler takes relative paths only.
            var relative = Path.GetRelativePath(folder.FullName, Path.Combine(Bicep.Sources, source));
            await File.WriteAllLinesAsync(file, [$"using '{relative}'", .. parameters]);
            await Bicep.RunAsync("snapshot", file, "--mode", "overwrite", "--tenant-id", "22222222-2222-2222-2222-222222222222", "--subscription-id",
                "11111111-1111-1111-1111-111111111111", "--resource-group", "group", "--location", "westeurope");
            var text = await File.ReadAllTextAsync(Path.Combine(folder.FullName, "test.snapshot.json"));
            text = ModuleOutput().Replace(text, "$1.$2").Replace(Group, "", StringComparison.Ordinal);
            using var json = JsonDocument.Parse(text.Replace("resourceId('11111111-1111-1111-1111-111111111111', 'group', ", "resourceId(",
                StringComparison.Ordinal));
            return new Deployment(json.RootElement.Clone());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>The resources of a type.</summary>
    public IEnumerable<Resource> OfType(string type) => Resources.Where(resource => resource.At("type") == type);

    /// <summary>The one resource of a type whose name begins or ends so.</summary>
    public Resource Single(string type, string name = "") => Assert.Single(OfType(type), resource =>
        resource.At("name")!.StartsWith(name, StringComparison.Ordinal) || resource.At("name")!.EndsWith("/" + name, StringComparison.Ordinal));

    // A module is a deployment, which names the one that it is part of.
    [GeneratedRegex(@"reference\(resourceId\('[^']*', '[^']*', 'Microsoft\.Resources/deployments', format\('(\w+)-\{0\}'.*?\)\.outputs\.(\w+)\.value")]
    private static partial Regex ModuleOutput();
}

/// <summary>One resource, or any other object of JSON.</summary>
internal sealed class Resource(JsonElement json)
{
    /// <summary>
    /// The text of what a path of names leads to, such as properties.minimumTlsVersion; JSON where it is no string; null where there is nothing.
    /// </summary>
    public string? At(string path) => Find(path) is { } found ? Text(found) : null;

    /// <summary>The texts of the list that a path leads to.</summary>
    public string[] All(string path) => [.. Find(path)!.Value.EnumerateArray().Select(Text)];

    /// <summary>The names and texts of the object that a path leads to, or of the whole, <c>name=text</c>, in order.</summary>
    public string[] Pairs(string path = "") =>
        [.. Find(path)!.Value.EnumerateObject().Select(pair => $"{pair.Name}={Text(pair.Value)}").Order(StringComparer.Ordinal)];

    private JsonElement? Find(string path)
    {
        var at = json;
        foreach (var name in path.Split('.', StringSplitOptions.RemoveEmptyEntries))
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out at)) return null;
        return at;
    }

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
}
