namespace DicomServerless.Dicom;

/// <summary>Turns bytes that arrive in any pieces into a <see cref="DataSet"/>: tokens in, builder calls out, large values skipped.</summary>
internal sealed class DataSetReader
{
    private const int ExplicitHeader = 12;
    private const int LongestHeader = DicomTokenizer.LongestLook;

    private readonly TokenizerState state;
    private readonly ScanOptions options;
    private readonly DataSetBuilder builder = new();
    private readonly bool fileMetaOnly;
    private readonly bool guess;
    private readonly byte[] carry = new byte[LongestHeader];
    private int carried;
    private bool encodingChecked;
    private Sink sink;
    private Token current;
    private Tag lastTopLevel;
    private bool trailingMustBeZero;

    private enum Sink : byte { Skip, Keep, Fragment }

    /// <summary>Begins a data set; the encoding is found from the first element where null.</summary>
    public DataSetReader(DicomEncoding? encoding, ScanOptions options, bool fileMetaOnly = false, long start = 0)
    {
        state = new TokenizerState(encoding ?? DicomEncoding.ExplicitLittleEndian, options.Limits, start);
        this.options = options;
        this.fileMetaOnly = fileMetaOnly;
        guess = encoding is null;
        encodingChecked = fileMetaOnly || encoding is { } known && (known & DicomEncoding.BigEndian) != 0;
    }

    public DicomError? Error => state.Error;
    public long Position => state.Position;

    /// <summary>How headers are encoded, once the first has been seen.</summary>
    public DicomEncoding Encoding => state.Depth > 0 ? state.Frames[0].Outer : state.Encoding;

    public bool IsTrailing { get; private set; }

    /// <summary>Whether the top-level Pixel Data, or what comes behind its tag, has begun.</summary>
    public bool HasReachedPixelData => state.IsPastPixelData;

    /// <summary>Whether the Pixel Data ended behind a fragment, without a delimiter.</summary>
    public bool EndedOpen => state.SawOpenPixelData;

    public bool PixelsAreBigEndian { get; init; }
    public List<DicomWarning> Warnings { get; } = [];
    public PixelDataInfo Pixels { get; } = new();
    public UidCollector Uids { get; } = new();

    /// <summary>Bytes that were fed but not used when <see cref="Push"/> stopped at the end of the file meta information.</summary>
    public ReadOnlySpan<byte> Carried => carry.AsSpan(0, carried);

    /// <summary>Where the file meta information says that it ends; ends it too where the transfer syntax is deflated, since anything may follow.</summary>
    public long? FileMetaEnd { get; private set; }

    /// <summary>What the data set takes so far. Bytes.</summary>
    public long MemoryUsed => builder.MemoryUsed + Pixels.MemoryUsed;

    /// <summary>The data set so far; the reader must not be used afterwards.</summary>
    public DataSet Build() => builder.Build();

    /// <summary>Uses more bytes. <see cref="TokenStatus.Trailing"/>: the data set (or the file meta information) is over, the rest is not ours.</summary>
    public TokenStatus Push(ReadOnlySpan<byte> chunk, out int consumed)
    {
        consumed = 0;
        if (state.Error is not null) return TokenStatus.Hostile;
        if (IsTrailing) return SkipTrailing(chunk, out consumed);

        // A header that lies across two pieces is joined in a small buffer.
        Span<byte> joined = stackalloc byte[2 * LongestHeader];
        while (carried > 0)
        {
            var add = Math.Min(chunk.Length - consumed, LongestHeader);
            carry.AsSpan(0, carried).CopyTo(joined);
            chunk.Slice(consumed, add).CopyTo(joined[carried..]);
            var status = Run(joined[..(carried + add)], stopAfter: carried, out var used);
            if (status is TokenStatus.Hostile) return status;
            if (used >= carried)
            {
                consumed += used - carried;
                carried = 0;
                continue;
            }
            // A header that is told by what stands behind it may be shorter than what was carried for its sake: the next one has begun in there too.
            var left = joined[used..carried];
            if (status is TokenStatus.Trailing)
            {
                left.CopyTo(carry);
                carried = left.Length;
                if (fileMetaOnly) return status;
                carried = 0;
                return SkipTrailing(left, out _) == TokenStatus.Hostile ? TokenStatus.Hostile : SkipTrailing(chunk[consumed..], out consumed);
            }
            // Not enough even with all that there is.
            left = joined[used..(carried + add)];
            left.CopyTo(carry);
            carried = left.Length;
            consumed += add;
            return TokenStatus.NeedMore;
        }

        var result = Run(chunk[consumed..], stopAfter: int.MaxValue, out var last);
        consumed += last;
        if (result == TokenStatus.Trailing && !fileMetaOnly) return SkipTrailing(chunk[consumed..], out consumed);
        if (result != TokenStatus.NeedMore) return result;
        var rest = chunk[consumed..];
        rest.CopyTo(carry);
        carried = rest.Length;
        consumed = chunk.Length;
        return result;
    }

