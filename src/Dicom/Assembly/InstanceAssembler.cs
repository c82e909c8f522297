using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Flags = DicomServerless.Dicom.DataSetStore.EntryFlags;

namespace DicomServerless.Dicom;

/// <summary>
/// Makes a Part 10 object of metadata and bulk data (PS3.18 10.5.1): explicit VR little endian, or the transfer syntax of its compressed Pixel Data. The header
/// is made in memory, parts are only pointed at.
/// </summary>
public sealed class InstanceAssembler
{
    private const long MaxValueLength = 0xFFFFFFFE; // PS3.5 7.1.1: even, and all ones mean undefined

    private readonly ArrayBufferWriter<byte> header = new();
    private readonly DataSetWriter writer;
    private readonly List<(int At, BulkPart Part, long Offset, long Length)> cuts = [];
    private readonly DataSet dataSet;
    private readonly Func<string, IReadOnlyList<BulkPart>> partsOf;
    private readonly DataSet? original;
    private readonly TransferSyntax? stated;
    private TransferSyntax? compressed;
    private bool hasNativePixels;

    private InstanceAssembler(DataSet dataSet, Func<string, IReadOnlyList<BulkPart>> partsOf, DataSet? original, TransferSyntax? requested)
    {
        (this.dataSet, this.partsOf, this.original) = (dataSet, partsOf, original);
        writer = new DataSetWriter(header, DicomEncoding.ExplicitLittleEndian);
        // Some writers say it in the metadata, where it does not belong (PS3.18 F.2).
        stated = requested ?? SyntaxIn(Tags.TransferSyntaxUID) ?? SyntaxIn(Tags.AvailableTransferSyntaxUID);
    }

    private string? Problem { get; set; }

    /// <summary>Makes one object.</summary>
    /// <param name="dataSet">Its metadata; the four UIDs are there.</param>
    /// <param name="partsOf">The parts of an element by its path, in order; several for the frames of Pixel Data. Asked once for each.</param>
    /// <param name="original">From <see cref="CharacterSetCoercion.Describe"/>, when character sets are changed; null for none.</param>
    /// <param name="requested">The transfer syntax that the request states for all; null for none.</param>
    /// <param name="pieces">The object, in order.</param>
    /// <returns>Null, or why it cannot be made.</returns>
    public static string? TryAssemble(DataSet dataSet, Func<string, IReadOnlyList<BulkPart>> partsOf,
        DataSet? original, TransferSyntax? requested, out IReadOnlyList<ObjectPiece> pieces)
    {
        ArgumentNullException.ThrowIfNull(dataSet);
        var assembler = new InstanceAssembler(dataSet, partsOf, original, requested);
        pieces = assembler.Walk() ? assembler.Pieces() : [];
        return assembler.Problem;
    }

    private TransferSyntax? SyntaxIn(Tag tag) => dataSet.TryGetUid(tag, out var uid) ? TransferSyntax.Find(uid) : null;

    private bool Fail(string path, string detail)
    {
        Problem = $"Element {path}: {detail}.";
        return false;
    }

    // Over the flat index, as DataSet.WriteTo does.
    private bool Walk()
    {
        var store = dataSet.Store;
        var open = new Stack<(int End, bool IsItem, bool IsOriginal)>();
        var pending = original;
        for (var i = dataSet.First; ; i++)
        {
            while (open.TryPeek(out var top) && top.End == i)
            {
                open.Pop();
                if (top.IsItem) writer.EndItem();
                else
                {
                    if (top.IsOriginal) WriteOriginalItem();
                    writer.EndSequence();
                }
            }
            var isEnd = i >= dataSet.End;
            if (open.Count == 0 && pending is not null && (isEnd || store.Entries[i].Tag >= Tags.OriginalAttributesSequence.Value))
            {
                pending = null;
                if (isEnd || store.Entries[i].Tag != Tags.OriginalAttributesSequence.Value || (store.Entries[i].Flags & Flags.Sequence) == 0)
                {
                    writer.BeginSequence(Tags.OriginalAttributesSequence);
                    WriteOriginalItem();
                    writer.EndSequence();
                }
            }
            if (isEnd) break;
            ref readonly var entry = ref store.Entries[i];
            if ((entry.Flags & Flags.Item) != 0)
            {
                writer.BeginItem();
                open.Push((entry.Next, true, false));
                continue;
            }
            var tag = new Tag(entry.Tag);
            // Group lengths are retired (PS3.5 7.2); group 2 is ours to write; items' tags are none of elements.
            if (tag.IsGroupLength || tag.Group is 2 or 0xFFFE)
            {
                i = entry.Next - 1;
                continue;
            }
            if ((entry.Flags & Flags.Sequence) != 0)
            {
                writer.BeginSequence(tag);
                open.Push((entry.Next, false, original is not null && open.Count == 0 && tag == Tags.OriginalAttributesSequence));
            }
            else if ((entry.Flags & Flags.Bulk) != 0)
            {
                if (!WriteParts(tag, store.VrOf(i), store.PathOf(i), open.Count == 0)) return false;
            }
            else
            {
                if (tag == Tags.PixelData && open.Count == 0) hasNativePixels = true;
                var value = store.ValueOf(i).Span;
                writer.Write(tag, store.VrOf(i), tag == Tags.SpecificCharacterSet && original is not null ? "ISO_IR 192"u8 : value);
            }
        }
        return !hasNativePixels || compressed is null
            || Fail("7FE00010", "is not compressed, while other pixel data of the object are, which no transfer syntax allows (PS3.5 A.4)");
    }

