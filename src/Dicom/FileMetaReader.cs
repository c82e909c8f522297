namespace DicomServerless.Dicom;

/// <summary>Reads what precedes the data set of a Part 10 file, from pieces of any size: preamble, DICM, group 0002. Each of them may be missing.</summary>
internal sealed class FileMetaReader(ScanOptions options)
{
    private const int PreambleLength = 128;
    private const int StartLength = PreambleLength + 4;

    private readonly byte[] start = new byte[StartLength];
    private int startCount;
    private int skipped;
    private DataSetReader? reader;
    private byte[] leftover = [];

    public DicomError? Error { get; private set; }
    public List<DicomWarning> Warnings { get; } = [];
    public FileMeta Meta { get; private set; } = new(DataSet.Empty);

    /// <summary>The encoding of the data set; null where its first element must tell.</summary>
    public DicomEncoding? Encoding { get; private set; }

    /// <summary>The transfer syntax; null where the first element must tell.</summary>
    public TransferSyntax? TransferSyntax { get; private set; }

    /// <summary>Where the data set begins in the file.</summary>
    public long DataSetOffset { get; private set; }

    /// <summary>Bytes of the data set that were fed before it was known to begin.</summary>
    public ReadOnlySpan<byte> Leftover => leftover;

    /// <summary>Uses more bytes. Trailing: what follows <see cref="Leftover"/> and the consumed bytes is the data set.</summary>
    public TokenStatus Push(ReadOnlySpan<byte> chunk, out int consumed)
    {
        consumed = 0;
        if (Error is not null) return TokenStatus.Hostile;
        if (reader is null)
        {
            consumed = Math.Min(StartLength - startCount, chunk.Length);
            chunk[..consumed].CopyTo(start.AsSpan(startCount));
            startCount += consumed;
            if (startCount < StartLength) return TokenStatus.NeedMore;
            var begun = Begin();
            if (begun != TokenStatus.NeedMore) return begun;
        }
        var status = reader!.Push(chunk[consumed..], out var used);
        consumed += used;
        return status == TokenStatus.Trailing ? End(reader.Carried) : Check(status);
    }

    /// <summary>Says that no more bytes come. Trailing where the data set is what is left over, if anything.</summary>
    public TokenStatus Complete()
    {
        if (Error is not null) return TokenStatus.Hostile;
        if (reader is null)
        {
            var begun = Begin();
            if (begun != TokenStatus.NeedMore) return begun;
        }
        // A file may end with its file meta information; the data set is empty then.
        return reader!.Complete() ? End([]) : Check(TokenStatus.Hostile);
    }

    private TokenStatus Begin()
    {
        var bytes = start.AsSpan(0, startCount);
        if (startCount == StartLength && bytes[PreambleLength..].SequenceEqual("DICM"u8)) skipped = StartLength;
        else if (bytes.StartsWith("DICM"u8)) skipped = 4;
        else if (LooksLikeDataSet(bytes)) skipped = 0;
        else
        {
            Error = new DicomError(DicomErrorKind.NotDicom, "", 0,
                startCount == 0 ? "There are no bytes" : "Neither a DICM prefix nor an element of group 0002 or 0008 was found");
            return TokenStatus.Hostile;
        }
        if (skipped != StartLength) Warnings.Add(new DicomWarning(DicomWarningKind.NoPreamble, "", "the preamble is missing"));
        reader = new DataSetReader(DicomEncoding.ExplicitLittleEndian, options, fileMetaOnly: true, start: skipped);
        var status = reader.Push(bytes[skipped..], out var used);
        if (status != TokenStatus.Trailing) return Check(status);
        return End([.. reader.Carried, .. bytes[(skipped + used)..]]);
    }

    // Without a prefix: group 0002 or 0008 in either byte order and a first element that begins there.
    private static bool LooksLikeDataSet(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= 8 && ((bytes[0] is 2 or 8 && bytes[1] == 0 && bytes[3] == 0) || IsBigEndianDataSet(bytes));

    private static bool IsBigEndianDataSet(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= 8 && bytes[0] == 0 && bytes[1] == 8 && bytes[2] == 0 && ((Vr)((bytes[4] << 8) | bytes[5])).IsKnown();

    private TokenStatus Check(TokenStatus status)
    {
        if (status == TokenStatus.Hostile) Error = reader!.Error;
        return status;
    }

    private TokenStatus End(ReadOnlySpan<byte> rest)
    {
        leftover = rest.ToArray();
        DataSetOffset = reader!.Position;
        Warnings.AddRange(reader.Warnings);
        var groupEnd = reader.FileMetaEnd;
        Meta = new FileMeta(reader.Build());
        if (Meta.DataSet.IsEmpty) Warnings.Add(new DicomWarning(DicomWarningKind.NoFileMeta, "", "the file meta information is missing"));
        else if (groupEnd != DataSetOffset)
            Warnings.Add(new DicomWarning(DicomWarningKind.FileMetaGroupLength, "(0002,0000)", "the length of the file meta information is missing or wrong"));
        if (Meta.TransferSyntax is { } uid)
        {
            TransferSyntax = TransferSyntax.ForUnknown(uid);
            Encoding = EncodingOf(TransferSyntax);
        }
        else
        {
            if (IsBigEndianDataSet(rest)) (TransferSyntax, Encoding) = (TransferSyntax.ExplicitVrBigEndian, DicomEncoding.ExplicitBigEndian);
            Warnings.Add(new DicomWarning(DicomWarningKind.TransferSyntaxGuessed, "(0002,0010)", "the transfer syntax is missing or invalid and was guessed"));
        }
        return TokenStatus.Trailing;
    }

    /// <summary>How the headers of a data set in this transfer syntax are encoded.</summary>
    public static DicomEncoding EncodingOf(TransferSyntax syntax) =>
        (syntax.IsExplicitVr ? DicomEncoding.ExplicitLittleEndian : 0) | (syntax.IsBigEndian ? DicomEncoding.BigEndian : 0);
}
