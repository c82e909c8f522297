using System.Globalization;
using DicomServerless.Archive.Index;
using DicomServerless.Archive.Search;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Matching;

namespace DicomServerless.Archive;

/// <summary>An attribute by which searches find studies without looking at all of them: an entry of <c>Archive:QueryTags</c>.</summary>
/// <param name="Tag">The attribute; of a private one any block, such as 00231001.</param>
/// <param name="Vr">Its VR, which decides how its values are cut into words.</param>
/// <param name="PrivateCreator">The private creator; null for a public attribute.</param>
/// <param name="Level">What has the attribute as a whole: at lower resources a key of it is decided on the whole study or series.</param>
public sealed record QueryTag(Tag Tag, Vr Vr, string? PrivateCreator, QidoLevel Level)
{
    /// <summary>The most entries.</summary>
    public const int MaxTags = 32;

    /// <summary>What is known of it in the index: with another VR or creator it is another one.</summary>
    public string Id => PrivateCreator is null
        ? $"{Tag} {Vr.Code()}"
        : string.Create(CultureInfo.InvariantCulture, $"{Tag.Group:X4}XX{Tag.Element & 0xFF:X2} {Vr.Code()} {SearchText.Key(PrivateCreator)}");

    /// <summary>Whether values are found by their words, too; others by the whole value and the ends of it.</summary>
    internal bool HasWords => Vr is Vr.PN or Vr.LO or Vr.ST or Vr.LT or Vr.UT or Vr.UC or Vr.UR;

    /// <summary>The partition of its pointers.</summary>
    internal string KeyName => (HasWords ? SearchClaims.QueryWords : SearchClaims.QueryValues) + Id;

    /// <summary>Whether a key of a search is this attribute.</summary>
    public bool IsOf(AttributeMatch match) => match.Path is [var tag] && match.Creators[0] == PrivateCreator
        && (PrivateCreator is null ? tag == Tag : tag.Group == Tag.Group && (tag.Element & 0xFF) == (Tag.Element & 0xFF));

    /// <summary>A value as it stands in keys. Numbers are compared as such, so 1.0 and 1 are one.</summary>
    internal string KeyOf(string value) =>
        IsNumber && decimal.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? (number / 1.0000000000000000000000000000m)
            .ToString(CultureInfo.InvariantCulture) : SearchText.Key(value.TrimEnd(' ', '^'));

    private bool IsNumber => Vr is Vr.IS or Vr.DS or Vr.US or Vr.UL or Vr.SS or Vr.SL or Vr.FL or Vr.FD or Vr.SV or Vr.UV;
}
