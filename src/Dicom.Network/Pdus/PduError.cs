namespace DicomServerless.Dicom.Network;

/// <summary>The three results of reading bytes as a PDU.</summary>
public enum PduStatus
{
    /// <summary>The PDU is not whole yet; nothing was consumed.</summary>
    NeedMore,

    /// <summary>A PDU was read.</summary>
    Done,

    /// <summary>The bytes are no PDU that may be accepted.</summary>
    Hostile,
}

/// <summary>What is wrong with bytes that should be a PDU.</summary>
/// <param name="Reason">What an A-ABORT says about it.</param>
/// <param name="Field">The field's name in PS3.8 or PS3.7.</param>
/// <param name="Value">The offending length or value.</param>
public readonly record struct PduError(AbortReason Reason, string Field, long Value)
{
    /// <summary>The field, the value and the reason.</summary>
    public override string ToString() => $"{Field} {Value}: {Reason}";
}
