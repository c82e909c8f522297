using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace DicomServerless.Dicom;

/// <summary>
/// The directory of a file-set (DICOMDIR, PS3.3 F, PS3.10 8.6): records of patients, studies, series and instances, linked by offsets. Keys are copied from the
/// objects, each record with its own character set. A key that must have a value and has none in the object gets one that says so: UNKNOWN, 19000101, a running
/// number. Not for use by several threads.
/// </summary>
public sealed class DicomDirectory
{
    /// <summary>Media Storage Directory Storage, the SOP class of a DICOMDIR.</summary>
    public static readonly Uid SopClass = Uid.Parse("1.2.840.10008.1.3.10");

    private const int ItemHeader = 8, ItemEnd = 8, Links = 12 + 10 + 12; // (0004,1400), (0004,1410), (0004,1420)
    private const int MaxComponents = 8, MaxComponent = 8;
    private const int MaxValueBytes = 4096;

    // PS3.10 8.5
    private static readonly SearchValues<char> FileIdCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

    private readonly List<Record> patients = [];
    private readonly Dictionary<string, Record> byKey = new(StringComparer.Ordinal);

    private sealed record Record(byte[] Body)
    {
        public List<Record> Children { get; } = [];
        public uint Offset { get; set; }
        public int Length => ItemHeader + Links + Body.Length + ItemEnd;
    }

    /// <summary>Adds an instance.</summary>
    /// <param name="header">Its data set; values that are not kept are left out.</param>
    /// <param name="uids">Its UIDs.</param>
    /// <param name="sopClass">Its SOP class.</param>
    /// <param name="transferSyntax">The transfer syntax of its file.</param>
    /// <param name="fileId">The components of the file's id: at most 8, each of at most 8 characters A-Z, 0-9 and _ (PS3.10 8.2, 8.5).</param>
    /// <exception cref="ArgumentException">The file id is none.</exception>
    public void Add(DataSet header, InstanceKey uids, string sopClass, Uid transferSyntax, params ReadOnlySpan<string> fileId)
    {
        if (!IsFileId(fileId)) throw new ArgumentException("A file id has at most 8 components of at most 8 characters A-Z, 0-9 and _.", nameof(fileId));
        var patientKey = Convert.ToHexString(header.ValueOf(Tags.PatientID).Span.Trim(" \0"u8)) is { Length: > 0 } id
            ? id : "=" + Convert.ToHexString(header.ValueOf(Tags.PatientName).Span.Trim(" \0"u8));
        var patient = Find(patients, patientKey, "PATIENT", header);
        var study = Find(patient.Children, $"{patientKey}/{uids.Study}", "STUDY", header);
        var series = Find(study.Children, $"{patientKey}/{uids.Study}/{uids.Series}", "SERIES", header);
        var type = DirectoryKeys.TypeOf(header, sopClass);
        series.Children.Add(new Record(Body(type, header, series.Children.Count + 1, string.Join('\\', fileId), sopClass, uids.Sop, transferSyntax)));
    }

