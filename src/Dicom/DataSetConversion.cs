using System.Buffers;

namespace DicomServerless.Dicom;

/// <summary>One data set on its way from one encoding to another: tokens in, elements out.</summary>
internal sealed class DataSetConversion(DicomEncoding? from, bool pixelsAreBigEndian, DicomEncoding to, DicomLimits limits, long start)
{
    private readonly TokenizerState state = new(from ?? DicomEncoding.ExplicitLittleEndian, limits, start);
    private readonly List<bool> signed = [false]; // Pixel Representation of each open data set
    private DataSetWriter? writer;
    private bool encodingChecked;
    private Token current;
    private Vr outputVr;
    private int wordSize = 1; // of the current value: what must be turned around
    private bool inValue;
    private bool dropped;

    /// <summary>What has been written since it was last reset.</summary>
    public ArrayBufferWriter<byte> Output { get; } = new(80 * 1024);

    public DicomError? Error { get; private set; }

    /// <summary>Whether what follows is not part of the data set.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Converts what it can and returns how much it used; the caller offers the rest again with more behind it.</summary>
    public int Push(ReadOnlySpan<byte> input)
    {
        if (IsOver || Error is not null) return input.Length;
        writer ??= new DataSetWriter(Output, to);
        if (!encodingChecked)
        {
            if (input.Length < EncodingDetection.BytesNeeded) return 0;
            state.Encoding = EncodingDetection.Detect(input, from);
            encodingChecked = true;
        }
        var tokenizer = new DicomTokenizer(input, state);
        while (true)
        {
            if (inValue && !WriteValue(ref tokenizer, writer)) return tokenizer.Consumed;
            switch (tokenizer.Read(out var token))
            {
                case TokenStatus.NeedMore: return tokenizer.Consumed;
                case TokenStatus.Hostile:
                    Error = state.Error;
                    return tokenizer.Consumed;
                case TokenStatus.Trailing:
                    IsOver = true;
                    return tokenizer.Consumed;
            }
            Write(token, writer);
            if (Error is not null) return tokenizer.Consumed;
        }
    }

    /// <summary>Says that nothing follows the bytes that were left over.</summary>
    public void Complete(ReadOnlySpan<byte> left)
    {
        if (IsOver || Error is not null) return;
        if (inValue) Error = new DicomError(DicomErrorKind.Truncated, state.PathTo(current.Tag), current.Offset, "the value is shorter than its length");
        else if (state.Depth > 0) Error = new DicomError(DicomErrorKind.Unclosed, state.PathTo(null), state.Position, "the data set ends before it is closed");
        else if (!state.IsPastPixelData && left.ContainsAnyExcept((byte)0))
            Error = new DicomError(DicomErrorKind.Truncated, "", state.Position, "The data set ends inside an element's header");
    }

    private void Write(in Token token, DataSetWriter output)
    {
        current = token;
        switch (token.Kind)
        {
            case TokenKind.Element:
                dropped = token.Tag.IsGroupLength;
                outputVr = OutputVr(token);
                var bigEndian = token.IsBigEndian || (pixelsAreBigEndian && state.Depth == 0 && token.Tag == Tags.PixelData);
                wordSize = bigEndian == output.IsWrittenBigEndian(outputVr, token.Length) ? 1 : outputVr.WordSize();
                inValue = true;
                if (token.Tag == Tags.PixelRepresentation) signed[^1] = false;
                if (!dropped) output.WriteHeader(token.Tag, outputVr, token.Length);
                break;
            case TokenKind.SequenceStart: output.BeginSequence(token.Tag); break;
            case TokenKind.SequenceEnd: output.EndSequence(); break;
            case TokenKind.ItemStart:
                signed.Add(signed[^1]);
                output.BeginItem();
                break;
            case TokenKind.ItemEnd:
                signed.RemoveAt(signed.Count - 1);
                output.EndItem();
                break;
            case TokenKind.FragmentsStart when state.Depth == 1 && token.Tag == Tags.PixelData:
                Error = new DicomError(DicomErrorKind.TransferSyntaxNotSupported, DicomError.Format(token.Tag),
                    token.Offset, "the pixel data is encapsulated, its transfer syntax is not");
                break;
            case TokenKind.FragmentsStart: output.BeginFragments(token.Tag); break; // of an icon: it stays as it is
            case TokenKind.Fragment:
                (dropped, wordSize, outputVr, inValue) = (false, 1, Vr.OB, true);
                output.WriteFragmentHeader(token.Length + (token.Length & 1));
                break;
            case TokenKind.FragmentsEnd: output.EndSequence(); break;
        }
    }

    private bool WriteValue(ref DicomTokenizer tokenizer, DataSetWriter output)
    {
        var part = tokenizer.TakeValue(wordSize);
        if (!dropped) output.WriteValue(part, wordSize);
        if (current.Tag == Tags.PixelRepresentation) signed[^1] |= part.ContainsAnyExcept((byte)0); // 0 or 1 in either byte order
        if (state.ValueRemaining > 0) return false;
        if (!dropped) output.WritePadding(outputVr, current.Length);
        inValue = false;
        return true;
    }

    // The source's own VR where it has one; else the dictionary's, which for "US or SS" depends on Pixel Representation (PS3.3 C.7.6.3.1.4).
    private Vr OutputVr(in Token token) => token.Vr == Vr.US && signed[^1]
        && token.IsImplicitVr && DicomDictionary.IsSignDependent(token.Tag) ? Vr.SS : token.Vr;
}
