namespace DicomServerless.Dicom.Network;

/// <summary>An association ended by anything but a release. The message says by whom and why, without patient data.</summary>
public sealed class AssociationAbortedException : IOException
{
    internal AssociationAbortedException(AbortCause cause, AbortSource source, AbortReason reason, string message, Exception? inner = null)
        : base(message, inner) => (Cause, AbortSource, Reason) = (cause, source, reason);

    /// <summary>What happened.</summary>
    public AbortCause Cause { get; }

    /// <summary>The source in the A-ABORT, ours or the peer's.</summary>
    public AbortSource AbortSource { get; }

    /// <summary>The reason in the A-ABORT.</summary>
    public AbortReason Reason { get; }
}

/// <summary>What ended an association.</summary>
public enum AbortCause
{
    /// <summary>The peer sent A-ABORT.</summary>
    Peer,

    /// <summary>The connection closed or broke.</summary>
    ConnectionLost,

    /// <summary>The peer broke the protocol.</summary>
    ProtocolError,

    /// <summary>The peer was silent or slow for too long.</summary>
    Timeout,

    /// <summary>This side aborted.</summary>
    Local,
}

/// <summary>The peer rejected the association (A-ASSOCIATE-RJ).</summary>
public sealed class AssociationRejectedException : IOException
{
    internal AssociationRejectedException(RejectReason reason)
        : base($"The association was rejected: {reason}.") => Reason = reason;

    /// <summary>Why.</summary>
    public RejectReason Reason { get; }
}
