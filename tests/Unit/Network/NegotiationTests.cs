using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;

namespace DicomServerless.Unit.Network;

public sealed class NegotiationTests
{
    private static readonly Uid Ct = Uid.Parse("1.2.840.10008.5.1.4.1.1.2");
    private static readonly Uid Implicit = TransferSyntax.ImplicitVrLittleEndian.Uid;
    private static readonly Uid Explicit = TransferSyntax.ExplicitVrLittleEndian.Uid;
    private static readonly Uid Baseline = TransferSyntax.JpegBaseline.Uid;
    private static readonly Uid Jpeg2000 = TransferSyntax.Jpeg2000.Uid;
    private static readonly Uid Lossless = TransferSyntax.JpegLosslessSv1.Uid;
    private static readonly Uid Private = Uid.Parse("1.3.6.1.4.1.99999.1");

    [Fact]
    public void The_acceptors_order_decides() =>
        Assert.Equal(Lossless, Negotiation.Choose([Implicit, Explicit, Lossless], new([Lossless, Explicit, Implicit])));

    [Fact]
    public void A_lossy_syntax_is_never_chosen_while_another_is_offered()
    {
        var all = TransferSyntax.All.Select(syntax => syntax.Uid).ToArray();
        foreach (var lossy in TransferSyntax.All.Where(syntax => syntax.MayBeLossy))
        {
            foreach (var other in TransferSyntax.All.Where(syntax => !syntax.MayBeLossy))
            {
                // Whatever the order on either side.
                Assert.Equal(other.Uid, Negotiation.Choose([lossy.Uid, other.Uid], new([lossy.Uid, other.Uid])));
                Assert.Equal(other.Uid, Negotiation.Choose([lossy.Uid, other.Uid], new([other.Uid, lossy.Uid])));
            }
            Assert.Equal(lossy.Uid, Negotiation.Choose([lossy.Uid], new(all)));
        }
    }

    [Fact]
    public void What_may_be_lossless_goes_before_what_is_lossy() =>
        Assert.Equal(Jpeg2000, Negotiation.Choose([Baseline, Jpeg2000], new([Baseline, Jpeg2000])));

    [Fact]
    public void A_private_syntax_is_accepted_only_where_it_is_listed()
    {
        Assert.Equal(Private, Negotiation.Choose([Private], new([Private])));
        Assert.Null(Negotiation.Choose([Private], new([Explicit])));
    }

    [Fact]
    public void Each_context_gets_its_own_answer()
    {
        var accept = Accept(Request([new(1, Ct, [Explicit]), new(3, Private, [Explicit]), new(5, Ct, [Baseline]), new(7, default, [Explicit])]),
            Only(Ct, [Explicit]));
        Assert.Equal(
            [(1, ContextReason.Acceptance), (3, ContextReason.AbstractSyntaxNotSupported),
                (5, ContextReason.TransferSyntaxesNotSupported), (7, ContextReason.AbstractSyntaxNotSupported)],
            accept.Contexts.Select(context => ((int)context.Id, context.Result)));
    }

    [Fact]
    public void A_role_is_granted_only_where_it_was_asked_for_and_allowed()
    {
        var request = Request([new(1, Ct, [Explicit])]) with { User = new() { Roles = [new(Ct, Scu: false, Scp: true), new(Private, Scu: true, Scp: true)] } };
        Assert.Equal([new RoleSelection(Ct, Scu: false, Scp: true)], Accept(request, Only(Ct, [Explicit], scp: true)).User.Roles);
        Assert.Equal([new RoleSelection(Ct, Scu: false, Scp: false)], Accept(request, Only(Ct, [Explicit])).User.Roles);
        var context = Assert.Single(Negotiation.Contexts(request, Accept(request, Only(Ct, [Explicit], scp: true))));
        Assert.Equal((false, true), (context.RequestorIsScu, context.RequestorIsScp));
        context = Assert.Single(Negotiation.Contexts(Request(request.Contexts), Accept(Request(request.Contexts), Only(Ct, [Explicit], scp: true))));
        Assert.Equal((true, false), (context.RequestorIsScu, context.RequestorIsScp));
    }

