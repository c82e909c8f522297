using System.Buffers.Binary;
using System.Buffers.Text;

namespace DicomServerless.Dicom;

/// <summary>Finds the frames from the header and from what was seen of the Pixel Data.</summary>
internal static class FrameTableBuilder
{
    public static FrameTable? Build(DataSet dataSet, PixelDataInfo pixels, TransferSyntax syntax, List<DicomWarning> warnings)
    {
        if (!pixels.IsPresent) return null;
        var declared = NumberOfFrames(dataSet);
        return pixels.IsEncapsulated ? Encapsulated(dataSet, pixels, syntax, declared, warnings) : Native(dataSet, pixels, declared ?? 1, warnings);
    }

    // PS3.3 C.7.6.6: IS, absent for single-frame objects. Null where it says nothing usable.
    private static long? NumberOfFrames(DataSet dataSet)
    {
        var text = dataSet.ValueOf(Tags.NumberOfFrames).Span.Trim(" \0"u8);
        return Utf8Parser.TryParse(text, out long count, out var used) && used == text.Length && count > 0 ? count : null;
    }

    private static FrameTable Native(DataSet dataSet, PixelDataInfo pixels, long declared, List<DicomWarning> warnings)
    {
        var wordSize = pixels.IsBigEndian ? pixels.Vr.WordSize() : 1;
        var available = (UInt128)(ulong)pixels.Length * 8;
        var frameBits = FrameBits(dataSet, pixels, declared);
        if (frameBits == 0)
        {
            // Without rows and columns the value is one frame, if anything.
            Warn(warnings, DicomWarningKind.PixelDataLength, "rows, columns or bits allocated are missing");
            return FrameTable.Native(pixels.Offset, pixels.Length, pixels.Length * 8, pixels.Length > 0 && declared == 1 ? 1 : 0, wordSize);
        }
        var fit = UInt128.Min(available / frameBits, (UInt128)Math.Min(declared, int.MaxValue));
        var needed = (frameBits * (UInt128)declared + 7) / 8;
        if ((UInt128)(ulong)pixels.Length != needed + (needed & 1)) // PS3.5 8.1.1: padded to even length
            Warn(warnings, DicomWarningKind.PixelDataLength, "the length is not what rows, columns, bits allocated and number of frames need");
        var count = (int)fit;
        return FrameTable.Native(pixels.Offset, pixels.Length, count == 0 ? 0 : (long)frameBits, count, wordSize);
    }

    private static UInt128 FrameBits(DataSet dataSet, PixelDataInfo pixels, long declared)
    {
        if (!TryNumber(dataSet, Tags.Rows, out var rows) || !TryNumber(dataSet, Tags.Columns, out var columns)) return 0;
        var samples = TryNumber(dataSet, Tags.SamplesPerPixel, out var declaredSamples) && declaredSamples > 0 ? declaredSamples : (ushort)1;
        uint allocated = pixels.Tag == Tags.FloatPixelData ? 32u : pixels.Tag == Tags.DoubleFloatPixelData
            ? 64u : TryNumber(dataSet, Tags.BitsAllocated, out var bits) ? bits : 0u;
        var pixelCount = (UInt128)rows * columns;
        var full = pixelCount * samples * allocated;
        // PS3.3 C.7.6.3.1.2: in YBR_FULL_422 and YBR_PARTIAL_422 two pixels share their chrominance; writers also leave it whole.
        var photometric = dataSet.ValueOf(Tags.PhotometricInterpretation).Span.Trim(" \0"u8);
        if (samples == 3 && photometric.EndsWith("_422"u8) && (UInt128)(ulong)pixels.Length * 8 < full * (UInt128)declared) return pixelCount * 2u * allocated;
        return full;
    }

    private static bool TryNumber(DataSet dataSet, Tag tag, out ushort value)
    {
        value = 0;
        return dataSet.TryGet(tag, out var element) && element.TryGetUInt16(0, out value);
    }

