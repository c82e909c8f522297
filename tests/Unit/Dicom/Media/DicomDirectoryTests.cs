using System.Buffers.Binary;
using System.Text;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Dicom.Media;

/// <summary>DICOMDIR (PS3.3 F, PS3.10 8).</summary>
public sealed class DicomDirectoryTests
{
    private const string Ct = "1.2.840.10008.5.1.4.1.1.2", ExplicitLittle = "1.2.840.10008.1.2.1";

    private static DataSet Header(Action<TestObject>? add = null, string sopClass = Ct)
    {
        var source = TestObject.Of("1.2", "1.2.1", "1.2.1.1");
        source.Add(0x00080016, "UI", sopClass);
        add?.Invoke(source);
        Assert.True(DataSet.TryParse(source.DataSet(), DicomEncoding.ExplicitLittleEndian, null, out var header, out _));
        return header;
    }

    private static InstanceKey Key(string series, string sop, string study = "1.2") => new(Uid.Parse(study), Uid.Parse(series), Uid.Parse(sop));

    private static (DataSet DataSet, byte[] File) Read(DicomDirectory directory)
    {
        var file = directory.ToFile(Uid.Parse("2.25.1"));
        using var scanner = new InstanceScanner();
        scanner.Push(file);
        Assert.Equal(ScanStatus.Complete, scanner.Complete());
        var scan = scanner.Result!;
        Assert.Equal("1.2.840.10008.1.3.10", scan.FileMeta.MediaStorageSopClass!.Value.Value);
        Assert.Equal("2.25.1", scan.FileMeta.MediaStorageSopInstance!.Value.Value);
        Assert.Equal(ExplicitLittle, scan.FileMeta.TransferSyntax!.Value.Value);
        Assert.True(scan.DataSet.TryGet(Tags.FileSetID, out var id) && id.Value.IsEmpty);
        return (scan.DataSet, file);
    }

    private static string Text(DataSet set, Tag tag) => Encoding.ASCII.GetString(set.ValueOf(tag).Span).TrimEnd(' ', '\0');

    private static uint Number(DataSet set, Tag tag) => BinaryPrimitives.ReadUInt32LittleEndian(set.ValueOf(tag).Span);

    private static DataSet Record(string type, DataSet header, string sopClass)
    {
        var directory = new DicomDirectory();
        directory.Add(header, Key("1.2.1", "1.2.1.1"), sopClass, TransferSyntax.JpegBaseline.Uid, "DICOM", "IM000001");
        Assert.True(Read(directory).DataSet.TryGet(Tags.DirectoryRecordSequence, out var records));
        var last = records.Items.Last();
        Assert.Equal(type, Text(last, Tags.DirectoryRecordType));
        return last;
    }

    [Fact]
    public void Offsets_lead_from_the_root_to_every_record_once()
    {
        var directory = new DicomDirectory();
        var expected = new List<string>();
        for (var patient = 1; patient <= 2; patient++)
            for (var study = 1; study <= 2; study++)
                for (var series = 1; series <= 3; series++)
                    for (var image = 1; image <= series; image++)
                    {
                        var (p, s) = (patient, study);
                        string id = $"P{patient}S{study}E{series}I{image}";
                        expected.Add($"DICOM\\{id}");
                        directory.Add(Header(source => source.Add(0x00100020, "LO", $"PAT{p}").Add(0x00200010, "SH", $"S{s}")),
                            Key($"1.2.{patient}.{study}.{series}", $"1.2.{patient}.{study}.{series}.{image}", $"1.2.{patient}.{study}"), Ct,
                            TransferSyntax.ExplicitVrLittleEndian.Uid, "DICOM", id);
                    }
        var (root, file) = Read(directory);
        Assert.True(root.TryGet(Tags.DirectoryRecordSequence, out var records));
        var items = records.Items.ToList();
        Assert.Equal(2 + 4 + 12 + 24, items.Count);
        // Where an item's tag stands in the file.
        var at = new Dictionary<uint, DataSet>();
        uint position = (uint)(file.AsSpan().IndexOf((ReadOnlySpan<byte>)[0x04, 0, 0x20, 0x12, (byte)'S', (byte)'Q']) + 12);
        foreach (var item in items)
        {
            Assert.Equal([0xFE, 0xFF, 0, 0xE0], file[(int)position..((int)position + 4)]);
            at.Add(position, item);
            position += (uint)file.AsSpan((int)position).IndexOf((ReadOnlySpan<byte>)[0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0]) + 8;
        }
        var found = new List<string>();
        var path = new List<(uint First, string Type)> { (Number(root, Tags.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity), "PATIENT") };
        Walk(path[0].First, 0);
        Assert.Equal(expected, found);
        Assert.Equal(42, seen);
        var lastPatient = at[Number(root, Tags.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity)];
        Assert.Equal("PAT2", Text(lastPatient, Tags.PatientID));
        Assert.Equal(0u, Number(lastPatient, Tags.OffsetOfTheNextDirectoryRecord));

        void Walk(uint first, int level)
        {
            for (var offset = first; offset != 0; offset = Number(at[offset], Tags.OffsetOfTheNextDirectoryRecord))
            {
                seen++;
                var record = at[offset];
                Assert.Equal(["PATIENT", "STUDY", "SERIES", "IMAGE"],
                    [.. new[] { "PATIENT", "STUDY", "SERIES", "IMAGE" }[..level], Text(record, Tags.DirectoryRecordType),
                    .. new[] { "PATIENT", "STUDY", "SERIES", "IMAGE" }[(level + 1)..]]);
                if (level == 3) found.Add(Text(record, Tags.ReferencedFileID));
                var below = Number(record, Tags.OffsetOfReferencedLowerLevelDirectoryEntity);
                Assert.Equal(level == 3, below == 0);
                Walk(below, level + 1);
            }
        }
    }

