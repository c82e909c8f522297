namespace DicomServerless.Dicom.Network;

/// <summary>The PDU types of PS3.8 9.3.1.</summary>
public enum PduType : byte
{
    /// <summary>A-ASSOCIATE-RQ.</summary>
    AssociateRequest = 1,

    /// <summary>A-ASSOCIATE-AC.</summary>
    AssociateAccept = 2,

    /// <summary>A-ASSOCIATE-RJ.</summary>
    AssociateReject = 3,

    /// <summary>P-DATA-TF.</summary>
    DataTransfer = 4,

    /// <summary>A-RELEASE-RQ.</summary>
    ReleaseRequest = 5,

    /// <summary>A-RELEASE-RP.</summary>
    ReleaseResponse = 6,

    /// <summary>A-ABORT.</summary>
    Abort = 7,
}

/// <summary>A protocol data unit (PS3.8 9.3).</summary>
public abstract record Pdu
{
    /// <summary>Its type.</summary>
    public abstract PduType Type { get; }
}

/// <summary>A-ASSOCIATE-RQ (PS3.8 9.3.2).</summary>
public sealed record AssociateRequest : Pdu
{
    /// <summary>DICOM Application Context Name (PS3.7 A.2.1).</summary>
    public static readonly Uid DicomApplicationContext = Uid.Parse("1.2.840.10008.3.1.1.1");

    /// <inheritdoc />
    public override PduType Type => PduType.AssociateRequest;

    /// <summary>A bit per version; bit 0 is version 1, the only one.</summary>
    public ushort ProtocolVersion { get; init; } = 1;

    /// <summary>Whom the requestor wants, without padding.</summary>
    public required string CalledAeTitle { get; init; }

    /// <summary>Who the requestor says it is, without padding.</summary>
    public required string CallingAeTitle { get; init; }

    /// <summary>The application context; empty when it was missing or no UID.</summary>
    public Uid ApplicationContext { get; init; } = DicomApplicationContext;

    /// <summary>What is proposed, in the requestor's order.</summary>
    public IReadOnlyList<ProposedContext> Contexts { get; init; } = [];

    /// <summary>Maximum length, implementation, roles and the rest.</summary>
    public UserInformation User { get; init; } = new();
}

/// <summary>A-ASSOCIATE-AC (PS3.8 9.3.3).</summary>
public sealed record AssociateAccept : Pdu
{
    /// <inheritdoc />
    public override PduType Type => PduType.AssociateAccept;

    /// <summary>A bit per version; bit 0 is version 1.</summary>
    public ushort ProtocolVersion { get; init; } = 1;

    /// <summary>As it stood in the request.</summary>
    public required string CalledAeTitle { get; init; }

    /// <summary>As it stood in the request.</summary>
    public required string CallingAeTitle { get; init; }

    /// <summary>The application context.</summary>
    public Uid ApplicationContext { get; init; } = AssociateRequest.DicomApplicationContext;

    /// <summary>The answer to each proposed context.</summary>
    public IReadOnlyList<ContextResult> Contexts { get; init; } = [];

    /// <summary>Maximum length, implementation, roles and the rest.</summary>
    public UserInformation User { get; init; } = new();
}

/// <summary>A-ASSOCIATE-RJ (PS3.8 9.3.4).</summary>
public sealed record AssociateReject(RejectReason Reason) : Pdu
{
    /// <inheritdoc />
    public override PduType Type => PduType.AssociateReject;
}

/// <summary>P-DATA-TF (PS3.8 9.3.5), whole. An association never makes one: it streams the values.</summary>
public sealed record DataTransfer(IReadOnlyList<PresentationDataValue> Values) : Pdu
{
    /// <inheritdoc />
    public override PduType Type => PduType.DataTransfer;
}

/// <summary>A presentation data value (PS3.8 9.3.5.1, E.2).</summary>
/// <param name="ContextId">The presentation context's id.</param>
/// <param name="IsCommand">Whether the fragment belongs to the command set.</param>
/// <param name="IsLast">Whether it ends the command set or data set.</param>
/// <param name="Data">The fragment.</param>
public sealed record PresentationDataValue(byte ContextId, bool IsCommand, bool IsLast, ReadOnlyMemory<byte> Data);

/// <summary>A-RELEASE-RQ (PS3.8 9.3.6).</summary>
public sealed record ReleaseRequest : Pdu
{
    /// <inheritdoc />
    public override PduType Type => PduType.ReleaseRequest;
}

/// <summary>A-RELEASE-RP (PS3.8 9.3.7).</summary>
public sealed record ReleaseResponse : Pdu
{
    /// <inheritdoc />
    public override PduType Type => PduType.ReleaseResponse;
}

/// <summary>A-ABORT (PS3.8 9.3.8).</summary>
public sealed record Abort(AbortSource Source, AbortReason Reason) : Pdu
{
    /// <inheritdoc />
    public override PduType Type => PduType.Abort;
}
