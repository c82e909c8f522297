using System.Text;
using DicomServerless.Dicom;
using FsCheck;
using FsCheck.Fluent;

namespace DicomServerless.Unit.Dicom;

public sealed class FrameTableTests
{
    private static InstanceScan Scan(Action<DataSetWriter> write, DicomEncoding encoding = DicomEncoding.ExplicitLittleEndian,
        string syntax = "1.2.840.10008.1.2.1")
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        write(new DataSetWriter(output, encoding));
        byte[] file = [.. Part10.Header(Uid.Parse("1.2"), Uid.Parse("1.3"), Uid.Parse(syntax)), .. output.WrittenSpan];
        var (scan, error) = Scans.Run(file, 5);
        Assert.True(error is null, error?.Message);
        return scan!;
    }

    private static void Image(DataSetWriter writer, int frames, ushort rows, ushort columns, ushort bits)
    {
        if (frames > 0) writer.Write(Tags.NumberOfFrames, Vr.IS, Encoding.ASCII.GetBytes(frames.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        writer.Write(Tags.Rows, Vr.US, BitConverter.GetBytes(rows));
        writer.Write(Tags.Columns, Vr.US, BitConverter.GetBytes(columns));
        writer.Write(Tags.BitsAllocated, Vr.US, BitConverter.GetBytes(bits));
    }

    // 3 frames of 3x3 bits, each a different pattern, packed without gaps (PS3.5 8.1.1): 27 bits.
    [Fact]
    public void Frames_of_single_bits_begin_inside_bytes()
    {
        int[] patterns = [0b101010101, 0b111000111, 0b000111000];
        var packed = patterns[0] | (patterns[1] << 9) | (patterns[2] << 18);
        var scan = Scan(writer =>
        {
            Image(writer, 3, 3, 3, 1);
            writer.Write(Tags.PixelData, Vr.OB, BitConverter.GetBytes(packed));
        });
        var frames = scan.Frames!;
        Assert.Equal((3, 9L, 2L), (frames.Count, frames.FrameBits, frames.FrameBytes));
        for (var number = 1; number <= 3; number++)
        {
            var range = frames.Frame(number).Span[0];
            var pixelOffset = scan.BulkValues.Single().Offset;
            var stored = BitConverter.GetBytes(packed).AsSpan((int)(range.Offset - pixelOffset), (int)range.Length).ToArray();
            var frame = NativeFrame.Extract(frames, number, stored);
            Assert.Equal(patterns[number - 1], frame[0] | (frame[1] << 8));
        }
    }

    [Fact]
    public void Big_endian_words_are_turned_around_and_a_frame_may_begin_inside_a_word()
    {
        // 2 frames of 3 pixels of 8 bits in OW: little endian 01 02 03 04 05 06, stored as words 02 01 04 03 06 05 (PS3.5 8.1, A.3)
        byte[] pixels = [1, 2, 3, 4, 5, 6];
        var scan = Scan(writer =>
        {
            writer.Write(Tags.NumberOfFrames, Vr.IS, "2"u8);
            writer.Write(Tags.Rows, Vr.US, BitConverter.GetBytes((ushort)1));
            writer.Write(Tags.Columns, Vr.US, BitConverter.GetBytes((ushort)3));
            writer.Write(Tags.BitsAllocated, Vr.US, BitConverter.GetBytes((ushort)8));
            writer.Write(Tags.PixelData, Vr.OW, pixels);
        }, DicomEncoding.ExplicitBigEndian, "1.2.840.10008.1.2.2");
        byte[] stored = [2, 1, 4, 3, 6, 5];
        var offset = scan.BulkValues.Single().Offset;
        Assert.True(scan.BulkValues.Single().IsBigEndian);
        for (var number = 1; number <= 2; number++)
        {
            var range = scan.Frames!.Frame(number).Span[0];
            var frame = NativeFrame.Extract(scan.Frames, number, stored.AsSpan((int)(range.Offset - offset), (int)range.Length).ToArray());
            Assert.Equal(pixels.AsSpan((number - 1) * 3, 3), frame);
        }
    }

    [Fact]
    public void Two_billion_declared_frames_are_as_many_as_fit()
    {
        var (scan, _) = Scans.Run(Samples.Read("frames-2e9.dcm"), 100);
        Assert.Equal(1, scan!.Frames!.Count);
        Assert.Contains(scan.Warnings, warning => warning.Kind == DicomWarningKind.PixelDataLength);
    }

    [Theory]
    [InlineData("encaps-3f-empty-bot.dcm", 3, 3)]
    [InlineData("encaps-2f-4frag-bot.dcm", 2, 4)]
    public void Encapsulated_frames_are_found_with_and_without_a_table(string name, int frames, int fragments)
    {
        var (scan, _) = Scans.Run(Samples.Read(name), 100);
        Assert.Equal((frames, fragments), (scan!.Frames!.Count, scan.Frames.Fragments.Length));
        Assert.True(scan.BulkValues.Single().IsEncapsulated);
    }

    // Fragments begin and end as said: B begins an image (FFD8FFE0), E ends one (FFD9), - neither.
    [Theory]
    [InlineData("BE BE", 2, "", "1 1")]
    [InlineData("B- -E B- -- -E", 2, "", "2 3")]
    [InlineData("B- -E B- -- -E", 2, "0 28", "2 3")]
    [InlineData("B- -E B- -- -E", 2, "0 29", "2 3")] // a wrong table is ignored
    [InlineData("-- -E -- -E", 2, "", "2 2")]
    [InlineData("-- -- -- --", 2, "", "")]           // nobody can tell
    [InlineData("-- -- --", 1, "", "3")]
    [InlineData("-- -- --", 0, "", "3")]
    [InlineData("-- --", 5, "", "1 1")]
    public void Fragments_are_assigned_by_table_then_count_then_markers(string fragments, int frames, string table, string expected)
    {
        var scan = Scan(writer =>
        {
            Image(writer, frames, 2, 2, 8);
            writer.BeginFragments(Tags.PixelData);
            byte[] offsets = [.. table.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .SelectMany(o => BitConverter.GetBytes(uint.Parse(o, System.Globalization.CultureInfo.InvariantCulture)))];
            writer.WriteFragmentHeader(offsets.Length);
            writer.WriteValue(offsets, 1);
            foreach (var fragment in fragments.Split(' '))
            {
                byte[] head = fragment[0] == 'B' ? [0xFF, 0xD8, 0xFF, 0xE0] : [1, 2, 3, 4];
                byte[] tail = fragment[1] == 'E' ? [0xFF, 0xD9] : [5, 6];
                byte[] bytes = [.. head, .. tail];
                writer.WriteFragmentHeader(bytes.Length);
                writer.WriteValue(bytes, 1);
            }
            writer.EndSequence();
        }, syntax: "1.2.840.10008.1.2.4.50");
        var counts = Enumerable.Range(1, scan.Frames!.Count).Select(n => scan.Frames.Frame(n).Length);
        Assert.Equal(expected, string.Join(' ', counts));
        var again = FrameTable.Parse(scan.Frames.ToBytes());
        Assert.Equal(scan.Frames.Fragments.ToArray(), again.Fragments.ToArray());
        Assert.Equal(expected, string.Join(' ', Enumerable.Range(1, again.Count).Select(n => again.Frame(n).Length)));
    }

    [Fact]
    public void Any_bytes_are_a_frame_table_that_writes_itself_or_none() =>
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), tail =>
        {
            foreach (var kind in new byte[] { 1, 2 })
            {
                byte[] bytes = [1, kind, .. tail];
                if (!FrameTable.TryParse(bytes, out var table)) continue;
                if (!FrameTable.TryParse(table!.ToBytes(), out var again) || again!.Count != table.Count) return false;
                if (table.Count > 0) table.Frame(table.Count);
            }
            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));

    private static byte[] Fragments(byte[][] fragments, string end = "FEFFDDE000000000", params int[] offsets)
    {
        var bytes = new List<byte>(Convert.FromHexString("E07F10004F420000FFFFFFFF"));
        bytes.AddRange([.. Convert.FromHexString("FEFF00E0"), .. BitConverter.GetBytes(4 * offsets.Length), .. offsets.SelectMany(BitConverter.GetBytes)]);
        foreach (var fragment in fragments) bytes.AddRange([.. Convert.FromHexString("FEFF00E0"), .. BitConverter.GetBytes(fragment.Length), .. fragment]);
        bytes.AddRange(Convert.FromHexString(end));
        return [.. bytes];
    }

    private static (InstanceScan? Scan, DicomError? Error, byte[] DataSet) ScanEncapsulated(int frames,
        string syntax, byte[] pixelData, Action<DataSetWriter>? more = null)
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        var writer = new DataSetWriter(output, DicomEncoding.ExplicitLittleEndian);
        Image(writer, frames, 2, 2, 8);
        more?.Invoke(writer);
        byte[] dataSet = [.. output.WrittenSpan, .. pixelData];
        var (scan, error) = Scans.Run([.. Part10.Header(Uid.Parse("1.2"), Uid.Parse("1.3"), Uid.Parse(syntax)), .. dataSet], 7);
        return (scan, error, dataSet);
    }

    private static string FrameOf(InstanceScan scan, byte[] dataSet, int number) =>
        string.Concat(scan.Frames!.Frame(number).ToArray().Select(range => Encoding.ASCII.GetString(dataSet, (int)range.Offset, (int)range.Length)));

    [Theory]
    [InlineData("AAAA|BBBB|CCCC|")]
    [InlineData("|AAAA|BBBB|CCCC")]
    [InlineData("AAAA||BBBB|CCCC")]
    public void An_empty_fragment_holds_no_frame(string fragments)
    {
        byte[][] pieces = [.. fragments.Split('|').Select(Encoding.ASCII.GetBytes)];
        var (scan, error, dataSet) = ScanEncapsulated(3, "1.2.840.10008.1.2.5", Fragments(pieces));
        Assert.Null(error);
        Assert.Equal(["AAAA", "BBBB", "CCCC"], Enumerable.Range(1, 3).Select(number => FrameOf(scan!, dataSet, number)));
        Assert.DoesNotContain(scan!.Frames!.Fragments.ToArray(), range => range.Length == 0);
    }

    [Fact]
    public void An_empty_fragment_within_a_frame_of_a_table_is_left_out()
    {
        // The frames begin at the items at 0 and at 12 + 8 + 12.
        var (scan, _, dataSet) = ScanEncapsulated(2, "1.2.840.10008.1.2.4.90",
            Fragments(["AAAA"u8.ToArray(), [], "BBBB"u8.ToArray(), "CCCC"u8.ToArray()], offsets: [0, 32]));
        Assert.Equal(["AAAABBBB", "CCCC"], Enumerable.Range(1, 2).Select(number => FrameOf(scan!, dataSet, number)));
        Assert.Equal(3, scan!.Frames!.Fragments.Length);
    }

    [Fact]
    public void The_lengths_of_the_extended_offset_table_leave_out_the_padding()
    {
        // PS3.3 C.7.6.3.1.9: the first frame has 3 bytes, its fragment 4.
        var (scan, _, dataSet) = ScanEncapsulated(2, "1.2.840.10008.1.2.4.90", Fragments(["AAA\0"u8.ToArray(), "BBBB"u8.ToArray()]), writer =>
        {
            writer.Write(Tags.ExtendedOffsetTable, Vr.OV, [.. BitConverter.GetBytes(0L), .. BitConverter.GetBytes(12L)]);
            writer.Write(Tags.ExtendedOffsetTableLengths, Vr.OV, [.. BitConverter.GetBytes(3L), .. BitConverter.GetBytes(4L)]);
        });
        Assert.Equal(["AAA", "BBBB"], Enumerable.Range(1, 2).Select(number => FrameOf(scan!, dataSet, number)));
    }

    [Theory]
    [InlineData("", true)]                                     // missing
    [InlineData("0000000000000000", true)]                     // zeros in its place
    [InlineData("FCFFFCFF4F4200000200000000 00", true)]        // Data Set Trailing Padding (PS3.10 7.2) right behind the last fragment
    [InlineData("FEFFDDE0FFFFFFFF", false)]                    // with an undefined length: a delimiter all the same
    [InlineData("FEFFDDE000000000FEFFDDE000000000", false)]    // twice
    public void Pixel_data_whose_fragments_are_complete_needs_no_delimiter(string end, bool warns)
    {
        byte[][] frames = [[0xFF, 0xD8, 0xFF, 0xE0, 65, 65, 0xFF, 0xD9], [0xFF, 0xD8, 0xFF, 0xE0, 66, 66, 0xFF, 0xD9]];
        var (scan, error, dataSet) = ScanEncapsulated(2, "1.2.840.10008.1.2.4.50", Fragments(frames, end.Replace(" ", "", StringComparison.Ordinal)));
        Assert.True(error is null, error?.Message);
        var range = scan!.Frames!.Frame(2).Span[0];
        Assert.Equal(frames[1], dataSet.AsSpan((int)range.Offset, (int)range.Length).ToArray());
        Assert.Equal(warns, scan.Warnings.Any(warning => warning.Kind == DicomWarningKind.OpenPixelData));
        // The bulk value ends with the last fragment, or with the delimiter's beginning.
        var bulk = scan.BulkValues.Single();
        Assert.Equal(range.Offset + range.Length, bulk.Offset + bulk.Length);
    }

    [Theory]
    [InlineData(2, "FFD8FFE04141FFD9")]            // one frame of two
    [InlineData(1, "FFD8FFE04141")]                // the first fragment of a frame that does not end
    public void Pixel_data_that_was_cut_between_fragments_is_refused(int frames, string fragment)
    {
        var (_, error, _) = ScanEncapsulated(frames, "1.2.840.10008.1.2.4.50", Fragments([Convert.FromHexString(fragment)], ""));
        Assert.Equal((DicomErrorKind.Unclosed, "(7FE0,0010)"), (error!.Kind, error.Path));
    }

    /// <summary>Only one of them begins as JPEG does; each ends as JPEG does, so there are two frames.</summary>
    [Fact]
    public void Pixel_data_whose_fragments_all_end_an_image_are_complete()
    {
        byte[][] frames = [[0xFF, 0xD8, 0xFF, 0xD9, 65, 65, 0xFF, 0xD9], [0xFF, 0xD8, 66, 66, 66, 66, 0xFF, 0xD9]];
        var (scan, error, dataSet) = ScanEncapsulated(2, "1.2.840.10008.1.2.4.50", Fragments(frames, ""));
        Assert.True(error is null, error?.Message);
        var range = scan!.Frames!.Frame(2).Span[0];
        Assert.Equal(frames[1], dataSet.AsSpan((int)range.Offset, (int)range.Length).ToArray());
    }

    /// <summary>There are as many fragments as frames, but each frame has two: half of the frames are missing.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Pixel_data_of_several_fragments_a_frame_that_were_cut_between_frames_are_refused(bool hasTable)
    {
        byte[][] fragments = [[0xFF, 0xD8, 0xFF, 0xE0], [65, 65, 0xFF, 0xD9], [0xFF, 0xD8, 0xFF, 0xE0], [66, 66, 0xFF, 0xD9]];
        var (_, error, _) = ScanEncapsulated(4, "1.2.840.10008.1.2.4.50", Fragments(fragments, "", hasTable ? [0, 24, 48, 72] : []));
        Assert.Equal(DicomErrorKind.Unclosed, error!.Kind);
    }
}
