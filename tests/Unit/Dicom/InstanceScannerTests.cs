using System.Security.Cryptography;
using DicomServerless.Dicom;
using DicomServerless.Shared;
using FsCheck;
using FsCheck.Fluent;

namespace DicomServerless.Unit.Dicom;

public sealed class InstanceScannerTests
{
    public static TheoryData<string> OwnSamples => [.. Samples.Own().Select(file => Path.GetFileName(file)!)];

    [Theory]
    [MemberData(nameof(OwnSamples))]
    public void Any_chunking_gives_the_same_scan(string name)
    {
        var bytes = Samples.Read(name);
        var (expected, expectedError) = Scans.Run(bytes, Math.Max(1, bytes.Length));
        var description = Scans.Describe(expected);
        int[] steps = bytes.Length < 10_000 ? [1, 2, 3, 5, 7, 11, 13, 64, 131, 132, 133] : [61, 4096];
        foreach (var step in steps)
        {
            var (scan, error) = Scans.Run(bytes, step);
            Assert.Equal(expectedError, error);
            Assert.Equal(description, Scans.Describe(scan));
        }
    }

    /// <summary>
    /// The data set begins right behind the file meta information, also where that ends with a value too large to keep, or with an element without VR and value
    /// that is told by what stands behind it.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void File_meta_information_ends_where_it_ends_however_the_bytes_come(bool endsWithoutVr)
    {
        var file = TestObject.Of("1.2.3", "1.2.3.4", "1.2.3.4.5").Add(0x00080005, "CS", "ISO_IR 192").ToFile();
        var start = file.AsSpan().IndexOf((byte[])[8, 0, 5, 0]);
        byte[] last = endsWithoutVr ? [2, 0, 2, 1, (byte)' ', (byte)' ', 0, 0] : new TestObject().Add(0x00020102, "OB", new byte[9000]).DataSet();
        byte[] bytes = [.. file[..start], .. last, .. file[start..]];
        BitConverter.TryWriteBytes(bytes.AsSpan(140), start + last.Length - 144); // (0002,0000)
        foreach (var step in Enumerable.Range(1, 200).Append(bytes.Length))
        {
            var (scan, error) = Scans.Run(bytes, step);
            Assert.True(error is null, $"{step}: {error?.Message}");
            Assert.Equal((step, start + last.Length, 5), (step, scan!.DataSetOffset, scan.DataSet.Count()));
        }
    }