    private int seen;

    [Fact]
    public void An_empty_directory_has_no_records()
    {
        var (root, _) = Read(new DicomDirectory());
        Assert.Equal(0u, Number(root, Tags.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity));
        Assert.True(root.TryGet(Tags.DirectoryRecordSequence, out var records));
        Assert.Empty(records.Items);
    }

    [Fact]
    public void Keys_are_copied_with_their_character_set()
    {
        byte[] name = [.. "M"u8, 0xDC, .. "LLER"u8];
        var directory = new DicomDirectory();
        directory.Add(Header(source => source.Add(0x00080005, "CS", "ISO_IR 100").Add(0x00100010, "PN", name)
            .Add(0x00100020, "LO", "P1").Add(0x00081030, "LO", "Knie")), Key("1.2.1", "1.2.1.1"), Ct, TransferSyntax.JpegBaseline.Uid, "A");
        Assert.True(Read(directory).DataSet.TryGet(Tags.DirectoryRecordSequence, out var records));
        var items = records.Items.ToList();
        Assert.Equal(name, items[0].ValueOf(Tags.PatientName).ToArray());
        Assert.All(items, item => Assert.Equal("ISO_IR 100", Text(item, Tags.SpecificCharacterSet)));
        Assert.Equal("Knie", Text(items[1], Tags.StudyDescription));
        Assert.Equal(TransferSyntax.JpegBaseline.Uid.Value, Text(items[3], Tags.ReferencedTransferSyntaxUIDInFile));
        Assert.Equal("1.2.1.1", Text(items[3], Tags.ReferencedSOPInstanceUIDInFile));
        Assert.All(items, item => Assert.Equal(item.Select(element => element.Tag.Value).Order(), item.Select(element => element.Tag.Value)));
    }

    [Fact]
    public void What_must_have_a_value_and_has_none_gets_one()
    {
        var directory = new DicomDirectory();
        directory.Add(Header(source => source.Add(0x00100020, "LO", "  ")), Key("1.2.1", "1.2.1.1"), Ct, TransferSyntax.ExplicitVrLittleEndian.Uid, "A");
        Assert.True(Read(directory).DataSet.TryGet(Tags.DirectoryRecordSequence, out var records));
        var items = records.Items.ToList();
        Assert.Equal(["UNKNOWN", "19000101", "000000", "1", "OT", "1", "1"], new[]
        {
            Text(items[0], Tags.PatientID), Text(items[1], Tags.StudyDate), Text(items[1], Tags.StudyTime),
                Text(items[1], Tags.StudyID), Text(items[2], Tags.Modality), Text(items[2], Tags.SeriesNumber),
            Text(items[3], Tags.InstanceNumber),
        });
        Assert.True(items[0].TryGet(Tags.PatientName, out var name) && name.Value.IsEmpty);
    }

