using System.Buffers.Binary;

namespace DicomServerless.Dicom;

/// <summary>
/// Reads the headers of a data set from bytes that are there: a token, "need more", or refused. No I/O, no recursion, no allocation per element. Large values
/// need not be in memory: the next <see cref="Read"/> skips what was not taken, over as many pieces of input as it takes.
/// </summary>
/// <remarks>
/// Tolerated: a header whose VR is not two capital letters is read with implicit VR (as pydicom does), unless the VR is of the kinds that broken writers leave
/// there, such as two blanks, and only a 16-bit length makes sense (as DCMTK and GDCM do); a delimiter that closes nothing is skipped, a delimiter's length
/// ignored; a VR of two capitals that is not known has a 32-bit length (PS3.5 6.2.2); UN of undefined length, and UN that holds a sequence of the standard, is
/// a sequence in implicit VR little endian (PS3.5 6.2.2 note 4); Pixel Data whose fragments are complete need no delimiter at the end; zeros where a top-level
/// element should begin, and rubbish after Pixel Data, end the data set.
/// </remarks>
public ref struct DicomTokenizer
{
    private const uint UndefinedLength = 0xFFFFFFFF; // PS3.5 7.1.1
    private const ushort DelimiterGroup = 0xFFFE;
    private const uint Item = 0xFFFEE000, ItemDelimiter = 0xFFFEE00D, SequenceDelimiter = 0xFFFEE0DD, PixelData = 0x7FE00010, TrailingPadding = 0xFFFCFFFC;

    // For each first letter, a bit per second letter of the VRs with a 16-bit length (PS3.5 table 7.1-2):
    // AE AS AT, CS, DA DS DT, FD FL, IS, LO LT, PN, SH SL SS ST, TM, UI UL US.
    private static ReadOnlySpan<uint> ShortVrs =>
    [
        0xC0010, 0, 0x40000, 0xC0001, 0, 0x808, 0, 0, 0x40000, 0, 0, 0x84000, 0,
        0, 0, 0x2000, 0, 0, 0xC0880, 0x1000, 0x40900, 0, 0, 0, 0, 0,
    ];

    /// <summary>
    /// Bytes that must be there to read any header: the longest one, and what is looked at behind it to tell a sequence with VR UN. Fewer may do at the end.
    /// </summary>
    internal const int LongestLook = 12 + SequencePeek;

    private const int SequencePeek = 16; // an item's header and the first element's

    private readonly TokenizerState state;
    private readonly ReadOnlySpan<byte> input;
    private int consumed;

    /// <summary>Goes on where the state stands; the input begins with the byte at <see cref="TokenizerState.Position"/>.</summary>
    public DicomTokenizer(ReadOnlySpan<byte> input, TokenizerState state)
    {
        this.input = input;
        this.state = state;
    }

    /// <summary>How many bytes of the input have been used.</summary>
    public readonly int Consumed => consumed;

    /// <summary>
    /// The bytes of the current value that the input holds; they count as taken. Call again with more input until <see cref="TokenizerState.ValueRemaining"/>
    /// is 0.
    /// </summary>
    /// <param name="wordSize">When not 1: only whole words, but for what is left of one at the end of the value.</param>
    public ReadOnlySpan<byte> TakeValue(int wordSize = 1)
    {
        var count = (int)Math.Min(state.ValueRemaining, input.Length - consumed);
        if (count < state.ValueRemaining) count -= count % wordSize;
        var part = input.Slice(consumed, count);
        Advance(count);
        state.ValueRemaining -= count;
        return part;
    }

    /// <summary>Reads the next token; skips what is left of the current value before.</summary>
    public TokenStatus Read(out Token token)
    {
        token = default;
        if (state.ValueRemaining > 0)
        {
            TakeValue();
            if (state.ValueRemaining > 0) return TokenStatus.NeedMore;
        }

        while (true)
        {
            var limit = long.MaxValue;
            var inData = true;
            if (state.Depth > 0)
            {
                ref readonly var frame = ref state.Frames[state.Depth - 1];
                limit = frame.End;
                inData = frame.Kind == TokenizerState.FrameKind.Item;
                if (state.Position >= limit) return EndOfDefinedLength(ref token);
            }

            var span = input[consumed..];
            // Decided by the container alone, so that the error is the same however the bytes arrive.
            if (limit - state.Position < 8) return PastEnd(null);
            if (span.Length < 8) return TokenStatus.NeedMore;
            var bigEndian = (state.Encoding & DicomEncoding.BigEndian) != 0;
            var tag = ReadTag(span, bigEndian);
            if (tag.Group == DelimiterGroup)
            {
                var status = ReadDelimiter(tag, ReadUInt32(span[4..], bigEndian), limit, ref token, out var skipped);
                if (skipped) continue;
                return status;
            }
            if (MayEndPixelData(tag))
            {
                EndPixelData(ref token);
                return TokenStatus.Token;
            }
            if (!inData) return state.Refuse(DicomErrorKind.UnexpectedTag, tag, state.Position, "an item was expected here");
            return ReadElement(span, tag, bigEndian, limit, ref token);
        }
    }

    /// <summary>
    /// Ends Pixel Data whose fragments are complete where the data set ends without a delimiter (PS3.5 A.4 requires one). False where something else is open.
    /// </summary>
    internal bool TryEndPixelData(out Token token)
    {
        token = default;
        if (!IsBetweenFragments) return false;
        EndPixelData(ref token);
        return true;
    }

    private readonly bool IsBetweenFragments =>
        state is { Depth: 1, ValueRemaining: 0 } && state.Frames[0] is { Kind: TokenizerState.FrameKind.Fragments, Tag.Value: PixelData, Items: > 0 };

    // Zeros in place of the delimiter, or Data Set Trailing Padding (PS3.10 7.2) right behind the last fragment.
    private readonly bool MayEndPixelData(Tag tag) => tag.Value is 0 or TrailingPadding && IsBetweenFragments;

    private readonly void EndPixelData(ref Token token)
    {
        state.SawOpenPixelData = true;
        token.Offset = token.ValueOffset = state.Position;
        Close(ref token);
    }

    private TokenStatus ReadElement(ReadOnlySpan<byte> span, Tag tag, bool bigEndian, long limit, ref Token token)
    {
        Vr vr;
        uint length;
        var header = 8;
        var implicitVr = true;
        var unknownIsSequence = false;
        var inner = DicomEncoding.ImplicitLittleEndian; // of what is in a sequence with VR UN
        if ((state.Encoding & DicomEncoding.ExplicitLittleEndian) != 0)
        {
            uint first = (uint)span[4] - 'A', second = (uint)span[5] - 'A';
            implicitVr = first > 25 || second > 25;
            vr = (Vr)((span[4] << 8) | span[5]);
            if (implicitVr)
            {
                if (state.Depth == 0 && (state.IsPastPixelData || (tag.Value == 0 && state.ElementCount > 0))) return TokenStatus.Trailing;
                if (!TryReadLengthWithoutVr(span, tag, bigEndian, out length)) return TokenStatus.NeedMore;
            }
            else if ((ShortVrs[(int)first] >> (int)second & 1) != 0) length = ReadUInt16(span[6..], bigEndian);
            else
            {
                header = 12;
                if (span.Length < 12) return limit - state.Position < 12 ? PastEnd(tag) : TokenStatus.NeedMore;
                length = ReadUInt32(span[8..], bigEndian);
                if (vr == Vr.UN && length != UndefinedLength && !tag.IsPrivate && DicomDictionary.VrOf(tag, ref state.DictionaryHint) == Vr.SQ)
                {
                    var peek = (int)Math.Min(length, SequencePeek);
                    if (span.Length < header + peek) return limit - state.Position < header + peek ? PastEnd(tag) : TokenStatus.NeedMore;
                    unknownIsSequence = BeginsLikeSequence(span.Slice(header, peek), length, out inner);
                }
            }
        }
        else
        {
            // A tag that goes back after Pixel Data is rubbish; so is (0000,0000) anywhere but at the start of a command set.
            if (state.Depth == 0 && ((tag.Value == 0 && state.ElementCount > 0) || (state.IsPastPixelData && tag < state.LastTag))) return TokenStatus.Trailing;
            length = ReadUInt32(span[4..], bigEndian);
            vr = Vr.None;
        }
        if (implicitVr) vr = DicomDictionary.VrOf(tag, ref state.DictionaryHint);

        if (++state.ElementCount > state.Limits.MaxElements)
            return state.Refuse(DicomErrorKind.TooManyElements, tag, state.Position, $"more than {state.Limits.MaxElements} elements");
        token.Tag = tag;
        token.Vr = vr;
        token.Offset = state.Position;
        token.ValueOffset = state.Position + header;
        token.IsBigEndian = bigEndian;
        token.IsImplicitVr = implicitVr;
        if (state.Depth == 0)
        {
            state.LastTag = tag;
            if (tag.Value >= PixelData) state.IsPastPixelData = true;
        }

        if (length != UndefinedLength && vr != Vr.SQ && !unknownIsSequence)
        {
            if (token.ValueOffset + length > limit) return PastEnd(tag);
            token.Kind = TokenKind.Element;
            token.Length = length;
            Advance(header);
            state.ValueRemaining = length;
            return TokenStatus.Token;
        }
        return ReadContainer(header, length, limit, implicitVr, inner, ref token);
    }

    // The length of an element in an explicit VR data set whose VR is not two capital letters. Most such elements have no VR at all, so the length is that of
    // implicit VR.
    // Some writers leave blanks, NULs, question marks or small letters where they know no VR, before a 16-bit length; as a 32-bit length that would be 64 KiB
    // and more.
    private readonly bool TryReadLengthWithoutVr(ReadOnlySpan<byte> span, Tag tag, bool bigEndian, out uint length)
    {
        length = ReadUInt32(span[4..], bigEndian);
        var shortLength = ReadUInt16(span[6..], bigEndian);
        var isShort = false;
        if (IsPlaceholder(span[4], span[5]))
        {
            // Only an attribute that the standard knows to be long can have an implicit length like this one.
            if (shortLength != 0) isShort = tag.IsPrivate || !DicomDictionary.VrOf(tag).HasLongLength();
            else if (length != 0)
            {
                // An empty value, if the next element begins right behind it.
                if (span.Length < 16) return false;
                var next = ReadTag(span[8..], bigEndian);
                isShort = next > tag && ((Vr)((span[12] << 8) | span[13])).IsKnown();
            }
        }
        if (isShort) length = shortLength;
        state.SawPlaceholderVr |= isShort;
        state.SawImplicitElement |= !isShort;
        return true;
    }

    private static bool IsPlaceholder(byte first, byte second) =>
        (first == second && first is (byte)' ' or 0 or (byte)'?') || (char.IsAsciiLetter((char)first) && char.IsAsciiLetter((char)second));

    // Whether the value of an element with VR UN is a sequence: an item that fits, and in it an element with or without VR (PS3.5 6.2.2 has it without).
    private static bool BeginsLikeSequence(ReadOnlySpan<byte> value, uint length, out DicomEncoding inner)
    {
        inner = DicomEncoding.ImplicitLittleEndian;
        if (length == 0) return true;
        if (value.Length < 8 || ReadTag(value, bigEndian: false).Value != Item) return false;
        var itemLength = BinaryPrimitives.ReadUInt32LittleEndian(value[4..]);
        if (itemLength != UndefinedLength && itemLength + 8L > length) return false;
        // The encoding is that of the first element. Where the first item has none it cannot be told, and a wrong guess would make the object unreadable.
        if (length > 8 && (itemLength == 0 || (value.Length >= 10 && BinaryPrimitives.ReadUInt16LittleEndian(value[8..]) == DelimiterGroup))) return false;
        if (value.Length >= SequencePeek && itemLength >= 8) inner = EncodingDetection.Detect(value[8..], null);
        return true;
    }

    private TokenStatus ReadContainer(int header, uint length, long limit, bool implicitVr, DicomEncoding inner, ref Token token)
    {
        var defined = length != UndefinedLength;
        if (defined && token.ValueOffset + length > limit) return PastEnd(token.Tag);
        var fragments = !defined && token.Vr != Vr.SQ && (token.Vr is Vr.OB or Vr.OW || token.Tag.Value == PixelData);
        // Implicit VR: what has no defined length is a sequence, whatever the dictionary says (private elements above all).
        if (!fragments && token.Vr is not (Vr.SQ or Vr.UN) && !implicitVr)
            return state.Refuse(DicomErrorKind.UndefinedLength, token.Tag, token.Offset, "undefined length is not allowed for this VR (PS3.5 7.1.1)");
        if (!fragments && ++state.SequenceDepth > state.Limits.MaxDepth)
            return state.Refuse(DicomErrorKind.TooDeep, token.Tag, token.Offset, $"sequences nest deeper than {state.Limits.MaxDepth} levels");

        Advance(header);
        ref var frame = ref state.Push();
        frame = new TokenizerState.Frame
        {
            Kind = fragments ? TokenizerState.FrameKind.Fragments : TokenizerState.FrameKind.Sequence,
            Tag = token.Tag,
            Defined = defined,
            End = defined ? token.ValueOffset + length : limit,
            Outer = state.Encoding,
        };
        if (!fragments)
        {
            // PS3.5 6.2.2 note 4: the value of UN with undefined length is a sequence in implicit VR little endian.
            if (token.Vr == Vr.UN && !implicitVr) state.Encoding = inner;
            token.Vr = Vr.SQ;
        }
        else if (implicitVr) token.Vr = Vr.OB; // PS3.5 A.4: encapsulated data are OB
        token.Kind = fragments ? TokenKind.FragmentsStart : TokenKind.SequenceStart;
        token.Length = defined ? length : Token.Undefined;
        return TokenStatus.Token;
    }

    private TokenStatus ReadDelimiter(Tag tag, uint length, long limit, ref Token token, out bool skipped)
    {
        skipped = false;
        if (++state.ElementCount > state.Limits.MaxElements)
            return state.Refuse(DicomErrorKind.TooManyElements, null, state.Position, $"more than {state.Limits.MaxElements} elements");
        token.Offset = state.Position;
        token.ValueOffset = state.Position + 8;
        token.IsBigEndian = (state.Encoding & DicomEncoding.BigEndian) != 0;
        if (limit - state.Position < 8) return PastEnd(null);
        if (tag.Value == Item) return ReadItem(length, limit, ref token);

        if (tag.Value is ItemDelimiter or SequenceDelimiter && state.Depth > 0)
        {
            ref readonly var frame = ref state.Frames[state.Depth - 1];
            var closesItem = tag.Value == ItemDelimiter;
            if (!frame.Defined && closesItem == (frame.Kind == TokenizerState.FrameKind.Item))
            {
                Advance(8);
                Close(ref token);
                return TokenStatus.Token;
            }
            if (!frame.Defined && !closesItem)
                return state.Refuse(DicomErrorKind.Unclosed, null, state.Position, "the sequence ends before its last item does");
            if (frame.Kind == TokenizerState.FrameKind.Fragments)
                return state.Refuse(DicomErrorKind.UnexpectedTag, tag, state.Position, "a fragment was expected here");
        }
        else if (tag.Value is not (ItemDelimiter or SequenceDelimiter))
        {
            return state.Refuse(DicomErrorKind.UnexpectedTag, tag, state.Position, "no such element exists in group FFFE (PS3.5 7.5)");
        }
        // Writers leave delimiters behind sequences and items of defined length; they close nothing.
        state.SawStrayDelimiter = true;
        Advance(8);
        skipped = true;
        return TokenStatus.Token;
    }

    private TokenStatus ReadItem(uint length, long limit, ref Token token)
    {
        if (state.Depth == 0 || state.Frames[state.Depth - 1].Kind == TokenizerState.FrameKind.Item)
            return state.Refuse(DicomErrorKind.UnexpectedTag, new Tag(Item), state.Position, "an element was expected here, not an item");
        ref var parent = ref state.Frames[state.Depth - 1];
        parent.Items++;
        var defined = length != UndefinedLength;
        if (defined && token.ValueOffset + length > limit)
            return state.Refuse(DicomErrorKind.RunsPastEnd, null, state.Position, "the item runs past the end of its sequence");
        token.Tag = parent.Tag;
        token.Length = defined ? length : Token.Undefined;
        if (parent.Kind == TokenizerState.FrameKind.Fragments)
        {
            if (!defined) return state.Refuse(DicomErrorKind.UndefinedLength, null, state.Position, "a fragment must have a defined length (PS3.5 A.4)");
            if (parent.Items > (long)state.Limits.MaxFragments + 1)
                return state.Refuse(DicomErrorKind.TooManyElements, null, state.Position, $"more than {state.Limits.MaxFragments} fragments");
            token.Kind = TokenKind.Fragment;
            Advance(8);
            state.ValueRemaining = length;
            return TokenStatus.Token;
        }
        Advance(8);
        var end = defined ? token.ValueOffset + length : limit;
        ref var item = ref state.Push();
        item = new TokenizerState.Frame { Kind = TokenizerState.FrameKind.Item, Tag = token.Tag, Defined = defined, End = end, Outer = state.Encoding };
        token.Kind = TokenKind.ItemStart;
        return TokenStatus.Token;
    }

    private readonly TokenStatus EndOfDefinedLength(ref Token token)
    {
        if (!state.Frames[state.Depth - 1].Defined)
            return state.Refuse(DicomErrorKind.Unclosed, null, state.Position, "it is not closed before the end of what contains it");
        token.Offset = token.ValueOffset = state.Position;
        Close(ref token);
        return TokenStatus.Token;
    }

    private readonly void Close(ref Token token)
    {
        ref readonly var frame = ref state.Frames[--state.Depth];
        token.Tag = frame.Tag;
        token.Kind = frame.Kind switch
        {
            TokenizerState.FrameKind.Item => TokenKind.ItemEnd,
            TokenizerState.FrameKind.Sequence => TokenKind.SequenceEnd,
            _ => TokenKind.FragmentsEnd,
        };
        state.Encoding = frame.Outer;
        if (frame.Kind == TokenizerState.FrameKind.Sequence) state.SequenceDepth--;
    }

    private readonly TokenStatus PastEnd(Tag? tag) => state.Refuse(DicomErrorKind.RunsPastEnd, tag, state.Position, "it runs past the end of what contains it");

    private static Tag ReadTag(ReadOnlySpan<byte> span, bool bigEndian)
    {
        var raw = BinaryPrimitives.ReadUInt32LittleEndian(span);
        return new Tag(bigEndian ? BinaryPrimitives.ReverseEndianness(raw) : (raw << 16) | (raw >> 16));
    }

    private static ushort ReadUInt16(ReadOnlySpan<byte> span, bool bigEndian) =>
        bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(span) : BinaryPrimitives.ReadUInt16LittleEndian(span);

    private static uint ReadUInt32(ReadOnlySpan<byte> span, bool bigEndian) =>
        bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(span) : BinaryPrimitives.ReadUInt32LittleEndian(span);

    private void Advance(int count)
    {
        consumed += count;
        state.Position += count;
    }
}
