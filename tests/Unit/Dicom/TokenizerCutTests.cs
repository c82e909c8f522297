using System.Globalization;
using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

/// <summary>
/// What the tokenizer makes of bytes at the edges of containers, headers and limits; and that it makes the same of them wherever their pieces end.
/// </summary>
public sealed class TokenizerCutTests
{
    private const DicomEncoding Explicit = DicomEncoding.ExplicitLittleEndian, Implicit = DicomEncoding.ImplicitLittleEndian,
        Big = DicomEncoding.ExplicitBigEndian;

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    // The second piece begins where the first one was used up to.
    private static (string Tokens, TokenizerState State) Read(byte[] bytes, int cut, DicomEncoding encoding, DicomLimits? limits = null)
    {
        var (state, found) = (new TokenizerState(encoding, limits), new List<string>());
        if (Piece(bytes.AsSpan(0, cut)) == TokenStatus.NeedMore) Piece(bytes.AsSpan((int)state.Position));
        if (state.Error is { } error) found.Add($"{error.Kind} {error.Path}@{error.Offset}");
        if (state.SawStrayDelimiter) found.Add("stray");
        if (state.SawPlaceholderVr) found.Add("placeholder");
        if (state.SawImplicitElement) found.Add("implicit");
        return (string.Join(" | ", found), state);

        TokenStatus Piece(ReadOnlySpan<byte> input)
        {
            var tokenizer = new DicomTokenizer(input, state);
            TokenStatus status;
            while ((status = tokenizer.Read(out var token)) == TokenStatus.Token)
            {
                var tag = token.Kind is TokenKind.Element or TokenKind.SequenceStart or TokenKind.FragmentsStart ? $" {token.Tag} {token.Vr.Code()}" : "";
                var length = token.Kind is TokenKind.ItemEnd or TokenKind.SequenceEnd or TokenKind.FragmentsEnd ? "" : $" {token.Length}";
                found.Add(string.Create(CultureInfo.InvariantCulture, $"{token.Kind}{tag}{length}@{token.Offset}"));
                Assert.True(found.Count < 1000, "It goes on for ever.");
            }
            if (status == TokenStatus.Trailing) found.Add("trailing");
            return status;
        }
    }