    [Theory]
    [InlineData("un-undef-length-priv.dcm")]
    [InlineData("encaps-2f-4frag-bot.dcm")]
    [InlineData("deflated-ok.dcm")]
    public void Random_chunking_gives_the_same_scan(string name)
    {
        var bytes = Samples.Read(name);
        var description = Scans.Describe(Scans.Run(bytes, bytes.Length).Scan);
        Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), cuts =>
        {
            using var scanner = new InstanceScanner();
            var position = 0;
            for (var i = 0; position < bytes.Length; i++)
            {
                var count = Math.Min(bytes.Length - position, cuts.Length == 0 ? 17 : cuts[i % cuts.Length] % 40 + (i % 7 == 6 ? 1 : 0));
                if (cuts.Length > 0 && cuts.All(c => c % 40 == 0)) count = 1;
                scanner.Push(bytes.AsSpan(position, Math.Min(count, bytes.Length - position)));
                position += count;
            }
            return scanner.Complete() == ScanStatus.Complete && Scans.Describe(scanner.Result) == description;
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [MemberData(nameof(OwnSamples))]
    public void Every_truncation_is_accepted_only_between_elements_and_never_throws(string name)
    {
        var bytes = Samples.Read(name);
        var step = bytes.Length < 3_000 ? 1 : 37;
        for (var length = 0; length < bytes.Length; length += step)
        {
            var (scan, error) = Scans.Run(bytes[..length], 1 << 16);
            Assert.True(scan is null != error is null);
        }
    }

    [Theory]
    [MemberData(nameof(OwnSamples))]
    public void Flipped_bytes_never_throw(string name)
    {
        var bytes = Samples.Read(name);
        if (bytes.Length > 4000) return;
        var random = new Random(7);
        for (var i = 0; i < 400; i++)
        {
            var changed = (byte[])bytes.Clone();
            for (var n = random.Next(1, 4); n > 0; n--) changed[random.Next(128, changed.Length)] = (byte)random.Next(256);
            var (scan, error) = Scans.Run(changed, random.Next(1, 600));
            Assert.True(scan is null != error is null);
        }
    }

    [Theory]
    [InlineData("trunc-mid-pixel.dcm", DicomErrorKind.Truncated, "(7FE0,0010)")]
    [InlineData("sq-undef-no-delim.dcm", DicomErrorKind.Unclosed, "(0008,1140)[1]")]
    [InlineData("deflate-bomb.dcm", DicomErrorKind.InflatesTooFar, "")]
    public void What_is_cut_unclosed_or_a_bomb_is_refused(string name, DicomErrorKind kind, string path)
    {
        var (_, error) = Scans.Run(Samples.Read(name), 4096);
        Assert.Equal((kind, path), (error!.Kind, error.Path));
    }

    [Theory]
    [InlineData("no-preamble.dcm", DicomWarningKind.NoPreamble)]
    [InlineData("meta-grouplen-wrong.dcm", DicomWarningKind.FileMetaGroupLength)]
    [InlineData("trailing-garbage.dcm", DicomWarningKind.TrailingBytes)]
    [InlineData("dup-tag.dcm", DicomWarningKind.DuplicateElement)]
    [InlineData("encaps-no-delim.dcm", DicomWarningKind.OpenPixelData)]
    public void Deviations_that_common_toolkits_read_are_warnings(string name, DicomWarningKind kind)
    {
        var (scan, error) = Scans.Run(Samples.Read(name), 100);
        Assert.Null(error);
        Assert.Contains(scan!.Warnings, warning => warning.Kind == kind);
        Assert.True(scan.Uids.IsComplete);
    }

    [Fact]
    public void Of_a_duplicate_element_the_first_counts()
    {
        var (scan, _) = Scans.Run(Samples.Read("dup-tag.dcm"), 100);
        var first = scan!.DataSet.First(element => element.Tag == Tags.PatientID);
        Assert.True(scan.DataSet.TryGet(Tags.PatientID, out var found));
        Assert.Equal(first.Value.ToArray(), found.Value.ToArray());
        Assert.Equal(2, scan.DataSet.Count(element => element.Tag == Tags.PatientID));
    }

    [Fact]
    public void Uids_are_known_before_the_pixel_data()
    {
        var bytes = Samples.Read("trailing-garbage.dcm");
        using var scanner = new InstanceScanner();
        var fed = 0;
        while (!scanner.TryGetUids(out _)) scanner.Push(bytes.AsSpan(fed++, 1));
        Assert.True(fed < 830);
        Assert.True(scanner.TryGetUids(out var uids));
        Assert.True(uids.IsComplete);
    }

    [Fact]
    public void The_hash_is_of_the_data_set_as_stored_and_of_its_prefix()
    {
        foreach (var name in new[] { "deflated-ok.dcm", "trailing-garbage.dcm" })
        {
            var bytes = Samples.Read(name);
            var (scan, _) = Scans.Run(bytes, 77, new ScanOptions { PrefixLength = 500 });
            var dataSet = bytes.AsSpan((int)scan!.DataSetOffset);
            Assert.Equal(dataSet.Length, scan.DataSetLength);
            Assert.Equal(SHA256.HashData(dataSet), scan.DataSetHash);
            Assert.Equal(SHA256.HashData(dataSet[..500]), scan.PrefixHash);
            Assert.Null(Scans.Run(bytes, 77, new ScanOptions { PrefixLength = bytes.Length }).Scan!.PrefixHash);
        }
    }

    [Fact]
    public void Memory_limits_refuse_instead_of_growing()
    {
        var bytes = Samples.Read("nest-64.dcm");
        Assert.Equal(DicomErrorKind.HeaderTooLarge, Scans.Run(bytes, 500, new ScanOptions { Limits = new DicomLimits { MaxHeaderBytes = 1000 } }).Error!.Kind);
        Assert.Equal(DicomErrorKind.ValueTooLong, Scans.Run(bytes, 500, new ScanOptions { Limits = new DicomLimits { MaxElementLength = 8 } }).Error!.Kind);
        Assert.Equal(DicomErrorKind.TooDeep, Scans.Run(bytes, 500, new ScanOptions { Limits = new DicomLimits { MaxDepth = 10 } }).Error!.Kind);
        Assert.Null(Scans.Run(bytes, 500).Error);
    }

    [Theory]
    [InlineData(200, null)]
    [InlineData(199, DicomErrorKind.ValueTooLong)]
    public void A_value_that_has_to_be_kept_may_be_as_long_as_the_limit(int limit, DicomErrorKind? expected)
    {
        var file = TestObject.Of("1.2.3", "1.2.3.4", "1.2.3.4.5").Add(0x00104000, "LT", new string('x', 200)).ToFile();
        Assert.Equal(expected, Scans.Run(file, 50, new ScanOptions { Limits = new DicomLimits { MaxElementLength = limit } }).Error?.Kind);
    }

    [Fact]
    public void Bulk_values_stand_where_the_scan_says()
    {
        var bytes = Samples.Read("encapsulated-pdf.dcm");
        var (scan, _) = Scans.Run(bytes, 100, new ScanOptions { BulkThreshold = 16 });
        var document = Assert.Single(scan!.BulkValues, value => value.Tag == Tags.EncapsulatedDocument);
        Assert.Equal("00420011", document.Path);
        Assert.Equal("%PDF"u8, bytes.AsSpan((int)(scan.DataSetOffset + document.Offset), 4));
    }
}
