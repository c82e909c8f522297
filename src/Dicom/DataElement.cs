using System.Buffers.Binary;
using System.Collections;
using Flags = DicomServerless.Dicom.DataSetStore.EntryFlags;

namespace DicomServerless.Dicom;

/// <summary>One element of a <see cref="DataSet"/>: a view, valid as long as the data set.</summary>
public readonly struct DataElement
{
    private readonly DataSetStore store;
    private readonly int index;

    internal DataElement(DataSetStore store, int index, DataSet owner)
    {
        this.store = store;
        this.index = index;
        DataSet = owner;
    }

    private ref readonly DataSetStore.Entry Entry => ref store.Entries[index];

    /// <summary>The data set or item that holds the element.</summary>
    public DataSet DataSet { get; }

    /// <summary>The tag.</summary>
    public Tag Tag => new(Entry.Tag);

    /// <summary>The VR: explicit, or the dictionary's for implicit VR; SQ for every sequence.</summary>
    public Vr Vr => store.VrOf(index);

    /// <summary>Whether its value, or one within the sequence, is not kept.</summary>
    public bool HoldsBulk => IsBulk || (IsSequence && ToDataSet().BulkValues().Count > 0);

    // The element alone.
    internal DataSet ToDataSet() => new(store, index, Entry.Next, DataSet);

    internal DataSetStore Store => store;

    internal int Index => index;

    /// <summary>The value's bytes as stored, padding included; empty for sequences and for values that are not kept.</summary>
    public ReadOnlyMemory<byte> Value => store.ValueOf(index);

    /// <summary>Bytes of the value as stored, kept or not; 0 for sequences.</summary>
    public long ValueLength => Entry.Length;

    /// <summary>Whether the value's numbers are big endian.</summary>
    public bool IsBigEndian => (Entry.Flags & Flags.BigEndian) != 0;

    /// <summary>Whether the element is a sequence of items.</summary>
    public bool IsSequence => (Entry.Flags & Flags.Sequence) != 0;

    /// <summary>Whether the value is not kept; <see cref="BulkValue"/> says where it stands.</summary>
    public bool IsBulk => (Entry.Flags & Flags.Bulk) != 0;

    /// <summary>Where a value stands that is not kept; null otherwise.</summary>
    public BulkValue? BulkValue => store.BulkOf(index);

    /// <summary>The place in the whole data set, as used in bulk data URIs: <c>54000100/1/54001010</c>.</summary>
    public string Path => store.PathOf(index);

    /// <summary>The items of a sequence; none for other elements.</summary>
    public ItemList Items => new(this);

    /// <summary>How many numbers of this size the value holds.</summary>
    public int CountOf(int size) => Entry.Kept / size;

    /// <summary>Reads a US value.</summary>
    public bool TryGetUInt16(int position, out ushort value)
    {
        var found = TrySlice(position, 2, out var bytes);
        value = !found ? (ushort)0 : IsBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        return found;
    }

    /// <summary>Reads an SS value.</summary>
    public bool TryGetInt16(int position, out short value)
    {
        var found = TryGetUInt16(position, out var bits);
        value = (short)bits;
        return found;
    }

    /// <summary>Reads a UL value.</summary>
    public bool TryGetUInt32(int position, out uint value)
    {
        var found = TrySlice(position, 4, out var bytes);
        value = !found ? 0 : IsBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        return found;
    }

    /// <summary>Reads an SL value.</summary>
    public bool TryGetInt32(int position, out int value)
    {
        var found = TryGetUInt32(position, out var bits);
        value = (int)bits;
        return found;
    }

    /// <summary>Reads a UV or OV value.</summary>
    public bool TryGetUInt64(int position, out ulong value)
    {
        var found = TrySlice(position, 8, out var bytes);
        value = !found ? 0 : IsBigEndian ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        return found;
    }

    /// <summary>Reads an SV value.</summary>
    public bool TryGetInt64(int position, out long value)
    {
        var found = TryGetUInt64(position, out var bits);
        value = (long)bits;
        return found;
    }

    /// <summary>Reads an FL value.</summary>
    public bool TryGetSingle(int position, out float value)
    {
        var found = TryGetUInt32(position, out var bits);
        value = BitConverter.UInt32BitsToSingle(bits);
        return found;
    }

    /// <summary>Reads an FD value.</summary>
    public bool TryGetDouble(int position, out double value)
    {
        var found = TryGetUInt64(position, out var bits);
        value = BitConverter.UInt64BitsToDouble(bits);
        return found;
    }

    /// <summary>Reads an AT value: two words, each in the byte order of the data set.</summary>
    public bool TryGetTag(int position, out Tag value)
    {
        var found = TryGetUInt16(2 * position, out var group) & TryGetUInt16(2 * position + 1, out var element);
        value = new Tag(group, element);
        return found;
    }

    private bool TrySlice(int position, int size, out ReadOnlySpan<byte> bytes)
    {
        bytes = Value.Span;
        var start = (long)position * size;
        if (position < 0 || start + size > bytes.Length) return false;
        bytes = bytes.Slice((int)start, size);
        return true;
    }

    /// <summary>The items of one sequence.</summary>
    public readonly struct ItemList : IEnumerable<DataSet>
    {
        private readonly DataElement sequence;

        internal ItemList(DataElement sequence) => this.sequence = sequence;

        /// <summary>How many items; counts them.</summary>
        public int Count
        {
            get
            {
                var count = 0;
                foreach (var _ in this) count++;
                return count;
            }
        }

        /// <summary>Walks through the items.</summary>
        public Enumerator GetEnumerator() => new(sequence);

        IEnumerator<DataSet> IEnumerable<DataSet>.GetEnumerator() => GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    /// <summary>Walks through the items of a sequence.</summary>
    public struct Enumerator : IEnumerator<DataSet>
    {
        private readonly DataElement sequence;
        private int next;
        private readonly int end;

        internal Enumerator(DataElement sequence)
        {
            this.sequence = sequence;
            end = sequence.Entry.Next;
            next = sequence.IsSequence ? sequence.index + 1 : end;
            Current = DataSet.Empty;
        }

        /// <inheritdoc />
        public DataSet Current { get; private set; }

        readonly object IEnumerator.Current => Current;

        /// <inheritdoc />
        public bool MoveNext()
        {
            if (next >= end) return false;
            var after = sequence.store.Entries[next].Next;
            Current = new DataSet(sequence.store, next + 1, after, sequence.DataSet);
            next = after;
            return true;
        }

        /// <inheritdoc />
        public void Reset() => (next, Current) = (sequence.IsSequence ? sequence.index + 1 : end, DataSet.Empty);

        /// <inheritdoc />
        public readonly void Dispose() { }
    }
}
