using System.Globalization;
using System.Text;
using DicomServerless.Shared;

namespace DicomServerless.Bench.Archive;

/// <summary>CT images of 531,324 bytes: the sample with UIDs and a Patient ID of their own. Nothing else differs, so all have one length.</summary>
internal sealed class CtObjects
{
    // 51 characters and the padding, as in the sample; dotted, with a counter in the last component, as scanners make them.
    private const string Root = "1.2.840.113619.2.30.1.1762295590.1623.";
    private const int UidBytes = 52;

    private readonly byte[] template = File.ReadAllBytes(Path.Combine(Repository.Root, "dev/samples/ct/ct-image.dcm"));
    private readonly int metaSop, sop, study, series, patient;

    public CtObjects()
    {
        metaSop = ValueOf([0x02, 0x00, 0x03, 0x00], "UI");
        sop = ValueOf([0x08, 0x00, 0x18, 0x00], "UI");
        study = ValueOf([0x20, 0x00, 0x0D, 0x00], "UI");
        series = ValueOf([0x20, 0x00, 0x0E, 0x00], "UI");
        patient = ValueOf([0x10, 0x00, 0x20, 0x00], "LO");
    }

    /// <summary>Bytes of each.</summary>
    public int Length => template.Length;

    public static string StudyUid(int study) => Uid(10_000_000 + study, 1000);
    public static string SeriesUid(int study) => Uid(20_000_000 + study, 1000);
    public static string SopUid(int study, int instance) => Uid(30_000_000 + study, 1000 + instance);
    public static string PatientId(int study) => $"B{study:D7}";

    /// <summary>The blob that holds an instance.</summary>
    public static string BlobName(int study, int instance) => DicomServerless.Archive.Layout.BlobName(
        new(Dicom.Uid.Parse(StudyUid(study)), Dicom.Uid.Parse(SeriesUid(study)), Dicom.Uid.Parse(SopUid(study, instance))));

    /// <summary>Writes an instance to where there are <see cref="Length"/> bytes.</summary>
    public void Write(Span<byte> target, int studyNumber, int instance)
    {
        template.CopyTo(target);
        var uid = SopUid(studyNumber, instance);
        Encoding.ASCII.GetBytes(uid, target[metaSop..]);
        Encoding.ASCII.GetBytes(uid, target[sop..]);
        Encoding.ASCII.GetBytes(StudyUid(studyNumber), target[study..]);
        Encoding.ASCII.GetBytes(SeriesUid(studyNumber), target[series..]);
        Encoding.ASCII.GetBytes(PatientId(studyNumber), target[patient..]);
    }

    private static string Uid(int a, int b) => string.Create(CultureInfo.InvariantCulture, $"{Root}{a}.{b}");

    private int ValueOf(ReadOnlySpan<byte> tag, string vr)
    {
        var at = template.AsSpan().IndexOf([.. tag, .. Encoding.ASCII.GetBytes(vr)]);
        var length = vr == "UI" ? UidBytes : 8;
        if (at < 0 || template[at + 6] != length) throw new InvalidOperationException("The sample is not the one that this was written for.");
        return at + 8;
    }
}
