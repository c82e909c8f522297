using System.Globalization;
using DicomServerless.Dicom;

namespace DicomServerless.Archive.Metadata;

/// <summary>
/// The bulk data parts of a request by what names them: Content-Location, absolute or relative to the request (RFC 2557 5), or Content-ID (<c>cid:</c>, RFC
/// 2392). Frames may all have the location of their Pixel Data, or <c>…/frames/1</c> and so on.
/// </summary>
internal sealed class BulkLocations(Uri baseUri)
{
    private sealed record Entry(SpooledPart Spooled, int Number)
    {
        public bool IsUsed { get; set; }
    }

    private readonly Dictionary<string, List<Entry>> parts = new(StringComparer.Ordinal);

    /// <summary>Adds a part, also one that could not be kept.</summary>
    public void Add(string? location, string? contentId, SpooledPart part, int number)
    {
        var entry = new Entry(part, number);
        string[] names = [.. location is { Length: > 0 } ? [Name(location)] : (string[])[], .. contentId is { Length: > 0 }
            ? ["cid:" + contentId.Trim().Trim('<', '>')] : (string[])[]];
        if (names.Length == 0) names = [$"part {number}"];
        foreach (var name in names)
        {
            if (!parts.TryGetValue(name, out var same)) parts[name] = same = [];
            same.Add(entry);
        }
    }

    /// <summary>The parts that a BulkDataURI names, in order; none if there are none.</summary>
    public IReadOnlyList<SpooledPart> Find(string uri)
    {
        var found = Entries(Name(uri));
        foreach (var entry in found) entry.IsUsed = true;
        return [.. found.Select(entry => entry.Spooled)];
    }

    /// <summary>The numbers of the parts that nothing named.</summary>
    public IEnumerable<int> Unused() =>
        parts.Values.SelectMany(entries => entries).Where(entry => !entry.IsUsed).Select(entry => entry.Number).Distinct().Order();

    private List<Entry> Entries(string name)
    {
        if (parts.TryGetValue(name, out var exact)) return exact;
        var bulk = name.LastIndexOf("/bulkdata/", StringComparison.Ordinal);
        foreach (var folder in (string?[])[name, name + "/frames", bulk < 0 ? null : name[..bulk] + "/frames"])
        {
            if (folder is null || !parts.ContainsKey(folder + "/1")) continue;
            var frames = new List<Entry>();
            while (parts.TryGetValue(string.Create(CultureInfo.InvariantCulture, $"{folder}/{frames.Count + 1}"), out var frame)) frames.Add(frame[0]);
            return frames;
        }
        return [];
    }

    private string Name(string text)
    {
        text = text.Trim();
        if (text.StartsWith("cid:", StringComparison.OrdinalIgnoreCase)) return "cid:" + Uri.UnescapeDataString(text[4..]);
        return Uri.TryCreate(baseUri, text, out var uri) ? uri.AbsoluteUri : text;
    }
}
