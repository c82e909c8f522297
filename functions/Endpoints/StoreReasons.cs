using System.Diagnostics;
using DicomServerless.Archive;
using DicomServerless.Dicom;

namespace DicomServerless.Functions.Endpoints;

/// <summary>The one place that knows PS3.18's reason codes for stores (PS3.18 I.2, PS3.4 B.2.3).</summary>
internal static class StoreReasons
{
    /// <summary>Ours: another object is there under the SOP Instance UID and was kept (policy keep-first). 45329.</summary>
    public const ushort KeptFirst = 0xB111;

    /// <summary>Coercion of data elements. 45056.</summary>
    public const ushort Coerced = 0xB000;

    /// <summary>Data Set does not match SOP Class. 45063.</summary>
    public const ushort DoesNotMatch = 0xB007;

    /// <summary>Why an object was not stored: (0008,1197).</summary>
    public static ushort Failure(StoreOutcome outcome) => outcome switch
    {
        StoreOutcome.Duplicate => 0x0111,        // duplicate SOP Instance (PS3.7 C.5.7)
        StoreOutcome.CannotUnderstand => 0xC000, // cannot understand
        StoreOutcome.StudyMismatch => 0xC409,    // ours, in the range of "cannot understand": not of the study of the resource. 50185
        StoreOutcome.FileMetaMismatch => 0xA900, // does not match SOP Class, here: group 2 and data set disagree
        StoreOutcome.OtherPatient => 0xC412,     // ours, in the range of "cannot understand": of another patient than its study. 50194
        StoreOutcome.TooLarge => 0xC413,         // ours, in the range of "cannot understand", so that nobody tries again: too large. 50195
        StoreOutcome.TryAgain => 0xA700,         // out of resources: worth another try
        _ => throw new UnreachableException(),
    };

    /// <summary>
    /// What the store warns of: (0008,1196); null if nothing. Only what makes an object doubtful to a reader counts; what every reader tolerates does not.
    /// </summary>
    public static ushort? Warning(StoreResult result)
    {
        if (result.Outcome == StoreOutcome.KeptFirst) return KeptFirst;
        if (result.Original is not null) return Coerced;
        if (result.IsOfOtherPatient) return DoesNotMatch;
        return result.Warnings.Any(warning => IsDoubtful(warning.Kind)) ? DoesNotMatch : null;
    }

    /// <summary>
    /// What a user is told of an object: why it was not stored as it came, or what is doubtful about it; null for nothing. Holds no values of the object.
    /// </summary>
    public static string? Words(StoreResult result)
    {
        if (result.Problem is { } problem) return problem;
        return result.Warnings.FirstOrDefault(warning => IsDoubtful(warning.Kind)) is { } doubt
            ? (doubt.Path.Length > 0 ? $"{doubt.Path}: " : "") + doubt.Detail + "." : null;
    }

    private static bool IsDoubtful(DicomWarningKind kind) =>
        kind is DicomWarningKind.TransferSyntaxGuessed or DicomWarningKind.WrongVrEncoding or DicomWarningKind.ImplicitElements
        or DicomWarningKind.DuplicateElement or DicomWarningKind.PixelDataLength or DicomWarningKind.FragmentsNotAssignable
        or DicomWarningKind.PlaceholderVr or DicomWarningKind.OpenPixelData or DicomWarningKind.FileMetaMismatch;
}