    [Theory]
    // A header that ends with its item, with 8 and with 12 bytes; one that is longer than what is left of the item, though nothing follows.
    [InlineData(Explicit, "08004011 5351 0000 10000000 FEFF00E0 08000000 10002000 4C4F 0000",
        "SequenceStart 00081140 SQ 16@0 | ItemStart 8@12 | Element 00100020 LO 0@20 | ItemEnd@28 | SequenceEnd@28")]
    [InlineData(Explicit, "08004011 5351 0000 14000000 FEFF00E0 0C000000 10002000 4F42 0000 00000000",
        "SequenceStart 00081140 SQ 20@0 | ItemStart 12@12 | Element 00100020 OB 0@20 | ItemEnd@32 | SequenceEnd@32")]
    [InlineData(Explicit, "08004011 5351 0000 0F000000 FEFF00E0 07000000 10002000 4C4F 00",
        "SequenceStart 00081140 SQ 15@0 | ItemStart 7@12 | RunsPastEnd (0008,1140)[1]@20")]
    [InlineData(Explicit, "08004011 5351 0000 10000000 FEFF00E0 08000000 10002000 4F42 0000",
        "SequenceStart 00081140 SQ 16@0 | ItemStart 8@12 | RunsPastEnd (0008,1140)[1].(0010,0020)@20")]
    [InlineData(Explicit, "08004011 5351 0000 13000000 FEFF00E0 0B000000 10002000 4F42 0000 000000",
        "SequenceStart 00081140 SQ 19@0 | ItemStart 11@12 | RunsPastEnd (0008,1140)[1].(0010,0020)@20")]
    // a value of twelve bytes that ends with its item, and one byte later
    [InlineData(Explicit, "08004011 5351 0000 1C000000 FEFF00E0 14000000 10002000 4C4F 0C00 414141414141414141414141",
        "SequenceStart 00081140 SQ 28@0 | ItemStart 20@12 | Element 00100020 LO 12@20 | ItemEnd@40 | SequenceEnd@40")]
    [InlineData(Explicit, "08004011 5351 0000 1C000000 FEFF00E0 14000000 10002000 4C4F 0D00 414141414141414141414141",
        "SequenceStart 00081140 SQ 28@0 | ItemStart 20@12 | RunsPastEnd (0008,1140)[1].(0010,0020)@20")]
    // a sequence that ends before its item does, one that runs past its item, and one that is not closed within it
    [InlineData(Explicit, "08004011 5351 0000 14000000 FEFF00E0 0C000000 08001221 5351 0000 00000000",
        "SequenceStart 00081140 SQ 20@0 | ItemStart 12@12 | SequenceStart 00082112 SQ 0@20 | SequenceEnd@32 | ItemEnd@32 | SequenceEnd@32")]
    [InlineData(Explicit, "08004011 5351 0000 14000000 FEFF00E0 0C000000 08001221 5351 0000 08000000 FEFF00E0 00000000",
        "SequenceStart 00081140 SQ 20@0 | ItemStart 12@12 | RunsPastEnd (0008,1140)[1].(0008,2112)@20")]
    [InlineData(Explicit, "08004011 5351 0000 14000000 FEFF00E0 0C000000 08001221 5351 0000 FFFFFFFF FEFF00E0 00000000 FEFFDDE0 00000000",
        "SequenceStart 00081140 SQ 20@0 | ItemStart 12@12 | SequenceStart 00082112 SQ -1@20 | Unclosed (0008,1140)[1].(0008,2112)@32")]
    // UN that holds a sequence: nothing, an empty item, an element of 8 bytes; at the end of its item, and longer than what is left of that
    [InlineData(Explicit, "18000A10 554E 0000 00000000", "SequenceStart 0018100A SQ 0@0 | SequenceEnd@12")]
    [InlineData(Explicit, "18000A10 554E 0000 08000000 FEFF00E0 00000000", "SequenceStart 0018100A SQ 8@0 | ItemStart 0@12 | ItemEnd@20 | SequenceEnd@20")]
    [InlineData(Explicit, "18000A10 554E 0000 10000000 FEFF00E0 08000000 10002000 4C4F 0000",
        "SequenceStart 0018100A SQ 16@0 | ItemStart 8@12 | Element 00100020 LO 0@20 | ItemEnd@28 | SequenceEnd@28")]
    [InlineData(Explicit, "28001000 5553 0200 0002 18000A10 554E 0000 12000000 FEFF00E0 0A000000 10002000 02000000 4120",
        "Element 00280010 US 2@0 | SequenceStart 0018100A SQ 18@10 | ItemStart 10@22 | Element 00100020 LO 2@30 | ItemEnd@40 | SequenceEnd@40")]
    [InlineData(Explicit, "08004011 5351 0000 1C000000 FEFF00E0 14000000 18000A10 554E 0000 08000000 FEFF00E0 00000000",
        "SequenceStart 00081140 SQ 28@0 | ItemStart 20@12 | SequenceStart 0018100A SQ 8@20 | ItemStart 0@32 | ItemEnd@40 | SequenceEnd@40 | ItemEnd@40"
        + " | SequenceEnd@40")]
    [InlineData(Explicit, "08004011 5351 0000 1C000000 FEFF00E0 14000000 18000A10 554E 0000 09000000 FEFF00E0 00000000",
        "SequenceStart 00081140 SQ 28@0 | ItemStart 20@12 | RunsPastEnd (0008,1140)[1].(0018,100A)@20")]
    [InlineData(Explicit, "18000A10 554E 0000 0C000000 FEFF00E0 FFFFFFFF 10002000",
        "SequenceStart 0018100A SQ 12@0 | ItemStart -1@12 | RunsPastEnd (0018,100A)[1]@20")]
    // UN that holds none: no item, half of one, an item that ends at once
    [InlineData(Explicit, "18000A10 554E 0000 08000000 01020304 00000000", "Element 0018100A UN 8@0")]
    [InlineData(Explicit, "18000A10 554E 0000 04000000 FEFF00E0", "Element 0018100A UN 4@0")]
    [InlineData(Explicit, "18000A10 554E 0000 0A000000 FEFF00E0 FFFFFFFF FEFF", "Element 0018100A UN 10@0")]
    // (0000,0000) begins a data set, but does not go on with one
    [InlineData(Explicit, "00000000 04000000 01020304 28001000 5553 0200 0002", "Element 00000000 UL 4@0 | Element 00280010 US 2@12 | implicit")]
    [InlineData(Implicit, "00000000 04000000 01020304 10002000 02000000 4120", "Element 00000000 UL 4@0 | Element 00100020 LO 2@12")]
    [InlineData(Implicit, "10002000 02000000 4120 00000000 00000000", "Element 00100020 LO 2@0 | trailing")]
    [InlineData(Implicit, "08004011 FFFFFFFF FEFF00E0 FFFFFFFF 10002000 00000000 00000000 00000000",
        "SequenceStart 00081140 SQ -1@0 | ItemStart -1@8 | Element 00100020 LO 0@16 | Element 00000000 UL 0@24")]
    // out of order before Pixel Data; after it a tag may come twice, but what goes back is rubbish
    [InlineData(Implicit, "10002000 02000000 4120 08001800 02000000 3100", "Element 00100020 LO 2@0 | Element 00080018 UI 2@10")]
    [InlineData(Implicit, "E07F1000 02000000 0102 E07F1000 02000000 0102 FCFFFCFF 02000000 0000 10002000 02000000 4120",
        "Element 7FE00010 OW 2@0 | Element 7FE00010 OW 2@10 | Element FFFCFFFC OB 2@20 | trailing")]
    // what is no VR: an element's tag behind it that does not ascend, or without a VR, means a 32-bit length (2020 hexadecimal); so do other two bytes
    [InlineData(Explicit, "10002000 2020 0000 10003000 4441 0000", "Element 00100020 LO 0@0 | Element 00100030 DA 0@8 | placeholder")]
    [InlineData(Explicit, "10002000 2020 0000 10002000 4C4F 0000", "Element 00100020 LO 8224@0 | implicit")]
    [InlineData(Explicit, "10002000 2020 0000 10001000 504E 0000", "Element 00100020 LO 8224@0 | implicit")]
    [InlineData(Explicit, "10002000 2020 0000 10003000 0000 0000", "Element 00100020 LO 8224@0 | implicit")]
    [InlineData(Explicit, "09000110 00040100", "Element 00091001 UN 66560@0 | implicit")]
    [InlineData(Explicit, "09000110 20040100", "Element 00091001 UN 66592@0 | implicit")]
    [InlineData(Explicit, "09000110 07070100", "Element 00091001 UN 67335@0 | implicit")]
    [InlineData(Explicit, "09000110 61070100", "Element 00091001 UN 67425@0 | implicit")]
    [InlineData(Explicit, "09000110 07610100", "Element 00091001 UN 90375@0 | implicit")]
    // of each kind one and two
    [InlineData(Explicit, "10002000 4C4F 0200 4120", "Element 00100020 LO 2@0")]
    [InlineData(Explicit, "09000110 2020 0200 4120", "Element 00091001 UN 2@0 | placeholder")]
    [InlineData(Explicit, "09000110 2020 0200 4120 09000210 2020 0200 4120", "Element 00091001 UN 2@0 | Element 00091002 UN 2@10 | placeholder")]
    [InlineData(Explicit, "10002000 02000000 4120 10003000 02000000 4120", "Element 00100020 LO 2@0 | Element 00100030 DA 2@10 | implicit")]
    [InlineData(Explicit, "09000110 2020 0200 4120 10002000 02000000 4120", "Element 00091001 UN 2@0 | Element 00100020 LO 2@10 | placeholder | implicit")]
    [InlineData(Explicit, "08001800 02000000 4120 09000110 2020 0200 4120", "Element 00080018 UI 2@0 | Element 00091001 UN 2@10 | placeholder | implicit")]
    // undefined length: fragments where the VR or the tag says so
    [InlineData(Explicit, "09001010 4F42 0000 FFFFFFFF FEFF00E0 00000000 FEFFDDE0 00000000",
        "FragmentsStart 00091010 OB -1@0 | Fragment 0@12 | FragmentsEnd@20")]
    [InlineData(Explicit, "E07F1000 4F57 0000 FFFFFFFF FEFF00E0 00000000 FEFFDDE0 00000000",
        "FragmentsStart 7FE00010 OW -1@0 | Fragment 0@12 | FragmentsEnd@20")]
    [InlineData(Explicit, "E07F1000 554E 0000 FFFFFFFF FEFF00E0 00000000 FEFFDDE0 00000000",
        "FragmentsStart 7FE00010 UN -1@0 | Fragment 0@12 | FragmentsEnd@20")]
    [InlineData(Implicit, "E07F1000 FFFFFFFF FEFF00E0 00000000 FEFFDDE0 00000000", "FragmentsStart 7FE00010 OB -1@0 | Fragment 0@8 | FragmentsEnd@16")]
    [InlineData(Explicit, "E07F1000 5351 0000 FFFFFFFF FEFFDDE0 00000000", "SequenceStart 7FE00010 SQ -1@0 | SequenceEnd@12")]
    // Pixel Data may end with zeros, but not before its Basic Offset Table
    [InlineData(Explicit, "E07F1000 4F42 0000 FFFFFFFF FEFF00E0 00000000 00000000 00000000",
        "FragmentsStart 7FE00010 OB -1@0 | Fragment 0@12 | FragmentsEnd@20 | trailing")]
    [InlineData(Explicit, "E07F1000 4F42 0000 FFFFFFFF 00000000 00000000", "FragmentsStart 7FE00010 OB -1@0 | UnexpectedTag (7FE0,0010).(0000,0000)@12")]
    // delimiters that close nothing, where they are skipped and where not; what else is in their group
    [InlineData(Explicit, "FEFF0DE0 00000000 FEFFDDE0 00000000 28001000 5553 0200 0002", "Element 00280010 US 2@16 | stray")]
    [InlineData(Explicit, "08004011 5351 0000 FFFFFFFF FEFF00E0 08000000 FEFFDDE0 00000000 FEFFDDE0 00000000",
        "SequenceStart 00081140 SQ -1@0 | ItemStart 8@12 | ItemEnd@28 | SequenceEnd@28 | stray")]
    [InlineData(Explicit, "08004011 5351 0000 FFFFFFFF FEFF00E0 08000000 FEFF0DE0 00000000 FEFFDDE0 00000000",
        "SequenceStart 00081140 SQ -1@0 | ItemStart 8@12 | ItemEnd@28 | SequenceEnd@28 | stray")]
    [InlineData(Explicit, "08004011 5351 0000 FFFFFFFF FEFF0DE0 00000000 FEFFDDE0 00000000", "SequenceStart 00081140 SQ -1@0 | SequenceEnd@20 | stray")]
    [InlineData(Explicit, "E07F1000 4F42 0000 FFFFFFFF FEFF00E0 00000000 FEFF0DE0 00000000",
        "FragmentsStart 7FE00010 OB -1@0 | Fragment 0@12 | UnexpectedTag (7FE0,0010)[1].(FFFE,E00D)@20")]
    [InlineData(Explicit, "FEFFFFE0 00000000", "UnexpectedTag (FFFE,E0FF)@0")]
    [InlineData(Explicit, "08004011 5351 0000 FFFFFFFF FEFF00E0 FFFFFFFF FEFFFFE0 00000000",
        "SequenceStart 00081140 SQ -1@0 | ItemStart -1@12 | UnexpectedTag (0008,1140)[1].(FFFE,E0FF)@20")]
    [InlineData(Big, "00081140 5351 0000 00000010 FFFEE000 00000008 00100020 4C4F 0000",
        "SequenceStart 00081140 SQ 16@0 | ItemStart 8@12 | Element 00100020 LO 0@20 | ItemEnd@28 | SequenceEnd@28")]
    public void Bytes_are_read_the_same_wherever_their_pieces_end(DicomEncoding encoding, string hex, string expected)
    {
        var bytes = Bytes(hex);
        for (var cut = 0; cut <= bytes.Length; cut++) Assert.Equal((cut, expected), (cut, Read(bytes, cut, encoding).Tokens));
    }

