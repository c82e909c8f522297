using DicomServerless.Dicom;

namespace DicomServerless.EdgeGateway.Spooling;

/// <summary>
/// What queries and retrieves need to know of an object that waits, without opening its file. Known from the moment of its commit; shared by its destinations.
/// </summary>
/// <param name="Key">Its UIDs.</param>
/// <param name="SopClass">SOP Class UID.</param>
/// <param name="TransferSyntax">That of its data set.</param>
/// <param name="Modality">Modality (0008,0060), or empty.</param>
/// <param name="Patient">Whose it is; a study may hold objects of several patients by mistake.</param>
internal sealed record ObjectDescription(InstanceKey Key, Uid SopClass, Uid TransferSyntax, string Modality, PatientKey Patient)
{
    // LO has at most 64 characters (PS3.5 6.2).
    private const int UsualLength = 64;

    /// <summary>Whether its texts are of a length that the standard allows, so that what is kept of many objects is bounded.</summary>
    public bool IsOfUsualSize => Patient.Id.Length <= UsualLength && Patient.Issuer.Length <= UsualLength;

    /// <summary>Reads it from a header.</summary>
    public static ObjectDescription Of(InstanceScan scan) => new(
        InstanceUids.Read(scan.DataSet).Key, scan.Uids.SopClass, scan.TransferSyntax.Uid,
            string.Intern(scan.DataSet.GetString(Tags.Modality) is { Length: <= 16 } modality ? modality : ""),
            new PatientKey(scan.DataSet.GetString(Tags.PatientID) ?? "", scan.DataSet.GetString(Tags.IssuerOfPatientID) ?? ""));
}

/// <summary>What tells patients apart (PS3.4 C.2.2.1.1).</summary>
/// <param name="Id">Patient ID (0010,0020), or empty.</param>
/// <param name="Issuer">Issuer of Patient ID (0010,0021), or empty.</param>
internal readonly record struct PatientKey(string Id, string Issuer);
