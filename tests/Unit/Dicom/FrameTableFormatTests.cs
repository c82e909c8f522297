using System.Globalization;
using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

/// <summary>The ranges that a frame table names, and the form in which it is stored.</summary>
public sealed class FrameTableFormatTests
{
    /// <summary>Offset and length of the value, bits of a frame, frames, bytes of a word.</summary>
    public static TheoryData<long, long, long, int, int> NativeTables => new()
    {
        { 132, 4, 9, 3, 1 },                                  // frames begin inside a byte
        { 132, 4, 9, 3, 2 },
        { 7, 8, 1, 64, 1 },
        { 1000, 300, 24, 100, 1 },
        { 1000, 300, 24, 100, 2 },                            // frames of three bytes begin inside a word
        { 1000, 300, 24, 100, 4 },
        { 1000, 300, 24, 100, 8 },
        { 1000, 299, 40, 50, 8 },                             // the value ends inside a word, more than a frame after the last one
        { 1000, 253, 40, 50, 8 },                             // and inside the word in which the last frame ends
        { 12, 64, 64, 8, 8 },
        { 12, 65, 32, 16, 4 },
        { 0, 0, 0, 0, 1 },
        { 500, 6, 0, 0, 2 },
        { 500, 6, 48, 0, 1 },
        { 1 << 20, 1 << 28, 1, int.MaxValue, 1 },
        { 1 << 20, 1L << 40, 4096, int.MaxValue, 8 },
        { long.MaxValue - 16, 16, 32, 4, 4 },
        { 0, long.MaxValue / 8, 7, int.MaxValue, 8 },
        { 0, long.MaxValue / 8, long.MaxValue / 8 * 8, 1, 1 },
    };

    [Theory]
    [MemberData(nameof(NativeTables))]
    public void A_native_table_comes_back_and_names_just_the_words_that_hold_each_frame(long offset, long length, long bits, int count, int wordSize)
    {
        var bytes = FrameTable.Native(offset, length, bits, count, wordSize).ToBytes();
        var table = FrameTable.Parse(bytes);
        Assert.Equal(bytes, table.ToBytes());
        Assert.Equal((count, bits, (long)(((Int128)bits + 7) / 8), wordSize, false, 0),
            (table.Count, table.FrameBits, table.FrameBytes, table.WordSize, table.IsEncapsulated, table.Fragments.Length));
        int[] some = [1, 2, 3, count / 2, count - 1, count];
        foreach (var number in count <= 100 ? Enumerable.Range(1, count) : some)
        {
            Int128 firstBit = (Int128)(number - 1) * bits, wordBits = wordSize * 8;
            var first = firstBit / wordBits * wordSize;
            var end = Int128.Min(length, (firstBit + bits + wordBits - 1) / wordBits * wordSize);
            Assert.Equal([new ByteRange((long)(offset + first), (long)(end - first))], table.Frame(number).ToArray());
            Assert.Equal((int)(firstBit - first * 8), table.BitOffset(number));
        }
        AssertHasNoFrame(table, -1, 0, (long)count + 1);
    }

    private static void AssertHasNoFrame(FrameTable table, params long[] numbers)
    {
        foreach (var number in numbers)
            if (number <= int.MaxValue) Assert.Throws<ArgumentOutOfRangeException>(() => table.Frame((int)number));
    }

    [Fact]
    public void Every_native_frame_is_extracted_bit_by_bit_whatever_its_size_and_the_words()
    {
        var random = new Random(3);
        foreach (var wordSize in new[] { 1, 2, 4, 8 })
            for (var bits = 1; bits <= 70; bits++)
            {
                var count = random.Next(1, 9);
                var plain = new byte[(bits * count + 7) / 8 + random.Next(3)];
                random.NextBytes(plain);
                var stored = (byte[])plain.Clone();
                NativeFrame.SwapWords(stored, wordSize);
                // Of a word that the value cuts nothing can be turned around, so such frames are left out.
                var whole = plain.Length / wordSize * wordSize * 8 / bits;
                var table = FrameTable.Native(0, stored.Length, bits, count, wordSize);
                for (var number = 1; number <= Math.Min(count, whole); number++)
                {
                    var range = table.Frame(number).Span[0];
                    var frame = NativeFrame.Extract(table, number, stored.AsSpan((int)range.Offset, (int)range.Length).ToArray());
                    var expected = new byte[(bits + 7) / 8];
                    for (var bit = 0; bit < bits; bit++)
                    {
                        var from = (number - 1) * bits + bit;
                        expected[bit / 8] |= (byte)((plain[from / 8] >> (from % 8) & 1) << (bit % 8));
                    }
                    Assert.Equal(expected, frame.ToArray());
                }
            }
    }