    private const string EmptyItem = "FEFF00E0 00000000", SequenceEnd = "FEFFDDE0 00000000", OpenItem = "FEFF00E0 FFFFFFFF", ItemEnd = "FEFF0DE0 00000000";
    private const string Element = "28001000 5553 0200 0002", Sequence = "08004011 5351 0000 FFFFFFFF", EmptySequence = "08004011 5351 0000 00000000";
    private const string FragmentsStart = "E07F1000 4F42 0000 FFFFFFFF";

    [Theory]
    [InlineData(Element + Element + Element + Element, 4)]
    [InlineData(Sequence + OpenItem + Element + ItemEnd + SequenceEnd, 5)]
    [InlineData(Sequence + EmptyItem + EmptyItem + EmptyItem + SequenceEnd, 5)]
    [InlineData(FragmentsStart + EmptyItem + EmptyItem + SequenceEnd, 4)]
    [InlineData(ItemEnd + ItemEnd + ItemEnd + Element, 4)]
    public void Elements_items_and_delimiters_count_together_up_to_the_limit(string hex, int count)
    {
        var bytes = Bytes(hex);
        Assert.Null(Read(bytes, bytes.Length, Explicit, new DicomLimits { MaxElements = count }).State.Error);
        for (var limit = 1; limit < count; limit++)
            Assert.Equal(DicomErrorKind.TooManyElements, Read(bytes, bytes.Length, Explicit, new DicomLimits { MaxElements = limit }).State.Error?.Kind);
    }

