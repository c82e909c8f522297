using System.Text.Json;

namespace DicomServerless.Dicom.Matching;

/// <summary>Finds private elements by their creator: the block that a creator has is each object's own (PS3.5 7.8.1).</summary>
public static class PrivateBlocks
{
    /// <summary>The private creator element of a private element: (gggg,00bb) of (gggg,bbee).</summary>
    public static Tag CreatorOf(Tag element) => new(element.Group, (ushort)(element.Element >> 8));

    /// <summary>The tags that an element has in this object: one for each block that the creator reserves; usually one or none.</summary>
    /// <param name="attributes">A DICOM JSON object.</param>
    /// <param name="element">The element as asked for, in any block.</param>
    /// <param name="creator">The private creator.</param>
    public static IEnumerable<Tag> Find(JsonElement attributes, Tag element, string creator)
    {
        if (attributes.ValueKind != JsonValueKind.Object) yield break;
        foreach (var attribute in attributes.EnumerateObject())
        {
            if (!Tag.TryParse(attribute.Name, out var tag) || tag.Group != element.Group || !tag.IsPrivateCreator) continue;
            if (attribute.Value.TryGetProperty("Value", out var values) && values.GetArrayLength() > 0
                && values[0].ValueKind == JsonValueKind.String && values[0].ValueEquals(creator))
                yield return new Tag(tag.Group, (ushort)((tag.Element << 8) | (element.Element & 0xFF)));
        }
    }
}
