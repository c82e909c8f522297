using System.Globalization;
using System.Text.RegularExpressions;
using DicomServerless.Shared;

namespace DicomServerless.Unit;

/// <summary>What the compiler and the analyzers do not look at.</summary>
public sealed partial class SourceTests
{
    private const int MostColumns = 160;

    // Lists of few numbers, or of a range: "rule 5", "rules 5 and 8", "rules 1 to 10".
    private const string Numbers = @"(?<numbers>\d+(?:(?:, | and | to )\d+)*)";

    private static readonly string[] Folders = ["bench", "dev", "edge-gateway", "functions", "src", "tests"];

    // Not tables, data and what programs write: their lines are as long as they must be.
    private static readonly string[] WrittenByHand =
        [".bicep", ".cs", ".csproj", ".css", ".html", ".js", ".mjs", ".props", ".proto", ".py", ".sh", ".targets", ".yml"];

    [Fact]
    public void No_line_is_too_long_to_be_read_beside_another_file()
    {
        var tooLong = Written().Append(Design)
            .SelectMany(file => File.ReadLines(file).Select((line, number) =>
                (line.Length, Place: $"{Path.GetRelativePath(Repository.Root, file)}:{number + 1}")))
            .Where(line => line.Length > MostColumns).Select(line => line.Place).ToArray();
        Assert.True(tooLong.Length == 0, $"More than {MostColumns} columns:\n" + string.Join('\n', tooLong));
    }

    [Fact]
    public void What_comments_cite_of_the_design_is_there()
    {
        var design = File.ReadAllText(Design);
        // This file holds examples of what is wrong.
        var found = Sources().Where(file => Path.GetFileName(file) != "SourceTests.cs")
            .Select(file => (File: file, Problems: Unfounded(File.ReadAllText(file), design, out var count), Count: count)).ToArray();
        var missing = found.SelectMany(item => item.Problems.Select(problem => $"{Path.GetRelativePath(Repository.Root, item.File)}: {problem}")).ToArray();
        Assert.True(missing.Length == 0, "Not in docs/design.md:\n" + string.Join('\n', missing));
        Assert.True(found.Sum(item => item.Count) >= 35, "The pattern finds hardly any citation.");
    }

    /// <summary>The test above can fail.</summary>
    [Theory]
    [InlineData("// docs/design.md, rule 2: first", null)]
    [InlineData("/// It goes (docs/design.md,\n    /// rules 1 to 2).", null)]
    [InlineData("// docs/design.md, promise 1, and docs/design.md, \"One\", \"Two words\"", null)]
    [InlineData("// docs/design.md, rule 3", "rule 3")]
    [InlineData("// docs/design.md, rules 2 to 4", "rule 3")]
    [InlineData("// docs/design.md, promise 2", "promise 2")]
    [InlineData("// docs/design.md, \"One\", \"Three\"", "\"Three\"")]
    [InlineData("// docs/design.md says so", "docs/design.md")]
    [InlineData("// It goes (rule 2).", "rule 2")]
    [InlineData("// It goes (design, \"One\").", "design, \"One\"")]
    public void A_citation_of_what_is_not_there_is_found(string comment, string? problem)
    {
        const string design = "## What must hold\n\n1. A promise.\n\n## One\n\n1. A step.\n2. Another.\n\n## Two words\n\n### Rule 1: a\n\n### Rule 2: b\n";
        var found = Unfounded("namespace A;\n" + comment + "\nclass B;\n", design, out _);
        Assert.Equal(problem, found.FirstOrDefault());
    }

    [Fact]
    public void What_the_design_names_is_there()
    {
        var words = Sources().SelectMany(file => Word().Matches(File.ReadAllText(file)).Select(match => match.Value)).ToHashSet(StringComparer.Ordinal);
        var named = Quoted().Matches(File.ReadAllText(Design)).Select(match => match.Groups["text"].Value).Distinct().ToArray();
        var identifiers = named.Where(text => Identifier().IsMatch(text)).ToArray();
        Assert.InRange(identifiers.Length, 80, 1000);
        var paths = named.Where(text => text.Contains('/') && OwnPath().IsMatch(text)).ToArray();
        Assert.InRange(paths.Length, 20, 1000);
        var missing = identifiers.Where(text => !text.Split('.').All(words.Contains))
            .Concat(paths.Where(path => !Path.Exists(Path.Combine(Repository.Root, path)))).ToArray();
        Assert.True(missing.Length == 0, "In docs/design.md and nowhere else:\n" + string.Join('\n', missing));
    }