    /// <summary>Says that no more bytes come. False, with <see cref="Error"/>, where the data set cannot end here.</summary>
    public bool Complete()
    {
        if (state.Error is not null) return false;
        if (IsTrailing)
        {
            WarnOfEncoding();
            return true;
        }
        if (carried == 0 && !TryEndPixelData()) return false;
        if (carried > 0 && state.IsAtTopLevelBoundary)
        {
            // Fewer bytes than a header: padding of writers and media.
            if (carried >= ExplicitHeader || (!state.IsPastPixelData && Carried.ContainsAnyExcept((byte)0)))
            {
                state.Refuse(DicomErrorKind.Truncated, null, state.Position, "the data set ends inside an element's header");
                return false;
            }
            Warn(DicomWarningKind.TrailingBytes, "", "bytes after the data set were ignored");
        }
        else if (carried > 0)
        {
            state.Refuse(DicomErrorKind.Truncated, null, state.Position, "the data set ends inside an element's header");
            return false;
        }
        else if (state.ValueRemaining > 0)
        {
            state.Error = new DicomError(DicomErrorKind.Truncated, current.Kind == TokenKind.Element ? state.PathTo(current.Tag) : state.PathTo(null),
                current.Offset,
                $"the value has {current.Length - state.ValueRemaining} of its {current.Length} bytes");
            return false;
        }
        else if (state.Depth > 0)
        {
            state.Refuse(DicomErrorKind.Unclosed, null, state.Position, "the data set ends before it is closed");
            return false;
        }
        WarnOfEncoding();
        return true;
    }

    private void WarnOfEncoding()
    {
        if (state.SawImplicitElement) Warn(DicomWarningKind.ImplicitElements, "", "elements have implicit VR headers in an explicit VR data set");
        if (state.SawPlaceholderVr)
            Warn(DicomWarningKind.PlaceholderVr, "", "elements have blanks or the like in place of their VR; they were read with a 16-bit length");
        if (state.SawOpenPixelData)
            Warn(DicomWarningKind.OpenPixelData, DicomError.Format(Tags.PixelData), "the delimiter at the end of its fragments is missing");
        if (state.SawStrayDelimiter) Warn(DicomWarningKind.StrayDelimiter, "", "delimiters that close nothing were skipped");
    }

    // Whether the frames are complete is for whoever knows how many there are: see EndedOpen.
    private bool TryEndPixelData()
    {
        var tokenizer = new DicomTokenizer([], state);
        if (!tokenizer.TryEndPixelData(out var token)) return true;
        return Take(token);
    }

    private TokenStatus SkipTrailing(ReadOnlySpan<byte> chunk, out int consumed)
    {
        consumed = chunk.Length;
        if (!IsTrailing)
        {
            IsTrailing = true;
            trailingMustBeZero = !state.IsPastPixelData; // a hole in the middle of a header is damage, not padding
            Warn(DicomWarningKind.TrailingBytes, "", "bytes after the data set were ignored");
        }
        if (trailingMustBeZero && chunk.ContainsAnyExcept((byte)0))
            return state.Refuse(DicomErrorKind.UnexpectedTag, null, state.Position, "zeros where an element was expected");
        return TokenStatus.Trailing;
    }

