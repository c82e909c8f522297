using DicomServerless.Archive.Index;
using DicomServerless.Dicom.Matching;

namespace DicomServerless.Archive.Search;

/// <summary>A literal piece of a pattern.</summary>
/// <param name="Text">As it stands in keys.</param>
/// <param name="AtStart">Whether it begins a word (of an identifier: the value), so that however short it is, a pointer begins with it.</param>
/// <param name="IsWhole">Whether it is the whole word or value.</param>
internal readonly record struct KeyFragment(string Text, bool AtStart, bool IsWhole);

/// <summary>What of a pattern the keys of the index can be searched for.</summary>
internal static class PatternKeys
{
    /// <summary>The literal pieces that any match contains, as they stand in keys.</summary>
    /// <param name="value">The pattern.</param>
    /// <param name="asWords">Whether the key's values are cut into words; identifiers are not.</param>
    /// <param name="fuzzy">Whether the words of a value without wildcards only begin the words of a match.</param>
    public static IEnumerable<KeyFragment> KeyFragments(this WildcardPattern value, bool asWords, bool fuzzy)
    {
        var pattern = value.Text;
        for (var (runStart, runEnd) = (0, 0); runStart < pattern.Length; runStart = runEnd + 1)
        {
            runEnd = pattern.AsSpan(runStart).IndexOfAny('*', '?') is var length and >= 0 ? runStart + length : pattern.Length;
            if (runEnd == runStart) continue;
            // Before a wildcard a bare kana may match a voiced one, which has another key: only what stands before it is sure to be in the key.
            var sure = value.EndsInBareKana && runEnd < pattern.Length ? runEnd - 1 : runEnd;
            if (sure == runStart) continue;
            var run = SearchText.Key(pattern.AsSpan(runStart, sure - runStart));
            foreach (var (word, at) in asWords ? SearchText.WordsAt(run) : [(run, 0)])
            {
                var atStart = at > 0 || runStart == 0;
                yield return new KeyFragment(word, atStart, atStart && !fuzzy && (at + word.Length < run.Length || runEnd == pattern.Length));
            }
        }
    }
}
