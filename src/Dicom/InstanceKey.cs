namespace DicomServerless.Dicom;

/// <summary>The three UIDs that name an instance.</summary>
/// <param name="Study">Study Instance UID.</param>
/// <param name="Series">Series Instance UID.</param>
/// <param name="Sop">SOP Instance UID.</param>
public readonly record struct InstanceKey(Uid Study, Uid Series, Uid Sop)
{
    /// <summary>The instance within its study.</summary>
    public InstanceName Name => new(Series, Sop);
}

/// <summary>
/// An instance within a study. Ordered by SOP Instance UID, then series, ordinally: the order in which attributes are taken (docs/design.md, rule 4).
/// </summary>
/// <param name="Series">Series Instance UID.</param>
/// <param name="Sop">SOP Instance UID.</param>
public readonly record struct InstanceName(Uid Series, Uid Sop) : IComparable<InstanceName>
{
    /// <inheritdoc />
    public int CompareTo(InstanceName other) => Sop.CompareTo(other.Sop) is var order and not 0 ? order : Series.CompareTo(other.Series);

    /// <summary>Whether a comes before b.</summary>
    public static bool operator <(InstanceName a, InstanceName b) => a.CompareTo(b) < 0;
    /// <summary>Whether a comes after b.</summary>
    public static bool operator >(InstanceName a, InstanceName b) => a.CompareTo(b) > 0;
    /// <summary>Whether a comes before b or is the same.</summary>
    public static bool operator <=(InstanceName a, InstanceName b) => a.CompareTo(b) <= 0;
    /// <summary>Whether a comes after b or is the same.</summary>
    public static bool operator >=(InstanceName a, InstanceName b) => a.CompareTo(b) >= 0;
}