    /// <summary>Fragments by their offsets and lengths; the index of each frame's first, and their count; none where each is a frame.</summary>
    [Theory]
    [InlineData("100 10 118 20 146 30", "", "100 | 118 | 146")]
    [InlineData("100 10 118 20 146 30", "0 3", "100 118 146")]
    [InlineData("100 10 118 20 146 30", "0 1 3", "100 | 118 146")]
    [InlineData("100 10 118 20 146 30", "0 1 2 3", "100 | 118 | 146")]
    [InlineData("100 0 100 0", "", "100 | 100")]
    [InlineData("", "0", "")]
    [InlineData("", "", "")]
    public void An_encapsulated_table_comes_back_with_the_fragments_of_each_frame(string fragments, string firsts, string expected)
    {
        var numbers = Numbers(fragments);
        ByteRange[] ranges = [.. numbers.Chunk(2).Select(pair => new ByteRange(pair[0], pair[1]))];
        int[]? firstFragments = firsts.Length == 0 ? null : [.. Numbers(firsts).Select(number => (int)number)];
        var bytes = FrameTable.Encapsulated(ranges, firstFragments).ToBytes();
        var table = FrameTable.Parse(bytes);
        Assert.Equal(bytes, table.ToBytes());
        Assert.Equal(ranges, table.Fragments.ToArray());
        Assert.Equal((true, 0L, 0L, 1), (table.IsEncapsulated, table.FrameBits, table.FrameBytes, table.WordSize));
        var frames = Enumerable.Range(1, table.Count).Select(number => table.Frame(number).ToArray()).ToList();
        Assert.Equal(expected, string.Join(" | ", frames.Select(frame => string.Join(' ', frame.Select(range => range.Offset)))));
        Assert.All(frames.SelectMany(frame => frame), range => Assert.Contains(range, ranges));
        Assert.All(Enumerable.Range(1, table.Count), number => Assert.Equal(0, table.BitOffset(number)));
        AssertHasNoFrame(table, -1, 0, table.Count + 1);
    }

    // Version 1; kind 1: offset, length, bits of a frame, frames, bytes of a word; kind 2: the count of fragments, gap and length of each, then 0 where each
    // is a frame, or frames + 1 and how many fragments each frame has.
    [Theory]
    [InlineData("", false)]
    [InlineData("1", false)]
    [InlineData("0 1 10 4 8 4 1", false)]
    [InlineData("2 1 10 4 8 4 1", false)]
    [InlineData("1 0 10 4 8 4 1", false)]
    [InlineData("1 3 10 4 8 4 1", false)]
    [InlineData("1 1 10 4 8 4 1", true)]
    [InlineData("1 1 10 4 8 4 1 0", false)]
    [InlineData("1 1 10 4 8 3 1", true)]
    [InlineData("1 1 10 4 8 5 1", false)]                                            // more frames than the value holds
    [InlineData("1 1 10 4 32 1 1", true)]
    [InlineData("1 1 10 4 33 1 1", false)]                                           // a longer one
    [InlineData("1 1 10 4 0 1 1", false)]                                            // a frame of nothing
    [InlineData("1 1 10 4 0 0 1", true)]
    [InlineData("1 1 10 4 32 0 1", true)]
    [InlineData("1 1 10 4 8 4 0", false)]
    [InlineData("1 1 10 4 8 4 2", true)]
    [InlineData("1 1 10 4 8 4 3", false)]
    [InlineData("1 1 10 4 8 4 4", true)]
    [InlineData("1 1 10 4 8 4 5", false)]
    [InlineData("1 1 10 4 8 4 8", true)]
    [InlineData("1 1 10 4 8 4 16", false)]
    [InlineData("1 1 9223372036854775803 4 8 4 1", true)]                            // up to the last offset that there is
    [InlineData("1 1 9223372036854775804 4 8 4 1", false)]
    [InlineData("1 1 0 1152921504606846975 9223372036854775800 1 1", true)]          // up to the last bit that there is
    [InlineData("1 1 0 1152921504606846976 9223372036854775800 1 1", false)]
    [InlineData("1 1 0 4611686018427387904 4611686018427387904 8 1", false)]
    [InlineData("1 1 0 268435456 1 2147483647 1", true)]                             // as many frames as can be numbered
    [InlineData("1 1 0 268435456 1 2147483648 1", false)]
    [InlineData("1 2 3 100 10 8 20 8 30 0", true)]
    [InlineData("1 2 3 100 10 8 20 8 30 4 1 1 1", true)]
    [InlineData("1 2 3 100 10 8 20 8 30 3 1 2", true)]
    [InlineData("1 2 3 100 10 8 20 8 30 3 2 1", true)]
    [InlineData("1 2 3 100 10 8 20 8 30 2 3", true)]
    [InlineData("1 2 3 100 10 8 20 8 30 2 4", false)]                                // a frame of more fragments than there are
    [InlineData("1 2 3 100 10 8 20 8 30 3 1 3", false)]
    [InlineData("1 2 3 100 10 8 20 8 30 3 0 3", false)]                              // a frame without a fragment
    [InlineData("1 2 3 100 10 8 20 8 30 5 1 1 1 1", false)]
    [InlineData("1 2 3 100 10 8 20 8 30 3 1", false)]
    [InlineData("1 2 4 100 10 8 20 8 30 0", false)]
    [InlineData("1 2 0 1", true)]
    [InlineData("1 2 0 0", true)]
    [InlineData("1 2 0 2 1", false)]
    [InlineData("1 2 1 9223372036854775807 0 0", true)]
    [InlineData("1 2 1 9223372036854775806 1 0", true)]
    [InlineData("1 2 1 9223372036854775806 2 0", false)]
    [InlineData("1 2 2 10 9223372036854775796 1 0 0", true)]
    [InlineData("1 2 2 10 9223372036854775797 1 0 0", false)]
    public void A_stored_table_is_taken_as_it_is_or_refused(string numbers, bool isTable)
    {
        var bytes = Varints(Numbers(numbers));
        Assert.Equal(isTable, FrameTable.TryParse(bytes, out var table));
        Assert.Equal(isTable, table is not null);
        if (isTable) Assert.Equal(bytes, table!.ToBytes());
        else Assert.Throws<FormatException>(() => FrameTable.Parse(bytes));
    }

