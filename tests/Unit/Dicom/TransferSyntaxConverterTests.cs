using System.Text;
using DicomServerless.Dicom;

namespace DicomServerless.Unit.Dicom;

public sealed class TransferSyntaxConverterTests
{
    private static readonly TransferSyntax[] Plain =
        [TransferSyntax.ImplicitVrLittleEndian, TransferSyntax.ExplicitVrLittleEndian,
            TransferSyntax.ExplicitVrBigEndian, TransferSyntax.DeflatedExplicitVrLittleEndian];

    private static async Task<byte[]> Convert(byte[] file, TransferSyntax to, int step = 8192)
    {
        using var output = new MemoryStream();
        var error = await TransferSyntaxConverter.ConvertAsync(new SlowStream(file, step), output, to);
        Assert.True(error is null, error?.Message);
        return output.ToArray();
    }

    // Everything but group lengths, which a conversion drops; values little endian; nothing left out as bulk.
    private static string Content(byte[] file)
    {
        var (scan, error) = Scans.Run(file, 4096, new ScanOptions { BulkThreshold = int.MaxValue });
        Assert.True(error is null, error?.Message);
        var text = new StringBuilder();
        Write(scan!.DataSet);
        text.Append(System.Convert.ToHexString(PixelData(file, scan)));
        return text.ToString();

        void Write(DataSet set)
        {
            foreach (var element in set.Where(e => !e.Tag.IsGroupLength))
            {
                var value = element.Value.ToArray();
                if (element.IsBigEndian) NativeFrame.SwapWords(value, element.Vr.WordSize());
                if ((value.Length & 1) != 0) value = [.. value, element.Vr.IsText() && element.Vr != Vr.UI ? (byte)' ' : (byte)0];
                text.Append(element.Tag).Append(element.Vr.Code()).AppendLine(System.Convert.ToHexString(value));
                foreach (var item in element.Items) Write(item);
            }
        }
    }

    private static byte[] PixelData(byte[] file, InstanceScan scan)
    {
        if (scan.BulkValues.FirstOrDefault(v => v.Path == "7FE00010") is not { } bulk || scan.IsDeflated) return [];
        var value = file.AsSpan((int)(scan.DataSetOffset + bulk.Offset), (int)bulk.Length).ToArray();
        if (bulk.IsBigEndian) NativeFrame.SwapWords(value, bulk.Vr.WordSize());
        return value;
    }

    [Fact]
    public async Task Every_plain_sample_survives_each_round_trip()
    {
        var count = 0;
        foreach (var path in Samples.All())
        {
            var file = await File.ReadAllBytesAsync(path);
            var (scan, _) = Scans.Run(file, 1 << 16);
            if (scan is null || file.Length > 1_000_000 || !TransferSyntaxConverter.CanConvert(scan.TransferSyntax, TransferSyntax.ExplicitVrLittleEndian))
                continue;
            count++;
            // Once through explicit VR normalises what only the dictionary knew.
            var normal = await Convert(file, TransferSyntax.ExplicitVrLittleEndian);
            var content = Content(normal);
            foreach (var to in Plain)
            {
                var there = await Convert(normal, to, step: 777);
                Assert.Equal(to, Scans.Run(there, 4096).Scan!.TransferSyntax);
                var back = await Convert(there, TransferSyntax.ExplicitVrLittleEndian);
                if (to == TransferSyntax.ImplicitVrLittleEndian)
                    Assert.Equal(Content(await Convert(there, TransferSyntax.ImplicitVrLittleEndian)), Content(there));
                else Assert.Equal(content, Content(back));
            }
        }
        Assert.True(count >= 10);
    }

