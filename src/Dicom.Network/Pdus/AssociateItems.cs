namespace DicomServerless.Dicom.Network;

/// <summary>A proposed presentation context (PS3.8 9.3.2.2).</summary>
/// <param name="Id">Odd, 1 to 255.</param>
/// <param name="AbstractSyntax">The SOP class; empty when it was no UID.</param>
/// <param name="TransferSyntaxes">In the requestor's order; those that were no UIDs are empty.</param>
public sealed record ProposedContext(byte Id, Uid AbstractSyntax, IReadOnlyList<Uid> TransferSyntaxes);

/// <summary>The answer to a presentation context (PS3.8 9.3.3.2, table 9-18).</summary>
public enum ContextReason : byte
{
    /// <summary>Accepted.</summary>
    Acceptance = 0,

    /// <summary>The user refuses it.</summary>
    UserRejection = 1,

    /// <summary>The provider refuses it.</summary>
    NoReason = 2,

    /// <summary>The SOP class is not supported.</summary>
    AbstractSyntaxNotSupported = 3,

    /// <summary>None of the transfer syntaxes is supported.</summary>
    TransferSyntaxesNotSupported = 4,
}

/// <summary>The answer to a proposed context (PS3.8 9.3.3.2).</summary>
/// <param name="Id">The proposed id.</param>
/// <param name="Result">Whether it was accepted.</param>
/// <param name="TransferSyntax">The chosen one; only significant when accepted.</param>
public sealed record ContextResult(byte Id, ContextReason Result, Uid TransferSyntax);

/// <summary>The user information item (PS3.8 9.3.2.3, D.1; PS3.7 D.3.3).</summary>
public sealed record UserInformation
{
    /// <summary>
    /// The longest P-DATA-TF variable field that this side receives, in bytes; 0 = unlimited (PS3.8 D.1). Null when the item was missing, which means unlimited
    /// too.
    /// </summary>
    public uint? MaxPduLength { get; init; }

    /// <summary>Implementation Class UID (PS3.7 D.3.3.2); empty when missing.</summary>
    public Uid ImplementationClass { get; init; }

    /// <summary>Implementation Version Name (PS3.7 D.3.3.2), at most 16 characters.</summary>
    public string? ImplementationVersion { get; init; }

    /// <summary>Asynchronous operations window (PS3.7 D.3.3.3).</summary>
    public AsynchronousOperations? AsynchronousOperations { get; init; }

    /// <summary>SCP/SCU role selections (PS3.7 D.3.3.4).</summary>
    public IReadOnlyList<RoleSelection> Roles { get; init; } = [];

    /// <summary>SOP class extended negotiations (PS3.7 D.3.3.5).</summary>
    public IReadOnlyList<ExtendedNegotiation> ExtendedNegotiations { get; init; } = [];

    /// <summary>SOP class common extended negotiations (PS3.7 D.3.3.6); only in a request.</summary>
    public IReadOnlyList<CommonExtendedNegotiation> CommonExtendedNegotiations { get; init; } = [];

    /// <summary>Who the user is (PS3.7 D.3.3.7.1); only in a request.</summary>
    public UserIdentity? UserIdentity { get; init; }

    /// <summary>The server's response to the user identity (PS3.7 D.3.3.7.2); only in an acceptance.</summary>
    public ReadOnlyMemory<byte>? UserIdentityResponse { get; init; }
}

/// <summary>How many operations may be outstanding (PS3.7 D.3.3.3); 0 = unlimited.</summary>
public readonly record struct AsynchronousOperations(ushort Invoked, ushort Performed);

/// <summary>Who plays which role for a SOP class (PS3.7 D.3.3.4), seen from the requestor.</summary>
/// <param name="SopClass">The SOP class.</param>
/// <param name="Scu">Whether the requestor is SCU.</param>
/// <param name="Scp">Whether the requestor is SCP.</param>
public sealed record RoleSelection(Uid SopClass, bool Scu, bool Scp);

/// <summary>Service-class application information for a SOP class (PS3.7 D.3.3.5), such as relational queries (PS3.4 C.5.1.1).</summary>
public sealed record ExtendedNegotiation(Uid SopClass, ReadOnlyMemory<byte> Information);

/// <summary>What a SOP class is related to (PS3.7 D.3.3.6).</summary>
public sealed record CommonExtendedNegotiation(Uid SopClass, Uid ServiceClass, IReadOnlyList<Uid> RelatedGeneralSopClasses);

/// <summary>The forms of a user identity (PS3.7 D.3.3.7.1).</summary>
public enum UserIdentityType : byte
{
    /// <summary>A user name in UTF-8.</summary>
    Username = 1,

    /// <summary>A user name and passcode in UTF-8.</summary>
    UsernameAndPasscode = 2,

    /// <summary>A Kerberos service ticket.</summary>
    Kerberos = 3,

    /// <summary>A SAML assertion.</summary>
    Saml = 4,

    /// <summary>A JSON web token.</summary>
    JsonWebToken = 5,
}

/// <summary>Who the user is (PS3.7 D.3.3.7.1).</summary>
public sealed record UserIdentity(UserIdentityType Type, bool PositiveResponseRequested, ReadOnlyMemory<byte> Primary, ReadOnlyMemory<byte> Secondary)
{
    /// <summary>Only the type: fields may hold passcodes.</summary>
    public override string ToString() => $"UserIdentity {Type}";
}
