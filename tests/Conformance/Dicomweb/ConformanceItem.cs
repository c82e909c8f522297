using DicomServerless.Shared;

namespace DicomServerless.Conformance.Dicomweb;

/// <summary>One demand on a DICOMweb server, and what shows that it is met: a line of items.tsv.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Kind">M mandatory (PS3.18), O optional, X beyond the standard.</param>
/// <param name="What">The demand.</param>
/// <param name="Verdict"><c>test</c>, <c>deviation</c> (declared), or <c>codec</c> (needs image codecs, which come later).</param>
/// <param name="Tests">The tests that show it, as Class.Method.</param>
/// <param name="Note">Why it deviates, or what is to be known.</param>
public sealed record ConformanceItem(string Id, string Kind, string What, string Verdict, string[] Tests, string Note)
{
    /// <summary>The table.</summary>
    public static IReadOnlyList<ConformanceItem> ReadAll() =>
        [.. File.ReadLines(Path.Combine(Repository.Root, "tests/Conformance/Dicomweb/items.tsv"))
            .Skip(1).Where(line => line.Length > 0).Select(line => line.Split('\t'))
            .Select(columns => new ConformanceItem(columns[0], columns[1], columns[2], columns[3],
                columns[4].Split(' ', StringSplitOptions.RemoveEmptyEntries), columns.Length > 5 ? columns[5] : ""))];
}