    private void WriteOriginalItem()
    {
        if (!original!.TryGet(Tags.OriginalAttributesSequence, out var sequence)) return;
        foreach (var item in sequence.Items)
        {
            writer.BeginItem();
            writer.Write(item);
            writer.EndItem();
        }
    }

    private bool WriteParts(Tag tag, Vr vr, string path, bool isTop)
    {
        var parts = partsOf(path);
        if (parts.Count == 0) return Fail(path, "no part of the request has the Content-Location or Content-ID that its BulkDataURI names");
        if (tag == Tags.PixelData && parts[0].CompressedSyntax(stated) is { } syntax)
        {
            if (compressed is not null && compressed.Uid != syntax.Uid) return Fail(path, "has another transfer syntax than other pixel data of the object");
            foreach (var part in parts)
            {
                if (part.CompressedSyntax(stated)?.Uid != syntax.Uid) return Fail(path, "has parts of several transfer syntaxes");
            }
            compressed = syntax;
            WriteFragments(tag, parts, syntax);
            return true;
        }
        if (parts.Count > 1 && tag.Group != 0x7FE0) return Fail(path, "has several parts, which only pixel data can have");
        foreach (var part in parts)
        {
            if (part.TransferSyntax is { } own && own != TransferSyntax.ExplicitVrLittleEndian.Uid
                && own != TransferSyntax.ImplicitVrLittleEndian.Uid && TransferSyntax.Find(own) is not { IsEncapsulated: true })
                return Fail(path, "has a part whose transfer-syntax is not little endian");
        }
        hasNativePixels |= tag == Tags.PixelData && isTop;
        var length = parts.Sum(part => part.Length);
        if (length > MaxValueLength) return Fail(path, $"is longer than a value can be, {MaxValueLength} bytes");
        writer.WriteHeader(tag, vr, length);
        foreach (var part in parts) cuts.Add((header.WrittenCount, part, 0, part.Length));
        writer.WritePadding(vr, length);
        return true;
    }

    // PS3.5 A.4: a Basic Offset Table, fragments, a delimiter. Each part is a frame; a frame that an item cannot hold has several fragments.
    private void WriteFragments(Tag tag, IReadOnlyList<BulkPart> parts, TransferSyntax syntax)
    {
        writer.BeginFragments(tag);
        if (parts is [{ IsItems: true }]) cuts.Add((header.WrittenCount, parts[0], 0, parts[0].Length));
        else
        {
            WriteOffsets(parts, syntax);
            foreach (var part in parts)
            {
                var at = 0L;
                do
                {
                    var length = Math.Min(part.Length - at, MaxValueLength);
                    writer.WriteFragmentHeader(length + (length & 1));
                    cuts.Add((header.WrittenCount, part, at, length));
                    writer.WritePadding(Vr.OB, length);
                    at += length;
                }
                while (at < part.Length);
            }
        }
        writer.EndSequence();
    }

    // Empty for video, which is no list of frames, beside an Extended Offset Table (PS3.3 C.7.6.3.1.8), and where 32 bits are too few.
    private void WriteOffsets(IReadOnlyList<BulkPart> parts, TransferSyntax syntax)
    {
        var total = parts.Take(parts.Count - 1).Sum(part => part.Length + (part.Length & 1) + 8);
        if (syntax.IsVideo || dataSet.Contains(Tags.ExtendedOffsetTable) || total > uint.MaxValue || parts.Any(part => part.Length > MaxValueLength))
        {
            writer.WriteFragmentHeader(0);
            return;
        }
        writer.WriteFragmentHeader(parts.Count * 4L);
        var offset = 0L;
        foreach (var part in parts)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(header.GetSpan(4), (uint)offset);
            header.Advance(4);
            offset += part.Length + (part.Length & 1) + 8;
        }
    }

    private List<ObjectPiece> Pieces()
    {
        var sopClass = dataSet.TryGetUid(Tags.SOPClassUID, out var uid) ? uid : default;
        var sop = dataSet.TryGetUid(Tags.SOPInstanceUID, out uid) ? uid : default;
        var meta = Part10.Header(sopClass, sop, (compressed ?? TransferSyntax.ExplicitVrLittleEndian).Uid);
        var pieces = new List<ObjectPiece> { new(meta, null, 0, meta.Length) };
        var from = 0;
        foreach (var (at, part, offset, length) in cuts)
        {
            if (at > from) pieces.Add(new ObjectPiece(header.WrittenMemory[from..at], null, 0, at - from));
            if (length > 0) pieces.Add(new ObjectPiece(default, part, offset, length));
            from = at;
        }
        if (header.WrittenCount > from) pieces.Add(new ObjectPiece(header.WrittenMemory[from..], null, 0, header.WrittenCount - from));
        return pieces;
    }
}
