using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace DicomServerless.Dicom.Network;

/// <summary>What an acceptor decides upon.</summary>
/// <param name="Pdu">The A-ASSOCIATE-RQ.</param>
/// <param name="RemoteEndPoint">Where it comes from.</param>
/// <param name="LocalEndPoint">Where it arrived.</param>
/// <param name="PeerCertificate">The peer's certificate, validated; null without TLS or when it has shown none.</param>
public sealed record AssociationRequest(AssociateRequest Pdu, EndPoint? RemoteEndPoint, EndPoint? LocalEndPoint, X509Certificate2? PeerCertificate)
{
    /// <summary>The called AE title.</summary>
    public string CalledAeTitle => Pdu.CalledAeTitle;

    /// <summary>The calling AE title.</summary>
    public string CallingAeTitle => Pdu.CallingAeTitle;

    /// <summary>Whether as many associations are served as may be: then it is rejected with 3-2, whatever is decided.</summary>
    public bool IsOverLimit { get; init; }
}

/// <summary>The answer to an association request: a policy to negotiate by, or a reason to reject.</summary>
public sealed class AcceptorDecision
{
    private AcceptorDecision(AcceptorPolicy? policy, RejectReason reason) => (Policy, Reason) = (policy, reason);

    /// <summary>What is allowed; null when rejected.</summary>
    public AcceptorPolicy? Policy { get; }

    /// <summary>Why it is rejected.</summary>
    public RejectReason Reason { get; }

    /// <summary>Accepts what the policy allows.</summary>
    public static AcceptorDecision Accept(AcceptorPolicy policy) => new(policy, default);

    /// <summary>Rejects.</summary>
    public static AcceptorDecision Reject(RejectReason reason) => new(null, reason);
}
