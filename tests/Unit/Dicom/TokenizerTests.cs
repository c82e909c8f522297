using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

public sealed class TokenizerTests
{
    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    private static (List<string> Tokens, DicomError? Error) Read(string hex, DicomEncoding encoding, DicomLimits? limits = null)
    {
        var state = new TokenizerState(encoding, limits);
        var tokenizer = new DicomTokenizer(Bytes(hex), state);
        var tokens = new List<string>();
        TokenStatus status;
        while ((status = tokenizer.Read(out var token)) == TokenStatus.Token)
            tokens.Add($"{token.Kind} {token.Tag} {token.Vr.Code()} {token.Length}@{token.Offset}");
        if (status == TokenStatus.Trailing) tokens.Add("Trailing");
        return (tokens, state.Error);
    }

    [Fact]
    public void Explicit_little_endian_has_short_and_long_headers()
    {
        // (0028,0010) US 2 bytes; (7FE0,0010) OW, 2 reserved bytes, 4 bytes of value
        var (tokens, _) = Read("28001000 5553 0200 0002  E07F1000 4F57 0000 04000000 01020304", DicomEncoding.ExplicitLittleEndian);
        Assert.Equal(["Element 00280010 US 2@0", "Element 7FE00010 OW 4@10"], tokens);
    }

    [Fact]
    public void Explicit_big_endian_turns_tags_and_lengths_around()
    {
        var (tokens, _) = Read("00280010 5553 0002 0200  7FE00010 4F57 0000 00000004 02010403", DicomEncoding.ExplicitBigEndian);
        Assert.Equal(["Element 00280010 US 2@0", "Element 7FE00010 OW 4@10"], tokens);
    }

    [Fact]
    public void Implicit_vr_takes_the_dictionarys_and_sequences_of_undefined_length_even_when_private()
    {
        // (0029,1010) private, undefined length: an item of undefined length with (0010,0020) "A "
        var (tokens, _) = Read("29001010 FFFFFFFF FEFF00E0 FFFFFFFF 10002000 02000000 4120 FEFF0DE0 00000000 FEFFDDE0 00000000",
            DicomEncoding.ImplicitLittleEndian);
        Assert.Equal(["SequenceStart 00291010 SQ -1@0", "ItemStart 00291010  -1@8",
            "Element 00100020 LO 2@16", "ItemEnd 00291010  0@26", "SequenceEnd 00291010  0@34"], tokens);
    }

    [Fact]
    public void Implicit_vr_knows_the_attributes_of_newer_editions()
    {
        // (0010,2162) Ethnic Groups, (0040,B030) Structured Waveform Annotation Sequence with an empty item, (300A,0054) Table Top Position Alignment UID
        var (tokens, _) = Read("10006221 02000000 4120  400030B0 08000000 FEFF00E0 00000000  0A305400 02000000 3100", DicomEncoding.ImplicitLittleEndian);
        Assert.Equal(["Element 00102162 UC 2@0", "SequenceStart 0040B030 SQ 8@10", "ItemStart 0040B030  0@18", "ItemEnd 0040B030  0@26",
            "SequenceEnd 0040B030  0@26", "Element 300A0054 UI 2@26"], tokens);
    }

    [Fact]
    public void Unknown_vr_of_undefined_length_holds_implicit_little_endian_even_in_big_endian()
    {
        // PS3.5 6.2.2 note 4. (0029,1010) UN in big endian; inside (0010,0020) little endian; after it big endian again
        var (tokens, error) = Read("00291010 554E 0000 FFFFFFFF FEFF00E0 0A000000 10002000 02000000 4120 FEFFDDE0 00000000 00280010 5553 0002 0200",
            DicomEncoding.ExplicitBigEndian);
        Assert.Null(error);
        Assert.Equal(["SequenceStart 00291010 SQ -1@0", "ItemStart 00291010  10@12", "Element 00100020 LO 2@20",
            "ItemEnd 00291010  0@30", "SequenceEnd 00291010  0@30", "Element 00280010 US 2@38"], tokens);
    }

    [Fact]
    public void A_vr_of_two_capitals_that_is_not_known_has_a_long_length_and_other_bytes_mean_implicit_vr()
    {
        // PS3.5 6.2.2: (0009,1001) "ZZ"; then (0010,0020) with an implicit header
        var (tokens, _) = Read("09000110 5A5A 0000 02000000 0102  10002000 02000000 4120", DicomEncoding.ExplicitLittleEndian);
        Assert.Equal(["Element 00091001 ZZ 2@0", "Element 00100020 LO 2@14"], tokens);
    }

