using System.Globalization;
using System.Text;

namespace DicomServerless.Dicom;

/// <summary>How the next header is encoded.</summary>
[Flags]
public enum DicomEncoding : byte
{
    /// <summary>Implicit VR little endian.</summary>
    ImplicitLittleEndian = 0,
    /// <summary>Explicit VR little endian.</summary>
    ExplicitLittleEndian = 1,
    /// <summary>The bit for big endian; implicit big endian does not exist.</summary>
    BigEndian = 2,
    /// <summary>Explicit VR big endian.</summary>
    ExplicitBigEndian = ExplicitLittleEndian | BigEndian,
}

/// <summary>Where a <see cref="DicomTokenizer"/> stands between two pieces of input. One per data set; nothing is allocated per element.</summary>
public sealed class TokenizerState
{
    private const int InitialDepth = 16;

    /// <summary>Begins a data set.</summary>
    /// <param name="encoding">Its encoding.</param>
    /// <param name="limits">The caps; the defaults where null.</param>
    /// <param name="start">The offset of its first byte, for offsets in tokens and errors.</param>
    public TokenizerState(DicomEncoding encoding, DicomLimits? limits = null, long start = 0)
    {
        Encoding = encoding;
        Limits = limits ?? DicomLimits.Default;
        Position = start;
    }

    /// <summary>The caps.</summary>
    public DicomLimits Limits { get; }

    /// <summary>The offset of the next byte.</summary>
    public long Position { get; internal set; }

    /// <summary>Bytes of the current value that have not been taken yet.</summary>
    public long ValueRemaining { get; internal set; }

    /// <summary>The encoding of the next header.</summary>
    public DicomEncoding Encoding { get; internal set; }

    /// <summary>Why the bytes are refused.</summary>
    public DicomError? Error { get; internal set; }

    /// <summary>True where the data set may end: no header begun, no value outstanding, nothing open.</summary>
    public bool IsAtTopLevelBoundary => Depth == 0 && ValueRemaining == 0;

    /// <summary>Whether an element in an explicit VR data set had an implicit VR header.</summary>
    public bool SawImplicitElement { get; internal set; }

    /// <summary>Whether a delimiter that closes nothing was skipped.</summary>
    public bool SawStrayDelimiter { get; internal set; }

    /// <summary>Whether an element had blanks, NULs or the like in place of its VR and a 16-bit length.</summary>
    public bool SawPlaceholderVr { get; internal set; }

    /// <summary>Whether Pixel Data ended behind its last fragment without a delimiter.</summary>
    public bool SawOpenPixelData { get; internal set; }

    /// <summary>True from the top-level Pixel Data on.</summary>
    public bool IsPastPixelData { get; internal set; }

    internal int ElementCount;
    internal int DictionaryHint;
    internal int Depth;
    internal int SequenceDepth;
    internal Frame[] Frames = new Frame[InitialDepth];
    internal Tag LastTag;

    internal enum FrameKind : byte { Sequence, Item, Fragments }

    /// <summary>What is open: a sequence, an item or encapsulated data.</summary>
    internal struct Frame
    {
        public long End;            // absolute; of the nearest enclosing defined length when its own is undefined
        public Tag Tag;
        public int Items;
        public FrameKind Kind;
        public bool Defined;
        public DicomEncoding Outer; // what to return to
    }

    internal ref Frame Push()
    {
        if (Depth == Frames.Length) Array.Resize(ref Frames, Depth * 2); // bounded by MaxDepth, which the caller has checked
        return ref Frames[Depth++];
    }

    /// <summary>The path of an element in the open sequences, for messages: <c>(0008,1140)[2].(0008,1150)</c>.</summary>
    internal string PathTo(Tag? tag)
    {
        const int Shown = 12; // a path through a thousand levels helps nobody
        var text = new StringBuilder();
        for (var i = 0; i < Depth; i++)
        {
            ref readonly var frame = ref Frames[i];
            if (i == Shown && Depth > 2 * Shown) { text.Append("...."); i = Depth - Shown - (Depth & 1); continue; }
            if (frame.Kind == FrameKind.Item) continue;
            if (text.Length > 0 && text[^1] != '.') text.Append('.');
            text.Append(DicomError.Format(frame.Tag));
            if (frame.Items > 0) text.Append(CultureInfo.InvariantCulture, $"[{frame.Items}]");
        }
        if (tag is { } leaf)
        {
            if (text.Length > 0) text.Append('.');
            text.Append(DicomError.Format(leaf));
        }
        return text.ToString();
    }

    internal TokenStatus Refuse(DicomErrorKind kind, Tag? tag, long offset, string detail)
    {
        Error = new DicomError(kind, PathTo(tag), offset, detail);
        return TokenStatus.Hostile;
    }
}
