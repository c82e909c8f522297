using System.Security.Cryptography;
using System.Text;
using DicomServerless.Dicom;
using Microsoft.Extensions.Caching.Memory;

namespace DicomServerless.EdgeGateway.Scp;

/// <summary>
/// Notices objects of another patient in a study, which a modality sends when the wrong patient was picked from its worklist. Remembers the patient of the last
/// thousands of studies, as a hash: no identifier is kept.
/// </summary>
internal sealed class StudyPatients : IDisposable
{
    private const int MaxStudies = 10_000;

    private readonly MemoryCache patients = new(new MemoryCacheOptions { SizeLimit = MaxStudies });

    /// <summary>Whether an object names another patient than the first one of its study did. An object without a Patient ID says nothing.</summary>
    public bool IsSecond(Uid study, DataSet header)
    {
        var id = header.GetString(Tags.PatientID);
        if (string.IsNullOrEmpty(id)) return false;
        var patient = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{id}\\{header.GetString(Tags.IssuerOfPatientID)}")));
        if (patients.TryGetValue(study.Value, out string? first)) return first != patient;
        patients.Set(study.Value, patient, new MemoryCacheEntryOptions { Size = 1 });
        return false;
    }

    public void Dispose() => patients.Dispose();
}
