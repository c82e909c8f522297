using System.Buffers;
using System.Text;

namespace DicomServerless.Dicom;

/// <summary>
/// Makes texts comparable for search: upper case, accents dropped, ligatures and stroked letters spelled out, full-width Latin narrow and half-width katakana
/// wide, composed and decomposed forms alike. Tables of our own, because with InvariantGlobalization <see cref="string.Normalize()"/> changes nothing.
/// </summary>
public static class TextFolding
{
    private const int Longest = 6;

    /// <summary>The folded text. Folding it again changes nothing.</summary>
    public static string Fold(ReadOnlySpan<char> text)
    {
        if (Ascii.IsValid(text)) return string.Create(text.Length, text, static (target, source) => Ascii.ToUpper(source, target, out _));
        var length = text.Length * Longest;
        char[]? rented = null;
        var target = length <= 512 ? stackalloc char[512] : rented = ArrayPool<char>.Shared.Rent(length);
        var to = 0;
        foreach (var c in text)
        {
            if (c < 0x80)
            {
                target[to++] = char.ToUpperInvariant(c);
                continue;
            }
            var index = FoldTables.Keys.BinarySearch((ushort)c);
            var folded = index < 0 ? c : (char)FoldTables.Values[index];
            if (folded is '\u3099' or '\u309A' && to > 0 && TryVoice(target[to - 1], folded, out var voiced)) target[to - 1] = voiced;
            else if (index >= 0 && folded is >= '\uE000' and <= '\uF8FF')
            {
                var several = FoldTables.String(folded - 0xE000);
                several.CopyTo(target[to..]);
                to += several.Length;
            }
            else target[to++] = folded;
        }
        var result = new string(target[..to]);
        if (rented is not null) ArrayPool<char>.Shared.Return(rented, clearArray: true);
        return result;
    }

    /// <summary>The folded text with each voiced kana as two characters, the kana and its mark, so that the bare kana is a prefix of the voiced one.</summary>
    internal static string SplitVoicedKana(string folded)
    {
        if (folded.AsSpan().IndexOfAnyInRange('\u3041', '\u30FF') < 0) return folded;
        var split = new StringBuilder(folded.Length + 8);
        foreach (var c in folded)
        {
            var index = FoldTables.VoicedValues.IndexOf(c);
            if (index < 0) split.Append(c);
            else split.Append((char)(FoldTables.VoicedKeys[index] >> 1)).Append((FoldTables.VoicedKeys[index] & 1) != 0 ? '\u309A' : '\u3099');
        }
        return split.ToString();
    }

    // Half-width katakana and decomposed kana carry their voiced mark as a character of its own.
    private static bool TryVoice(char kana, char mark, out char voiced)
    {
        voiced = default;
        var key = (kana << 1) | (mark == '\u309A' ? 1 : 0);
        if (key > ushort.MaxValue) return false;
        var index = FoldTables.VoicedKeys.BinarySearch((ushort)key);
        if (index < 0) return false;
        voiced = (char)FoldTables.VoicedValues[index];
        return true;
    }
}