    [Fact]
    public void Fragments_are_counted_without_the_offset_table()
    {
        var bytes = Bytes(FragmentsStart + EmptyItem + EmptyItem + EmptyItem + EmptyItem + SequenceEnd);
        Assert.Null(Read(bytes, bytes.Length, Explicit, new DicomLimits { MaxFragments = 3 }).State.Error);
        var error = Read(bytes, bytes.Length, Explicit, new DicomLimits { MaxFragments = 2 }).State.Error;
        Assert.Equal((DicomErrorKind.TooManyElements, 36L), (error!.Kind, error.Offset));
    }

    /// <summary>However many stand side by side, with and without items, only those that are open count.</summary>
    [Theory]
    [InlineData(EmptySequence + EmptySequence + EmptySequence, 1)]
    [InlineData(Sequence + SequenceEnd + Sequence + SequenceEnd, 1)]
    [InlineData(Sequence + EmptyItem + EmptyItem + EmptyItem + SequenceEnd + Sequence + OpenItem + EmptySequence, 2)]
    [InlineData(FragmentsStart + EmptyItem + SequenceEnd + Sequence + OpenItem + EmptySequence, 2)]
    public void Only_open_sequences_count_as_depth(string hex, int depth)
    {
        var bytes = Bytes(hex);
        Assert.Null(Read(bytes, bytes.Length, Explicit, new DicomLimits { MaxDepth = depth }).State.Error);
        Assert.Equal(DicomErrorKind.TooDeep, Read(bytes, bytes.Length, Explicit, new DicomLimits { MaxDepth = depth - 1 }).State.Error?.Kind);
    }