    private static string Design => Path.Combine(Repository.Root, "docs", "design.md");

    private static List<string> Sources()
    {
        var files = Folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !IsMade(file)).ToList();
        Assert.True(files.Count > 300, $"Only {files.Count} files were found.");
        return files;
    }

    // Sources in all languages, and what builds and tests them.
    private static List<string> Written()
    {
        var files = Folders.Concat([".ci", ".github", "infra"])
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Repository.Root))
            .Where(file => WrittenByHand.Contains(Path.GetExtension(file)) || Path.GetFileName(file) is "Containerfile" or "run")
            .Where(file => !IsMade(file)).ToList();
        Assert.True(files.Count > Sources().Count + 40, $"Only {files.Count} files were found.");
        return files;
    }

    private static bool IsMade(string file) =>
        file.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" or "node_modules") || file.EndsWith(".g.cs", StringComparison.Ordinal);

    // What the comments of a file cite and the design does not have.
    private static List<string> Unfounded(string source, string design, out int citations)
    {
        var headings = Heading().Matches(design).Select(match => match.Groups["text"].Value).ToHashSet(StringComparer.Ordinal);
        var rules = Rule().Matches(design).Select(match => match.Groups["number"].Value).ToHashSet(StringComparer.Ordinal);
        var promises = Promise().Matches(Section(design, "What must hold")).Select(match => match.Groups["number"].Value).ToHashSet(StringComparer.Ordinal);
        // A comment of several lines is one text.
        var comments = string.Join('\n', Comment().Matches(source).Select(match => NewLine().Replace(match.Value, " ")));
        var problems = new List<string>();
        citations = 0;
        foreach (Match citation in Citation().Matches(comments))
        {
            citations++;
            if (!citation.Groups["what"].Success) problems.Add("docs/design.md");
            foreach (Capture title in citation.Groups["title"].Captures) if (!headings.Contains(title.Value)) problems.Add($"\"{title.Value}\"");
            if (!citation.Groups["kind"].Success) continue;
            var known = citation.Groups["kind"].Value == "rule" ? rules : promises;
            problems.AddRange(NumbersOf(citation.Groups["numbers"].Value).Where(number => !known.Contains(number))
                .Select(number => $"{citation.Groups["kind"].Value} {number}"));
        }
        problems.AddRange(Loose().Matches(Citation().Replace(comments, "")).Select(match => match.Value));
        return problems;
    }

    private static IEnumerable<string> NumbersOf(string text)
    {
        var numbers = text.Split([", ", " and ", " to "], StringSplitOptions.None).Select(number => int.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        var all = text.Contains(" to ", StringComparison.Ordinal) ? Enumerable.Range(numbers[0], numbers[^1] - numbers[0] + 1) : numbers;
        return all.Select(number => number.ToString(CultureInfo.InvariantCulture));
    }

    private static string Section(string design, string title)
    {
        var start = design.IndexOf($"## {title}\n", StringComparison.Ordinal);
        var end = start < 0 ? -1 : design.IndexOf("\n## ", start, StringComparison.Ordinal);
        return start < 0 ? "" : end < 0 ? design[start..] : design[start..end];
    }

    [GeneratedRegex(@"^##+ (?<text>.+?)\s*$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^### Rule (?<number>\d+): ", RegexOptions.Multiline)]
    private static partial Regex Rule();

    [GeneratedRegex(@"^(?<number>\d+)\. ", RegexOptions.Multiline)]
    private static partial Regex Promise();

    [GeneratedRegex(@"//.*(?:\n[ \t]*//.*)*")]
    private static partial Regex Comment();

    [GeneratedRegex(@"\n[ \t]*///?[ \t]*")]
    private static partial Regex NewLine();

    [GeneratedRegex(@"docs/design\.md(?<what>(?:, ""(?<title>[^""]+)"")+|, (?<kind>rule|promise)s? " + Numbers + ")?")]
    private static partial Regex Citation();

    [GeneratedRegex(@"\b[Rr]ules? \d+|\b[Dd]esign, (?:rule|promise|invariant|"")[^).:]*")]
    private static partial Regex Loose();

    [GeneratedRegex("`(?<text>[^`\n]+)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^[A-Z][a-z]\w*(?:\.[A-Z]\w+)*$")]
    private static partial Regex Identifier();

    [GeneratedRegex(@"^(?:bench|dev|edge-gateway|functions|infra|src|tests)/[\w./-]+$")]
    private static partial Regex OwnPath();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();
}