    [Fact]
    public void Encapsulated_pixel_data_is_fragments_also_in_an_icon()
    {
        var (tokens, _) = Read("E07F1000 4F42 0000 FFFFFFFF FEFF00E0 00000000 FEFF00E0 02000000 FFD8 FEFFDDE0 00000000", DicomEncoding.ExplicitLittleEndian);
        Assert.Equal(["FragmentsStart 7FE00010 OB -1@0", "Fragment 7FE00010  0@12", "Fragment 7FE00010  2@20", "FragmentsEnd 7FE00010  0@30"], tokens);
    }

    [Fact]
    public void A_delimiter_after_a_sequence_of_defined_length_closes_nothing()
    {
        var (tokens, error) = Read("08004011 5351 0000 08000000 FEFF00E0 00000000 FEFFDDE0 00000000 28001000 5553 0200 0002",
            DicomEncoding.ExplicitLittleEndian);
        Assert.Null(error);
        Assert.Equal(["SequenceStart 00081140 SQ 8@0", "ItemStart 00081140  0@12",
            "ItemEnd 00081140  0@20", "SequenceEnd 00081140  0@20", "Element 00280010 US 2@28"], tokens);
    }

    [Fact]
    public void Rubbish_after_pixel_data_and_zeros_end_the_data_set()
    {
        Assert.Equal("Trailing", Read("E07F1000 4F57 0000 00000000 DEADBEEFDEADBEEF", DicomEncoding.ExplicitLittleEndian).Tokens[^1]);
        Assert.Equal("Trailing", Read("28001000 5553 0200 0002 0000000000000000", DicomEncoding.ExplicitLittleEndian).Tokens[^1]);
    }

    [Theory]
    // a value past the end of its item; of its sequence; an item past the end of its sequence
    [InlineData("08004011 5351 0000 12000000 FEFF00E0 0A000000 10002000 4C4F 0400 4120", DicomErrorKind.RunsPastEnd, "(0008,1140)[1].(0010,0020)", 20)]
    [InlineData("08004011 5351 0000 08000000 FEFF00E0 FFFFFFFF 10002000 4C4F 0400 4120", DicomErrorKind.Unclosed, "(0008,1140)[1]", 20)]
    [InlineData("08004011 5351 0000 08000000 FEFF00E0 20000000", DicomErrorKind.RunsPastEnd, "(0008,1140)[1]", 12)]
    // undefined length on LO; an element where an item belongs, and the reverse
    [InlineData("10002000 4C4F FFFF", null, null, 0)]
    [InlineData("09001010 5554 0000 FFFFFFFF", DicomErrorKind.UndefinedLength, "(0009,1010)", 0)]
    [InlineData("08004011 5351 0000 FFFFFFFF 10002000 4C4F 0200 4120", DicomErrorKind.UnexpectedTag, "(0008,1140).(0010,0020)", 12)]
    [InlineData("FEFF00E0 00000000", DicomErrorKind.UnexpectedTag, "(FFFE,E000)", 0)]
    // a sequence's end where its item is open; fragments without a length
    [InlineData("08004011 5351 0000 FFFFFFFF FEFF00E0 FFFFFFFF FEFFDDE0 00000000", DicomErrorKind.Unclosed, "(0008,1140)[1]", 20)]
    [InlineData("E07F1000 4F42 0000 FFFFFFFF FEFF00E0 FFFFFFFF", DicomErrorKind.UndefinedLength, "(7FE0,0010)[1]", 12)]
    public void Broken_structure_is_refused_with_element_and_offset(string hex, DicomErrorKind? kind, string? path, long offset)
    {
        var (_, error) = Read(hex, DicomEncoding.ExplicitLittleEndian);
        Assert.Equal(kind, error?.Kind);
        if (kind is null) return;
        Assert.Equal(path, error!.Path);
        Assert.Equal(offset, error.Offset);
    }

    [Fact]
    public void Depth_and_count_are_limited()
    {
        var nested = string.Concat(Enumerable.Repeat("08001221 5351 0000 FFFFFFFF FEFF00E0 FFFFFFFF", 5));
        Assert.Equal(DicomErrorKind.TooDeep, Read(nested, DicomEncoding.ExplicitLittleEndian, new DicomLimits { MaxDepth = 4 }).Error!.Kind);
        Assert.Null(Read(nested, DicomEncoding.ExplicitLittleEndian, new DicomLimits { MaxDepth = 5 }).Error);
        var many = string.Concat(Enumerable.Repeat("28001000 5553 0200 0002", 5));
        Assert.Equal(DicomErrorKind.TooManyElements, Read(many, DicomEncoding.ExplicitLittleEndian, new DicomLimits { MaxElements = 4 }).Error!.Kind);
    }

