namespace DicomServerless.Dicom.Network;

/// <summary>Why an association is rejected (PS3.8 9.3.4, table 9-21).</summary>
/// <param name="Result">1 permanent, 2 transient.</param>
/// <param name="Source">1 service user, 2 service provider (ACSE), 3 service provider (presentation).</param>
/// <param name="Reason">The reason; its meaning depends on the source.</param>
public readonly record struct RejectReason(byte Result, byte Source, byte Reason)
{
    /// <summary>1-1: no reason given.</summary>
    public static readonly RejectReason NoReasonGiven = new(1, 1, 1);

    /// <summary>1-2: application context name not supported.</summary>
    public static readonly RejectReason ApplicationContextNotSupported = new(1, 1, 2);

    /// <summary>1-3: calling AE title not recognized.</summary>
    public static readonly RejectReason CallingAeTitleNotRecognized = new(1, 1, 3);

    /// <summary>1-7: called AE title not recognized.</summary>
    public static readonly RejectReason CalledAeTitleNotRecognized = new(1, 1, 7);

    /// <summary>2-2: protocol version not supported.</summary>
    public static readonly RejectReason ProtocolVersionNotSupported = new(1, 2, 2);

    /// <summary>3-1: temporary congestion; try again.</summary>
    public static readonly RejectReason TemporaryCongestion = new(2, 3, 1);

    /// <summary>3-2: local limit exceeded; try again.</summary>
    public static readonly RejectReason LocalLimitExceeded = new(2, 3, 2);

    /// <summary>Whether trying again later makes sense.</summary>
    public bool IsTransient => Result == 2;

    /// <summary>The standard's words.</summary>
    public string Text => (Source, Reason) switch
    {
        (1, 1) => "no reason given",
        (1, 2) => "application context name not supported",
        (1, 3) => "calling AE title not recognized",
        (1, 7) => "called AE title not recognized",
        (2, 1) => "no reason given by the upper layer",
        (2, 2) => "protocol version not supported",
        (3, 1) => "temporary congestion",
        (3, 2) => "local limit exceeded",
        _ => "reserved reason",
    };

    /// <summary>The words and the numbers.</summary>
    public override string ToString() => $"{Text} ({(IsTransient ? "transient" : "permanent")}, {Source}-{Reason})";
}
