using System.Buffers;
using Flags = DicomServerless.Dicom.DataSetStore.EntryFlags;

namespace DicomServerless.Dicom;

/// <summary>
/// The DICOM JSON model (PS3.18 annex F) of data sets, as UTF-8. Keys ascend; of duplicate elements the first is written; group lengths and group 0002 are left
/// out (PS3.18 F.2.2); Specific Character Set, where present, says ISO_IR 192. DS and IS keep their digits. SV and UV beyond 2^53 and what is no finite number
/// are strings. Values that the data set does not keep are BulkDataURIs.
/// </summary>
public static class DicomJsonWriter
{
    /// <summary>Writes a data set as one JSON object. Walks, does not recurse.</summary>
    public static void Write(DataSet dataSet, IBufferWriter<byte> output, DicomJsonOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(dataSet);
        ArgumentNullException.ThrowIfNull(output);
        options ??= DicomJsonOptions.Default;
        var json = new JsonOutput(output);
        json.Write((byte)'{');
        var around = SpecificCharacterSet.Parse(dataSet.Parent is { } parent ? parent.SpecificCharacterSet.Span : default, options.FallbackCharacterSet);
        Walk(ref json, dataSet.Store, Frame.OfElements(dataSet.Store, dataSet.First, dataSet.End, around, options), options);
        json.Write((byte)'}');
        json.Flush();
    }

    /// <summary>Writes one element, with the items that it holds, as the member of a JSON object: <c>"00100020":{"vr":"LO","Value":["X"]}</c>.</summary>
    public static void WriteElement(in DataElement element, IBufferWriter<byte> output, DicomJsonOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(output);
        options ??= DicomJsonOptions.Default;
        var json = new JsonOutput(output);
        var set = SpecificCharacterSet.Parse(element.DataSet.SpecificCharacterSet.Span, options.FallbackCharacterSet);
        if (element.IsSequence)
        {
            json.WriteElementStart(element.Tag.Value, Vr.SQ);
            WriteSequence(ref json, element.Store, element.Index, set, options);
        }
        else ElementJson.Write(ref json, element.Store, element.Index, set, options);
        json.Flush();
    }

    private static void WriteSequence(ref JsonOutput json, DataSetStore store, int index, SpecificCharacterSet set, DicomJsonOptions options)
    {
        var end = store.Entries[index].Next;
        if (index + 1 < end)
        {
            json.Write(",\"Value\":["u8);
            Walk(ref json, store, Frame.OfItems(index + 1, end, set), options);
            json.Write((byte)']');
        }
        json.Write((byte)'}');
    }

    private static void Walk(ref JsonOutput json, DataSetStore store, Frame outer, DicomJsonOptions options)
    {
        var frames = new Stack<Frame>();
        var frame = outer;
        while (true)
        {
            if (!frame.TryNext(store, out var index))
            {
                if (frames.Count == 0) return;
                // The end of an item closes its object, the end of a sequence its array and its element.
                if (frame.HoldsItems) json.Write("]}"u8);
                else json.Write((byte)'}');
                frame = frames.Pop();
                continue;
            }
            if (frame.WritesComma) json.Write((byte)',');
            frame.WritesComma = true;
            ref readonly var entry = ref store.Entries[index];
            if (frame.HoldsItems)
            {
                json.Write((byte)'{');
                frames.Push(frame);
                frame = Frame.OfElements(store, index + 1, entry.Next, frame.CharacterSet, options);
            }
            else if ((entry.Flags & Flags.Sequence) == 0) ElementJson.Write(ref json, store, index, frame.CharacterSet, options);
            else
            {
                json.WriteElementStart(entry.Tag, Vr.SQ);
                if (entry.Next == index + 1)
                {
                    json.Write((byte)'}');
                    continue;
                }
                json.Write(",\"Value\":["u8);
                frames.Push(frame);
                frame = Frame.OfItems(index + 1, entry.Next, frame.CharacterSet);
            }
        }
    }

    /// <summary>Where the walk stands in the elements of one data set or in the items of one sequence.</summary>
    private struct Frame
    {
        private int next;
        private int end;
        private int[]? order;

        public bool HoldsItems { get; private init; }
        public bool WritesComma { get; set; }
        public SpecificCharacterSet CharacterSet { get; private init; }

        public static Frame OfItems(int first, int end, SpecificCharacterSet set) => new() { next = first, end = end, HoldsItems = true, CharacterSet = set };

        public static Frame OfElements(DataSetStore store, int first, int end, SpecificCharacterSet set, DicomJsonOptions options)
        {
            var (ascends, last) = (true, 0u);
            for (var i = first; i < end; i = store.Entries[i].Next)
            {
                ref readonly var entry = ref store.Entries[i];
                if (i > first) ascends &= entry.Tag > last;
                last = entry.Tag;
                // PS3.3 C.12.1.1.2: an item's own Specific Character Set replaces that of what is around it.
                if (last == Tags.SpecificCharacterSet.Value) set = SpecificCharacterSet.Parse(store.ValueOf(i).Span, options.FallbackCharacterSet);
            }
            return new Frame { next = ascends ? first : 0, end = end, order = ascends ? null : InOrder(store, first, end), CharacterSet = set };
        }

        /// <summary>The next element to write. Left out: group lengths (PS3.5 7.2), which would be wrong, and file meta information.</summary>
        public bool TryNext(DataSetStore store, out int index)
        {
            while (next < (order?.Length ?? end))
            {
                index = order is null ? next : order[next];
                next = order is null ? store.Entries[index].Next : next + 1;
                if (HoldsItems) return true;
                var tag = store.Entries[index].Tag;
                if ((tag & 0xFFFF) != 0 && tag >> 16 != 2) return true;
            }
            index = -1;
            return false;
        }

        // PS3.5 7.1 has elements ascend, each once; where they do not, JSON still must not have a key twice.
        private static int[] InOrder(DataSetStore store, int first, int end)
        {
            var found = new List<int>();
            for (var i = first; i < end; i = store.Entries[i].Next) found.Add(i);
            return [.. found.DistinctBy(i => store.Entries[i].Tag).OrderBy(i => store.Entries[i].Tag)];
        }
    }
}
