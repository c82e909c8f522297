using System.Text;
using System.Text.RegularExpressions;
using DicomServerless.Archive;
using DicomServerless.Archive.Search;
using DicomServerless.Dicom;
using DicomServerless.Functions.Capabilities;
using DicomServerless.Functions.Endpoints;
using DicomServerless.Shared;

namespace DicomServerless.Conformance.Dicomweb;

/// <summary>The tables of docs/dicomweb-conformance-statement.md are those of the code. UPDATE_TABLES=1 writes them.</summary>
public sealed partial class StatementTests
{
    private static string File => Path.Combine(Repository.Root, "docs/dicomweb-conformance-statement.md");

    [GeneratedRegex("<!-- generated: (?<name>[a-z-]+) -->\n(?<table>.*?)<!-- end -->", RegexOptions.Singleline)]
    private static partial Regex Generated();

    [Fact]
    public async Task Its_tables_are_made_from_what_the_program_uses()
    {
        var text = await System.IO.File.ReadAllTextAsync(File);
        var made = Generated().Replace(text, match => $"<!-- generated: {match.Groups["name"].Value} -->\n{Table(match.Groups["name"].Value)}<!-- end -->");
        if (Environment.GetEnvironmentVariable("UPDATE_TABLES") == "1") await System.IO.File.WriteAllTextAsync(File, made);
        else Assert.Equal(made, text);
        Assert.Equal(5, Generated().Count(text));
    }

    private static string Table(string name) => name switch
    {
        "resources" => Rows(["method", "resource", "what", "answers", "takes"], Catalog.All.Select(operation => new[]
        {
            operation.Method, $"`{(operation.Path.Length == 0 ? "/" : operation.Path.Replace("**", "", StringComparison.Ordinal))}`",
                operation.Summary, Types(operation.Produces), Types(operation.Consumes),
        })),
        "reasons" => Rows(["outcome", "reason"], Enum.GetValues<StoreOutcome>()
            .Where(outcome => outcome is not (StoreOutcome.Stored or StoreOutcome.AlreadyStored or StoreOutcome.KeptFirst))
            .Select(outcome => new[] { outcome.ToString(), Code(StoreReasons.Failure(outcome)) })
            .Append(["warning: coerced", Code(StoreReasons.Coerced)])
                .Append(["warning: readers may stumble over its encoding", Code(StoreReasons.DoesNotMatch)])
                .Append(["warning: another object is there and was kept", Code(StoreReasons.KeptFirst)])),
        "transfer-syntaxes" => Rows(["UID", "name", "converted"], TransferSyntax.All.OrderBy(syntax => syntax.Uid).Select(syntax => new[]
        {
            syntax.Uid.Value, UidNames.Find(syntax.Uid.Value) ?? "private",
                TransferSyntax.All.Any(other => other != syntax && TransferSyntaxConverter.CanConvert(syntax, other)) ? "yes" : "",
        })),
        "attributes" => Rows(["level", "always", "where known"],
            new[] { ("study", ResultShape.StudyRequired, ResultShape.StudyOptional), ("series", ResultShape.SeriesRequired, ResultShape.SeriesOptional),
                ("instance", ResultShape.InstanceRequired, ResultShape.InstanceOptional) }
                .Select(level => new[] { level.Item1, Names(level.Item2), Names(level.Item3) })),
        "deviations" => Rows(["item", "what", "why"], ConformanceItem.ReadAll()
            .Where(item => item.Verdict == "deviation").Select(item => new[] { item.Id, item.What, item.Note })),
        _ => throw new InvalidOperationException($"No table is called {name}."),
    };

    private static string Code(ushort reason) => $"{reason} ({reason:X4})";

    private static string Types(string[] types) => string.Join(", ", types.Select(type => $"`{type}`"));

    private static string Names(Tag[] tags) =>
        string.Join(", ", tags.Select(tag => DicomDictionary.TryFind(tag, out var entry) ? entry.Keyword : tag.ToString()));

    private static string Rows(string[] head, IEnumerable<string[]> rows)
    {
        var text = new StringBuilder();
        foreach (var row in new[] { head, [.. head.Select(_ => "---")] }.Concat(rows)) text.Append("| ").AppendJoin(" | ", row).Append(" |\n");
        return text.ToString();
    }
}
