namespace DicomServerless.Dicom.Network;

/// <summary>Who aborts (PS3.8 9.3.8).</summary>
public enum AbortSource : byte
{
    /// <summary>The program that uses the association.</summary>
    ServiceUser = 0,

    /// <summary>The upper layer.</summary>
    ServiceProvider = 2,
}

/// <summary>Why the upper layer aborts; only significant from <see cref="AbortSource.ServiceProvider"/> (PS3.8 9.3.8).</summary>
public enum AbortReason : byte
{
    /// <summary>Nothing is said.</summary>
    NotSpecified = 0,

    /// <summary>A PDU type that does not exist.</summary>
    UnrecognizedPdu = 1,

    /// <summary>A PDU that must not come in this state.</summary>
    UnexpectedPdu = 2,

    /// <summary>A field that does not exist.</summary>
    UnrecognizedPduParameter = 4,

    /// <summary>A field that must not come here.</summary>
    UnexpectedPduParameter = 5,

    /// <summary>A field whose value is wrong, a length for instance.</summary>
    InvalidPduParameterValue = 6,
}
