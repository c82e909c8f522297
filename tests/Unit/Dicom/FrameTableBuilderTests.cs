using System.Globalization;
using System.Text;
using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

/// <summary>Which frames there are, by the header and what was seen of the Pixel Data, and what is said about it.</summary>
public sealed class FrameTableBuilderTests
{
    private const long Start = 1000;
    private const uint Pixels = 0x7FE00010, FloatPixels = 0x7FE00008, DoublePixels = 0x7FE00009;
    private const string Jpeg = "1.2.840.10008.1.2.4.50", Mpeg = "1.2.840.10008.1.2.4.100";

    // What is -1 or empty is not in the header.
    private static DataSet Header(string frames, int rows = -1, int columns = -1, int samples = -1, int bits = -1, string photometric = "",
        string extended = "", string lengths = "")
    {
        var builder = new DataSetBuilder();
        AddNumber(Tags.SamplesPerPixel, samples);
        if (photometric.Length > 0) builder.Add(Tags.PhotometricInterpretation, Vr.CS, Encoding.ASCII.GetBytes(photometric));
        if (frames.Length > 0) builder.Add(Tags.NumberOfFrames, Vr.IS, Encoding.ASCII.GetBytes(frames));
        AddNumber(Tags.Rows, rows);
        AddNumber(Tags.Columns, columns);
        AddNumber(Tags.BitsAllocated, bits);
        if (extended.Length > 0) builder.Add(Tags.ExtendedOffsetTable, Vr.OV, [.. Numbers(extended).SelectMany(BitConverter.GetBytes)]);
        if (lengths.Length > 0) builder.Add(Tags.ExtendedOffsetTableLengths, Vr.OV, [.. Numbers(lengths).SelectMany(BitConverter.GetBytes)]);
        return builder.Build();

        void AddNumber(Tag tag, int number)
        {
            if (number >= 0) builder.Add(tag, Vr.US, BitConverter.GetBytes((ushort)number));
        }
    }

    private static long[] Numbers(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(number => long.Parse(number, CultureInfo.InvariantCulture))];

    private static (FrameTable Table, string Warnings) Build(DataSet header, PixelDataInfo pixels, string syntax)
    {
        var warnings = new List<DicomWarning>();
        var table = FrameTableBuilder.Build(header, pixels, TransferSyntax.Find(Uid.Parse(syntax))!, warnings)!;
        Assert.All(warnings, warning => Assert.Equal("(7FE0,0010)", warning.Path));
        // Whatever was found can be stored.
        Assert.Equal(table.ToBytes(), FrameTable.Parse(table.ToBytes()).ToBytes());
        return (table, string.Join(' ', warnings.Select(warning => warning.Kind)));
    }

