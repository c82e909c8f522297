namespace DicomServerless.Dicom.Network;

/// <summary>What an acceptor allows for one abstract syntax.</summary>
/// <param name="TransferSyntaxes">In the order of preference. A lossy one is only chosen when no other is offered, whatever the order.</param>
public sealed record AbstractSyntaxPolicy(IReadOnlyList<Uid> TransferSyntaxes)
{
    /// <summary>Whether the requestor may be SCP of this SOP class if it asks for it, as C-GET needs (PS3.7 D.3.3.4).</summary>
    public bool RequestorMayBeScp { get; init; }
}

/// <summary>What an acceptor allows on one association.</summary>
public sealed record AcceptorPolicy
{
    /// <summary>What is allowed for an abstract syntax; null when it is not supported. Called once per proposed context.</summary>
    public required Func<Uid, AbstractSyntaxPolicy?> AbstractSyntax { get; init; }

    /// <summary>
    /// The answer to a SOP class extended negotiation: bytes for the acceptance, or null for none (PS3.7 D.3.3.5). Asked only for SOP classes that were
    /// accepted.
    /// </summary>
    public Func<ExtendedNegotiation, ReadOnlyMemory<byte>?> ExtendedNegotiation { get; init; } = static _ => null;

    /// <summary>The server response to a user identity that asks for one (PS3.7 D.3.3.7.2). Empty is the positive answer to a user name.</summary>
    public ReadOnlyMemory<byte> UserIdentityResponse { get; init; }
}

/// <summary>What becomes of an A-ASSOCIATE-RQ.</summary>
public static class Negotiation
{
    /// <summary>Answers a request: AC or RJ. Pure.</summary>
    /// <param name="request">The request.</param>
    /// <param name="policy">What is allowed.</param>
    /// <param name="maxPduLength">What this side receives, in bytes; 0 = unlimited.</param>
    public static Pdu Answer(AssociateRequest request, AcceptorPolicy policy, uint maxPduLength)
    {
        if ((request.ProtocolVersion & 1) == 0) return new AssociateReject(RejectReason.ProtocolVersionNotSupported);
        if (request.ApplicationContext != AssociateRequest.DicomApplicationContext) return new AssociateReject(RejectReason.ApplicationContextNotSupported);
        var results = new List<ContextResult>(request.Contexts.Count);
        var mayBeScp = new HashSet<Uid>();
        var accepted = new HashSet<Uid>();
        foreach (var context in request.Contexts)
        {
            // An id that comes twice names nothing; the first keeps it.
            if (results.Any(result => result.Id == context.Id)) continue;
            var allowed = context.AbstractSyntax.IsEmpty ? null : policy.AbstractSyntax(context.AbstractSyntax);
            results.Add(Answer(context, allowed));
            if (results[^1].Result != ContextReason.Acceptance) continue;
            accepted.Add(context.AbstractSyntax);
            if (allowed!.RequestorMayBeScp) mayBeScp.Add(context.AbstractSyntax);
        }
        return new AssociateAccept
        {
            CalledAeTitle = request.CalledAeTitle,
            CallingAeTitle = request.CallingAeTitle,
            Contexts = results,
            User = new UserInformation
            {
                MaxPduLength = maxPduLength,
                ImplementationClass = Part10.ImplementationClass,
                ImplementationVersion = Part10.ImplementationVersionName,
                // PS3.7 D.3.3.3: synchronous, as if nothing had been asked.
                AsynchronousOperations = request.User.AsynchronousOperations is null ? null : new AsynchronousOperations(1, 1),
                // PS3.7 D.3.3.4: a role is accepted only where it was proposed.
                Roles = [.. request.User.Roles.Where(role => accepted.Contains(role.SopClass))
                    .Select(role => role with { Scp = role.Scp && mayBeScp.Contains(role.SopClass) })],
                ExtendedNegotiations = [.. Extended(request, policy, accepted)],
                UserIdentityResponse = request.User.UserIdentity is { PositiveResponseRequested: true }
                    ? policy.UserIdentityResponse : default(ReadOnlyMemory<byte>?),
            },
        };
    }

    /// <summary>
    /// Chooses a transfer syntax: by the policy's order, but never a lossy one while another is offered, because a sender would compress for us.
    /// </summary>
    public static Uid? Choose(IReadOnlyList<Uid> offered, AbstractSyntaxPolicy policy)
    {
        var ordered = policy.TransferSyntaxes.Where(offered.Contains).ToArray();
        if (ordered.Length == 0) return null;
        foreach (var uid in ordered)
            if (TransferSyntax.Find(uid) is { MayBeLossy: false }) return uid;
        // Of those that may be lossy, what only may be is better than what is.
        foreach (var uid in ordered)
            if (TransferSyntax.Find(uid) is { IsLossy: null }) return uid;
        return ordered[0];
    }

    /// <summary>The contexts of an association, from what was proposed and what was answered (PS3.8 9.3.3.2, PS3.7 D.3.3.4).</summary>
    public static IReadOnlyList<PresentationContext> Contexts(AssociateRequest request, AssociateAccept accept)
    {
        var contexts = new List<PresentationContext>();
        foreach (var result in accept.Contexts)
        {
            if (result.Result != ContextReason.Acceptance || result.TransferSyntax.IsEmpty) continue;
            if (request.Contexts.FirstOrDefault(context => context.Id == result.Id) is not { } proposed
                || !proposed.TransferSyntaxes.Contains(result.TransferSyntax))
                continue;
            // Without role selection in both PDUs the requestor is SCU only.
            var asked = request.User.Roles.FirstOrDefault(role => role.SopClass == proposed.AbstractSyntax);
            var answered = asked is null ? null : accept.User.Roles.FirstOrDefault(role => role.SopClass == proposed.AbstractSyntax);
            contexts.Add(new(result.Id, proposed.AbstractSyntax, result.TransferSyntax,
                answered is null || (asked!.Scu && answered.Scu), answered is not null && asked!.Scp && answered.Scp));
        }
        return contexts;
    }

    private static ContextResult Answer(ProposedContext context, AbstractSyntaxPolicy? policy)
    {
        // PS3.8 9.3.3.2: without acceptance the transfer syntax is not significant; many send one back, some need one.
        var none = context.TransferSyntaxes.FirstOrDefault(uid => !uid.IsEmpty);
        if (policy is null) return new(context.Id, ContextReason.AbstractSyntaxNotSupported, none);
        return Choose(context.TransferSyntaxes, policy) is { } chosen
            ? new(context.Id, ContextReason.Acceptance, chosen)
            : new(context.Id, ContextReason.TransferSyntaxesNotSupported, none);
    }

    private static IEnumerable<ExtendedNegotiation> Extended(AssociateRequest request, AcceptorPolicy policy, HashSet<Uid> accepted)
    {
        foreach (var asked in request.User.ExtendedNegotiations)
            if (accepted.Contains(asked.SopClass) && policy.ExtendedNegotiation(asked) is { } answer) yield return new(asked.SopClass, answer);
    }
}
