using System.Buffers;
using System.Text;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Dicom;

public sealed class DicomJsonReaderTests
{
    private static string Write(DataSet set)
    {
        var output = new ArrayBufferWriter<byte>();
        DicomJsonWriter.Write(set, output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static DataSet Read(string json, Dictionary<string, string>? uris = null)
    {
        Assert.True(DicomJsonReader.TryRead(Encoding.UTF8.GetBytes(json), null, out var set, out var error, uris), error?.Message);
        return set;
    }

    [Fact]
    public void What_is_written_of_each_sample_is_written_again_the_same_after_reading_it()
    {
        var count = 0;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests/Samples"), "*.dcm"))
        {
            using var scanner = new InstanceScanner();
            if (scanner.Push(File.ReadAllBytes(file)) == ScanStatus.Refused || scanner.Complete() != ScanStatus.Complete) continue;
            var json = Write(scanner.Result!.DataSet);
            Assert.Equal(json, Write(Read(json)));
            count++;
        }
        Assert.True(count > 8);
    }

    /// <summary>Texts that no character set governs, and names with escapes but without a character set, come back as they were written.</summary>
    [Theory]
    [InlineData("""{"00280010":{"vr":"DS","InlineBinary":"A+EC"}}""")]
    [InlineData("""{"00080060":{"vr":"CS","Value":["É"]}}""")]
    [InlineData("""{"00080060":{"vr":"CS","Value":["Ł"]}}""")]
    [InlineData("""{"00100010":{"vr":"PN","InlineBinary":"AAEb"}}""")]
    [InlineData("""{"00100020":{"vr":"LO","Value":["A\u001bB"]}}""")]
    public void Texts_outside_any_character_set_are_written_again_the_same(string json)
    {
        var written = Write(Read(json));
        Assert.Equal(written, Write(Read(written)));
    }

    [Fact]
    public void Values_become_the_bytes_of_explicit_little_endian()
    {
        var set = Read("""
            {"00080005":{"vr":"CS","Value":["ISO_IR 100"]},"00080060":{"vr":"CS","Value":["CT"]},"00080018":{"vr":"UI","Value":["1.2.3"]},
             "00100010":{"vr":"PN","Value":[{"Alphabetic":"A^B","Phonetic":"P"},null]},"00280010":{"vr":"US","Value":[513]},"00280030":{"vr":"DS",
             "Value":[0.10,null,"+1"]},
             "00091001":{"vr":"AT","Value":["00100020"]},"00091002":{"vr":"SV","Value":["-2"]},"00091003":{"vr":"FD","Value":["NaN"]},
             "00091004":{"vr":"OB","InlineBinary":"AQID"}}
            """);
        Assert.Equal("ISO_IR 192"u8, set.ValueOf(Tags.SpecificCharacterSet).Span);
        Assert.Equal("1.2.3\0"u8, set.ValueOf(Tags.SOPInstanceUID).Span);
        Assert.Equal("A^B==P\\ "u8, set.ValueOf(Tags.PatientName).Span);
        Assert.Equal((byte[])[1, 2], set.ValueOf(Tags.Rows).ToArray());
        Assert.Equal("0.10\\\\+1"u8, set.ValueOf(Tags.PixelSpacing).Span);
        Assert.Equal((byte[])[0x10, 0, 0x20, 0], set.ValueOf(new Tag(0x00091001)).ToArray());
        Assert.Equal((byte[])[0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], set.ValueOf(new Tag(0x00091002)).ToArray());
        Assert.Equal((byte[])[1, 2, 3, 0], set.ValueOf(new Tag(0x00091004)).ToArray());
        Assert.Equal(set.Select(e => e.Tag).Order(), set.Select(e => e.Tag));
    }

    [Fact]
    public void Keys_in_any_order_and_vr_behind_value_are_understood_at_every_level()
    {
        var set = Read("""{"00100020":{"Value":["é"],"vr":"LO"},"00081140":{"Value":[{"00081155":{"Value":["1.2"],"vr":"UI"}"""
            + ""","00081150":{"Value":["1.3"],"vr":"UI"}},{}],"vr":"SQ"}}""");
        Assert.Equal("""{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00081140":{"vr":"SQ","Value":[{"00081150":{"vr":"UI","Value":["1.3"]}"""
            + ""","00081155":{"vr":"UI","Value":["1.2"]}},{}]},"00100020":{"vr":"LO","Value":["é"]}}""", Write(set));
    }

    [Fact]
    public void Bulk_data_uris_are_given_by_path()
    {
        var uris = new Dictionary<string, string>();
        var set = Read("""{"54000100":{"vr":"SQ","Value":[{},{"54001010":{"vr":"OW","BulkDataURI":"cid:1"}}]},"7FE00010":{"vr":"OW","BulkDataURI":"cid:2"}}""",
            uris);
        Assert.Equal(new Dictionary<string, string> { ["54000100/2/54001010"] = "cid:1", ["7FE00010"] = "cid:2" }, uris);
        Assert.True(set.TryGet(Tags.PixelData, out var pixels) && pixels.IsBulk);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("[]", "")]
    [InlineData("{", "")]
    [InlineData("{}{}", "")]
    [InlineData("{\"PatientName\":{\"vr\":\"PN\"}}", "")]
    [InlineData("{\"00100010\":1}", "00100010")]
    [InlineData("{\"00100010\":{}}", "00100010")]
    [InlineData("{\"00100010\":{\"vr\":\"ZZ\"}}", "00100010")]
    [InlineData("{\"00100010\":{\"vr\":5}}", "00100010")]
    [InlineData("{\"00100010\":{\"vr\":\"PN\",\"Value\":\"A\"}}", "00100010")]
    [InlineData("{\"00100010\":{\"vr\":\"PN\",\"Value\":[{\"Alphabetic\":\"A=B\"}]}}", "00100010")]
    [InlineData("{\"00100020\":{\"vr\":\"LO\",\"Value\":[\"a\\\\b\"]}}", "00100020")]
    [InlineData("{\"00100020\":{\"vr\":\"LO\",\"Value\":[\"\\ud800\"]}}", "00100020")]
    [InlineData("{\"00100020\":{\"vr\":\"LO\",\"Value\":[{}]}}", "00100020")]
    [InlineData("{\"00100020\":{\"vr\":\"LO\",\"Value\":[[1]]}}", "00100020")]
    [InlineData("{\"00280010\":{\"vr\":\"US\",\"Value\":[65536]}}", "00280010")]
    [InlineData("{\"00280010\":{\"vr\":\"US\",\"Value\":[null]}}", "00280010")]
    [InlineData("{\"00280010\":{\"vr\":\"US\",\"Value\":[1.5]}}", "00280010")]
    [InlineData("{\"00081140\":{\"vr\":\"SQ\",\"Value\":[1]}}", "00081140")]
    [InlineData("{\"00081140\":{\"vr\":\"SQ\",\"Value\":[{},{\"00280010\":{\"vr\":\"US\",\"Value\":[-1]}}]}}", "00081140/2/00280010")]
    [InlineData("{\"00091001\":{\"vr\":\"OB\",\"InlineBinary\":\"A\"}}", "00091001")]
    [InlineData("{\"00091001\":{\"vr\":\"OB\",\"InlineBinary\":\"AQ==\",\"BulkDataURI\":\"x\"}}", "00091001")]
    [InlineData("{\"00100020\":{\"vr\":\"LO\"},\"00100020\":{\"vr\":\"LO\"}}", "00100020")]
    public void What_is_no_dicom_json_is_refused_with_its_path(string json, string path)
    {
        Assert.False(DicomJsonReader.TryRead(Encoding.UTF8.GetBytes(json), null, out var set, out var error));
        Assert.True(set.IsEmpty);
        Assert.Equal(path, error!.Path);
    }

    [Fact]
    public void Limits_hold()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"00081140\":{\"vr\":\"SQ\",\"Value\":[", 10)) + "{}" + string.Concat(Enumerable.Repeat("]}}", 10));
        Assert.True(DicomJsonReader.TryRead(Encoding.UTF8.GetBytes(deep), new DicomLimits { MaxDepth = 10 }, out _, out _));
        Assert.False(DicomJsonReader.TryRead(Encoding.UTF8.GetBytes(deep), new DicomLimits { MaxDepth = 9 }, out _, out var error));
        Assert.Contains("deeper", error!.Detail, StringComparison.Ordinal);
        var long_ = """{"00100020":{"vr":"LO","Value":["abcdefghij"]},"00100030":{"vr":"DA"}}"""u8;
        Assert.False(DicomJsonReader.TryRead(long_, new DicomLimits { MaxElementLength = 9 }, out _, out _));
        Assert.False(DicomJsonReader.TryRead(long_, new DicomLimits { MaxElements = 1 }, out _, out _));
        Assert.False(DicomJsonReader.TryRead(long_, new DicomLimits { MaxHeaderBytes = 20 }, out _, out _));
        Assert.True(DicomJsonReader.TryRead(long_, null, out _, out _));
    }

    [Fact]
    public void A_text_that_was_damaged_anywhere_is_read_or_refused_but_never_throws()
    {
        var valid = """
            {"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00081140":{"vr":"SQ","Value":[{"00081155":{"Value":["1.2"],"vr":"UI"}},{}]},
            "00100010":{"vr":"PN","Value":[{"Alphabetic":"A"}]},"00280010":{"vr":"US","Value":[1]}}
            """u8.ToArray();
        var random = new Random(5);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = valid.ToArray();
            for (var n = random.Next(1, 4); n > 0; n--)
                bytes[random.Next(bytes.Length)] = i % 2 == 0 ? (byte)random.Next(256) : valid[random.Next(valid.Length)];
            DicomJsonReader.TryRead(bytes.AsSpan(0, random.Next(bytes.Length / 2, bytes.Length + 1)), null, out _, out _);
        }
    }
}