    [Theory]
    // single bits: 9 a frame, packed (PS3.5 8.1.1)
    [InlineData("", 3, 3, -1, 1, "", 2, 1, 9, false)]
    [InlineData("3", 3, 3, -1, 1, "", 4, 3, 9, false)]
    [InlineData("3", 3, 3, -1, 1, "", 3, 2, 9, true)]
    [InlineData("7", 3, 3, -1, 1, "", 8, 7, 9, false)]                       // 63 bits
    // whole bytes, odd sizes, padded or not
    [InlineData("2", 3, 3, 1, 8, "", 18, 2, 72, false)]
    [InlineData("1", 3, 3, 1, 8, "", 10, 1, 72, false)]
    [InlineData("1", 3, 3, 1, 8, "", 9, 1, 72, true)]
    [InlineData("2", 3, 3, 1, 8, "", 17, 1, 72, true)]
    [InlineData("2", 3, 3, 1, 8, "", 36, 2, 72, true)]                       // more data than frames
    [InlineData("2", 1, 2, 1, 16, "", 8, 2, 32, false)]
    [InlineData("2", 1, 1, 1, 32, "", 8, 2, 32, false)]
    [InlineData("2", 2, 2, 3, 8, "RGB", 24, 2, 96, false)]
    [InlineData("2", 2, 2, 0, 8, "", 8, 2, 32, false)]                       // no samples are one
    [InlineData("2", 2, 2, -1, 8, "", 8, 2, 32, false)]
    // a number of frames that is none counts as not there
    [InlineData("0", 2, 2, 1, 8, "", 4, 1, 32, false)]
    [InlineData("-2", 2, 2, 1, 8, "", 4, 1, 32, false)]
    [InlineData("+", 2, 2, 1, 8, "", 4, 1, 32, false)]
    [InlineData("2x", 2, 2, 1, 8, "", 4, 1, 32, false)]
    [InlineData("2\\3", 2, 2, 1, 8, "", 4, 1, 32, false)]
    [InlineData("99999999999999999999", 2, 2, 1, 8, "", 4, 1, 32, false)]
    [InlineData("+2", 2, 2, 1, 8, "", 8, 2, 32, false)]
    [InlineData(" 2 ", 2, 2, 1, 8, "", 8, 2, 32, false)]
    [InlineData("2\0", 2, 2, 1, 8, "", 8, 2, 32, false)]
    // PS3.3 C.7.6.3.1.2: two pixels share their chrominance, or do not
    [InlineData("1", 2, 2, 3, 8, "YBR_FULL_422", 8, 1, 64, false)]
    [InlineData("1", 2, 2, 3, 8, "YBR_FULL_422", 12, 1, 96, false)]
    [InlineData("2", 2, 2, 3, 8, "YBR_FULL_422", 16, 2, 64, false)]
    [InlineData("2", 2, 2, 3, 8, "YBR_FULL_422", 24, 2, 96, false)]
    [InlineData("1", 2, 2, 3, 16, "YBR_PARTIAL_422 ", 16, 1, 128, false)]
    [InlineData("1", 2, 2, 3, 8, "RGB", 8, 0, 0, true)]
    [InlineData("1", 2, 2, 4, 8, "YBR_FULL_422", 8, 0, 0, true)]
    // without a size the value is one frame, if anything
    [InlineData("1", -1, 3, 1, 8, "", 8, 1, 64, true)]
    [InlineData("", 3, -1, 1, 8, "", 8, 1, 64, true)]
    [InlineData("1", 3, 3, 1, -1, "", 8, 1, 64, true)]
    [InlineData("1", 0, 3, 1, 8, "", 8, 1, 64, true)]
    [InlineData("1", -1, 3, 1, 8, "", 0, 0, 0, true)]
    [InlineData("2", -1, 3, 1, 8, "", 8, 0, 64, true)]
    [InlineData("2", -1, 3, 1, 8, "", 0, 0, 0, true)]
    // the numbers of PS3.3 C.7.6.16.2 and C.7.6.24 have sizes of their own
    [InlineData("2", 1, 2, 1, 8, "", 16, 2, 64, false, FloatPixels)]
    [InlineData("2", 1, 2, 1, 8, "", 32, 2, 128, false, DoublePixels)]
    [InlineData("2", 1, 2, 1, -1, "", 16, 2, 64, false, FloatPixels)]
    // as many as can be numbered; a frame whose bits are no number
    [InlineData("3000000000", 1, 1, 1, 1, "", 375_000_000, int.MaxValue, 1, false)]
    [InlineData("3000000000", 1, 1, 1, 1, "", 8, 64, 1, true)]
    [InlineData("1", 65535, 65535, 65535, 65535, "", 8, 0, 0, true)]
    public void Native_frames_are_those_that_the_header_declares_and_the_value_holds(string frames, int rows, int columns, int samples,
        int bits, string photometric, long length, int count, long frameBits, bool warns, uint tag = Pixels)
    {
        var pixels = new PixelDataInfo();
        pixels.SetNative(new Tag(tag), Vr.OB, Start, length, bigEndian: false);
        var (table, warnings) = Build(Header(frames, rows, columns, samples, bits, photometric), pixels, "1.2.840.10008.1.2.1");
        Assert.Equal((count, frameBits, warns ? "PixelDataLength" : ""), (table.Count, table.FrameBits, warnings));
        if (count == 0) return;
        Assert.Equal([new ByteRange(Start, (frameBits + 7) / 8)], table.Frame(1).ToArray());
        var last = table.Frame(count).Span[0];
        Assert.Equal((Start + (count - 1) * frameBits / 8, Start + (count * frameBits + 7) / 8), (last.Offset, last.Offset + last.Length));
    }

    [Theory]
    [InlineData(Vr.OW, false, 1)]
    [InlineData(Vr.OW, true, 2)]
    [InlineData(Vr.OB, true, 1)]
    [InlineData(Vr.OF, true, 4)]
    [InlineData(Vr.OD, true, 8)]
    [InlineData(Vr.OD, false, 1)]
    public void Words_are_turned_around_only_where_the_pixels_are_big_endian(Vr vr, bool bigEndian, int wordSize)
    {
        var pixels = new PixelDataInfo();
        pixels.SetNative(Tags.PixelData, vr, Start, 16, bigEndian);
        Assert.Equal(wordSize, Build(Header("", 1, 1, 1, 64), pixels, "1.2.840.10008.1.2.2").Table.WordSize);
    }