    [Theory]
    [InlineData("1.2.840.10008.5.1.4.1.1.2", "IMAGE")]
    [InlineData("1.2.840.10008.5.1.4.1.1.66.4", "IMAGE")]
    [InlineData("1.2.840.10008.5.1.4.1.1.481.1", "IMAGE")]
    [InlineData("1.2.840.10008.5.1.4.1.1.481.2", "RT DOSE")]
    [InlineData("1.2.840.10008.5.1.4.1.1.481.3", "RT STRUCTURE SET")]
    [InlineData("1.2.840.10008.5.1.4.1.1.481.5", "RT PLAN")]
    [InlineData("1.2.840.10008.5.1.4.1.1.481.7", "RT TREAT RECORD")]
    [InlineData("1.2.840.10008.5.1.4.1.1.481.10", "RADIOTHERAPY")]
    [InlineData("1.2.840.10008.5.1.4.34.7", "PLAN")]
    [InlineData("1.2.840.10008.5.1.4.1.1.11.1", "PRESENTATION")]
    [InlineData("1.2.840.10008.5.1.4.1.1.9.1.1", "WAVEFORM")]
    [InlineData("1.2.840.10008.5.1.4.1.1.88.11", "SR DOCUMENT")]
    [InlineData("1.2.840.10008.5.1.4.1.1.88.59", "KEY OBJECT DOC")]
    [InlineData("1.2.840.10008.5.1.4.1.1.104.1", "ENCAP DOC")]
    [InlineData("1.2.840.10008.5.1.4.1.1.4.2", "SPECTROSCOPY")]
    [InlineData("1.2.840.10008.5.1.4.1.1.66", "RAW DATA")]
    [InlineData("1.2.840.10008.5.1.4.1.1.66.1", "REGISTRATION")]
    [InlineData("1.2.840.10008.5.1.4.1.1.66.2", "FIDUCIAL")]
    [InlineData("1.2.840.10008.5.1.4.1.1.67", "VALUE MAP")]
    [InlineData("1.2.840.10008.5.1.4.1.1.78.1", "MEASUREMENT")]
    [InlineData("1.2.840.10008.5.1.4.1.1.90.1", "ASSESSMENT")]
    [InlineData("1.3.6.1.4.1.99999.1", "PRIVATE")]
    public void The_record_type_follows_the_sop_class(string sopClass, string type) => Record(type, Header(sopClass: sopClass), sopClass);

    [Fact]
    public void A_report_has_its_title_and_what_modifies_it()
    {
        byte[] code = [.. Item(new TestObject().Add(0x00080100, "SH", "121144").Add(0x00080102, "SH", "DCM").DataSet())];
        byte[] content =
        [
            .. Item(new TestObject().Add(0x0040A010, "CS", "HAS CONCEPT MOD").Add(0x0040A040, "CS", "CODE").DataSet()),
            .. Item(new TestObject().Add(0x0040A010, "CS", "CONTAINS").Add(0x0040A160, "UT", "Text of the report").DataSet()),
        ];
        const string report = "1.2.840.10008.5.1.4.1.1.88.11";
        var record = Record("SR DOCUMENT", Header(source => source.Add(0x0040A043, "SQ", code).Add(0x0040A730, "SQ", content)
            .Add(0x0040A491, "CS", "COMPLETE").Add(0x0040A493, "CS", "VERIFIED"), report), report);
        Assert.True(record.TryGet(Tags.ConceptNameCodeSequence, out var names));
        Assert.Equal("121144", Text(names.Items.Single(), Tags.CodeValue));
        Assert.True(record.TryGet(Tags.ContentSequence, out var modifiers));
        Assert.Equal("HAS CONCEPT MOD", Text(modifiers.Items.Single(), Tags.RelationshipType));
        Assert.Equal(["COMPLETE", "VERIFIED"], new[] { Text(record, Tags.CompletionFlag), Text(record, Tags.VerificationFlag) });

        static byte[] Item(byte[] bytes)
        {
            var length = new byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
            return [0xFE, 0xFF, 0, 0xE0, .. length, .. bytes];
        }
    }

    [Theory]
    [InlineData(true, "DICOM", "SE000001", "IM000001")]
    [InlineData(true, "A_9")]
    [InlineData(false)]
    [InlineData(false, "")]
    [InlineData(false, "dicom")]
    [InlineData(false, "NINECHARS")]
    [InlineData(false, "A.DCM")]
    [InlineData(false, "..")]
    [InlineData(false, "A", "A", "A", "A", "A", "A", "A", "A", "A")]
    public void File_ids_are_short_names_in_capitals(bool isOne, params string[] components)
    {
        Assert.Equal(isOne, DicomDirectory.IsFileId(components));
        if (!isOne)
            Assert.Throws<ArgumentException>(() => new DicomDirectory()
                .Add(Header(), Key("1", "1"), Ct, TransferSyntax.ExplicitVrLittleEndian.Uid, components));
    }
}
