namespace DicomServerless.Dicom;

/// <summary>When a key stands in a directory record.</summary>
internal enum KeyRule
{
    /// <summary>Type 1: always with a value; one is made where the object has none.</summary>
    Value,
    /// <summary>Type 2: always, empty where the object has no value.</summary>
    Present,
    /// <summary>Type 1C: where the object has it.</summary>
    IfThere,
    /// <summary>Type 1C: the items that modify the title of a document, HAS CONCEPT MOD.</summary>
    TitleModifiers,
}

/// <summary>A key of a directory record.</summary>
/// <param name="Tag">The attribute.</param>
/// <param name="Vr">Its VR.</param>
/// <param name="Rule">When it stands there.</param>
/// <param name="Made">The value for an object that has none; # for the number of the record among its siblings.</param>
internal readonly record struct DirectoryKey(Tag Tag, Vr Vr, KeyRule Rule, string Made = "");

/// <summary>The types of directory records and their keys (PS3.3 F.4, F.5), tags ascending.</summary>
internal static class DirectoryKeys
{
    private const string UnknownDate = "19000101", UnknownTime = "000000", Number = "#", Unknown = "UNKNOWN";

    private static readonly DirectoryKey ContentDate = new(Tags.ContentDate, Vr.DA, KeyRule.Value, UnknownDate),
        ContentTime = new(Tags.ContentTime, Vr.TM, KeyRule.Value, UnknownTime),
        Instance = new(Tags.InstanceNumber, Vr.IS, KeyRule.Value, Number), Label = new(Tags.ContentLabel, Vr.CS, KeyRule.Value, Unknown),
        Description = new(Tags.ContentDescription, Vr.LO, KeyRule.Present), Creator = new(Tags.ContentCreatorName, Vr.PN, KeyRule.Present),
        Title = new(Tags.ConceptNameCodeSequence, Vr.SQ, KeyRule.IfThere), Modifiers = new(Tags.ContentSequence, Vr.SQ, KeyRule.TitleModifiers);

    // PS3.3 10.9: the Content Identification Macro.
    private static readonly DirectoryKey[] Identified = [ContentDate, ContentTime, Instance, Label, Description, Creator];

    private static readonly DirectoryKey[] Image = [Instance];

    private static readonly Dictionary<string, DirectoryKey[]> Tables = new(StringComparer.Ordinal)
    {
        ["PATIENT"] = [new(Tags.PatientName, Vr.PN, KeyRule.Present), new(Tags.PatientID, Vr.LO, KeyRule.Value, Unknown)],
        ["STUDY"] =
        [
            new(Tags.StudyDate, Vr.DA, KeyRule.Value, UnknownDate), new(Tags.StudyTime, Vr.TM, KeyRule.Value, UnknownTime),
                new(Tags.AccessionNumber, Vr.SH, KeyRule.Present),
            new(Tags.StudyDescription, Vr.LO, KeyRule.Present), new(Tags.StudyInstanceUID, Vr.UI, KeyRule.Present),
                new(Tags.StudyID, Vr.SH, KeyRule.Value, Number),
        ],
        ["SERIES"] = [new(Tags.Modality, Vr.CS, KeyRule.Value, "OT"),
            new(Tags.SeriesInstanceUID, Vr.UI, KeyRule.Present), new(Tags.SeriesNumber, Vr.IS, KeyRule.Value, Number)],
        ["IMAGE"] = Image,
        ["RT DOSE"] = [Instance, new(Tags.DoseSummationType, Vr.CS, KeyRule.Value, Unknown)],
        ["RT STRUCTURE SET"] =
        [
            Instance, new(Tags.StructureSetLabel, Vr.SH, KeyRule.Value, Unknown),
                new(Tags.StructureSetDate, Vr.DA, KeyRule.Present), new(Tags.StructureSetTime, Vr.TM, KeyRule.Present),
        ],
        ["RT PLAN"] = [Instance, new(Tags.RTPlanLabel, Vr.SH, KeyRule.Value, Unknown),
            new(Tags.RTPlanDate, Vr.DA, KeyRule.Present), new(Tags.RTPlanTime, Vr.TM, KeyRule.Present)],
        ["RT TREAT RECORD"] = [Instance, new(Tags.TreatmentDate, Vr.DA, KeyRule.Present), new(Tags.TreatmentTime, Vr.TM, KeyRule.Present)],
        ["PRESENTATION"] =
        [
            new(Tags.ReferencedSeriesSequence, Vr.SQ, KeyRule.IfThere), Instance, Label,
                Description, new(Tags.PresentationCreationDate, Vr.DA, KeyRule.Value, UnknownDate),
            new(Tags.PresentationCreationTime, Vr.TM, KeyRule.Value, UnknownTime), Creator, new(Tags.BlendingSequence, Vr.SQ, KeyRule.IfThere),
        ],
        ["WAVEFORM"] = [ContentDate, ContentTime, Instance],
        ["SR DOCUMENT"] =
        [
            ContentDate, ContentTime, Instance, new(Tags.VerificationDateTime, Vr.DT, KeyRule.IfThere),
                Title, new(Tags.CompletionFlag, Vr.CS, KeyRule.Value, "PARTIAL"),
            new(Tags.VerificationFlag, Vr.CS, KeyRule.Value, "UNVERIFIED"), Modifiers,
        ],
        ["KEY OBJECT DOC"] = [ContentDate, ContentTime, Instance, Title, Modifiers],
        ["SPECTROSCOPY"] =
        [
            new(Tags.ImageType, Vr.CS, KeyRule.Value, Unknown), ContentDate, ContentTime,
                new(Tags.ReferencedImageEvidenceSequence, Vr.SQ, KeyRule.IfThere), Instance,
            new(Tags.NumberOfFrames, Vr.IS, KeyRule.Value, "1"), new(Tags.Rows, Vr.US, KeyRule.IfThere), new(Tags.Columns, Vr.US, KeyRule.IfThere),
            new(Tags.DataPointRows, Vr.UL, KeyRule.IfThere), new(Tags.DataPointColumns, Vr.UL, KeyRule.IfThere),
        ],
        ["RAW DATA"] = [ContentDate, ContentTime, Instance],
        ["REGISTRATION"] = Identified, ["FIDUCIAL"] = Identified, ["VALUE MAP"] = Identified,
            ["MEASUREMENT"] = Identified, ["SURFACE"] = Identified, ["TRACT"] = Identified, ["ANNOTATION"] = Identified,
        ["ENCAP DOC"] =
        [
            new(Tags.ContentDate, Vr.DA, KeyRule.Present), new(Tags.ContentTime, Vr.TM, KeyRule.Present), Instance, Title with { Rule = KeyRule.Present },
            new(Tags.HL7InstanceIdentifier, Vr.ST, KeyRule.IfThere), new(Tags.DocumentTitle, Vr.ST, KeyRule.Present),
            new(Tags.MIMETypeOfEncapsulatedDocument, Vr.LO, KeyRule.Value, "application/octet-stream"),
        ],
        ["STEREOMETRIC"] = [], ["PLAN"] = [],
        ["SURFACE SCAN"] = [ContentDate, ContentTime],
        ["ASSESSMENT"] = [new(Tags.InstanceCreationDate, Vr.DA, KeyRule.Value, UnknownDate), new(Tags.InstanceCreationTime, Vr.TM, KeyRule.Present), Instance],
        ["RADIOTHERAPY"] = [Instance, new(Tags.UserContentLabel, Vr.SH, KeyRule.IfThere),
            new(Tags.UserContentLongLabel, Vr.LO, KeyRule.IfThere), Description, Creator],
        ["PRIVATE"] = [],
    };