    [Fact]
    public void Asynchronous_operations_are_answered_with_one_and_one_if_asked()
    {
        Assert.Null(Accept(Request([]), Only(Ct, [])).User.AsynchronousOperations);
        Assert.Equal(new AsynchronousOperations(1, 1), Accept(Request([]) with { User = new() { AsynchronousOperations = new(0, 8) } }, Only(Ct, []))
            .User.AsynchronousOperations);
    }

    [Fact]
    public void A_user_identity_is_answered_only_when_an_answer_was_asked_for()
    {
        foreach (var asked in (bool[])[true, false])
        {
            var request = Request([]) with { User = new() { UserIdentity = new(UserIdentityType.Username, asked, "max"u8.ToArray(), default) } };
            Assert.Equal(asked, Accept(request, Only(Ct, [])).User.UserIdentityResponse is not null);
        }
    }

    [Fact]
    public void Extended_negotiation_is_answered_by_the_policy_for_accepted_classes()
    {
        var request = Request([new(1, Ct, [Explicit])]) with
            { User = new() { ExtendedNegotiations = [new(Ct, new byte[] { 1, 1 }), new(Private, new byte[] { 1 })] } };
        var accept = Accept(request, Only(Ct, [Explicit]) with { ExtendedNegotiation = asked => new byte[] { 1, 0 } });
        Assert.Equal([1, 0], Assert.Single(accept.User.ExtendedNegotiations).Information.ToArray());
    }

    [Fact]
    public void Another_application_context_or_version_is_rejected()
    {
        Assert.Equal(RejectReason.ApplicationContextNotSupported, Reject(Request([]) with { ApplicationContext = Private }));
        Assert.Equal(RejectReason.ProtocolVersionNotSupported, Reject(Request([]) with { ProtocolVersion = 2 }));
        // Versions are bits: 1 and 2 together have 1 in common with us.
        Accept(Request([]) with { ProtocolVersion = 3 }, Only(Ct, []));
    }

    [Fact]
    public void Storage_classes_that_belong_to_no_study_are_not_archivable()
    {
        foreach (var uid in (string[])["1.2.840.10008.1.3.10", "1.2.840.10008.5.1.4.38.1", "1.2.840.10008.5.1.4.39.1",
            "1.2.840.10008.5.1.4.43.1", "1.2.840.10008.5.1.4.1.1.200.1", "1.2.840.10008.5.1.4.1.1.201.1"])
            Assert.Equal((true, false), (UidNames.IsStorage(uid), UidNames.IsArchivable(uid)));
        // Retired ones still come from old modalities.
        foreach (var uid in (string[])["1.2.840.10008.5.1.4.1.1.6", "1.2.840.10008.5.1.4.1.1.3", "1.2.840.10008.5.1.4.1.1.5",
            "1.2.840.10008.5.1.4.1.1.12.77", "1.2.840.10008.5.1.4.1.1.9.1.4", "1.2.840.10008.5.1.4.1.1.200.2"])
            Assert.True(UidNames.IsArchivable(uid));
        Assert.False(UidNames.IsStorage("1.2.840.10008.5.1.4.1.1.200.4"));
    }

    private static AssociateRequest Request(IReadOnlyList<ProposedContext> contexts) => new()
        { CalledAeTitle = "SCP", CallingAeTitle = "SCU", Contexts = contexts };

    private static AcceptorPolicy Only(Uid sopClass, IReadOnlyList<Uid> syntaxes, bool scp = false) =>
        new() { AbstractSyntax = uid => uid == sopClass ? new AbstractSyntaxPolicy(syntaxes) { RequestorMayBeScp = scp } : null };

    private static AssociateAccept Accept(AssociateRequest request, AcceptorPolicy policy) =>
        Assert.IsType<AssociateAccept>(Negotiation.Answer(request, policy, 0));

    private static RejectReason Reject(AssociateRequest request) => Assert.IsType<AssociateReject>(Negotiation.Answer(request, Only(Ct, []), 0)).Reason;
}
