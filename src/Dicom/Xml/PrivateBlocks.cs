using System.Xml;
using static DicomServerless.Dicom.NativeDicomModel;

namespace DicomServerless.Dicom;

/// <summary>
/// A first pass over a document: private elements that come with their creator and without a block (PS3.19 table A.1.5-2) get the block that the creator has in
/// their data set, or a free one; creators that no element states are to be added. Data sets are numbered as they begin.
/// </summary>
internal sealed class PrivateBlocks
{
    private sealed class DataSetBlocks
    {
        public Dictionary<(ushort Group, byte Block), string> Creators { get; } = [];
        public List<(Tag Tag, string Creator)> Wanted { get; } = [];
        public HashSet<(ushort Group, byte Block)> Used { get; } = [];
        public Dictionary<(ushort Group, string Creator), byte> Found { get; } = [];
        public List<(Tag Tag, string Creator)> Added { get; } = [];
    }

    private readonly Dictionary<int, DataSetBlocks> dataSets = [];

    /// <summary>Reads all of a document.</summary>
    public static PrivateBlocks Read(XmlReader reader)
    {
        var result = new PrivateBlocks();
        var (count, open) = (0, new Stack<int>());
        while (reader.Read())
        {
            if (reader.NodeType == XmlNodeType.EndElement && reader.LocalName is Root or Item && open.Count > 0) open.Pop();
            if (reader.NodeType != XmlNodeType.Element) continue;
            if (reader.LocalName is Root or Item)
            {
                if (!reader.IsEmptyElement) open.Push(count);
                count++;
            }
            else if (reader.LocalName == NativeDicomModel.Attribute && open.Count > 0 && Tag.TryParse(reader.GetAttribute("tag"), out var tag) && tag.IsPrivate)
                result.Add(open.Peek(), tag, reader);
        }
        foreach (var blocks in result.dataSets.Values) Resolve(blocks);
        return result;
    }

    /// <summary>The tag that an element has in its data set.</summary>
    public Tag Resolve(int dataSet, Tag tag, string? creator) =>
        creator is not null && IsWithoutBlock(tag) && dataSets.TryGetValue(dataSet, out var blocks)
            && blocks.Found.TryGetValue((tag.Group, creator), out var block)
            ? new Tag(tag.Group, (ushort)((block << 8) | (tag.Element & 0xFF))) : tag;

    /// <summary>The private creators that a data set lacks.</summary>
    public IReadOnlyList<(Tag Tag, string Creator)> AddedTo(int dataSet) => dataSets.TryGetValue(dataSet, out var blocks) ? blocks.Added : [];

    private static bool IsWithoutBlock(Tag tag) => tag.IsPrivate && tag.Element < 0x100;

    private void Add(int dataSet, Tag tag, XmlReader reader)
    {
        if (!dataSets.TryGetValue(dataSet, out var blocks)) dataSets[dataSet] = blocks = new DataSetBlocks();
        if (reader.GetAttribute("privateCreator") is { Length: > 0 } creator) blocks.Wanted.Add((tag, creator));
        else if (tag.IsPrivateCreator)
        {
            blocks.Used.Add((tag.Group, (byte)tag.Element));
            if (FirstText(reader) is { Length: > 0 } name) blocks.Creators.TryAdd((tag.Group, (byte)tag.Element), name);
            return;
        }
        if (!IsWithoutBlock(tag)) blocks.Used.Add((tag.Group, (byte)(tag.Element >> 8)));
    }

    // The text of the first Value; the reader ends at or before the end of the element.
    private static string? FirstText(XmlReader reader)
    {
        if (reader.IsEmptyElement) return null;
        var depth = reader.Depth;
        while (reader.Read() && reader.Depth > depth)
            if (reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA) return reader.Value.Trim(' ');
        return null;
    }

    private static void Resolve(DataSetBlocks blocks)
    {
        foreach (var (creator, name) in blocks.Creators.OrderBy(entry => entry.Key)) blocks.Found.TryAdd((creator.Group, name), creator.Block);
        // Those with a block first: it is theirs.
        foreach (var (tag, creator) in blocks.Wanted.Where(wanted => !IsWithoutBlock(wanted.Tag)))
        {
            var place = (tag.Group, (byte)(tag.Element >> 8));
            if (place.Item2 < 0x10 || !blocks.Creators.TryAdd(place, creator)) continue;
            blocks.Found.TryAdd((tag.Group, creator), place.Item2);
            blocks.Added.Add((new Tag(tag.Group, place.Item2), creator));
        }
        foreach (var (tag, creator) in blocks.Wanted.Where(wanted => IsWithoutBlock(wanted.Tag)))
        {
            if (blocks.Found.ContainsKey((tag.Group, creator))) continue;
            for (var block = 0x10; block <= 0xFF; block++)
            {
                if (!blocks.Used.Add((tag.Group, (byte)block))) continue;
                blocks.Found.Add((tag.Group, creator), (byte)block);
                blocks.Added.Add((new Tag(tag.Group, (ushort)block), creator));
                break;
            }
        }
    }
}