    /// <summary>All types.</summary>
    public static IReadOnlyCollection<string> Types => Tables.Keys;

    /// <summary>The keys of a record type.</summary>
    public static DirectoryKey[] Of(string type) => Tables[type];

    /// <summary>The record type of an instance (PS3.3 table F.4-1).</summary>
    public static string TypeOf(DataSet header, string sopClass)
    {
        const string storage = "1.2.840.10008.5.1.4.1.1.";
        if (sopClass is "1.2.840.10008.5.1.4.34.7" or "1.2.840.10008.5.1.4.34.10") return "PLAN";
        var arc = sopClass.StartsWith(storage, StringComparison.Ordinal) ? sopClass[storage.Length..] : "";
        return arc switch
        {
            "4.2" => "SPECTROSCOPY",
            "66" or "200.2" or "200.8" => "RAW DATA",
            "66.1" or "66.3" => "REGISTRATION",
            "66.2" => "FIDUCIAL",
            "66.5" => "SURFACE",
            "66.6" => "TRACT",
            "67" => "VALUE MAP",
            "68.1" or "68.2" => "SURFACE SCAN",
            "77.1.5.3" => "STEREOMETRIC",
            "78.6" or "79.1" => "SR DOCUMENT",
            "78.1" or "78.2" or "78.3" or "78.4" or "78.5" or "78.7" or "78.8" or "80.1" => "MEASUREMENT",
            "88.59" => "KEY OBJECT DOC",
            "90.1" => "ASSESSMENT",
            "91.1" => "ANNOTATION",
            "131" => "PRESENTATION",
            "481.1" => "IMAGE",
            "481.2" => "RT DOSE",
            "481.3" => "RT STRUCTURE SET",
            "481.5" or "481.8" => "RT PLAN",
            "481.4" or "481.6" or "481.7" or "481.9" => "RT TREAT RECORD",
            _ when arc.StartsWith("481.", StringComparison.Ordinal) => "RADIOTHERAPY",
            _ when arc.StartsWith("9.", StringComparison.Ordinal) => "WAVEFORM",
            _ when arc.StartsWith("11.", StringComparison.Ordinal) => "PRESENTATION",
            _ when arc.StartsWith("88.", StringComparison.Ordinal) => "SR DOCUMENT",
            _ when arc.StartsWith("104.", StringComparison.Ordinal) => "ENCAP DOC",
            // A class that the standard does not know is private, unless it is an image.
            _ when arc.Length > 0 || header.Contains(Tags.Rows) => "IMAGE",
            _ => "PRIVATE",
        };
    }
}
