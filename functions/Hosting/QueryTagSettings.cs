using System.Globalization;
using DicomServerless.Archive;
using DicomServerless.Archive.Search;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Matching;
using Microsoft.Extensions.Configuration;

namespace DicomServerless.Functions.Hosting;

/// <summary>Reads <c>Archive:QueryTags</c>.</summary>
internal static class QueryTagSettings
{
    private const string Section = "Archive:QueryTags";

    public static IReadOnlyList<QueryTag> Read(IConfiguration configuration, List<string> problems)
    {
        var tags = new List<QueryTag>();
        foreach (var entry in configuration.GetSection(Section).GetChildren())
        {
            if (ReadOne(entry, problems) is not { } tag) continue;
            if (tags.Exists(other => other.Id.Split(' ')[0] == tag.Id.Split(' ')[0] && other.PrivateCreator == tag.PrivateCreator))
                Add(entry, "Tag", "it is there twice; remove one of the two.", problems);
            else tags.Add(tag);
        }
        if (tags.Count > QueryTag.MaxTags) problems.Add($"{Section} has {tags.Count} entries: keep {QueryTag.MaxTags} at most.");
        return tags;
    }

    private static QueryTag? ReadOne(IConfigurationSection entry, List<string> problems)
    {
        var before = problems.Count;
        foreach (var child in entry.GetChildren())
            if (child.Key.ToUpperInvariant() is not ("TAG" or "VR" or "PRIVATECREATOR" or "LEVEL"))
                problems.Add($"{child.Path} is not a setting: remove it, or use one of Level, PrivateCreator, Tag, Vr.");
        if (!AttributeMatch.TryPath(entry["Tag"] ?? "", out var path) || path is not [var tag] || tag.Group < 8)
        {
            Add(entry, "Tag", "give a tag of eight hexadecimal digits or a keyword, such as 00101040 or PatientAddress.", problems);
            return null;
        }
        var creator = entry["PrivateCreator"] is { Length: > 0 } given ? given.Trim() : null;
        if (tag.IsPrivate && (tag.Element < 0x1000 || creator is null))
            Add(entry, "PrivateCreator", "a private tag needs its private creator, and an element such as 00231001.", problems);
        if (!tag.IsPrivate && creator is not null) Add(entry, "PrivateCreator", "remove it: the tag is public.", problems);
        var known = tag.IsPrivate ? Vr.UN : DicomDictionary.VrOf(tag);
        var vr = known;
        if (entry["Vr"] is { Length: > 0 } text)
        {
            vr = text.Length == 2 ? (Vr)((char.ToUpperInvariant(text[0]) << 8) | char.ToUpperInvariant(text[1])) : Vr.None;
            if (!tag.IsPrivate && known != Vr.UN && vr != known)
                Add(entry, "Vr", string.Create(CultureInfo.InvariantCulture, $"the dictionary says {known.Code()}; remove it."), problems);
        }
        if (!Searchable(vr)) Add(entry, "Vr", "give the VR of a value that can be searched, such as LO, SH, CS, PN, UI, DA or IS.", problems);
        var level = QidoLevel.Study;
        if (entry["Level"] is { Length: > 0 } name && !(Enum.TryParse(name, true, out level) && Enum.IsDefined(level) && !char.IsAsciiDigit(name[0])))
            Add(entry, "Level", "set it to Study, Series or Instance.", problems);
        return problems.Count == before ? new QueryTag(tag, vr, creator, level) : null;
    }

    private static bool Searchable(Vr vr) =>
        vr is Vr.AE or Vr.AS or Vr.CS or Vr.DA or Vr.DS or Vr.DT or Vr.FD or Vr.FL or Vr.IS or Vr.LO or Vr.LT or Vr.PN or Vr.SH or Vr.SL or Vr.SS or Vr.ST
        or Vr.SV or Vr.TM or Vr.UC or Vr.UI or Vr.UL or Vr.UR or Vr.US or Vr.UT or Vr.UV;

    private static void Add(IConfigurationSection entry, string key, string fix, List<string> problems) =>
        problems.Add($"{entry.Path}:{key} is \"{entry[key]}\": {fix}");
}