    [Fact]
    public void Need_more_consumes_nothing_of_a_header_and_all_of_a_value_that_is_skipped()
    {
        var bytes = Bytes("7FE01000 4F57 0000 04000000 01020304");
        var state = new TokenizerState(DicomEncoding.ExplicitLittleEndian);
        var head = new DicomTokenizer(bytes.AsSpan(0, 11), state);
        Assert.Equal(TokenStatus.NeedMore, head.Read(out _));
        Assert.Equal(0, head.Consumed);
        var whole = new DicomTokenizer(bytes.AsSpan(0, 14), state);
        Assert.Equal(TokenStatus.Token, whole.Read(out _));
        Assert.Equal(TokenStatus.NeedMore, whole.Read(out _));
        Assert.Equal((14, 2L, 14L), (whole.Consumed, state.ValueRemaining, state.Position));
    }

    [Theory]
    [InlineData("2020")]
    [InlineData("0000")]
    [InlineData("3F3F")]
    [InlineData("6C6F")]
    public void What_stands_in_for_a_vr_that_is_not_known_has_a_short_length(string vr)
    {
        // (0009,1001) private with four bytes, then (0010,0020) LO: as 32-bit lengths these would be 256 KiB and more.
        var (tokens, error) = Read($"09000110 {vr} 0400 61626364  10002000 4C4F 0200 4120", DicomEncoding.ExplicitLittleEndian);
        Assert.Null(error);
        Assert.Equal(["Element 00091001 UN 4@0", "Element 00100020 LO 2@12"], tokens);
    }

    [Fact]
    public void What_stands_in_for_a_vr_may_stand_before_an_empty_value_if_an_element_begins_behind_it()
    {
        // (0010,0020) with blanks and no value, then (0010,0030) DA; read with implicit VR its length would be 2020 hexadecimal.
        var (tokens, error) = Read("10002000 2020 0000  10003000 4441 0000", DicomEncoding.ExplicitLittleEndian);
        Assert.Null(error);
        Assert.Equal(["Element 00100020 LO 0@0", "Element 00100030 DA 0@8"], tokens);
    }

    [Fact]
    public void Pixel_data_without_a_vr_keeps_its_implicit_length_in_an_explicit_data_set()
    {
        // 00020000 hexadecimal: its two low bytes look like a VR of NULs.
        var state = new TokenizerState(DicomEncoding.ExplicitLittleEndian);
        var tokenizer = new DicomTokenizer(Bytes("E07F1000 00000200 0102"), state);
        Assert.Equal(TokenStatus.Token, tokenizer.Read(out var token));
        Assert.Equal((Tags.PixelData, 0x20000L), (token.Tag, token.Length));
    }

    [Theory]
    // PS3.5 6.2.2: (0018,100A) UN of a defined length, an item with (0010,0020) in implicit VR
    [InlineData("18000A10 554E 0000 12000000 FEFF00E0 0A000000 10002000 02000000 4120",
        "SequenceStart 0018100A SQ 18@0", "ItemStart 0018100A  10@12", "Element 00100020 LO 2@20")]
    // the same with explicit VR inside, as some write it
    [InlineData("18000A10 554E 0000 12000000 FEFF00E0 0A000000 10002000 4C4F 0200 4120",
        "SequenceStart 0018100A SQ 18@0", "ItemStart 0018100A  10@12", "Element 00100020 LO 2@20")]
    // what is no item stays bytes
    [InlineData("18000A10 554E 0000 04000000 01020304", "Element 0018100A UN 4@0")]
    // nor is it known how the second item is encoded where the first one is empty: explicit VR here, after an item of length 0 and after a delimited one
    [InlineData("18000A10 554E 0000 1A000000 FEFF00E0 00000000 FEFF00E0 0A000000 10002000 4C4F 0200 4120", "Element 0018100A UN 26@0")]
    [InlineData("18000A10 554E 0000 22000000 FEFF00E0 FFFFFFFF FEFF0DE0 00000000 FEFF00E0 0A000000 10002000 4C4F 0200 4120", "Element 0018100A UN 34@0")]
    // an item that is longer than the value is none
    [InlineData("18000A10 554E 0000 08000000 FEFF00E0 0A000000", "Element 0018100A UN 8@0")]
    public void Unknown_vr_of_defined_length_that_holds_a_sequence_of_the_standard_is_one(string hex, params string[] first)
    {
        var (tokens, error) = Read(hex + " 28001000 5553 0200 0002", DicomEncoding.ExplicitLittleEndian);
        Assert.Null(error);
        Assert.Equal(first, tokens.Take(first.Length));
        Assert.EndsWith("Element 00280010 US 2@" + (hex.Replace(" ", "", StringComparison.Ordinal).Length / 2), tokens[^1], StringComparison.Ordinal);
    }
}
