using DicomServerless.Dicom;

namespace DicomServerless.Archive.Index;

/// <summary>
/// Which attributes the study, series and instance rows hold (PS3.18 tables 10.6.1-5 and 10.6.3-3 to -5, and what hospital lists and viewers ask beyond
/// them). A change of these lists is a new <see cref="Layout.SchemaVersion"/>.
/// </summary>
internal static class IndexedAttributes
{
    // A row holds 1 MiB; the rest is for claims, counters and the sources of the attributes.
    private const int MaxRowBytes = 640 * 1024;

    /// <summary>Patient and study attributes, ascending.</summary>
    public static readonly Tag[] Study = Ascending(
    [
        Tags.StudyDate, Tags.StudyTime, Tags.AccessionNumber, Tags.IssuerOfAccessionNumberSequence, Tags.InstitutionName, Tags.ReferringPhysicianName,
        Tags.ReferringPhysicianIdentificationSequence, Tags.TimezoneOffsetFromUTC, Tags.StudyDescription, Tags.ProcedureCodeSequence,
        Tags.PhysiciansOfRecord, Tags.NameOfPhysiciansReadingStudy, Tags.AdmittingDiagnosesDescription, Tags.ReferencedStudySequence, Tags.PatientName,
        Tags.PatientID, Tags.IssuerOfPatientID, Tags.TypeOfPatientID, Tags.IssuerOfPatientIDQualifiersSequence, Tags.PatientBirthDate,
        Tags.PatientBirthTime, Tags.PatientSex,
        new(0x00101000) /* Other Patient IDs, retired */, Tags.OtherPatientNames, Tags.OtherPatientIDsSequence, Tags.PatientAge, Tags.PatientSize,
        Tags.PatientWeight, Tags.Allergies, new(0x00102160) /* Ethnic Group, retired */, Tags.Occupation, Tags.AdditionalPatientHistory,
        Tags.PregnancyStatus,
        Tags.PatientSpeciesDescription, Tags.PatientSpeciesCodeSequence, Tags.ResponsiblePerson, Tags.PatientComments, Tags.StudyID,
        Tags.RequestingPhysician, Tags.RequestingService, Tags.RequestedProcedureDescription, Tags.RequestedProcedureCodeSequence, Tags.AdmissionID,
        Tags.ReasonForPerformedProcedureCodeSequence,
    ]);

    /// <summary>Series, equipment and frame of reference attributes, ascending.</summary>
    public static readonly Tag[] Series = Ascending(
    [
        Tags.SeriesDate, Tags.SeriesTime, Tags.Modality, Tags.ConversionType, Tags.PresentationIntentType, Tags.Manufacturer, Tags.InstitutionName,
        Tags.InstitutionAddress, Tags.TimezoneOffsetFromUTC, Tags.StationName, Tags.SeriesDescription, Tags.SeriesDescriptionCodeSequence,
        Tags.InstitutionalDepartmentName, Tags.PerformingPhysicianName, Tags.OperatorsName, Tags.OperatorIdentificationSequence,
        Tags.ManufacturerModelName, Tags.ReferencedPerformedProcedureStepSequence, Tags.BodyPartExamined, Tags.MagneticFieldStrength,
        Tags.DeviceSerialNumber, Tags.GantryID, Tags.SoftwareVersions, Tags.ProtocolName, Tags.PatientPosition, Tags.StudyInstanceUID, Tags.SeriesNumber,
        Tags.FrameOfReferenceUID, Tags.Laterality, Tags.PositionReferenceIndicator, Tags.PerformedProcedureStepStartDate,
        Tags.PerformedProcedureStepStartTime, Tags.PerformedProcedureStepEndDate, Tags.PerformedProcedureStepEndTime, Tags.PerformedProcedureStepID,
        Tags.PerformedProcedureStepDescription, Tags.PerformedProtocolCodeSequence, Tags.RequestAttributesSequence, Tags.AcquisitionContextSequence,
        Tags.RequestedProcedureID,
    ]);

    /// <summary>Instance attributes that a search returns without being asked, ascending; everything else comes from the metadata.</summary>
    public static readonly Tag[] Instance = Ascending(
    [
        Tags.ImageType, Tags.SOPClassUID, Tags.SOPInstanceUID, Tags.AcquisitionDate, Tags.ContentDate, Tags.AcquisitionDateTime, Tags.AcquisitionTime,
        Tags.ContentTime, Tags.TimezoneOffsetFromUTC, Tags.AcquisitionNumber, Tags.InstanceNumber, Tags.NumberOfFrames, Tags.Rows, Tags.Columns,
        Tags.BitsAllocated, Tags.ConceptNameCodeSequence, Tags.CompletionFlag, Tags.VerificationFlag, Tags.DocumentTitle,
        Tags.MIMETypeOfEncapsulatedDocument, Tags.ContentLabel, Tags.ContentDescription,
    ]);

    /// <summary>
    /// A longer attribute is not held in rows; the metadata has it all the same. Bytes of DICOM JSON. It is small enough that a row holds all attributes of
    /// its level, from whichever instances they come, at this length: one object with odd values must not keep its whole study out of the index.
    /// </summary>
    public static readonly int MaxAttributeBytes = MaxRowBytes / Math.Max(Study.Length, Math.Max(Series.Length, Instance.Length));

    // They are looked up by binary search.
    private static Tag[] Ascending(Tag[] tags)
    {
        Array.Sort(tags);
        return tags;
    }
}
