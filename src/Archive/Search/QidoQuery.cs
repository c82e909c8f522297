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

/// <summary>An attribute that was asked for.</summary>
/// <param name="Tag">Its tag; of a private one, as the query gave it.</param>
/// <param name="Creator">The private creator, where the query names it: then the element is looked for in that creator's block, wherever an object has
/// it.</param>
public readonly record struct RequestedAttribute(Tag Tag, string? Creator);

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

    /// <summary>The attributes that were given as keys, all of which come back.</summary>
    public IReadOnlyList<RequestedAttribute> Keys { get; private set; } = [];

    /// <summary>Attributes asked for beyond the usual ones, without the keys.</summary>
    public IReadOnlyList<RequestedAttribute> Fields { get; private set; } = [];

    /// <summary>Keys and fields: the tags in front, private ones as they were given.</summary>
    public IReadOnlySet<Tag> Include { get; private set; } = new HashSet<Tag>();

    /// <summary>Whether every attribute is asked for.</summary>
    public bool IncludeAll { get; private set; }

    /// <summary>The most results to return; null for as many as allowed.</summary>
    public int? Limit { get; private set; }

    /// <summary>Results to pass over.</summary>
    public int Offset { get; private set; }

    /// <summary>Whether person names match by the beginnings of their words, in any order.</summary>
    public bool Fuzzy { get; private set; }

    /// <summary>The place behind which to go on, from a cursor.</summary>
    public SearchPlace? After { get; set; }

    /// <summary>
    /// The parameters with their names in one spelling and in one order, without those of the representation and without the offset: what a cursor repeats.
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, string>> Parameters { get; private set; } = [];

    /// <summary>Whether a parameter is no attribute that is known, so that it restricts nothing.</summary>
    public bool HasUnknownKeys { get; private set; }

    /// <summary>What was asked for and is not done, each a sentence for a Warning header.</summary>
    public IReadOnlyList<string> Warnings { get; private set; } = [];

    /// <summary>Reads the query parameters of a search resource.</summary>
    /// <param name="level">What the resource returns.</param>
    /// <param name="study">The study in its path.</param>
    /// <param name="series">The series in its path.</param>
    /// <param name="parameters">Names and values, percent-decoded.</param>
    /// <param name="errors">What is wrong, each naming the parameter; empty if nothing is.</param>
    public static QidoQuery Parse(QidoLevel level, Uid? study, Uid? series, IEnumerable<KeyValuePair<string, string>> parameters,
        out IReadOnlyList<string> errors)
    {
        var query = new QidoQuery(level, study, series);
        var (problems, warnings) = (new List<string>(), new List<string>());
        var (keys, fields) = (new List<KeyValuePair<string, string>>(), new List<string>());
        var options = default(MatchOptions);
        var all = parameters.Where(item => !IsOfRequest(item.Key)).ToArray();
        foreach (var (name, value) in all)
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
                case "emptyvaluematching":
                    options = options with { EmptyValues = Flag(name, value, problems) };
                    break;
                case "multiplevaluematching":
                    options = options with { MultipleValues = Flag(name, value, problems) };
                    break;
                case "includefield":
                    fields.AddRange(value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
                    break;
                // The zone of the dates and times asked for, no attribute to match (8.3.4.1.2).
                case "00080201" or "timezoneoffsetfromutc":
                    if (value.Length == 0) fields.Add(name);
                    else if (DateTimeRange.TryZone(value, out var zone)) options = options with { Zone = zone };
                    else problems.Add($"{name} must be an offset from UTC such as +0100 or -0330 (PS3.3 C.12.1.1.8); a plus is %2B in a URL.");
                    break;
                default:
                    keys.Add(new(name, value));
                    break;
            }
        }
        query.ReadKeys(keys, fields, options, problems, warnings);
        query.Parameters = [.. all.Select(item => KeyValuePair.Create(Spelling(item.Key), item.Value)).Where(item => item.Key != "offset")
            .OrderBy(item => item.Key, StringComparer.Ordinal).ThenBy(item => item.Value, StringComparer.Ordinal)];
        query.Warnings = warnings;
        errors = problems;
        return query;
    }

    private void ReadKeys(List<KeyValuePair<string, string>> given, List<string> fields, MatchOptions options, List<string> problems, List<string> warnings)
    {
        var (matches, keys, include, seen) = (new List<AttributeMatch>(), new List<RequestedAttribute>(), new List<RequestedAttribute>(),
            new HashSet<string>(StringComparer.Ordinal));
        var paths = new List<(Tag[] Path, string Value)>();
        foreach (var (name, value) in given)
        {
            if (!AttributeMatch.TryPath(name, out var path))
            {
                HasUnknownKeys = true;
                warnings.Add("A query parameter is no attribute that this server knows; it was ignored.");
            }
            else if (!seen.Add(string.Join('.', path)))
                problems.Add($"The attribute {string.Join('.', path)} is there twice; each key may be given once (PS3.18 8.3.4.1).");
            else paths.Add((path, value));
        }
        // A private creator among the keys says whose the elements of its block are; it is no key of its own.
        var creators = paths.Where(item => item.Path[^1].IsPrivateCreator).ToDictionary(item => string.Join('.', item.Path), item => item.Value.Trim());
        foreach (var (path, value) in paths)
        {
            if (path[^1].IsPrivateCreator)
            {
                if (!paths.Exists(item => IsInBlock(item.Path, path)))
                    warnings.Add($"{string.Join('.', path)} only says whose elements are meant; without a key of its block it restricts nothing.");
                continue;
            }
            var owners = CreatorsOf(path, creators, problems);
            if (owners is null) continue;
            keys.Add(new RequestedAttribute(path[0], owners[0]));
            if (AttributeMatch.TryParse(path, owners, value, options, out var match, out var problem)) matches.Add(match!);
            else problems.Add(problem!);
        }
        foreach (var field in fields)
        {
            if (field.Equals("all", StringComparison.OrdinalIgnoreCase)) IncludeAll = true;
            // Only the first step of a path is a field of its own; an attribute that nobody knows is silently absent (8.3.4.3).
            else if (AttributeMatch.TryPath(field.Split('.')[0], out var path)) include.Add(
                new RequestedAttribute(path[0], path[0].IsPrivate ? creators.GetValueOrDefault(PrivateBlocks.CreatorOf(path[0]).ToString()) : null));
        }
        Matches = DateTimeRange.Combine(matches);
        Keys = [.. keys.Distinct()];
        Fields = [.. include.Distinct()];
        Include = keys.Concat(include).Select(item => item.Tag).ToHashSet();
    }

    private static bool IsInBlock(Tag[] path, Tag[] creator) => path.Length >= creator.Length
        && path.AsSpan(0, creator.Length - 1).SequenceEqual(creator.AsSpan(0, creator.Length - 1))
        && path[creator.Length - 1] is { IsPrivate: true, IsPrivateCreator: false } tag && PrivateBlocks.CreatorOf(tag) == creator[^1];

    private static string?[]? CreatorsOf(Tag[] path, Dictionary<string, string> creators, List<string> problems)
    {
        var owners = new string?[path.Length];
        for (var step = 0; step < path.Length; step++)
        {
            if (!path[step].IsPrivate) continue;
            var creator = string.Join('.', [.. path[..step], PrivateBlocks.CreatorOf(path[step])]);
            if (path[step].Element >= 0x1000 && creators.TryGetValue(creator, out owners[step]) && owners[step]!.Length > 0) continue;
            problems.Add($"{string.Join('.', path)} is private: give its creator too, as {creator}=name (PS3.18 8.3.4.1, PS3.5 7.8.1).");
            return null;
        }
        return owners;
    }

    /// <summary>Whether a parameter says how this request is answered or let in, and nothing of what is searched: these may stand beside a cursor.</summary>
    public static bool IsOfRequest(string name) => name.ToLowerInvariant() is "accept" or "accept-charset" or "charset" or "_" or "code";

    private static string Spelling(string name) => AttributeMatch.TryPath(name, out var path) ? string.Join('.', path) : name.ToLowerInvariant();

    private static int? Number(string name, string value, List<string> problems)
    {
        if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return number;
        // More digits than an int has: the same as no limit.
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