    /// <summary>The DICOMDIR as a Part 10 file in explicit VR little endian (PS3.10 8.6).</summary>
    /// <param name="sopInstance">Its SOP Instance UID.</param>
    /// <exception cref="OverflowException">It is larger than its offsets can say: 4 GiB.</exception>
    public byte[] ToFile(Uid sopInstance)
    {
        var output = new ArrayBufferWriter<byte>();
        output.Write(Part10.Header(SopClass, sopInstance, TransferSyntax.ExplicitVrLittleEndian.Uid));
        var writer = new DataSetWriter(output, DicomEncoding.ExplicitLittleEndian);
        writer.Write(Tags.FileSetID, Vr.CS, []);
        const int beforeRecords = 12 + 12 + 10 + 12; // the three elements below and the header of the sequence
        long position = output.WrittenCount + beforeRecords; // PS3.3 F.3.2.2: offsets count from the first byte of the file
        foreach (var record in Records())
        {
            record.Offset = checked((uint)position);
            position += record.Length;
        }
        WriteUInt32(writer, Tags.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity, patients.Count == 0 ? 0 : patients[0].Offset);
        WriteUInt32(writer, Tags.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity, patients.Count == 0 ? 0 : patients[^1].Offset);
        writer.Write(Tags.FileSetConsistencyFlag, Vr.US, [0, 0]);
        writer.BeginSequence(Tags.DirectoryRecordSequence);
        Write(writer, output, patients, study =>
            Write(writer, output, study, series => Write(writer, output, series, instances => Write(writer, output, instances, null))));
        writer.EndSequence();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Whether components make a file id.</summary>
    public static bool IsFileId(ReadOnlySpan<string> components)
    {
        if (components.Length is 0 or > MaxComponents) return false;
        foreach (var component in components)
            if (component.Length is 0 or > MaxComponent || component.AsSpan().ContainsAnyExcept(FileIdCharacters)) return false;
        return true;
    }

    // In the order in which they are written: each before what lies below it.
    private IEnumerable<Record> Records() => WithBelow(patients, study => WithBelow(study, series => WithBelow(series, instances => instances)));

    private static IEnumerable<Record> WithBelow(List<Record> records, Func<List<Record>, IEnumerable<Record>> below) =>
        records.SelectMany(record => below(record.Children).Prepend(record));

    private static void Write(DataSetWriter writer, ArrayBufferWriter<byte> output, List<Record> siblings, Action<List<Record>>? below)
    {
        for (var i = 0; i < siblings.Count; i++)
        {
            var record = siblings[i];
            writer.BeginItem();
            WriteUInt32(writer, Tags.OffsetOfTheNextDirectoryRecord, i + 1 < siblings.Count ? siblings[i + 1].Offset : 0);
            writer.Write(Tags.RecordInUseFlag, Vr.US, [0xFF, 0xFF]);
            WriteUInt32(writer, Tags.OffsetOfReferencedLowerLevelDirectoryEntity, record.Children.Count > 0 ? record.Children[0].Offset : 0);
            output.Write(record.Body);
            writer.EndItem();
            below?.Invoke(record.Children);
        }
    }

    private Record Find(List<Record> siblings, string key, string type, DataSet header)
    {
        if (byKey.TryGetValue(key, out var found)) return found;
        siblings.Add(byKey[key] = found = new Record(Body(type, header, siblings.Count + 1)));
        return found;
    }

    // Everything of a record that is no offset.
    private static byte[] Body(string type, DataSet header, int number, string? fileId = null,
        string sopClass = "", Uid sop = default, Uid transferSyntax = default)
    {
        var body = new ArrayBufferWriter<byte>();
        var writer = new DataSetWriter(body, DicomEncoding.ExplicitLittleEndian);
        WriteText(writer, Tags.DirectoryRecordType, Vr.CS, type);
        if (type == "PRIVATE") WriteText(writer, Tags.PrivateRecordUID, Vr.UI, sopClass); // PS3.3 F.3.2.2: says what the record is about
        if (fileId is not null)
        {
            WriteText(writer, Tags.ReferencedFileID, Vr.CS, fileId);
            WriteText(writer, Tags.ReferencedSOPClassUIDInFile, Vr.UI, sopClass);
            WriteText(writer, Tags.ReferencedSOPInstanceUIDInFile, Vr.UI, sop.Value);
            WriteText(writer, Tags.ReferencedTransferSyntaxUIDInFile, Vr.UI, transferSyntax.Value);
        }
        var isCharacterSetWritten = false;
        foreach (var key in DirectoryKeys.Of(type))
        {
            if (!isCharacterSetWritten && key.Tag.Value > Tags.SpecificCharacterSet.Value) isCharacterSetWritten = WriteCharacterSet(writer, header);
            WriteKey(writer, header, key, number);
        }
        return body.WrittenSpan.ToArray();
    }

    private static bool WriteCharacterSet(DataSetWriter writer, DataSet header)
    {
        if (header.SpecificCharacterSet is { Length: > 0 and <= MaxValueBytes } set) writer.Write(Tags.SpecificCharacterSet, Vr.CS, set.Span);
        return true;
    }

    private static void WriteKey(DataSetWriter writer, DataSet header, DirectoryKey key, int number)
    {
        if (header.TryGet(key.Tag, out var element) && element.IsSequence == (key.Vr == Vr.SQ))
        {
            if (key.Rule == KeyRule.TitleModifiers)
            {
                WriteModifiers(writer, element);
                return;
            }
            if (element.IsSequence && !element.HoldsBulk)
            {
                writer.Write(element);
                return;
            }
            if (!element.IsSequence && !element.IsBulk && element.Value.Length <= MaxValueBytes && !element.Value.Span.Trim(" \0"u8).IsEmpty)
            {
                writer.Write(key.Tag, key.Vr, element.Value.Span, element.IsBigEndian);
                return;
            }
        }
        if (key.Rule is KeyRule.IfThere or KeyRule.TitleModifiers) return;
        if (key.Vr == Vr.SQ)
        {
            writer.BeginSequence(key.Tag);
            writer.EndSequence();
            return;
        }
        WriteText(writer, key.Tag, key.Vr, key.Made == "#" ? number.ToString(System.Globalization.CultureInfo.InvariantCulture) : key.Made);
    }

    // PS3.3 table F.5-26: of the content tree the items that modify the title.
    private static void WriteModifiers(DataSetWriter writer, DataElement content)
    {
        var items = content.Items.Where(item => item.ValueOf(Tags.RelationshipType).Span.TrimEnd(" \0"u8)
            .SequenceEqual("HAS CONCEPT MOD"u8) && item.BulkValues().Count == 0).ToList();
        if (items.Count == 0) return;
        writer.BeginSequence(content.Tag);
        foreach (var item in items)
        {
            writer.BeginItem();
            writer.Write(item);
            writer.EndItem();
        }
        writer.EndSequence();
    }

    private static void WriteText(DataSetWriter writer, Tag tag, Vr vr, string text) => writer.Write(tag, vr, Encoding.ASCII.GetBytes(text));

    private static void WriteUInt32(DataSetWriter writer, Tag tag, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        writer.Write(tag, Vr.UL, bytes);
    }
}
