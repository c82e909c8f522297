namespace DicomServerless.Dicom;

/// <summary>The four UIDs without which an object has no place in an archive; nothing else is required (D1.13).</summary>
/// <param name="Key">Study, Series and SOP Instance UID; those that are missing or no UIDs are empty.</param>
/// <param name="SopClassUid">SOP Class UID, empty if missing.</param>
/// <param name="Problem">What is wrong, naming the element; null if nothing is.</param>
public readonly record struct InstanceUids(InstanceKey Key, string SopClassUid, string? Problem)
{
    private static readonly (Tag Tag, string Name)[] Required =
    [
        (Tags.StudyInstanceUID, "Study Instance UID (0020,000D)"), (Tags.SeriesInstanceUID, "Series Instance UID (0020,000E)"),
        (Tags.SOPInstanceUID, "SOP Instance UID (0008,0018)"), (Tags.SOPClassUID, "SOP Class UID (0008,0016)"),
    ];

    /// <summary>Reads them from a data set.</summary>
    public static InstanceUids Read(DataSet dataSet)
    {
        Span<Uid> uids = new Uid[Required.Length];
        string? problem = null;
        for (var i = 0; i < Required.Length; i++)
        {
            if (dataSet.TryGetUid(Required[i].Tag, out uids[i])) continue;
            problem ??= dataSet.ValueOf(Required[i].Tag).Span.Trim(" \0"u8).IsEmpty
                ? $"{Required[i].Name} is missing; an object needs it to be stored."
                : $"{Required[i].Name} is no UID: digits and single dots, at most 64 characters (PS3.5 9.1).";
        }
        return new InstanceUids(new InstanceKey(uids[0], uids[1], uids[2]), uids[3].Value, problem);
    }
}