    /// <summary>Levels are (0009,1001), (0009,1002) and so on, each with an item but for the last one if not.</summary>
    [Theory]
    [InlineData(1, true, "1")]
    [InlineData(12, true, "1 2 3 4 5 6 7 8 9 10 11 12")]
    [InlineData(13, false, "1 2 3 4 5 6 - 8 9 10 11 12 13")]
    [InlineData(13, true, "1 2 3 4 5 6 - 9 10 11 12 13")]
    [InlineData(40, true, "1 2 3 4 5 6 - 36 37 38 39 40")]
    [InlineData(40, false, "1 2 3 4 5 6 - 35 36 37 38 39 40")]
    public void The_path_through_many_levels_leaves_out_those_in_the_middle(int levels, bool hasLastItem, string expected)
    {
        var hex = string.Concat(Enumerable.Range(1, levels)
            .Select(level => $"0900{level:X2}10 5351 0000 FFFFFFFF" + (level < levels || hasLastItem ? OpenItem : ""))) + "0900FF10 5554 0000 FFFFFFFF";
        var bytes = Bytes(hex);
        var path = string.Join('.', expected.Split(' ').Select(level => level == "-" ? ".."
            : $"(0009,10{int.Parse(level, CultureInfo.InvariantCulture):X2})" + (level != expected.Split(' ')[^1] || hasLastItem ? "[1]" : "")));
        Assert.Equal(path + ".(0009,10FF)", Read(bytes, bytes.Length, Explicit).State.Error!.Path);
    }

