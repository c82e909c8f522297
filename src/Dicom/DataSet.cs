using System.Collections;

namespace DicomServerless.Dicom;

/// <summary>
/// A data set, or an item of a sequence in one: elements in the order in which they stand, over one shared buffer. Read-only; made by
/// <see cref="DataSetBuilder"/>, <see cref="InstanceScanner"/> or <see cref="TryParse"/>.
/// </summary>
public sealed class DataSet : IEnumerable<DataElement>
{
    private readonly DataSetStore store;
    private readonly int first;
    private readonly int end;

    internal DataSet(DataSetStore store, int first, int end, DataSet? parent)
    {
        this.store = store;
        this.first = first;
        this.end = end;
        Parent = parent;
    }

    internal DataSetStore Store => store;

    internal int First => first;

    internal int End => end;

    /// <summary>A data set without elements.</summary>
    public static DataSet Empty { get; } = new(new DataSetStore(), 0, 0, null);

    /// <summary>What the whole data set that this one belongs to takes in memory. Bytes.</summary>
    public long MemoryUsed => store.Values.Length + (long)store.Entries.Length * DataSetStore.EntrySize;

    /// <summary>The data set or item whose sequence holds this item; null at top level.</summary>
    public DataSet? Parent { get; }

    /// <summary>True when there are no elements.</summary>
    public bool IsEmpty => first == end;

    /// <summary>
    /// The bytes of (0008,0005) that apply here: its own, else those of the nearest data set around it (PS3.3 C.12.1.1.2); empty for the default repertoire.
    /// </summary>
    public ReadOnlyMemory<byte> SpecificCharacterSet
    {
        get
        {
            for (var set = this; set is not null; set = set.Parent)
                if (set.TryGet(Tags.SpecificCharacterSet, out var element)) return element.Value;
            return default;
        }
    }

    /// <summary>The element with this tag, in this data set itself. Of duplicates the first.</summary>
    public bool TryGet(Tag tag, out DataElement element)
    {
        var entries = store.Entries;
        for (var i = first; i < end; i = entries[i].Next)
        {
            if (entries[i].Tag != tag.Value) continue;
            element = new DataElement(store, i, this);
            return true;
        }
        element = default;
        return false;
    }

    /// <summary>Whether there is an element with this tag.</summary>
    public bool Contains(Tag tag) => TryGet(tag, out _);

    /// <summary>The bytes of the value; empty when the element is absent, empty, a sequence or not kept.</summary>
    public ReadOnlyMemory<byte> ValueOf(Tag tag) => TryGet(tag, out var element) ? element.Value : default;

    /// <summary>The UID in this element, if it is a valid one.</summary>
    public bool TryGetUid(Tag tag, out Uid uid) => Uid.TryParsePadded(ValueOf(tag).Span, out uid);

    /// <summary>The bytes of the private creator that reserves the block of a private element here (PS3.5 7.8.1); empty when there is none.</summary>
    public ReadOnlyMemory<byte> PrivateCreatorOf(Tag tag) =>
        tag.IsPrivate && tag.Element >= 0x1000 ? ValueOf(new Tag(tag.Group, (ushort)(tag.Element >> 8))) : default;

    /// <summary>The elements, in the order of the bytes; duplicates included.</summary>
    public Enumerator GetEnumerator() => new(this);

    IEnumerator<DataElement> IEnumerable<DataElement>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Where the values stand that are not kept, at any depth, in the order of the bytes.</summary>
    public IReadOnlyList<BulkValue> BulkValues()
    {
        var values = new List<BulkValue>();
        for (var i = first; i < end; i++)
            if (store.BulkOf(i) is { } value) values.Add(value);
        return values;
    }

    /// <summary>Parses a data set that is wholly in memory, such as a C-FIND identifier. Values are copied; nothing is left out as bulk.</summary>
    /// <returns>False when the bytes are refused.</returns>
    public static bool TryParse(ReadOnlySpan<byte> bytes, DicomEncoding encoding, DicomLimits? limits, out DataSet dataSet, out DicomError? error)
    {
        var reader = new DataSetReader(encoding, new ScanOptions { Limits = limits ?? DicomLimits.Default, BulkThreshold = int.MaxValue });
        if (reader.Push(bytes, out _) == TokenStatus.Hostile || !reader.Complete())
        {
            (dataSet, error) = (Empty, reader.Error);
            return false;
        }
        (dataSet, error) = (reader.Build(), null);
        return true;
    }

    // Over the flat index, not recursively: depth is the input's choice.
    internal void WriteTo(DataSetWriter writer)
    {
        var open = new Stack<(int End, bool IsItem)>();
        for (var i = first; ; i++)
        {
            while (open.TryPeek(out var top) && top.End == i)
            {
                open.Pop();
                if (top.IsItem) writer.EndItem();
                else writer.EndSequence();
            }
            if (i >= end) return;
            ref readonly var entry = ref store.Entries[i];
            if ((entry.Flags & DataSetStore.EntryFlags.Item) != 0)
            {
                writer.BeginItem();
                open.Push((entry.Next, true));
            }
            else if ((entry.Flags & DataSetStore.EntryFlags.Sequence) != 0)
            {
                writer.BeginSequence(new Tag(entry.Tag));
                open.Push((entry.Next, false));
            }
            else if (entry.Kept != entry.Length) throw new InvalidOperationException("A value that is not kept cannot be written.");
            else writer.Write(new Tag(entry.Tag), store.VrOf(i), store.ValueOf(i).Span, (entry.Flags & DataSetStore.EntryFlags.BigEndian) != 0);
        }
    }

    /// <summary>Walks through the elements.</summary>
    public struct Enumerator : IEnumerator<DataElement>
    {
        private readonly DataSet set;
        private int index;
        private int next;

        internal Enumerator(DataSet set)
        {
            this.set = set;
            next = set.first;
            index = -1;
        }

        /// <inheritdoc />
        public readonly DataElement Current => new(set.store, index, set);

        readonly object IEnumerator.Current => Current;

        /// <inheritdoc />
        public bool MoveNext()
        {
            if (next >= set.end) return false;
            index = next;
            next = set.store.Entries[index].Next;
            return true;
        }

        /// <inheritdoc />
        public void Reset() => next = set.first;

        /// <inheritdoc />
        public readonly void Dispose() { }
    }
}
