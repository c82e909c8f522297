namespace DicomServerless.Dicom;

/// <summary>What lies behind all views of one parsed data set: the kept values in one buffer and a flat index in the order of the bytes.</summary>
internal sealed class DataSetStore
{
    public const int EntrySize = 48;

    public byte[] Values = [];
    public Entry[] Entries = [];
    public int Count;

    /// <summary>An element or an item. What a sequence holds follows it directly; Next skips that.</summary>
    public struct Entry
    {
        public uint Tag;
        public Vr Vr;
        public EntryFlags Flags;
        public int Parent;      // the sequence of an item, the item of an element; -1 at top level
        public int Next;        // the entry after this one and all that it holds
        public int ValueStart;  // in Values; -1 when not kept. Of an item: its number from 1
        public int Kept;        // bytes in Values
        public long Length;     // of the value as stored
        public long Offset;     // of the value in the data set
    }

    [Flags]
    public enum EntryFlags : ushort
    {
        None = 0,
        BigEndian = 1,
        Item = 2,
        Sequence = 4,
        Encapsulated = 8,
        Bulk = 16,
        SignDependent = 32, // implicit VR "US or SS": Vr says US, Pixel Representation decides
    }

    public ReadOnlyMemory<byte> ValueOf(int index)
    {
        ref readonly var entry = ref Entries[index];
        return (entry.Flags & (EntryFlags.Item | EntryFlags.Sequence)) != 0 || entry.ValueStart < 0 ? default : Values.AsMemory(entry.ValueStart, entry.Kept);
    }

    /// <summary>
    /// The VR of an element. Of "US or SS" without explicit VR the one that the nearest Pixel Representation around it asks for (PS3.3 C.7.6.3.1.1).
    /// </summary>
    public Vr VrOf(int index)
    {
        ref readonly var entry = ref Entries[index];
        if ((entry.Flags & EntryFlags.SignDependent) == 0) return entry.Vr;
        for (var i = index; i >= 0;)
        {
            var container = Entries[i].Parent;
            var end = container < 0 ? Count : Entries[container].Next;
            for (var sibling = container + 1; sibling < end; sibling = Entries[sibling].Next)
            {
                ref readonly var other = ref Entries[sibling];
                if (other.Tag != Tags.PixelRepresentation.Value || other.Kept < 2 || other.ValueStart < 0) continue;
                return Values[other.ValueStart + ((other.Flags & EntryFlags.BigEndian) != 0 ? 1 : 0)] == 1 ? Vr.SS : Vr.US;
            }
            i = container < 0 ? -1 : Entries[container].Parent;
        }
        return entry.Vr;
    }

    /// <summary>The path for bulk URIs: <c>54000100/1/54001010</c>.</summary>
    public string PathOf(int index)
    {
        var parts = new Stack<string>();
        for (var i = index; i >= 0; i = Entries[i].Parent)
        {
            ref readonly var entry = ref Entries[i];
            parts.Push((entry.Flags & EntryFlags.Item) != 0
                ? entry.ValueStart.ToString(System.Globalization.CultureInfo.InvariantCulture)
                : new Tag(entry.Tag).ToString());
        }
        return string.Join('/', parts);
    }

    public BulkValue? BulkOf(int index)
    {
        ref readonly var entry = ref Entries[index];
        if ((entry.Flags & EntryFlags.Bulk) == 0) return null;
        return new BulkValue(PathOf(index), new Tag(entry.Tag), VrOf(index), entry.Offset, entry.Length,
            (entry.Flags & EntryFlags.BigEndian) != 0, (entry.Flags & EntryFlags.Encapsulated) != 0);
    }
}
