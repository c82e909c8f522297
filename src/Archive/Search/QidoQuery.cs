using System.Globalization;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Matching;

namespace DicomServerless.Archive.Search;

/// <summary>What a search returns.</summary>
public enum QidoLevel
{
    /// <summary>Studies.</summary>
    Study,
    /// <summary>Series.</summary>
    Series,
    /// <summary>Instances.</summary>
    Instance,
}

/// <summary>A search, parsed (PS3.18 8.3.4 and 10.6).</summary>
public sealed class QidoQuery
{
    private QidoQuery(QidoLevel level, Uid? study, Uid? series) => (Level, Study, Series) = (level, study, series);

    /// <summary>What is returned.</summary>
    public QidoLevel Level { get; }

    /// <summary>The study of the resource's path, or null.</summary>
    public Uid? Study { get; }

    /// <summary>The series of the resource's path, or null.</summary>
    public Uid? Series { get; }

    /// <summary>All of these must match.</summary>
    public IReadOnlyList<AttributeMatch> Matches { get; private set; } = [];

    /// <summary>Attributes asked for beyond the usual ones.</summary>
    public IReadOnlySet<Tag> Include { get; private set; } = new HashSet<Tag>();

    /// <summary>Whether every attribute is asked for.</summary>
    public bool IncludeAll { get; private set; }

    /// <summary>The most results to return; null for as many as allowed.</summary>
    public int? Limit { get; private set; }

    /// <summary>Results to pass over.</summary>
    public int Offset { get; private set; }

    /// <summary>Whether person names match by the beginnings of their words, in any order.</summary>
    public bool Fuzzy { get; private set; }

    /// <summary>What was asked for and is not done, each a sentence for a Warning header.</summary>
    public IReadOnlyList<string> Warnings { get; private set; } = [];

    /// <summary>Reads the query parameters of a search resource.</summary>
    /// <param name="level">What the resource returns.</param>
    /// <param name="study">The study in its path.</param>
    /// <param name="series">The series in its path.</param>
    /// <param name="parameters">Names and values, percent-decoded.</param>
    /// <param name="errors">What is wrong, each naming the parameter; empty if nothing is.</param>
    public static QidoQuery Parse(QidoLevel level, Uid? study, Uid? series, IEnumerable<KeyValuePair<string, string>> parameters, out IReadOnlyList<string> errors)
    {
        var query = new QidoQuery(level, study, series);
        var (problems, warnings) = (new List<string>(), new List<string>());
        var matches = new List<AttributeMatch>();
        var include = new HashSet<Tag>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var creators = new Dictionary<Tag, string>();
        foreach (var (name, value) in parameters)
        {
            switch (name.ToLowerInvariant())
            {
                case "limit":
                    query.Limit = Number(name, value, problems);
                    break;
                case "offset":
                    query.Offset = Number(name, value, problems) ?? 0;
                    break;
                case "fuzzymatching":
                    query.Fuzzy = Flag(name, value, problems);
                    break;
                case "emptyvaluematching" or "multiplevaluematching":
                    if (Flag(name, value, problems)) warnings.Add($"The {name.ToLowerInvariant()} parameter is not supported. Only literal matching has been performed.");
                    break;
                case "includefield":
                    foreach (var field in value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                    {
                        if (field.Equals("all", StringComparison.OrdinalIgnoreCase)) query.IncludeAll = true;
                        // Only the first step of a path is a field of its own; an attribute that nobody knows is silently absent (8.3.4.3).
                        else if (AttributeMatch.TryPath(field.Split('.')[0], out var path)) include.Add(path[0]);
                    }
                    break;
                case "accept" or "accept-charset" or "charset" or "_" or "code":
                    break;
                default:
                    AddMatch(name, value, matches, seen, problems, warnings);
                    break;
            }
        }
        query.Matches = DateTimeRange.Combine(matches);
        foreach (var match in matches) include.Add(match.Path[0]);
        query.Include = include;
        query.Warnings = warnings;
        errors = problems;
        return query;
    }

    private static void AddMatch(string name, string value, List<AttributeMatch> matches, HashSet<string> seen, List<string> problems, List<string> warnings)
    {
        if (!AttributeMatch.TryPath(name, out var path))
        {
            warnings.Add("A query parameter is no attribute that this server knows; it was ignored.");
            return;
        }
        // The zone of the times asked for, no attribute to match (8.3.4.1.2).
        if (path is [var only] && only == Tags.TimezoneOffsetFromUTC) return;
        if (!seen.Add(string.Join('.', path)))
        {
            problems.Add($"The attribute {string.Join('.', path)} is there twice; each key may be given once (PS3.18 8.3.4.1).");
            return;
        }
        if (AttributeMatch.TryParse(path, value, out var match, out var problem)) matches.Add(match!);
        else problems.Add(problem!);
    }

    private static int? Number(string name, string value, List<string> problems)
    {
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return number;
        // More digits than an int: as many as there are.
        if (value.Length > 0 && value.All(char.IsAsciiDigit)) return int.MaxValue;
        problems.Add($"{name} must be a number, 0 or more (PS3.18 8.3.4.4).");
        return null;
    }

    private static bool Flag(string name, string value, List<string> problems)
    {
        if (bool.TryParse(value, out var flag)) return flag;
        problems.Add($"{name} must be true or false.");
        return false;
    }
}