    // Each of six bytes, in an item of 14, unless said: B begins a JPEG image and E ends one; X begins a JPEG XL image; 2 has two bytes only, 0 none.
    private static (PixelDataInfo Pixels, Dictionary<long, int> Indexes) Fragments(string fragments, string table)
    {
        var (pixels, indexes) = (new PixelDataInfo(), new Dictionary<long, int>());
        byte[] offsets = [.. Numbers(table).SelectMany(offset => BitConverter.GetBytes((uint)offset))];
        pixels.BeginFragments(Start);
        var position = Start;
        Add(offsets);
        foreach (var fragment in fragments.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            indexes.Add(position + 8, indexes.Count);
            byte[] head = fragment[0] switch { 'B' => [0xFF, 0xD8, 0xFF, 0xE0], 'X' => [0xFF, 0x0A, 3, 4], '-' => [1, 2, 3, 4], _ => [] };
            byte[] tail = fragment[^1] switch { 'E' => [0xFF, 0xD9], '0' => [], _ => [5, 6] };
            Add([.. head, .. tail]);
        }
        pixels.EndFragments();
        return (pixels, indexes);

        void Add(ReadOnlySpan<byte> bytes)
        {
            pixels.AddFragment(position + 8, bytes.Length);
            foreach (var value in bytes) pixels.AppendFragment([value], 1000);
            position += 8 + bytes.Length;
        }
    }

    [Theory]
    // one frame has all fragments, whatever marks and tables say; so has a video
    [InlineData("-- --", "1", "", "", "0+1", "")]
    [InlineData("-E -E", "1", "", "", "0+1", "")]
    [InlineData("-- --", "1", "4", "4", "0+1", "")]
    [InlineData("--", "1", "0", "", "0", "")]
    [InlineData("-- -- --", "100", "", "", "0+1+2", "", Mpeg)]
    // one fragment a frame
    [InlineData("-- --", "2", "", "", "0 1", "")]
    [InlineData("BE -- BE", "3", "", "", "0 1 2", "")]
    [InlineData("-- --", "2", "0 14", "", "0 1", "")]
    // without a number the table tells
    [InlineData("-- -- --", "", "0 14", "", "0 1+2", "")]
    [InlineData("-- --", "", "", "", "0+1", "")]
    [InlineData("-- --", "", "", "0 14", "0+1", "")]
    // tables, right and wrong
    [InlineData("-- -- -- --", "2", "0 28", "", "0+1 2+3", "")]
    [InlineData("-- -- -- --", "3", "0 14 42", "", "0 1+2 3", "")]
    [InlineData("-- -- -- --", "2", "0 29", "", "", "OffsetTable FragmentsNotAssignable")]
    [InlineData("-- -- -- --", "2", "0 56", "", "", "OffsetTable FragmentsNotAssignable")]
    [InlineData("-- -- --", "2", "14 28", "", "", "OffsetTable FragmentsNotAssignable")]
    [InlineData("-- -- --", "2", "28 14", "", "", "OffsetTable FragmentsNotAssignable")]
    [InlineData("-- -- --", "2", "0 14 28", "", "", "OffsetTable FragmentsNotAssignable")]
    [InlineData("-- --", "2", "0", "", "0 1", "OffsetTable")]
    [InlineData("-- --", "2", "0 0", "", "0 1", "OffsetTable")]
    [InlineData("-- -- --", "2", "", "0 14", "0 1+2", "")]
    [InlineData("-- -- --", "2", "", "0 14 28", "", "OffsetTable FragmentsNotAssignable")]
    [InlineData("-- -- --", "2", "", "0 -1", "", "OffsetTable FragmentsNotAssignable")]
    [InlineData("-- --", "2", "", "0", "0 1", "OffsetTable")]
    [InlineData("-- -- --", "2", "0 14", "0 15", "0 1+2", "OffsetTable")]
    [InlineData("-- -- --", "2", "0 28", "0 14", "0 1+2", "")]
    // a number whose table would be longer than can be said: eight, or four, times it is 8, or 4, in 64 bits
    [InlineData("--", "2305843009213693953", "", "0", "0", "OffsetTable FragmentsNotAssignable")]
    [InlineData("--", "4611686018427387905", "0", "", "0", "OffsetTable FragmentsNotAssignable")]
    // marks
    [InlineData("B- -- B- --", "2", "", "", "0+1 2+3", "")]
    [InlineData("X- -- -- X-", "2", "", "", "0+1+2 3", "")]
    [InlineData("B- -- B- -E", "2", "", "", "0+1 2+3", "")]
    [InlineData("-- -E -- -E", "2", "", "", "0+1 2+3", "")]
    [InlineData("-- 2E -- 2E", "2", "", "", "0+1 2+3", "")]
    [InlineData("-- B- B-", "2", "", "", "", "FragmentsNotAssignable")]
    [InlineData("-- -E B- B-", "2", "", "", "0+1 2+3", "")]
    [InlineData("-- -- -- --", "2", "", "", "", "FragmentsNotAssignable")]
    // too few fragments
    [InlineData("-- --", "5", "", "", "0 1", "FragmentsNotAssignable")]
    [InlineData("BE", "2", "", "", "0", "FragmentsNotAssignable")]
    [InlineData("", "2", "", "", "", "")]
    // empty fragments are left out, but for one that is all that its frame has
    [InlineData("0 -- --", "2", "", "", "1 2", "")]
    [InlineData("-- 0 --", "2", "0 14", "", "0 2", "")]
    [InlineData("0 --", "2", "0 8", "", "0 1", "")]
    [InlineData("-- 0", "2", "0 14", "", "0 1", "")]
    [InlineData("0", "1", "", "", "0", "")]
    public void Encapsulated_frames_have_the_fragments_that_tables_count_and_marks_say(string fragments, string frames,
        string basic, string extended, string expected, string expectedWarnings, string syntax = Jpeg)
    {
        var (pixels, indexes) = Fragments(fragments, basic);
        var (table, warnings) = Build(Header(frames, extended: extended), pixels, syntax);
        Assert.Equal(expected, string.Join(' ', Enumerable.Range(1, table.Count)
            .Select(number => string.Join('+', table.Frame(number).ToArray().Select(range => indexes[range.Offset])))));
        Assert.Equal(expectedWarnings, warnings);
        Assert.All(table.Fragments.ToArray(), range => Assert.Equal(pixels.Fragments[indexes[range.Offset]].Length, (uint)range.Length));
        // Where each frame is a fragment nothing more is stored than the fragments.
        if (table.Count > 0 && table.Count == table.Fragments.Length) Assert.Equal(0, table.ToBytes()[^1]);
    }

