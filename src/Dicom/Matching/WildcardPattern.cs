using System.Globalization;

namespace DicomServerless.Dicom.Matching;

/// <summary>
/// A value to match, with <c>*</c> and <c>?</c> where its VR allows them (PS3.4 C.2.2.2.4). Exact in case, except person names, which are folded.
/// </summary>
public sealed class WildcardPattern
{
    private readonly Vr vr;
    private readonly string pattern;
    private readonly bool hasWildcards;
    private readonly bool endsInBareKana;

    /// <summary>Reads a value to match.</summary>
    public WildcardPattern(string value, Vr vr)
    {
        this.vr = vr;
        pattern = vr == Vr.PN ? TextFolding.Fold(value) : value;
        hasWildcards = Applies(vr) && value.AsSpan().ContainsAny('*', '?');
        endsInBareKana = hasWildcards && vr == Vr.PN && HasHalfWidthKanaBeforeWildcard(value);
    }

    /// <summary>Whether wildcards mean something in this VR.</summary>
    public static bool Applies(Vr vr) => vr is Vr.AE or Vr.CS or Vr.LO or Vr.LT or Vr.PN or Vr.SH or Vr.ST or Vr.UC or Vr.UR or Vr.UT;

    /// <summary>Whether there are wildcards in it that mean something.</summary>
    public bool HasWildcards => hasWildcards;

    /// <summary>The pattern as it is compared: folded if it is of a person name.</summary>
    public string Text => pattern;

    /// <summary>Whether it is a name of delimiters alone, such as <c>^^^^</c>, which is found where the name is empty.</summary>
    public bool IsEmptyName => vr == Vr.PN && pattern.Length > 0 && pattern.AsSpan().Trim("^= ").IsEmpty;

    /// <summary>
    /// Whether the character of <see cref="Text"/> before a wildcard may carry a voiced mark in what it matches: in half-width katakana the mark is a character
    /// of its own, so <c>\uFF80*</c> matches <c>\uFF80\uFF9E</c>, which is folded to one character.
    /// </summary>
    public bool EndsInBareKana => endsInBareKana;

    /// <summary>Whether a value matches.</summary>
    /// <param name="value">The value as text.</param>
    /// <param name="fuzzy">Whether a person name matches by the beginnings of its words, in any order.</param>
    public bool Matches(string value, bool fuzzy)
    {
        if (vr == Vr.PN) return MatchesName(TextFolding.Fold(value), fuzzy);
        value = value.TrimEnd(' ');
        if (hasWildcards) return MatchesWildcards(pattern, value);
        if (string.Equals(pattern.TrimEnd(' '), value, StringComparison.Ordinal)) return true;
        return vr is Vr.IS or Vr.DS or Vr.US or Vr.UL or Vr.SS or Vr.SL or Vr.FL or Vr.FD or Vr.SV or Vr.UV
            && decimal.TryParse(pattern, NumberStyles.Float, CultureInfo.InvariantCulture, out var a)
                && decimal.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var b) && a == b;
    }

    // A key without "=" may be any of the three groups; one with it is compared group by group, where an empty group matches every one (PS3.4 C.2.2.2.1).
    // Empty components at the end of a group, and empty groups at the end of a name, do not count (PS3.5 6.2.1.2).
    private bool MatchesName(string folded, bool fuzzy)
    {
        var groups = folded.Split('=');
        if (IsEmptyName) return Array.TrueForAll(groups, group => group.Trim('^', ' ').Length == 0);
        if (pattern.Contains('=', StringComparison.Ordinal)) return MatchesGroups(groups);
        foreach (var group in groups)
        {
            var name = group.TrimEnd('^', ' ');
            if (name.Length == 0) continue;
            if (MatchesGroup(pattern, group)) return true;
            if (fuzzy && MatchesWords(name)) return true;
        }
        return false;
    }

    private bool MatchesGroups(string[] groups)
    {
        var wanted = pattern.Split('=');
        for (var i = 0; i < wanted.Length; i++)
        {
            if (wanted[i].Trim('^', ' ').Length == 0) continue;
            if (i >= groups.Length || !MatchesGroup(wanted[i], groups[i])) return false;
        }
        return true;
    }

    private bool MatchesGroup(string wanted, string group)
    {
        if (!wanted.AsSpan().ContainsAny('*', '?')) return wanted.AsSpan().TrimEnd("^ ").SequenceEqual(group.AsSpan().TrimEnd("^ "));
        if (endsInBareKana) (wanted, group) = (TextFolding.SplitVoicedKana(wanted), TextFolding.SplitVoicedKana(group));
        return MatchesWildcards(wanted, group) || MatchesWildcards(wanted, group.TrimEnd('^', ' '));
    }

    // Fuzzy: every word asked for begins a word of the name, whatever the order.
    private bool MatchesWords(string name)
    {
        char[] separators = [' ', '^', ',', '.', '-', '=', '*', '?'];
        var words = name.Split(separators, StringSplitOptions.RemoveEmptyEntries);
        var wanted = pattern.Split(separators, StringSplitOptions.RemoveEmptyEntries);
        return wanted.Length > 0 && wanted.All(part => words.Any(word => word.StartsWith(part, StringComparison.Ordinal)));
    }

    private static bool HasHalfWidthKanaBeforeWildcard(string value)
    {
        for (var i = 1; i < value.Length; i++)
            if (value[i] is '*' or '?' && value[i - 1] is >= '\uFF66' and <= '\uFF9D') return true;
        return false;
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
