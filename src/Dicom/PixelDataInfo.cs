namespace DicomServerless.Dicom;

/// <summary>What was seen of the top-level Pixel Data while its bytes went by: enough to find its frames without reading them again.</summary>
internal sealed class PixelDataInfo
{
    private readonly byte[] tail = new byte[4];
    private int seen;

    /// <summary>A fragment after the Basic Offset Table.</summary>
    /// <param name="Offset">Its first byte after the item header, from the start of the data set.</param>
    /// <param name="Length">Its bytes.</param>
    /// <param name="Marks">Which image markers it begins and ends with.</param>
    public readonly record struct Fragment(long Offset, uint Length, Marks Marks);

    [Flags]
    public enum Marks : byte { None = 0, Begins = 1, Ends = 2, HasEndMarker = 4 }

    public Tag Tag { get; private set; }
    public Vr Vr { get; private set; }
    public long Offset { get; private set; }
    public long Length { get; private set; }
    public bool IsBigEndian { get; private set; }
    public bool IsPresent { get; private set; }
    public bool IsEncapsulated { get; private set; }
    public bool InFragments { get; private set; }
    public List<Fragment> Fragments { get; } = [];
    public byte[] BasicOffsetTable { get; private set; } = [];
    public int BasicOffsetTableLength { get; private set; }
    public long FirstFragmentHeader { get; private set; }
    public long MemoryUsed => Fragments.Count * 16L + BasicOffsetTableLength;

    private bool hasTable;
    private long fragmentOffset;
    private long fragmentLength;
    private readonly byte[] head = new byte[8];

    public void SetNative(Tag tag, Vr vr, long offset, long length, bool bigEndian)
    {
        if (IsPresent) return; // the first of duplicates counts
        (Tag, Vr, Offset, Length, IsBigEndian, IsPresent) = (tag, vr, offset, length, bigEndian, true);
    }

    public void BeginFragments(long offset)
    {
        if (IsPresent) return;
        (Tag, Offset, IsPresent, IsEncapsulated, InFragments) = (Tags.PixelData, offset, true, true, true);
    }

    public void AddFragment(long valueOffset, long length)
    {
        FinishFragment();
        if (!hasTable) FirstFragmentHeader = valueOffset + length; // PS3.5 A.4: table offsets count from the item after it
        (fragmentOffset, fragmentLength, seen) = (valueOffset, length, 0);
    }

    public void AppendFragment(ReadOnlySpan<byte> part, long tableCap)
    {
        if (!hasTable)
        {
            if (fragmentLength > tableCap) return; // longer than any table that could be right, in whatever pieces it comes
            if (BasicOffsetTable.Length < BasicOffsetTableLength + part.Length)
            {
                var grown = new byte[Math.Max(BasicOffsetTableLength + part.Length, BasicOffsetTable.Length * 2)];
                BasicOffsetTable.AsSpan(0, BasicOffsetTableLength).CopyTo(grown);
                BasicOffsetTable = grown;
            }
            part.CopyTo(BasicOffsetTable.AsSpan(BasicOffsetTableLength));
            BasicOffsetTableLength += part.Length;
            return;
        }
        if (seen < head.Length)
        {
            var count = Math.Min(head.Length - seen, part.Length);
            part[..count].CopyTo(head.AsSpan(seen));
            seen += count;
        }
        if (part.Length >= tail.Length) part[^tail.Length..].CopyTo(tail);
        else if (part.Length > 0)
        {
            tail.AsSpan(part.Length).CopyTo(tail);
            part.CopyTo(tail.AsSpan(tail.Length - part.Length));
        }
    }

    public void EndFragments()
    {
        FinishFragment();
        InFragments = false;
    }

    private void FinishFragment()
    {
        if (fragmentOffset == 0) return;
        if (hasTable) Fragments.Add(new Fragment(fragmentOffset, (uint)fragmentLength, MarksOf(head.AsSpan(0, seen), tail)));
        hasTable = true;
        fragmentOffset = 0;
    }

    private static Marks MarksOf(ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail)
    {
        // JPEG, JPEG-LS: SOI and another marker. JPEG 2000: SOC, SIZ; or the JP2 signature box. All these end with a marker. JPEG XL: code stream, which does
        // not.
        var begins = head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]) || head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x4F, 0xFF, 0x51])
            || head.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 12, 0x6A, 0x50, 0x20, 0x20]);
        var isJpegXl = head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x0A]);
        // JPEG EOI and JPEG 2000 EOC are the same two bytes; one byte of padding may follow.
        var ends = head.Length >= 2 && (tail.EndsWith((ReadOnlySpan<byte>)[0xFF, 0xD9]) || tail[..3].EndsWith((ReadOnlySpan<byte>)[0xFF, 0xD9]));
        return (begins || isJpegXl ? Marks.Begins : 0) | (begins ? Marks.HasEndMarker : 0) | (ends ? Marks.Ends : 0);
    }
}