    [Fact]
    public void A_data_set_may_end_only_where_nothing_is_open()
    {
        var bytes = Bytes(Element + Sequence + OpenItem + ItemEnd + SequenceEnd);
        var ends = Enumerable.Range(0, bytes.Length + 1).Where(length =>
        {
            var state = new TokenizerState(Explicit);
            var tokenizer = new DicomTokenizer(bytes.AsSpan(0, length), state);
            while (tokenizer.Read(out _) == TokenStatus.Token) { }
            return state.IsAtTopLevelBoundary && state.Position == length;
        });
        Assert.Equal([0, 10, bytes.Length], ends);
    }

    [Theory]
    [InlineData(Big, "00081140 5351 0000 FFFFFFFF FFFEE000 FFFFFFFF 00280010 5553 0002 0200 FFFEE00D 00000000 FFFEE0DD 00000000")]
    [InlineData(Explicit, Sequence + OpenItem + Element + ItemEnd + SequenceEnd)]
    public void Every_token_says_in_which_byte_order_it_stands(DicomEncoding encoding, string hex)
    {
        var tokenizer = new DicomTokenizer(Bytes(hex), new TokenizerState(encoding));
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(TokenStatus.Token, tokenizer.Read(out var token));
            Assert.Equal(encoding == Big, token.IsBigEndian);
        }
    }

    /// <summary>Only the last piece of a value may hold part of a word.</summary>
    [Theory]
    [InlineData(2, 7, 4, "4 3")]
    [InlineData(2, 6, 3, "2 4")]
    [InlineData(4, 7, 6, "4 3")]
    [InlineData(4, 8, 4, "4 4")]
    [InlineData(8, 7, 6, "7")]
    [InlineData(1, 7, 4, "4 3")]
    public void A_value_is_taken_in_whole_words_but_for_what_is_left_at_its_end(int wordSize, int length, int step, string expected)
    {
        var bytes = Bytes("E07F1000 4F57 0000" + $"{length:X2}000000" + string.Concat(Enumerable.Range(1, length).Select(i => $"{i:X2}")));
        var state = new TokenizerState(Explicit);
        Assert.Equal(TokenStatus.Token, new DicomTokenizer(bytes, state).Read(out var token));
        Assert.Equal(length, token.Length);
        var (parts, taken) = (new List<int>(), new List<byte>());
        for (var available = 12 + step; state.ValueRemaining > 0; available += step)
        {
            Assert.True(available < 100, "It goes on for ever.");
            var part = new DicomTokenizer(bytes.AsSpan(0, Math.Min(bytes.Length, available))[(int)state.Position..], state).TakeValue(wordSize);
            if (part.Length > 0) parts.Add(part.Length);
            taken.AddRange(part);
        }
        Assert.Equal(bytes[12..], taken);
        Assert.Equal(expected, string.Join(' ', parts));
    }
}