    [Theory]
    [InlineData("0 12", "3 4", 2, "3 4")]
    [InlineData("0 12", "3 3", 2, "3 3")]
    [InlineData("0 12", "", 2, "4 4")]
    [InlineData("0 12", "2 4", 2, "4 4")]       // more than padding
    [InlineData("0 12", "5 4", 2, "4 4")]       // longer than the fragment
    [InlineData("0 12", "-1 3", 2, "4 3")]
    [InlineData("0 12", "3", 2, "4 4")]         // not one for each frame
    [InlineData("0 12", "3 3 3", 2, "4 4")]
    [InlineData("0 12", "3 3", 3, "4 4 4")]     // a frame of two fragments
    [InlineData("0 13", "3 3", 2, "4 4")]       // of a table that is not used
    public void Lengths_of_the_extended_offset_table_count_where_they_leave_out_one_byte_of_padding(string offsets, string lengths,
        int fragments, string expected)
    {
        var pixels = new PixelDataInfo();
        pixels.BeginFragments(Start);
        pixels.AddFragment(Start + 8, 0);
        for (var i = 0; i < fragments; i++) pixels.AddFragment(Start + 16 + 12 * i, 4);
        pixels.EndFragments();
        var table = Build(Header("2", extended: offsets, lengths: lengths), pixels, Jpeg).Table;
        Assert.Equal(expected, string.Join(' ', table.Fragments.ToArray().Select(range => range.Length)));
    }