    private TokenStatus Run(ReadOnlySpan<byte> input, int stopAfter, out int used)
    {
        var tokenizer = new DicomTokenizer(input, state);
        while (true)
        {
            if (sink != Sink.Skip)
            {
                TakeValue(tokenizer.TakeValue());
                if (state.ValueRemaining > 0) break;
                EndValue();
            }
            else if (state.ValueRemaining > 0)
            {
                // Skipped here and not by the tokenizer, which would read on: what comes next is looked at first.
                tokenizer.TakeValue();
                if (state.ValueRemaining > 0) break;
            }
            if (tokenizer.Consumed >= stopAfter) break;
            if (fileMetaOnly || !encodingChecked)
            {
                if (IsBeforeNext(input[tokenizer.Consumed..], out var status))
                {
                    used = tokenizer.Consumed;
                    return status;
                }
            }
            var result = tokenizer.Read(out var token);
            if (result == TokenStatus.Token)
            {
                if (Take(token)) continue;
                result = TokenStatus.Hostile;
            }
            used = tokenizer.Consumed;
            return result;
        }
        used = tokenizer.Consumed;
        return TokenStatus.NeedMore;
    }

    // Looks at what comes before it is read: whether group 2 goes on, and how the first element is encoded.
    private bool IsBeforeNext(ReadOnlySpan<byte> next, out TokenStatus status)
    {
        status = TokenStatus.NeedMore;
        if (fileMetaOnly)
        {
            if (state.Depth > 0) return false;
            if (FileMetaEnd == state.Position && IsDeflated())
            {
                status = TokenStatus.Trailing;
                return true;
            }
            if (next.Length < 2) return true;
            if (next[0] == 2 && next[1] == 0) return false; // PS3.10 7.1: group 0002 is explicit VR little endian
            status = TokenStatus.Trailing;
            return true;
        }
        if (next.Length < EncodingDetection.BytesNeeded) return true;
        encodingChecked = true;
        var found = EncodingDetection.Detect(next, guess ? null : state.Encoding);
        if (found != state.Encoding && !guess)
            Warn(DicomWarningKind.WrongVrEncoding, "", "the data set has implicit VRs where its transfer syntax has explicit ones, or the reverse");
        state.Encoding = found;
        return false;
    }

    private bool IsDeflated() => Uids.TransferSyntax is { } uid && TransferSyntax.Find(uid) is { IsDeflated: true };

    private bool Take(in Token token)
    {
        switch (token.Kind)
        {
            case TokenKind.Element: return TakeElement(token);
            case TokenKind.SequenceStart:
                if (state.Depth == 1) SeeTopLevel(token.Tag);
                builder.BeginSequence(token.Tag);
                break;
            case TokenKind.SequenceEnd: builder.EndSequence(); break;
            case TokenKind.ItemStart: builder.BeginItem(); break;
            case TokenKind.ItemEnd: builder.EndItem(); break;
            case TokenKind.FragmentsStart:
                current = token;
                if (state.Depth == 1) SeeTopLevel(token.Tag);
                builder.AddBulk(token.Tag, token.Vr, token.ValueOffset, 0, token.IsBigEndian, isEncapsulated: true);
                if (state.Depth == 1 && token.Tag == Tags.PixelData) Pixels.BeginFragments(token.ValueOffset);
                break;
            case TokenKind.Fragment:
                if (!Pixels.InFragments) { current.Length = token.Length; break; }
                Pixels.AddFragment(token.ValueOffset, token.Length);
                sink = Sink.Fragment;
                break;
            case TokenKind.FragmentsEnd:
                builder.SetBulkLength(token.Offset - current.ValueOffset);
                Pixels.EndFragments();
                break;
        }
        if (MemoryUsed > options.Limits.MaxHeaderBytes) return TooLarge(token.Tag, token.Offset);
        return true;
    }

