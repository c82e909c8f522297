using Flags = DicomServerless.Dicom.DataSetStore.EntryFlags;

namespace DicomServerless.Dicom;

/// <summary>Makes a <see cref="DataSet"/>: elements in order, sequences and items opened and closed around them.</summary>
public sealed class DataSetBuilder
{
    private readonly DataSetStore store = new();
    private readonly List<int> open = []; // alternating: sequence, item, sequence, …
    private readonly List<int> itemCounts = [];
    private int valuesUsed;

    /// <summary>How deep the next element lies: 0 at top level, 1 in an item of a top-level sequence.</summary>
    public int Depth => open.Count / 2;

    /// <summary>What the data set takes in memory so far. Bytes.</summary>
    public long MemoryUsed => valuesUsed + (long)store.Count * DataSetStore.EntrySize;

    private int Parent => open.Count == 0 ? -1 : open[^1];

    /// <summary>Adds an element with its bytes as they would stand in a file, padding included.</summary>
    public void Add(Tag tag, Vr vr, ReadOnlySpan<byte> value, bool isBigEndian = false, long offset = 0)
    {
        BeginValue(tag, vr, value.Length, isBigEndian, offset);
        AppendValue(value);
    }

    /// <summary>Adds an element whose bytes come in pieces through <see cref="AppendValue"/>.</summary>
    internal void BeginValue(Tag tag, Vr vr, long length, bool isBigEndian, long offset, bool isBulk = false) => AddEntry(new DataSetStore.Entry
    {
        Tag = tag.Value,
        Vr = vr,
        Flags = (isBigEndian ? Flags.BigEndian : 0) | (isBulk ? Flags.Bulk : 0),
        ValueStart = valuesUsed,
        Length = length,
        Offset = offset,
    });

    internal void AppendValue(ReadOnlySpan<byte> part)
    {
        if (valuesUsed + part.Length > store.Values.Length)
            Array.Resize(ref store.Values,
                Math.Max(checked(valuesUsed + part.Length), Math.Max(1024, (int)Math.Min(store.Values.Length * 2L, Array.MaxLength))));
        part.CopyTo(store.Values.AsSpan(valuesUsed));
        valuesUsed += part.Length;
        store.Entries[store.Count - 1].Kept += part.Length;
    }

    /// <summary>Adds an element whose value stays where it is.</summary>
    public void AddBulk(Tag tag, Vr vr, long offset, long length, bool isBigEndian = false, bool isEncapsulated = false) => AddEntry(new DataSetStore.Entry
    {
        Tag = tag.Value,
        Vr = vr,
        Flags = Flags.Bulk | (isBigEndian ? Flags.BigEndian : 0) | (isEncapsulated ? Flags.Encapsulated : 0),
        ValueStart = -1,
        Length = length,
        Offset = offset,
    });

    /// <summary>Says that the last added element is "US or SS" and came without its VR.</summary>
    internal void MarkSignDependent() => store.Entries[store.Count - 1].Flags |= Flags.SignDependent;

    /// <summary>The length of the last added bulk value, where only its end told.</summary>
    internal void SetBulkLength(long length) => store.Entries[store.Count - 1].Length = length;

    /// <summary>Opens a sequence; only items may follow until it is closed.</summary>
    public void BeginSequence(Tag tag)
    {
        if ((open.Count & 1) != 0) throw new InvalidOperationException("A sequence holds items, not elements (PS3.5 7.5).");
        AddEntry(new DataSetStore.Entry { Tag = tag.Value, Vr = Vr.SQ, Flags = Flags.Sequence, ValueStart = -1 });
        open.Add(store.Count - 1);
        itemCounts.Add(0);
    }

    /// <summary>Opens an item of the open sequence.</summary>
    public void BeginItem()
    {
        if ((open.Count & 1) == 0) throw new InvalidOperationException("An item stands in a sequence (PS3.5 7.5).");
        var parent = open[^1];
        AddEntry(new DataSetStore.Entry { Tag = store.Entries[parent].Tag, Flags = Flags.Item,
            ValueStart = ++System.Runtime.InteropServices.CollectionsMarshal.AsSpan(itemCounts)[^1] }, inSequence: true);
        open.Add(store.Count - 1);
    }

    /// <summary>Closes the open item.</summary>
    public void EndItem()
    {
        if (open.Count == 0 || (open.Count & 1) != 0) throw new InvalidOperationException("No item is open.");
        Close();
    }

    /// <summary>Closes the open sequence.</summary>
    public void EndSequence()
    {
        if ((open.Count & 1) == 0) throw new InvalidOperationException("No sequence is open.");
        Close();
        itemCounts.RemoveAt(itemCounts.Count - 1);
    }

    /// <summary>The data set. The builder must not be used afterwards.</summary>
    public DataSet Build()
    {
        while (open.Count > 0) Close();
        return new DataSet(store, 0, store.Count, null);
    }

    private void Close()
    {
        store.Entries[open[^1]].Next = store.Count;
        open.RemoveAt(open.Count - 1);
    }

    private void AddEntry(in DataSetStore.Entry entry, bool inSequence = false)
    {
        if (!inSequence && (open.Count & 1) != 0) throw new InvalidOperationException("A sequence holds items, not elements (PS3.5 7.5).");
        if (store.Count == store.Entries.Length) Array.Resize(ref store.Entries, Math.Max(64, store.Count * 2));
        ref var slot = ref store.Entries[store.Count];
        slot = entry;
        slot.Parent = Parent;
        slot.Next = ++store.Count;
    }
}
