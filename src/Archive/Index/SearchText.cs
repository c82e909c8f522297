using DicomServerless.Dicom.Matching;
using System.Globalization;
using System.Text;
using DicomServerless.Dicom;

namespace DicomServerless.Archive.Index;

/// <summary>Values as they stand in keys: folded, escaped to ASCII that orders as it should and that every store takes in a key, and capped.</summary>
internal static class SearchText
{
    /// <summary>Longer values are cut for the key; the full value is verified on the candidate. Characters of the escaped form.</summary>
    public const int MaxKeyLength = 256;

    /// <summary>The shortest suffix of a word that has a pointer of its own; words of CJK characters have one from each character.</summary>
    public const int MinSuffix = 3;

    /// <summary>
    /// Folds and escapes: A-Z, 0-9, space and <c>. - _ ^ = ,</c> stay, everything else becomes <c>~</c> and four hexadecimal digits of each UTF-16 unit. A
    /// prefix of the value stays a prefix of the key.
    /// </summary>
    public static string Key(ReadOnlySpan<char> value)
    {
        var folded = TextFolding.Fold(value.Length > 1024 ? value[..1024] : value);
        var key = new StringBuilder(folded.Length + 8);
        foreach (var c in folded)
        {
            if (key.Length + 5 > MaxKeyLength) break;
            if (char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c is ' ' or '.' or '-' or '_' or '^' or '=' or ',') key.Append(c);
            else key.Append('~').Append(((int)c).ToString("X4", CultureInfo.InvariantCulture));
        }
        return key.ToString();
    }

    /// <summary>The end, exclusive, of the keys that start with the prefix.</summary>
    public static string Before(string prefix) => prefix.Length == 0 ? "\u007f" : prefix[..^1] + (char)(prefix[^1] + 1);

    /// <summary>The words of a key: runs between spaces, <c>^ = , . - _</c>.</summary>
    public static IEnumerable<string> Words(string key) => WordsAt(key).Select(word => word.Word);

    /// <summary>The words and where they start.</summary>
    public static IEnumerable<(string Word, int At)> WordsAt(string key)
    {
        for (var start = 0; start < key.Length;)
        {
            var length = key.AsSpan(start).IndexOfAny(Separators);
            if (length < 0) length = key.Length - start;
            if (length > 0) yield return (key.Substring(start, length), start);
            start += length + 1;
        }
    }

    private static readonly System.Buffers.SearchValues<char> Separators = System.Buffers.SearchValues.Create(" ^=,.-_");

    /// <summary>
    /// Where a word's suffixes with pointers start: everywhere at least <see cref="MinSuffix"/> characters before the end, and at every escaped character.
    /// </summary>
    public static IEnumerable<string> Suffixes(string word)
    {
        for (var start = 1; start < word.Length; start++)
        {
            if (IsInsideEscape(word, start)) continue;
            if (word.Length - start >= MinSuffix || word[start] == '~') yield return word[start..];
        }
    }

    private static bool IsInsideEscape(string word, int position)
    {
        for (var back = 1; back <= 4 && back <= position; back++)
            if (word[position - back] == '~') return true;
        return false;
    }

    /// <summary>
    /// 20 digits that order newest first: 99999999 less the date, 999999999999 less the time in microseconds' digits. Without a usable date (<c>YYYYMMDD</c>,
    /// or <c>YYYY.MM.DD</c> as ACR-NEMA wrote it) 9s, which order last.
    /// </summary>
    public static string NewestFirst(string? date, string? time)
    {
        if (!DateTimeRange.TryDate(date, out var day)) return new string('9', 20);
        var inverted = 99999999 - day;
        return string.Create(CultureInfo.InvariantCulture, $"{inverted:D8}{999999999999 - Time(time):D12}");
    }

    // HHMMSSffffff as a number; what is missing or no digit counts as 0 from there on.
    private static long Time(string? text)
    {
        Span<char> digits = stackalloc char[12];
        digits.Fill('0');
        var count = 0;
        foreach (var c in (text ?? "").Trim(' ', '\0'))
        {
            if (c is ':' or '.') continue;
            if (!char.IsAsciiDigit(c) || count == 12) break;
            digits[count++] = c;
        }
        return long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
    }
}