    [Fact]
    public async Task Us_or_ss_follows_pixel_representation_of_the_nearest_data_set()
    {
        // Implicit: (0028,0103) = 1, (0028,0106) smallest pixel value = -2; in an item with (0028,0103) = 0 the same bits are 65534; an item without says SS
        // again.
        byte[] one = [1, 0], zero = [0, 0], bits = [0xFE, 0xFF];
        var signDependent = new Tag(0x00280106);
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        var writer = new DataSetWriter(output, DicomEncoding.ImplicitLittleEndian);
        writer.BeginSequence(new Tag(0x00081140));
        writer.EndSequence();
        writer.Write(Tags.PixelRepresentation, Vr.US, one);
        writer.Write(signDependent, Vr.US, bits);
        writer.BeginSequence(new Tag(0x00880200));
        writer.BeginItem();
        writer.Write(Tags.PixelRepresentation, Vr.US, zero);
        writer.Write(signDependent, Vr.US, bits);
        writer.EndItem();
        writer.BeginItem();
        writer.Write(signDependent, Vr.US, bits);
        writer.EndItem();
        writer.EndSequence();
        byte[] file = [.. Part10.Header(Uid.Parse("1.2"), Uid.Parse("1.3"), TransferSyntax.ImplicitVrLittleEndian.Uid), .. output.WrittenSpan];

        var set = Scans.Run(await Convert(file, TransferSyntax.ExplicitVrLittleEndian, step: 1), 100).Scan!.DataSet;
        Assert.True(set.TryGet(signDependent, out var top));
        Assert.Equal(Vr.SS, top.Vr);
        Assert.True(set.TryGet(new Tag(0x00880200), out var sequence));
        Assert.Equal([Vr.US, Vr.SS], sequence.Items.Select(item => item.First(e => e.Tag == signDependent).Vr));
    }

    [Fact]
    public async Task A_value_too_long_for_16_bits_becomes_unknown()
    {
        var output = new System.Buffers.ArrayBufferWriter<byte>();
        new DataSetWriter(output, DicomEncoding.ImplicitLittleEndian).Write(Tags.StudyDescription, Vr.LO, Enumerable.Repeat((byte)'x', 70_000).ToArray());
        byte[] file = [.. Part10.Header(Uid.Parse("1.2"), Uid.Parse("1.3"), TransferSyntax.ImplicitVrLittleEndian.Uid), .. output.WrittenSpan];
        var converted = await Convert(file, TransferSyntax.ExplicitVrLittleEndian);
        var scan = Scans.Run(converted, 100).Scan!;
        // (0008,1030) UN, two reserved bytes, 70,000; a reader that knows the tag may take it for LO again (PS3.5 6.2.2)
        Assert.Equal("08003010554E000070110100", System.Convert.ToHexString(converted.AsSpan((int)scan.DataSetOffset, 12)));
        Assert.Equal(70_000L, scan.DataSet.Single().ValueLength);
    }

    [Fact]
    public async Task File_meta_information_keeps_what_it_says_and_names_the_new_syntax_and_us()
    {
        var file = Samples.Read("trailing-garbage.dcm");
        var before = Scans.Run(file, 100).Scan!;
        var after = Scans.Run(await Convert(file, TransferSyntax.ImplicitVrLittleEndian), 100).Scan!;
        Assert.Equal(before.FileMeta.MediaStorageSopInstance, after.FileMeta.MediaStorageSopInstance);
        Assert.Equal(Part10.ImplementationClass, after.FileMeta.ImplementationClass);
        Assert.Empty(after.Warnings);
    }

    [Fact]
    public async Task What_is_encapsulated_or_cut_is_refused()
    {
        using var output = new MemoryStream();
        var encapsulated = await TransferSyntaxConverter.ConvertAsync(new MemoryStream(Samples.Read("encaps-3f-empty-bot.dcm")),
            output, TransferSyntax.ExplicitVrLittleEndian);
        Assert.Equal(DicomErrorKind.TransferSyntaxNotSupported, encapsulated!.Kind);
        var cut = await TransferSyntaxConverter.ConvertAsync(new MemoryStream(Samples.Read("trunc-mid-pixel.dcm")), output, TransferSyntax.ExplicitVrBigEndian);
        Assert.Equal((DicomErrorKind.Truncated, "(7FE0,0010)"), (cut!.Kind, cut.Path));
    }

    /// <summary>Gives a few bytes per read, as networks do.</summary>
    private sealed class SlowStream(byte[] bytes, int step) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(step, buffer.Length)]);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));
    }
}
