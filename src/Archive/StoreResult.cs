using DicomServerless.Dicom;

namespace DicomServerless.Archive;

/// <summary>How a store came out. The mapping to PS3.18 reason codes is in one place, where answers are written.</summary>
public enum StoreOutcome
{
    /// <summary>Stored now.</summary>
    Stored,
    /// <summary>It was there already, with the same data set.</summary>
    AlreadyStored,
    /// <summary>Another object is there under its UID and stays (policy keep-first); the new one was not stored.</summary>
    KeptFirst,
    /// <summary>Another object is there under its UID (policy reject).</summary>
    Duplicate,
    /// <summary>No DICOM object, or a broken one, or one without the four UIDs.</summary>
    CannotUnderstand,
    /// <summary>Its UIDs are not those of the resource it was sent to.</summary>
    StudyMismatch,
    /// <summary>The UIDs of its file meta information are not those of its data set.</summary>
    FileMetaMismatch,
    /// <summary>Its Patient ID is not that of the study (option SecondPatient = Refuse).</summary>
    OtherPatient,
    /// <summary>Larger than this archive can take this way, however often it is sent.</summary>
    TooLarge,
    /// <summary>Storage failed or the object changed too often meanwhile; worth another try.</summary>
    TryAgain,
}

/// <summary>What became of one object of a request.</summary>
/// <param name="Outcome">How it came out.</param>
/// <param name="Uids">Its UIDs, as far as they could be read.</param>
/// <param name="Problem">What is wrong and where, for a failure; holds no values.</param>
/// <param name="Warnings">What deviates in an object that was stored.</param>
public sealed record StoreResult(StoreOutcome Outcome, InstanceUids Uids, string? Problem, IReadOnlyList<DicomWarning> Warnings)
{
    /// <summary>Whether nothing was there before under its UID.</summary>
    public bool IsNew { get; init; }

    /// <summary>Whether it was stored into a study of another patient.</summary>
    public bool IsOfOtherPatient { get; init; }

    /// <summary>What was changed in it, as Original Attributes Sequence (0400,0561); null if nothing.</summary>
    public DataSet? Original { get; init; }

    /// <summary>Whether the object is in the archive now.</summary>
    public bool IsStored => Outcome is StoreOutcome.Stored or StoreOutcome.AlreadyStored;
}
