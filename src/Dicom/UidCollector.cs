using System.Buffers.Binary;

namespace DicomServerless.Dicom;

/// <summary>The UIDs that name an instance, as far as they have been seen. A missing or invalid one is empty.</summary>
/// <param name="Study">Study Instance UID (0020,000D).</param>
/// <param name="Series">Series Instance UID (0020,000E).</param>
/// <param name="SopInstance">SOP Instance UID (0008,0018).</param>
/// <param name="SopClass">SOP Class UID (0008,0016).</param>
public readonly record struct ScannedUids(Uid Study, Uid Series, Uid SopInstance, Uid SopClass)
{
    /// <summary>Whether all four are there and valid.</summary>
    public bool IsComplete => !Study.IsEmpty && !Series.IsEmpty && !SopInstance.IsEmpty && !SopClass.IsEmpty;
}

/// <summary>Picks the few values out of the passing header that are needed before it is complete.</summary>
internal sealed class UidCollector
{
    private readonly byte[] buffer = new byte[Uid.MaxLength + 8];
    private int used;
    private bool overflow;
    private Uid study, series, sopInstance, sopClass;
    private uint seen; // a bit per UID: the first of duplicates counts, valid or not

    public bool IsPast { get; private set; }
    public Uid? TransferSyntax { get; private set; }
    public uint? GroupLength { get; private set; }
    public ScannedUids Value => new(study, series, sopInstance, sopClass);

    /// <summary>A top-level element begins.</summary>
    public void Pass(Tag tag)
    {
        (used, overflow) = (0, false);
        if (tag > Tags.SeriesInstanceUID) IsPast = true;
    }

    public void Append(Tag tag, ReadOnlySpan<byte> part)
    {
        if (!IsWanted(tag)) return;
        overflow |= part.Length > buffer.Length - used;
        if (overflow) return;
        part.CopyTo(buffer.AsSpan(used));
        used += part.Length;
    }

    public void End(Tag tag)
    {
        if (!IsWanted(tag)) return;
        var bytes = overflow ? [] : buffer.AsSpan(0, used);
        if (tag == Tags.FileMetaInformationGroupLength)
        {
            if (bytes.Length == 4) GroupLength = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            return;
        }
        if (!Uid.TryParsePadded(bytes, out var uid)) uid = default;
        if (tag == Tags.TransferSyntaxUID) TransferSyntax ??= uid.IsEmpty ? null : uid;
        else if (tag == Tags.SOPClassUID) Set(1, ref sopClass, uid);
        else if (tag == Tags.SOPInstanceUID) Set(2, ref sopInstance, uid);
        else if (tag == Tags.StudyInstanceUID) Set(4, ref study, uid);
        else Set(8, ref series, uid);
        if (seen == 15) IsPast = true;
    }

    private void Set(uint bit, ref Uid slot, Uid uid)
    {
        if ((seen & bit) == 0) slot = uid;
        seen |= bit;
    }

    private static bool IsWanted(Tag tag) => tag.Value is 0x00020000 or 0x00020010 or 0x00080016 or 0x00080018 or 0x0020000D or 0x0020000E;
}
