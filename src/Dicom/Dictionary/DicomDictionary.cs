using System.Runtime.CompilerServices;
using System.Text;

namespace DicomServerless.Dicom;

/// <summary>
/// The attributes of PS3.6 and the command elements of PS3.7. The tables are the assembly's own read-only bytes: no start-up work, no heap. Finding tags in
/// ascending order, as a data set brings them, costs a comparison or two each when the caller keeps a hint.
/// </summary>
public static partial class DicomDictionary
{
    /// <summary>
    /// The VR of an attribute of which nothing but the tag is known, as in implicit VR. Private creators are LO, group lengths UL, what the dictionary does not
    /// know UN; US of "US or SS" and OW of "OB or OW" and of "US or OW" (PS3.5 A.1), see <see cref="ChoiceOf"/>.
    /// </summary>
    public static Vr VrOf(Tag tag)
    {
        var hint = 0;
        return VrOf(tag, ref hint);
    }

    /// <summary>As <see cref="VrOf(Tag)"/>. The hint starts at 0 and makes the next look-up of a greater tag cheap; it is never wrong, only slow.</summary>
    public static Vr VrOf(Tag tag, ref int hint)
    {
        // PS3.5 7.8.1: (gggg,0010-00FF) of an odd group are private creators, LO.
        if (tag.IsPrivate && tag.Element != 0) return tag.IsPrivateCreator ? Vr.LO : Vr.UN;
        var index = IndexOf(tag.Value, ref hint);
        if (index >= 0) return (Vr)FirstVrs[VrCodes[index] & 0x7F];
        return tag.IsGroupLength ? Vr.UL : Vr.UN;
    }

    /// <summary>The VRs that the standard allows for an attribute; the first is what <see cref="VrOf(Tag)"/> answers.</summary>
    public static VrChoice ChoiceOf(Tag tag)
    {
        var hint = 0;
        if (tag.IsPrivate || IndexOf(tag.Value, ref hint) is not (>= 0 and var index)) return new VrChoice(VrOf(tag), Vr.None, Vr.None);
        return Choice(VrCodes[index] & 0x7F);
    }

    /// <summary>True where sign decides between US and SS: by Pixel Representation (0028,0103) of the same or an enclosing data set.</summary>
    public static bool IsSignDependent(Tag tag) => ChoiceOf(tag) is { First: Vr.US, Second: Vr.SS } or { Second: Vr.US, Third: Vr.SS };

    /// <summary>Finds what the standard says of an attribute. Repeating groups such as (60xx,3000) are found by any of their tags.</summary>
    public static bool TryFind(Tag tag, out DictionaryEntry entry)
    {
        var hint = 0;
        var index = tag.IsPrivate ? -1 : IndexOf(tag.Value, ref hint);
        if (index < 0)
        {
            entry = default;
            return false;
        }
        var text = Texts[TextOffsets[index]..(TextOffsets[index + 1] - 1)];
        var tab = text.IndexOf((byte)'\t');
        var code = VrCodes[index];
        entry = new DictionaryEntry(tag, Encoding.UTF8.GetString(text[..tab]),
            Encoding.UTF8.GetString(text[(tab + 1)..]), Choice(code & 0x7F), Multiplicity(VmCodes[index]), (code & 0x80) != 0);
        return true;
    }

    /// <summary>Finds the tag of a keyword, in either case. Of a repeating group the first: OverlayData is 60003000.</summary>
    public static bool TryFindKeyword(ReadOnlySpan<char> keyword, out Tag tag)
    {
        var (low, high) = (0, ByKeyword.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var index = ByKeyword[middle];
            var order = CompareKeyword(keyword, index);
            if (order == 0)
            {
                tag = new Tag(index < ExactCount ? ExactTags[index] : MaskedTags[index - ExactCount]);
                return true;
            }
            if (order < 0) high = middle - 1;
            else low = middle + 1;
        }
        tag = default;
        return false;
    }

    private static int CompareKeyword(ReadOnlySpan<char> keyword, int index)
    {
        var text = Texts[TextOffsets[index]..];
        for (var i = 0; ; i++)
        {
            var c = i == keyword.Length ? '\0' : char.IsAscii(keyword[i]) ? char.ToLowerInvariant(keyword[i]) : '\uFFFF';
            var t = text[i] == '\t' ? '\0' : char.ToLowerInvariant((char)text[i]);
            if (c != t) return c - t;
            if (c == '\0') return i == keyword.Length ? 0 : 1;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int IndexOf(uint tag, ref int hint)
    {
        var tags = ExactTags;
        // Data sets are in ascending order and near each other in the table: the next one or two, then a doubling stride, then a binary search in between.
        var low = (uint)hint < (uint)tags.Length && tags[hint] <= tag ? hint : 0;
        var (high, stride) = (low, 1);
        while (high < tags.Length && tags[high] < tag)
        {
            low = high + 1;
            high += stride;
            stride <<= 1;
        }
        if (high < tags.Length && tags[high] == tag) return hint = high;
        if (high > tags.Length) high = tags.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (tags[middle] < tag) low = middle + 1;
            else high = middle;
        }
        if (low < tags.Length && tags[low] == tag) return hint = low;
        hint = low;
        return MaskedIndexOf(tag);
    }

    private static int MaskedIndexOf(uint tag)
    {
        // Repeating groups stand in few groups; the rest of the world ends here.
        if ((tag >> 24) is not (0x50 or 0x60 or 0x7F or 0x10 or 0x00) || (tag >> 24 == 0 && tag >> 16 is not (0x20 or 0x28))) return -1;
        for (var i = 0; i < MaskedTags.Length; i++)
        {
            if ((tag & Masks[i]) == MaskedTags[i]) return ExactCount + i;
        }
        return -1;
    }
}

/// <summary>One attribute in the dictionary.</summary>
/// <param name="Tag">The tag that was asked for.</param>
/// <param name="Keyword">The keyword, such as PatientName.</param>
/// <param name="Name">The name, such as Patient's Name.</param>
/// <param name="Vrs">The VRs that are allowed.</param>
/// <param name="Vm">The value multiplicity, such as 1-n.</param>
/// <param name="IsRetired">Whether the standard has retired it.</param>
public readonly record struct DictionaryEntry(Tag Tag, string Keyword, string Name, VrChoice Vrs, string Vm, bool IsRetired)
{
    /// <summary>The VR when nothing more is known.</summary>
    public Vr Vr => Vrs.First;
}

/// <summary>The VRs that the standard allows for an attribute.</summary>
/// <param name="First">What it is when nothing more is known.</param>
/// <param name="Second">Another that it can be, or None.</param>
/// <param name="Third">A third that it can be, or None.</param>
public readonly record struct VrChoice(Vr First, Vr Second, Vr Third)
{
    /// <summary>Whether other elements of the data set decide.</summary>
    public bool IsAmbiguous => Second != Vr.None;
}