    [Theory]
    [InlineData("1 1 1000 300 24 100 2")]
    [InlineData("1 1 5 4 9 3 1")]
    [InlineData("1 1 1000000 268435456 1 2147483647 1")]
    [InlineData("1 2 3 100 10 8 20 8 300 0")]
    [InlineData("1 2 4 100 10 8 200 8 0 8 30 3 1 2")]
    [InlineData("1 2 4 100 10 8 20 8 0 8 30 5 1 1 1 1")]
    public void No_damage_to_a_stored_table_makes_it_name_bytes_outside(string numbers)
    {
        var bytes = Varints(Numbers(numbers));
        Assert.True(FrameTable.TryParse(bytes, out _));
        for (var length = 0; length < bytes.Length; length++) Assert.False(FrameTable.TryParse(bytes.AsSpan(0, length), out _), $"cut to {length}");
        for (var i = 0; i < bytes.Length; i++)
            for (var value = 0; value < 256; value++)
            {
                var damaged = (byte[])bytes.Clone();
                damaged[i] = (byte)value;
                if (!FrameTable.TryParse(damaged, out var table)) continue;
                Assert.Equal(table!.ToBytes(), FrameTable.Parse(table.ToBytes()).ToBytes());
                AssertNamesBytesInside(table, damaged);
            }
    }

    private static void AssertNamesBytesInside(FrameTable table, byte[] stored)
    {
        var reader = new VarintReader(stored);
        for (var skipped = 0; skipped < 2; skipped++) Assert.True(reader.TryRead(out _));
        Assert.True(reader.TryRead(out var first));
        var end = long.MaxValue;
        if (table.IsEncapsulated) first = 0;
        else if (reader.TryRead(out var length)) end = first + length;
        Assert.True(end >= first);
        foreach (var number in Enumerable.Range(1, Math.Min(table.Count, 20)).Append(table.Count))
        {
            if (number == 0) continue;
            var from = first;
            Assert.True(table.Frame(number).Length > 0);
            foreach (var range in table.Frame(number).Span)
            {
                Assert.True(range.Offset >= from && range.Length >= 0 && range.Length <= end - range.Offset, $"{range} is not between {from} and {end}");
                from = range.Offset + range.Length;
            }
        }
    }

    /// <summary>Counts are believed no further than the bytes behind them reach.</summary>
    [Theory]
    [InlineData(50_001, 100_000, 0, 10_000)]           // more fragments than bytes for them
    [InlineData(10_000, 20_000, 10_001, 170_000)]      // more frames than bytes for them; 16 bytes a fragment were needed
    public void A_count_that_the_bytes_do_not_bear_out_takes_no_memory(int fragments, int zeros, int ends, long most)
    {
        byte[] bytes = [.. Varints([1, 2, fragments]), .. new byte[zeros], .. Varints([ends])];
        Assert.False(FrameTable.TryParse(bytes, out _)); // once before, so that nothing is counted that is made only once
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.False(FrameTable.TryParse(bytes, out _));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, most);
    }

    private static long[] Numbers(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(number => long.Parse(number, CultureInfo.InvariantCulture))];

    private static byte[] Varints(long[] numbers)
    {
        var writer = new VarintWriter(16);
        foreach (var number in numbers) writer.Write(number);
        return writer.ToArray();
    }
}
