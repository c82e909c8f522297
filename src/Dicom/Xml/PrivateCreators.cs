namespace DicomServerless.Dicom;

/// <summary>Which private creators have which blocks in one data set (PS3.5 7.8.1), as far as it has been written.</summary>
internal sealed class PrivateCreators
{
    private Dictionary<uint, string>? names; // by the creator's tag
    private HashSet<(ushort, string)>? ambiguous;

    public void Add(Tag tag, string name)
    {
        names ??= [];
        if (names.Any(other => other.Key >> 16 == tag.Group && other.Value == name)) (ambiguous ??= []).Add((tag.Group, name));
        names[tag.Value] = name;
    }

    /// <summary>
    /// The creator of an element by which it can be found again; null where there is none, or one that has several blocks, or a name that XML cannot hold.
    /// </summary>
    public string? Of(Tag tag)
    {
        if (names is null || !tag.IsPrivate || tag.Element < 0x1000) return null;
        if (!names.TryGetValue(new Tag(tag.Group, (ushort)(tag.Element >> 8)).Value, out var name)) return null;
        return name.Length == 0 || ambiguous?.Contains((tag.Group, name)) == true || !NativeDicomModel.CanHold(name) ? null : name;
    }
}