    /// <summary>
    /// Whether fragments after which no delimiter came hold all frames: as the offset table says, or else where images begin or end as often as there are
    /// frames; and the last one to its own end where that can be seen. Of a data set that was cut between two fragments it must not be true.
    /// </summary>
    public static bool HasAllFrames(DataSet dataSet, PixelDataInfo pixels)
    {
        var filled = pixels.Fragments.FindAll(fragment => fragment.Length > 0);
        var frames = NumberOfFrames(dataSet) ?? Math.Max(1, pixels.BasicOffsetTableLength / 4);
        if (filled.Count < frames) return false; // at least one
        List<DicomWarning> ignored = [];
        if (frames > 1)
        {
            var starts = FromExtendedOffsetTable(dataSet, pixels, frames, ignored) ?? FromBasicOffsetTable(pixels, frames, ignored);
            if (starts is null && (ignored.Count > 0 || !(filled.Count == frames ? IsOneEach(filled) : FromMarkers(pixels, frames) is not null))) return false;
        }
        return (filled[0].Marks & PixelDataInfo.Marks.HasEndMarker) == 0 || (filled[^1].Marks & PixelDataInfo.Marks.Ends) != 0;
    }

    // As many fragments as frames may be fewer frames of several fragments: then images begin in some of them only, and end in others.
    private static bool IsOneEach(List<PixelDataInfo.Fragment> filled) =>
        filled.TrueForAll(fragment => (fragment.Marks & PixelDataInfo.Marks.Ends) != 0)
            || filled.FindAll(fragment => (fragment.Marks & PixelDataInfo.Marks.Begins) != 0).Count is var begins && (begins == 0 || begins == filled.Count);

    private static FrameTable Encapsulated(DataSet dataSet, PixelDataInfo pixels, TransferSyntax syntax, long? declared, List<DicomWarning> warnings)
    {
        var fragments = new ByteRange[pixels.Fragments.Count];
        for (var i = 0; i < fragments.Length; i++) fragments[i] = new ByteRange(pixels.Fragments[i].Offset, pixels.Fragments[i].Length);
        var frames = declared ?? Math.Max(1, pixels.BasicOffsetTableLength / 4); // without a number the table tells

        if (fragments.Length == 0) return FrameTable.Encapsulated(fragments, [0]);
        if (frames == 1 || syntax.IsVideo) return Assign(fragments, [0]);
        if (FromExtendedOffsetTable(dataSet, pixels, frames, warnings) is { } extended)
        {
            CutToExtendedLengths(dataSet, fragments, extended);
            return Assign(fragments, extended);
        }
        if (FromBasicOffsetTable(pixels, frames, warnings) is { } basic) return Assign(fragments, basic);
        if (fragments.Length == frames) return FrameTable.Encapsulated(fragments, null);
        // An empty fragment holds no frame.
        var filled = Array.FindAll(fragments, fragment => fragment.Length > 0);
        if (filled.Length == frames) return FrameTable.Encapsulated(filled, null);
        if (fragments.Length < frames)
        {
            Warn(warnings, DicomWarningKind.FragmentsNotAssignable, "there are fewer fragments than frames; each fragment counts as a frame");
            return FrameTable.Encapsulated(fragments, null);
        }
        if (FromMarkers(pixels, frames) is { } marked) return Assign(fragments, marked);
        Warn(warnings, DicomWarningKind.FragmentsNotAssignable, "the fragments cannot be assigned to frames");
        return FrameTable.Encapsulated(fragments, [0]);
    }

    // Without the empty fragments, but for one that is all that its frame has.
    private static FrameTable Assign(ByteRange[] fragments, List<int> starts)
    {
        var (kept, firsts) = (new List<ByteRange>(fragments.Length), new int[starts.Count + 1]);
        for (var frame = 0; frame < starts.Count; frame++)
        {
            firsts[frame] = kept.Count;
            var end = frame + 1 < starts.Count ? starts[frame + 1] : fragments.Length;
            for (var i = starts[frame]; i < end; i++)
                if (fragments[i].Length > 0) kept.Add(fragments[i]);
            if (kept.Count == firsts[frame]) kept.Add(fragments[starts[frame]]);
        }
        firsts[^1] = kept.Count;
        return FrameTable.Encapsulated([.. kept], kept.Count == starts.Count ? null : firsts);
    }

