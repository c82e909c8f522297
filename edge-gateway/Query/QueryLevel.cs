namespace DicomServerless.EdgeGateway.Query;

/// <summary>Query/Retrieve Level (0008,0052) (PS3.4 C.6).</summary>
internal enum QueryLevel
{
    /// <summary>PATIENT.</summary>
    Patient,
    /// <summary>STUDY.</summary>
    Study,
    /// <summary>SERIES.</summary>
    Series,
    /// <summary>IMAGE.</summary>
    Image,
}

/// <summary>The SOP classes of the Query/Retrieve service (PS3.4 C.6).</summary>
internal static class QueryRetrieveClasses
{
    public const string PatientRootFind = "1.2.840.10008.5.1.4.1.2.1.1",
        PatientRootMove = "1.2.840.10008.5.1.4.1.2.1.2", PatientRootGet = "1.2.840.10008.5.1.4.1.2.1.3";
    public const string StudyRootFind = "1.2.840.10008.5.1.4.1.2.2.1",
        StudyRootMove = "1.2.840.10008.5.1.4.1.2.2.2", StudyRootGet = "1.2.840.10008.5.1.4.1.2.2.3";

    /// <summary>Whether a class is of the patient root model, which alone has the level PATIENT.</summary>
    public static bool IsPatientRoot(string sopClass) => sopClass is PatientRootFind or PatientRootMove or PatientRootGet;
}
