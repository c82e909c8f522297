using System.Globalization;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;

namespace DicomServerless.Archive.Search;

/// <summary>A literal piece of a pattern.</summary>
/// <param name="Text">As it stands in keys.</param>
/// <param name="AtStart">Whether it begins a word (of an identifier: the value), so that however short it is, a pointer begins with it.</param>
/// <param name="IsWhole">Whether it is the whole word or value.</param>
internal readonly record struct KeyFragment(string Text, bool AtStart, bool IsWhole);

/// <summary>A value to match, with <c>*</c> and <c>?</c> where its VR allows them (PS3.4 C.2.2.2.4). Exact in case, except person names, which are folded.</summary>
internal sealed class WildcardPattern
{
    private readonly Vr vr;
    private readonly string pattern;
    private readonly bool hasWildcards;

    public WildcardPattern(string value, Vr vr)
    {
        this.vr = vr;
        pattern = vr == Vr.PN ? TextFolding.Fold(value) : value;
        hasWildcards = Applies(vr) && value.AsSpan().ContainsAny('*', '?');
    }

    /// <summary>Whether wildcards mean something in this VR.</summary>
    public static bool Applies(Vr vr) => vr is Vr.AE or Vr.CS or Vr.LO or Vr.LT or Vr.PN or Vr.SH or Vr.ST or Vr.UC or Vr.UR or Vr.UT;

    public bool HasWildcards => hasWildcards;

    /// <summary>The literal pieces that any match contains, as they stand in keys.</summary>
    /// <param name="asWords">Whether the key's values are cut into words; identifiers are not.</param>
    /// <param name="fuzzy">Whether the words of a value without wildcards only begin the words of a match.</param>
    public IEnumerable<KeyFragment> KeyFragments(bool asWords, bool fuzzy)
    {
        for (var (runStart, runEnd) = (0, 0); runStart < pattern.Length; runStart = runEnd + 1)
        {
            runEnd = pattern.AsSpan(runStart).IndexOfAny('*', '?') is var length and >= 0 ? runStart + length : pattern.Length;
            if (runEnd == runStart) continue;
            var run = SearchText.Key(pattern.AsSpan(runStart, runEnd - runStart));
            foreach (var (word, at) in asWords ? SearchText.WordsAt(run) : [(run, 0)])
            {
                var atStart = at > 0 || runStart == 0;
                yield return new KeyFragment(word, atStart, atStart && !fuzzy && (at + word.Length < run.Length || runEnd == pattern.Length));
            }
        }
    }

    public bool Matches(string value, bool fuzzy)
    {
        if (vr == Vr.PN) return MatchesName(TextFolding.Fold(value), fuzzy);
        value = value.TrimEnd(' ');
        if (hasWildcards) return MatchesWildcards(pattern, value);
        if (string.Equals(pattern.TrimEnd(' '), value, StringComparison.Ordinal)) return true;
        return vr is Vr.IS or Vr.DS or Vr.US or Vr.UL or Vr.SS or Vr.SL or Vr.FL or Vr.FD or Vr.SV or Vr.UV
            && decimal.TryParse(pattern, NumberStyles.Float, CultureInfo.InvariantCulture, out var a) && decimal.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var b) && a == b;
    }

    // Any of the three groups, or all of them as they stand. Trailing empty components do not count (PS3.5 6.2.1.2).
    private bool MatchesName(string folded, bool fuzzy)
    {
        var wanted = pattern.TrimEnd('^', ' ');
        foreach (var group in folded.Split('=').Append(folded))
        {
            var name = group.TrimEnd('^', ' ');
            if (name.Length == 0) continue;
            if (hasWildcards ? MatchesWildcards(pattern, group) || MatchesWildcards(pattern, name) : string.Equals(wanted, name, StringComparison.Ordinal)) return true;
            if (fuzzy && MatchesWords(name)) return true;
        }
        return false;
    }

    // Fuzzy: every word asked for begins a word of the name, whatever the order.
    private bool MatchesWords(string name)
    {
        char[] separators = [' ', '^', ',', '.', '-', '=', '*', '?'];
        var words = name.Split(separators, StringSplitOptions.RemoveEmptyEntries);
        var wanted = pattern.Split(separators, StringSplitOptions.RemoveEmptyEntries);
        return wanted.Length > 0 && wanted.All(part => words.Any(word => word.StartsWith(part, StringComparison.Ordinal)));
    }

    // Goes on after the last * when a later part does not fit: linear in practice, at most product of the lengths, no recursion.
    private static bool MatchesWildcards(string pattern, string text)
    {
        var (p, t, star, mark) = (0, 0, -1, 0);
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*') (star, mark) = (p++, t);
            else if (p < pattern.Length && (pattern[p] == '?' || pattern[p] == text[t])) (p, t) = (p + 1, t + 1);
            else if (star >= 0) (p, t) = (star + 1, ++mark);
            else return false;
        }
        while (p < pattern.Length && pattern[p] == '*') p++;
        return p == pattern.Length;
    }
}
