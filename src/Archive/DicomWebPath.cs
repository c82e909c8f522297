using DicomServerless.Dicom;

namespace DicomServerless.Archive;

/// <summary>The paths of resources below the root of the service (PS3.18 10.1): what Retrieve URLs, locations and links are made of.</summary>
public static class DicomWebPath
{
    /// <summary><c>/studies/{study}</c>.</summary>
    public static string Of(Uid study) => $"/studies/{study}";

    /// <summary><c>/studies/{study}/series/{series}</c>.</summary>
    public static string Of(Uid study, Uid series) => $"{Of(study)}/series/{series}";

    /// <summary><c>/studies/{study}/series/{series}/instances/{instance}</c>.</summary>
    public static string Of(InstanceKey key) => $"{Of(key.Study, key.Series)}/instances/{key.Sop}";

    /// <summary><c>…/frames/{number}</c> of an instance; the number from 1.</summary>
    public static string OfFrame(InstanceKey key, int number) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Of(key)}/frames/{number}");
}
