using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

public sealed class DicomJsonWriterTests
{
    private static string Json(Action<DataSetBuilder> fill, DicomJsonOptions? options = null)
    {
        var builder = new DataSetBuilder();
        fill(builder);
        var output = new ArrayBufferWriter<byte>();
        DicomJsonWriter.Write(builder.Build(), output, options);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static string Value(Vr vr, ReadOnlySpan<byte> bytes, bool bigEndian = false)
    {
        var copy = bytes.ToArray();
        var json = Json(b => b.Add(new Tag(0x00091001), vr, copy, bigEndian));
        using var document = JsonDocument.Parse(json);
        Assert.Equal(vr.Code(), document.RootElement.GetProperty("00091001").GetProperty("vr").GetString());
        return json["{'00091001':{'vr':'XX'".Length..^2].TrimStart(',').Replace("\"Value\":", "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Vr.LO, "A", "[\"A\"]")]
    [InlineData(Vr.LO, " A \\ B\0", "[\"A\",\"B\"]")]
    [InlineData(Vr.LO, "A\\\\B", "[\"A\",null,\"B\"]")]
    [InlineData(Vr.LO, "A\\", "[\"A\",null]")]
    [InlineData(Vr.LO, "  ", "")]
    [InlineData(Vr.LO, "", "")]
    [InlineData(Vr.CS, "ORIGINAL\\PRIMARY ", "[\"ORIGINAL\",\"PRIMARY\"]")]
    [InlineData(Vr.UI, "1.2.3\0", "[\"1.2.3\"]")]
    [InlineData(Vr.UI, "1.2.3\\1.2.4\0", "[\"1.2.3\",\"1.2.4\"]")]
    [InlineData(Vr.LT, " a\\b\r\n\"c\" ", "[\" a\\\\b\\r\\n\\\"c\\\"\"]")]
    [InlineData(Vr.UR, "http://x/a?b=c ", "[\"http://x/a?b=c\"]")]
    [InlineData(Vr.UC, " a\\ b ", "[\" a\",\" b\"]")]
    [InlineData(Vr.ST, "\u0001~", "[\"\\u0001~\"]")]
    [InlineData(Vr.DA, "20200101\\", "[\"20200101\",null]")]
    [InlineData(Vr.PN, "A^B ", "[{\"Alphabetic\":\"A^B\"}]")]
    [InlineData(Vr.PN, "A^B\\\\C^D", "[{\"Alphabetic\":\"A^B\"},null,{\"Alphabetic\":\"C^D\"}]")]
    [InlineData(Vr.PN, "=I=P", "[{\"Ideographic\":\"I\",\"Phonetic\":\"P\"}]")]
    [InlineData(Vr.PN, "A==", "[{\"Alphabetic\":\"A\"}]")]
    [InlineData(Vr.PN, "==", "[null]")]
    [InlineData(Vr.DS, "0.10", "[0.10]")]
    [InlineData(Vr.DS, "1\\-2.50\\ 3 ", "[1,-2.50,3]")]
    [InlineData(Vr.DS, "+1.0\\007\\.5\\-.5\\5.\\00.0\\-0\\000", "[1.0,7,0.5,-0.5,5,0.0,-0,0]")]
    [InlineData(Vr.DS, "1e5\\1E-05\\+1.e+05\\.5e3", "[1e5,1E-05,1e+05,0.5e3]")]
    [InlineData(Vr.DS, "1.2345678901234567", "[1.2345678901234567]")]
    [InlineData(Vr.DS, "1,5\\NaN\\1E400\\1 2\\-\\.\\e5\\1e\\0x1", "[\"1,5\",\"NaN\",\"1E400\",\"1 2\",\"-\",\".\",\"e5\",\"1e\",\"0x1\"]")]
    [InlineData(Vr.DS, "1\\\\3", "[1,null,3]")]
    [InlineData(Vr.DS, "\\", "[null,null]")]
    [InlineData(Vr.DS, " ", "")]
    [InlineData(Vr.IS, "012\\+3\\-04", "[12,3,-4]")]
    [InlineData(Vr.IS, "1.0", "[1.0]")]
    public void Texts_take_the_form_of_annex_f(Vr vr, string text, string expected) => Assert.Equal(expected, Value(vr, Encoding.Latin1.GetBytes(text)));

    [Fact]
    public void Numbers_take_the_form_of_annex_f_in_either_byte_order()
    {
        Assert.Equal("[1,65535]", Value(Vr.US, [1, 0, 0xFF, 0xFF]));
        Assert.Equal("[256,65535]", Value(Vr.US, [1, 0, 0xFF, 0xFF], bigEndian: true));
        Assert.Equal("[-1]", Value(Vr.SS, [0xFF, 0xFF]));
        Assert.Equal("[4294967295]", Value(Vr.UL, [0xFF, 0xFF, 0xFF, 0xFF]));
        Assert.Equal("[-2]", Value(Vr.SL, [0xFF, 0xFF, 0xFF, 0xFE], bigEndian: true));
        Assert.Equal("[\"00100020\",\"7FE00010\"]", Value(Vr.AT, [0x10, 0, 0x20, 0, 0xE0, 0x7F, 0x10, 0]));
        Assert.Equal("[\"00100020\"]", Value(Vr.AT, [0, 0x10, 0, 0x20], bigEndian: true));
        Assert.Equal("", Value(Vr.US, [1]));
        Assert.Equal("[1]", Value(Vr.US, [1, 0, 1]));
        Assert.Equal("", Value(Vr.US, []));
    }

    [Fact]
    public void Sixty_four_bits_beyond_two_to_the_53_are_strings()
    {
        Assert.Equal("[9007199254740992]", Value(Vr.UV, Bytes(9007199254740992)));
        Assert.Equal("[\"9007199254740993\"]", Value(Vr.UV, Bytes(9007199254740993)));
        Assert.Equal("[\"18446744073709551615\"]", Value(Vr.UV, Bytes(ulong.MaxValue)));
        Assert.Equal("[-5]", Value(Vr.SV, Bytes(unchecked((ulong)-5))));
        Assert.Equal("[\"-9223372036854775808\"]", Value(Vr.SV, Bytes(1UL << 63)));

        static byte[] Bytes(ulong value)
        {
            var bytes = new byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
            return bytes;
        }
    }

    [Fact]
    public void Floats_come_back_as_they_were_and_what_is_not_finite_is_a_string()
    {
        Assert.Equal("[0.1]", Value(Vr.FL, BitConverter.GetBytes(0.1f)));
        Assert.Equal("[0.1]", Value(Vr.FD, BitConverter.GetBytes(0.1)));
        Assert.Equal("[1E-45]", Value(Vr.FL, BitConverter.GetBytes(float.Epsilon)));
        Assert.Equal("[\"NaN\"]", Value(Vr.FL, BitConverter.GetBytes(float.NaN)));
        Assert.Equal("[\"Infinity\"]", Value(Vr.FD, BitConverter.GetBytes(double.PositiveInfinity)));
        Assert.Equal("[\"-Infinity\"]", Value(Vr.FD, BitConverter.GetBytes(double.NegativeInfinity)));
    }

    [Fact]
    public void Binary_is_base64_of_little_endian_words()
    {
        Assert.Equal("\"InlineBinary\":\"AQIDBA==\"", Value(Vr.OB, [1, 2, 3, 4]));
        Assert.Equal("\"InlineBinary\":\"AgEEAw==\"", Value(Vr.OW, [1, 2, 3, 4], bigEndian: true));
        Assert.Equal("\"InlineBinary\":\"AQIDBA==\"", Value(Vr.OB, [1, 2, 3, 4], bigEndian: true));
        Assert.Equal("\"InlineBinary\":\"BAMCAQ==\"", Value(Vr.OF, [1, 2, 3, 4], bigEndian: true));
        Assert.Equal("\"InlineBinary\":\"CAcGBQQDAgE=\"", Value(Vr.OD, [1, 2, 3, 4, 5, 6, 7, 8], bigEndian: true));
        Assert.Equal("", Value(Vr.OB, []));
        var large = new byte[100_000];
        new Random(3).NextBytes(large);
        Assert.Equal($"\"InlineBinary\":\"{Convert.ToBase64String(large)}\"", Value(Vr.UN, large));
    }

    [Fact]
    public void A_vr_that_no_standard_has_is_un() =>
        Assert.Contains("\"vr\":\"UN\",\"InlineBinary\"", Json(b => b.Add(new Tag(0x00091001), (Vr)0x5A5A, [1, 2])), StringComparison.Ordinal);

    [Fact]
    public void Sequences_items_and_what_is_empty_take_the_form_of_annex_f() => Assert.Equal(
        "{\"00081110\":{\"vr\":\"SQ\"},\"00081111\":{\"vr\":\"SQ\",\"Value\":[{},{\"00080100\":{\"vr\":\"SH\",\"Value\":[\"X\"]},"
            + "\"00081140\":{\"vr\":\"SQ\",\"Value\":[{}]}}]},\"00100010\":{\"vr\":\"PN\"}}",
        Json(b =>
        {
            b.BeginSequence(new Tag(0x00081110));
            b.EndSequence();
            b.BeginSequence(new Tag(0x00081111));
            b.BeginItem();
            b.EndItem();
            b.BeginItem();
            b.Add(new Tag(0x00080100), Vr.SH, "X"u8);
            b.BeginSequence(new Tag(0x00081140));
            b.BeginItem();
            b.EndItem();
            b.EndSequence();
            b.EndItem();
            b.EndSequence();
            b.Add(Tags.PatientName, Vr.PN, []);
        }));

    [Fact]
    public void Keys_ascend_once_each_without_group_lengths_and_file_meta() => Assert.Equal(
        "{\"00080060\":{\"vr\":\"CS\",\"Value\":[\"CT\"]},\"00100020\":{\"vr\":\"LO\",\"Value\":[\"1\"]}}",
        Json(b =>
        {
            b.Add(Tags.TransferSyntaxUID, Vr.UI, "1.2"u8);
            b.Add(Tags.PatientID, Vr.LO, "1 "u8);
            b.Add(new Tag(0x00080000), Vr.UL, [1, 0, 0, 0]);
            b.Add(Tags.Modality, Vr.CS, "CT"u8);
            b.Add(Tags.PatientID, Vr.LO, "2 "u8);
        }));

    [Fact]
    public void Each_item_is_read_with_its_own_character_set_and_all_is_written_as_utf8() => Assert.Equal(
        "{\"00080005\":{\"vr\":\"CS\",\"Value\":[\"ISO_IR "
            + "192\"]},\"00081140\":{\"vr\":\"SQ\",\"Value\":[{\"00080005\":{\"vr\":\"CS\",\"Value\":[\"ISO_IR "
            + "192\"]},\"00100020\":{\"vr\":\"LO\",\"Value\":[\"Л\"]}},"
        + "{\"00100020\":{\"vr\":\"LO\",\"Value\":[\"»\"]}}]},\"00100020\":{\"vr\":\"LO\",\"Value\":[\"»\"]}}",
        Json(b =>
        {
            b.Add(Tags.SpecificCharacterSet, Vr.CS, "ISO_IR 100"u8);
            b.BeginSequence(new Tag(0x00081140));
            b.BeginItem();
            b.Add(Tags.SpecificCharacterSet, Vr.CS, "ISO_IR 144"u8);
            b.Add(Tags.PatientID, Vr.LO, [0xBB]);
            b.EndItem();
            b.BeginItem();
            b.Add(Tags.PatientID, Vr.LO, [0xBB]);
            b.EndItem();
            b.EndSequence();
            b.Add(Tags.PatientID, Vr.LO, [0xBB]);
        }));

    [Fact]
    public void Bulk_values_are_a_prefix_as_given_and_their_path() => Assert.Equal(
        "{\"54000100\":{\"vr\":\"SQ\",\"Value\":[{\"54001010\":{\"vr\":\"OW\",\"BulkDataURI\":\"\u000154000100/1/54001010\"}}]},"
            + "\"7FE00010\":{\"vr\":\"OW\",\"BulkDataURI\":\"\u00017FE00010\"}}",
        Json(b =>
        {
            b.BeginSequence(Tags.WaveformSequence);
            b.BeginItem();
            b.AddBulk(Tags.WaveformData, Vr.OW, 100, 5000);
            b.EndItem();
            b.EndSequence();
            b.AddBulk(Tags.PixelData, Vr.OW, 6000, 5000);
        }, new DicomJsonOptions { BulkDataUriPrefix = new byte[] { 1 } }));

    [Fact]
    public void Nesting_is_walked_not_recursed()
    {
        const int depth = 100_000;
        var json = Json(b =>
        {
            for (var i = 0; i < depth; i++)
            {
                b.BeginSequence(new Tag(0x00081140));
                b.BeginItem();
            }
        });
        Assert.Equal(depth, json.Split("SQ").Length - 1);
        Assert.EndsWith("]}}]}}", json, StringComparison.Ordinal);
    }

    [Fact]
    public void The_sign_of_an_implicit_us_or_ss_comes_from_the_nearest_pixel_representation()
    {
        // Implicit VR little endian: (0028,0103) = 1, (0028,0106) = FFFE, (0028,3000) with an item: (0028,3002) = 1, FFFE, 16.
        var bytes = Convert.FromHexString("28000301020000000100" + "2800060102000000FEFF" + "2800003016000000" + "FEFF00E00E000000"
            + "28000230060000000100FEFF1000");
        Assert.True(DataSet.TryParse(bytes, DicomEncoding.ImplicitLittleEndian, null, out var set, out var error), error?.Message);
        var output = new ArrayBufferWriter<byte>();
        DicomJsonWriter.Write(set, output);
        Assert.Equal("{\"00280103\":{\"vr\":\"US\",\"Value\":[1]},\"00280106\":{\"vr\":\"SS\",\"Value\":[-2]},"
            + "\"00283000\":{\"vr\":\"SQ\",\"Value\":[{\"00283002\":{\"vr\":\"SS\",\"Value\":[1,-2,16]}}]}}", Encoding.UTF8.GetString(output.WrittenSpan));
    }

    [Fact]
    public void One_element_is_the_member_that_it_would_be()
    {
        var builder = new DataSetBuilder();
        builder.Add(Tags.SpecificCharacterSet, Vr.CS, "ISO_IR 144"u8);
        builder.BeginSequence(new Tag(0x00081140));
        builder.BeginItem();
        builder.Add(Tags.PatientID, Vr.LO, [0xBB]);
        builder.EndItem();
        builder.EndSequence();
        var set = builder.Build();
        foreach (var (tag, expected) in new[] { (Tags.SpecificCharacterSet, "\"00080005\":{\"vr\":\"CS\",\"Value\":[\"ISO_IR 192\"]}"),
            (new Tag(0x00081140), "\"00081140\":{\"vr\":\"SQ\",\"Value\":[{\"00100020\":{\"vr\":\"LO\",\"Value\":[\"Л\"]}}]}") })
        {
            Assert.True(set.TryGet(tag, out var element));
            var output = new ArrayBufferWriter<byte>();
            DicomJsonWriter.WriteElement(element, output);
            Assert.Equal(expected, Encoding.UTF8.GetString(output.WrittenSpan));
        }
        Assert.True(set.TryGet(new Tag(0x00081140), out var sequence));
        var inner = Assert.Single(sequence.Items);
        Assert.Equal("Л", inner.GetString(Tags.PatientID));
    }

    [Fact]
    public void Long_texts_with_escapes_and_every_kind_of_character_survive()
    {
        var text = string.Concat(Enumerable.Range(0, 3000).Select(i => (i % 7) switch { 0 => "\n", 1 => "😀", 2 => "é", 3 => "\"", _ => "abc" }));
        var json = Json(b => b.Add(new Tag(0x00091001), Vr.UT, Encoding.UTF8.GetBytes(text)));
        using var document = JsonDocument.Parse(json);
        Assert.Equal(text, document.RootElement.GetProperty("00091001").GetProperty("Value")[0].GetString());
    }
}