    // Of a data set that was cut between two fragments it must not be said that it has them all.
    [Theory]
    [InlineData("", "1", "", "", false)]
    [InlineData("0", "1", "", "", false)]
    [InlineData("--", "1", "", "", true)]
    [InlineData("X-", "", "", "", true)]                // JPEG XL has no mark at its end
    [InlineData("BE", "1", "", "", true)]
    [InlineData("B-", "1", "", "", false)]
    [InlineData("B- 2E", "1", "", "", true)]
    [InlineData("B- -E 0", "1", "", "", true)]
    [InlineData("B- -E", "1", "4", "", true)]           // one frame needs no table
    [InlineData("--", "2", "", "", false)]
    [InlineData("-- 0", "2", "", "", false)]            // an empty fragment is no frame
    [InlineData("BE 0", "2", "", "", false)]
    [InlineData("BE 0", "2", "0 14", "", false)]
    [InlineData("BE", "", "0 14", "", false)]           // the table tells the number
    [InlineData("BE BE", "", "0 14", "", true)]
    [InlineData("BE", "", "", "", true)]
    [InlineData("-- --", "2", "", "", true)]
    [InlineData("X- X-", "2", "", "", true)]
    [InlineData("X- --", "2", "", "", false)]           // two fragments of the first of two frames
    [InlineData("B- -E", "2", "", "", false)]
    [InlineData("BE BE", "2", "", "", true)]
    [InlineData("BE B-", "2", "", "", false)]
    [InlineData("BE -E", "2", "", "", true)]
    [InlineData("B- -E B- -E", "2", "", "", true)]
    [InlineData("B- -E B- --", "2", "", "", false)]
    [InlineData("B- -- -E", "2", "", "", false)]
    [InlineData("-- -- --", "2", "", "", false)]
    [InlineData("-- -- --", "2", "0 14", "", true)]
    [InlineData("-- -- --", "2", "", "0 14", true)]
    [InlineData("-- -- --", "2", "0 15", "0 14", true)]
    [InlineData("-- -- --", "2", "0 14", "0 15", true)]
    [InlineData("BE BE", "2", "0 15", "", false)]       // a table that points at what is not there
    [InlineData("BE BE", "2", "", "0 15", false)]
    [InlineData("BE BE", "3", "0 14 28", "", false)]
    public void All_frames_are_there_only_where_tables_or_marks_say_so(string fragments, string frames, string basic, string extended, bool expected) =>
        Assert.Equal(expected, FrameTableBuilder.HasAllFrames(Header(frames, extended: extended), Fragments(fragments, basic).Pixels));

    [Theory]
    [InlineData(8, 8)]
    [InlineData(9, 0)]
    [InlineData(12, 0)]
    public void An_offset_table_longer_than_any_right_one_is_not_kept_in_whatever_pieces_it_comes(int length, int kept)
    {
        const int Cap = 8;
        for (var step = 1; step <= length; step++)
        {
            var pixels = new PixelDataInfo();
            pixels.BeginFragments(Start);
            pixels.AddFragment(Start + 8, length);
            byte[] table = [.. Enumerable.Range(1, length).Select(i => (byte)i)];
            foreach (var part in table.Chunk(step)) pixels.AppendFragment(part, Cap);
            pixels.AddFragment(Start + 8 + length + 8, 2);
            pixels.AppendFragment([1, 2], Cap);
            pixels.EndFragments();
            Assert.Equal(table[..kept], pixels.BasicOffsetTable[..pixels.BasicOffsetTableLength]);
            Assert.Equal((Start + 8 + length, 16L + kept), (pixels.FirstFragmentHeader, pixels.MemoryUsed));
        }
    }

    [Fact]
    public void Of_two_pixel_data_elements_the_first_counts()
    {
        var pixels = new PixelDataInfo();
        pixels.SetNative(Tags.PixelData, Vr.OB, 100, 10, bigEndian: true);
        pixels.SetNative(Tags.FloatPixelData, Vr.OF, 200, 20, bigEndian: false);
        pixels.BeginFragments(300);
        Assert.Equal((Tags.PixelData, Vr.OB, 100L, 10L, true), (pixels.Tag, pixels.Vr, pixels.Offset, pixels.Length, pixels.IsBigEndian));
        Assert.Equal((false, false), (pixels.IsEncapsulated, pixels.InFragments));
    }

    /// <summary>Neither the fragments of a second Pixel Data nor those of what comes behind it are frames.</summary>
    [Theory]
    [InlineData("E07F1000")]
    [InlineData("E17F1010")]
    public void Fragments_behind_the_pixel_data_are_no_frames(string second)
    {
        const string Fragment = "FEFF00E0 04000000 01020304", End = "FEFFDDE0 00000000";
        var file = Part10.Header(Uid.Parse("1.2"), Uid.Parse("1.3"), Uid.Parse(Jpeg));
        var hex = $"28000800 4953 0200 3220 E07F1000 4F42 0000 FFFFFFFF FEFF00E0 00000000 {Fragment} {Fragment} {End}"
            + $"{second} 4F42 0000 FFFFFFFF FEFF00E0 00000000 {Fragment} {Fragment} {Fragment} {End}";
        var (scan, error) = Scans.Run([.. file, .. Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))], 9);
        Assert.Null(error);
        Assert.Equal([new ByteRange(38, 4), new ByteRange(50, 4)], scan!.Frames!.Fragments.ToArray());
        Assert.Equal(2, scan.Frames.Count);
    }
}
