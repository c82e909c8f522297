using System.Text.RegularExpressions;
using DicomServerless.Shared;

namespace DicomServerless.Conformance.Dicomweb;

/// <summary>
/// Every demand has a test that exists, or a declared reason. Whether those tests passed is printed by .ci/run, which has everybody's results (items.py).
/// </summary>
public sealed partial class ItemsTests(ITestOutputHelper output)
{
    // How many there are of D0 to D5 (D7 and D9 are one each).
    private static readonly (string Group, int Count)[] Groups = [("D0", 13), ("D1", 14), ("D2", 20), ("D3", 7), ("D4", 6), ("D5", 6)];

    [GeneratedRegex(@"class (\w+)")]
    private static partial Regex Class();

    [GeneratedRegex(@"\[(?:Fact|Theory)\b.*?\bpublic (?:async )?(?:Task|void) (\w+)\(", RegexOptions.Singleline)]
    private static partial Regex Test();

    [Fact]
    public void Every_item_has_a_test_or_a_declared_reason()
    {
        var items = ConformanceItem.ReadAll();
        var ids = Groups.SelectMany(group => Enumerable.Range(1, group.Count).Select(number => $"{group.Group}.{number}")).Append("D7").Append("D9");
        Assert.Equal(ids, items.Select(item => item.Id));
        var tests = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories).SelectMany(file =>
        {
            var text = File.ReadAllText(file);
            var name = Class().Match(text).Groups[1].Value;
            return Test().Matches(text).Select(match => $"{name}.{match.Groups[1].Value}");
        }).ToHashSet();
        foreach (var item in items)
        {
            output.WriteLine($"{item.Id} [{item.Kind}] {item.What}: {item.Verdict} {string.Join(' ', item.Tests)} {item.Note}");
            Assert.True(item.Verdict is "test" or "deviation" or "codec", item.Id);
            Assert.True(item.Verdict == "test" || item.Note.Length > 0, $"{item.Id} says no reason.");
            Assert.True(item.Verdict != "test" || item.Tests.Length > 0, $"{item.Id} has no test.");
            Assert.All(item.Tests, test => Assert.Contains(test, tests));
        }
        Assert.True(items.Count(item => item is { Kind: "M", Verdict: "deviation" }) <= 5, "More than five demands of the standard are not met.");
    }
}
