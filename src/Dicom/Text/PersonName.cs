namespace DicomServerless.Dicom;

/// <summary>A person name (PS3.5 6.2.1): up to three representations of one name, each of up to five components.</summary>
/// <param name="Alphabetic">The representation in single-byte characters.</param>
/// <param name="Ideographic">The representation in ideographs, or empty.</param>
/// <param name="Phonetic">The representation in phonetic characters, or empty.</param>
public readonly record struct PersonName(string Alphabetic, string Ideographic, string Phonetic)
{
    /// <summary>Whether no group holds anything.</summary>
    public bool IsEmpty => string.IsNullOrEmpty(Alphabetic) && string.IsNullOrEmpty(Ideographic) && string.IsNullOrEmpty(Phonetic);

    /// <summary>Reads one decoded value. Padding around groups is dropped; a fourth group, which the standard does not have, stays with the third.</summary>
    public static PersonName Parse(ReadOnlySpan<char> text)
    {
        Span<Range> groups = stackalloc Range[3];
        var count = text.Split(groups, '=');
        return new PersonName(count > 0 ? Trim(text[groups[0]]) : "", count > 1 ? Trim(text[groups[1]]) : "", count > 2 ? Trim(text[groups[2]]) : "");
    }

    /// <summary>
    /// The components of a group: family name, given name, middle name, prefix, suffix; those that are missing are empty. What follows a fifth stays with it.
    /// </summary>
    public static PersonNameComponents Components(ReadOnlySpan<char> group)
    {
        Span<Range> parts = stackalloc Range[5];
        var count = group.Split(parts, '^');
        return new PersonNameComponents(At(group, parts, count, 0), At(group, parts, count, 1),
            At(group, parts, count, 2), At(group, parts, count, 3), At(group, parts, count, 4));

        static string At(ReadOnlySpan<char> group, ReadOnlySpan<Range> parts, int count, int index) => index < count ? Trim(group[parts[index]]) : "";
    }

    /// <summary>The groups as one value, without trailing delimiters.</summary>
    public override string ToString() => string.IsNullOrEmpty(Phonetic) ? string.IsNullOrEmpty(Ideographic) ? Alphabetic
        ?? "" : $"{Alphabetic}={Ideographic}" : $"{Alphabetic}={Ideographic}={Phonetic}";

    private static string Trim(ReadOnlySpan<char> text) => text.Trim(" \0").ToString();
}

/// <summary>The five components of one group of a person name (PS3.5 6.2.1.1).</summary>
/// <param name="FamilyName">Family name complex.</param>
/// <param name="GivenName">Given name complex.</param>
/// <param name="MiddleName">Middle name.</param>
/// <param name="Prefix">Name prefix.</param>
/// <param name="Suffix">Name suffix.</param>
public readonly record struct PersonNameComponents(string FamilyName, string GivenName, string MiddleName, string Prefix, string Suffix);