    // PS3.3 C.7.6.3.1.9: the length of a frame without the byte that pads its fragment to an even length.
    private static void CutToExtendedLengths(DataSet dataSet, ByteRange[] fragments, List<int> starts)
    {
        if (!dataSet.TryGet(Tags.ExtendedOffsetTableLengths, out var lengths) || lengths.ValueLength != 8L * starts.Count || starts.Count != fragments.Length)
            return;
        for (var i = 0; i < fragments.Length; i++)
            if (lengths.TryGetUInt64(i, out var length) && (long)length == fragments[i].Length - 1) fragments[i] = fragments[i] with { Length = (long)length };
    }

    // PS3.3 C.7.6.3.1.8: 64-bit offsets of each frame's item, one fragment per frame, and their lengths.
    private static List<int>? FromExtendedOffsetTable(DataSet dataSet, PixelDataInfo pixels, long frames, List<DicomWarning> warnings)
    {
        if (!dataSet.TryGet(Tags.ExtendedOffsetTable, out var table) || table.ValueLength == 0) return null;
        var starts = table.ValueLength == (Int128)8 * frames
            ? Match(pixels, (int)frames, i => table.TryGetUInt64(i, out var offset) ? offset : ulong.MaxValue) : null;
        if (starts is null) Warn(warnings, DicomWarningKind.OffsetTable, "the Extended Offset Table does not fit the fragments and was ignored");
        return starts;
    }

    // PS3.5 A.4: 32-bit offsets of each frame's first item, from the item after the table.
    private static List<int>? FromBasicOffsetTable(PixelDataInfo pixels, long frames, List<DicomWarning> warnings)
    {
        if (pixels.BasicOffsetTableLength == 0) return null;
        var table = pixels.BasicOffsetTable;
        var starts = pixels.BasicOffsetTableLength == (Int128)4 * frames
            ? Match(pixels, (int)frames, i => BinaryPrimitives.ReadUInt32LittleEndian(table.AsSpan(4 * i))) : null;
        if (starts is null) Warn(warnings, DicomWarningKind.OffsetTable, "the Basic Offset Table does not fit the fragments and was ignored");
        return starts;
    }

    // Every offset must be that of a fragment's item, ascending from the first.
    private static List<int>? Match(PixelDataInfo pixels, int frames, Func<int, ulong> offsetOf)
    {
        const int ItemHeader = 8;
        var starts = new List<int>(frames);
        var fragment = 0;
        for (var i = 0; i < frames; i++)
        {
            var wanted = offsetOf(i);
            while (fragment < pixels.Fragments.Count && (ulong)(pixels.Fragments[fragment].Offset - ItemHeader - pixels.FirstFragmentHeader) < wanted)
                fragment++;
            if (fragment == pixels.Fragments.Count || (ulong)(pixels.Fragments[fragment].Offset - ItemHeader - pixels.FirstFragmentHeader) != wanted)
                return null;
            if (i == 0 && fragment != 0) return null;
            starts.Add(fragment++);
        }
        return starts;
    }

    // Without a table: where images begin, else where they end, if that gives as many as there should be.
    private static List<int>? FromMarkers(PixelDataInfo pixels, long frames)
    {
        var begins = new List<int>();
        var afterEnds = new List<int> { 0 };
        for (var i = 0; i < pixels.Fragments.Count; i++)
        {
            var marks = pixels.Fragments[i].Marks;
            if ((marks & PixelDataInfo.Marks.Begins) != 0) begins.Add(i);
            if ((marks & PixelDataInfo.Marks.Ends) != 0 && i + 1 < pixels.Fragments.Count) afterEnds.Add(i + 1);
        }
        if (begins.Count == frames && begins[0] == 0) return begins;
        return afterEnds.Count == frames ? afterEnds : null;
    }

    private static void Warn(List<DicomWarning> warnings, DicomWarningKind kind, string detail) =>
        warnings.Add(new DicomWarning(kind, DicomError.Format(Tags.PixelData), detail));
}