    private bool TakeElement(in Token token)
    {
        current = token;
        var tag = token.Tag;
        var vr = token.IsImplicitVr ? token.Vr : KnownVr(token.Vr, tag);
        var isBigEndian = token.IsBigEndian && token.Vr != Vr.UN; // PS3.5 6.2.2: the value of UN is little endian whatever is around it
        var topLevel = state.Depth == 0;
        if (topLevel) SeeTopLevel(tag);
        // Only the top-level Pixel Data is the image; an icon's is a value like others.
        if (topLevel && (tag == Tags.PixelData || tag == Tags.FloatPixelData || tag == Tags.DoubleFloatPixelData))
        {
            var bigEndian = isBigEndian || (PixelsAreBigEndian && tag == Tags.PixelData);
            builder.AddBulk(tag, vr, token.ValueOffset, token.Length, bigEndian);
            Pixels.SetNative(tag, vr, token.ValueOffset, token.Length, bigEndian);
        }
        else
        {
            var bulk = token.Length > options.BulkThreshold && BulkValue.IsPermitted(vr);
            var offsetTable = topLevel && (tag == Tags.ExtendedOffsetTable || tag == Tags.ExtendedOffsetTableLengths);
            if (bulk && !offsetTable) builder.AddBulk(tag, vr, token.ValueOffset, token.Length, isBigEndian);
            else
            {
                var cap = offsetTable ? 8L * options.Limits.MaxFragments : options.Limits.MaxElementLength;
                if (token.Length > cap)
                {
                    state.Refuse(DicomErrorKind.ValueTooLong, tag, token.Offset, $"its value of {token.Length} bytes is longer than {cap}");
                    return false;
                }
                if (builder.MemoryUsed + token.Length > options.Limits.MaxHeaderBytes) return TooLarge(tag, token.Offset);
                builder.BeginValue(tag, vr, token.Length, isBigEndian, token.ValueOffset, isBulk: bulk);
                sink = Sink.Keep;
            }
        }
        if (vr == Vr.US && (token.IsImplicitVr || token.Vr == Vr.UN) && DicomDictionary.IsSignDependent(tag)) builder.MarkSignDependent();
        return builder.MemoryUsed <= options.Limits.MaxHeaderBytes || TooLarge(tag, token.Offset);
    }

    // PS3.5 6.2.2: a writer that did not know an attribute made it UN. Where the standard knows it, it is what it is. What the tokenizer
    // left as UN although it is a sequence by the standard holds none that can be told, so it stays bytes.
    private static Vr KnownVr(Vr vr, Tag tag) => vr == Vr.UN && !tag.IsPrivate
        && DicomDictionary.VrOf(tag) is not (Vr.SQ or Vr.None) and var known ? known : vr;

    private bool TooLarge(Tag tag, long offset)
    {
        state.Refuse(DicomErrorKind.HeaderTooLarge, tag, offset, $"with it the header takes more than {options.Limits.MaxHeaderBytes} bytes");
        return false;
    }

    private void SeeTopLevel(Tag tag)
    {
        if (tag == lastTopLevel) Warn(DicomWarningKind.DuplicateElement, DicomError.Format(tag), "it occurs twice; the first counts");
        lastTopLevel = tag;
        Uids.Pass(tag);
    }

    private void TakeValue(ReadOnlySpan<byte> part)
    {
        if (sink == Sink.Fragment)
        {
            Pixels.AppendFragment(part, 4L * options.Limits.MaxFragments);
            return;
        }
        builder.AppendValue(part);
        if (state.Depth == 0) Uids.Append(current.Tag, part);
    }

    private void EndValue()
    {
        if (sink == Sink.Keep && state.Depth == 0)
        {
            Uids.End(current.Tag);
            if (fileMetaOnly && current.Tag == Tags.FileMetaInformationGroupLength)
                FileMetaEnd = Uids.GroupLength is { } length ? state.Position + length : null;
        }
        sink = Sink.Skip;
    }

    private void Warn(DicomWarningKind kind, string path, string detail)
    {
        foreach (var warning in Warnings)
            if (warning.Kind == kind && warning.Path == path) return;
        if (Warnings.Count < 100) Warnings.Add(new DicomWarning(kind, path, detail));
    }
}
