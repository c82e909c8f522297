namespace DicomServerless.Dicom.Network;

/// <summary>SOP classes and instances that a DIMSE service has to name (PS3.4 A, C, J; PS3.6 A).</summary>
public static class WellKnownUids
{
    /// <summary>Verification.</summary>
    public static readonly Uid Verification = Uid.Parse("1.2.840.10008.1.1");

    /// <summary>Storage Commitment Push Model.</summary>
    public static readonly Uid StorageCommitmentPushModel = Uid.Parse("1.2.840.10008.1.20.1");

    /// <summary>The well-known instance of Storage Commitment Push Model.</summary>
    public static readonly Uid StorageCommitmentPushModelInstance = Uid.Parse("1.2.840.10008.1.20.1.1");

    /// <summary>Patient Root Query/Retrieve - FIND.</summary>
    public static readonly Uid PatientRootFind = Uid.Parse("1.2.840.10008.5.1.4.1.2.1.1");

    /// <summary>Patient Root Query/Retrieve - MOVE.</summary>
    public static readonly Uid PatientRootMove = Uid.Parse("1.2.840.10008.5.1.4.1.2.1.2");

    /// <summary>Patient Root Query/Retrieve - GET.</summary>
    public static readonly Uid PatientRootGet = Uid.Parse("1.2.840.10008.5.1.4.1.2.1.3");

    /// <summary>Study Root Query/Retrieve - FIND.</summary>
    public static readonly Uid StudyRootFind = Uid.Parse("1.2.840.10008.5.1.4.1.2.2.1");

    /// <summary>Study Root Query/Retrieve - MOVE.</summary>
    public static readonly Uid StudyRootMove = Uid.Parse("1.2.840.10008.5.1.4.1.2.2.2");

    /// <summary>Study Root Query/Retrieve - GET.</summary>
    public static readonly Uid StudyRootGet = Uid.Parse("1.2.840.10008.5.1.4.1.2.2.3");
}
