using System.Net;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Scp;

namespace DicomServerless.Unit.Gateway;

/// <summary>What an AE of ours accepts.</summary>
public sealed class CalledAeTests
{
    private static readonly Uid Ct = Uid.Parse("1.2.840.10008.5.1.4.1.1.2");

    private static CalledAe Ae(AeOptions options)
    {
        var gateway = new GatewayOptions();
        gateway.Aes["AE"] = options;
        gateway.Destinations["archive"] = new();
        var request = new AssociateRequest { CalledAeTitle = "AE", CallingAeTitle = "SCU", Contexts = [] };
        return CalledAe.Find(gateway, request, IPAddress.Loopback, null, out _)!;
    }

    // What a sender is driven to when it offers several in one context: what archives and viewers read comes first.
    [Theory]
    [InlineData("1.2.840.10008.1.2.4.70",
        "1.2.840.10008.1.2.4.110 1.2.840.10008.1.2.1.98 1.2.840.10008.1.2.4.201 1.2.840.10008.1.2 1.2.840.10008.1.2.1 1.2.840.10008.1.2.4.70")]
    [InlineData("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.110 1.2.840.10008.1.2.4.90 1.2.840.10008.1.2.1")]
    [InlineData("1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.110 1.2.840.10008.1.2.1.98 1.2.840.10008.1.2.8.1 1.2.840.10008.1.2 1.2.840.10008.1.2.1")]
    [InlineData("1.2.840.10008.1.2.4.110", "1.2.840.10008.1.2.4.50 1.2.840.10008.1.2.4.91 1.2.840.10008.1.2.4.110")]
    public void The_order_of_syntaxes_is_written_down(string chosen, string offered)
    {
        var order = Ae(new AeOptions()).Policy(Ct)!.TransferSyntaxes;
        var offers = offered.Split(' ').Select(Uid.Parse).ToList();
        Assert.Equal(chosen, order.First(offers.Contains).Value);
    }

    [Fact]
    public void Every_syntax_is_in_it_once_and_what_may_be_lossy_comes_last()
    {
        var order = Ae(new AeOptions()).Policy(Ct)!.TransferSyntaxes.Select(uid => TransferSyntax.Find(uid)!).ToList();
        Assert.Equal(TransferSyntax.All.Count, order.Distinct().Count());
        Assert.Equal(order.Count, order.Distinct().Count());
        Assert.DoesNotContain(order.SkipWhile(syntax => !syntax.MayBeLossy), syntax => !syntax.MayBeLossy);
    }

    // Storage classes of the editions 2024 to 2026; the services of inventories share their arc and are none.
    [Theory]
    [InlineData("1.2.840.10008.5.1.4.1.1.66.7", true)]
    [InlineData("1.2.840.10008.5.1.4.1.1.66.8", true)]
    [InlineData("1.2.840.10008.5.1.4.1.1.88.77", true)]
    [InlineData("1.2.840.10008.5.1.4.1.1.9.100.1", true)]
    [InlineData("1.2.840.10008.5.1.4.1.1.9.100.2", true)]
    [InlineData("1.2.840.10008.5.1.4.1.1.601.3", true)]
    [InlineData("1.2.840.10008.5.1.4.1.1.601.4", true)]
    [InlineData("1.2.840.10008.5.1.4.1.1.601.5", true)]
    [InlineData("1.2.840.10008.5.1.4.1.1.201.1", false)]
    [InlineData("1.2.840.10008.5.1.4.1.1.201.2", false)]
    [InlineData("1.2.840.10008.5.1.4.1.1.201.6", false)]
    public void Storage_classes_of_newer_editions_are_accepted(string sopClass, bool isAccepted)
    {
        foreach (var options in (AeOptions[])[new AeOptions { Get = true }, new AeOptions { AnySopClass = true }])
            Assert.Equal(isAccepted, Ae(options).Policy(Uid.Parse(sopClass)) is not null);
    }

    [Fact]
    public void Objects_are_taken_over_storage_contexts_of_an_ae_that_stores()
    {
        var (stores, gives) = (Ae(new AeOptions { Get = true, Commitment = true }), Ae(new AeOptions { Store = false, Get = true }));
        Assert.True(stores.TakesObjectsOf(Ct));
        Assert.False(gives.TakesObjectsOf(Ct));
        foreach (var other in new[] { WellKnownUids.Verification, WellKnownUids.StudyRootFind,
            WellKnownUids.PatientRootGet, WellKnownUids.StorageCommitmentPushModel, Uid.Parse("1.2.840.10008.1.3.10") })
            Assert.False(stores.TakesObjectsOf(other));
    }

    [Theory]
    [InlineData("ARCHIVE", "", "", true)]
    [InlineData("a name that is far too long", "", "", false)]
    [InlineData("a name that is far too long", "SHORT", "", true)]
    [InlineData("X", "SEVENTEEN LETTERS", "", false)]
    [InlineData("X", "", "SEVENTEEN LETTERS", false)]
    [InlineData("X", "BACK\\SLASH", "", false)]
    [InlineData("X", "ÜBER", "", false)]
    public void Titles_of_remote_aes_are_checked_at_the_start(string name, string title, string calling, bool isRight)
    {
        var problems = new RemoteAeOptions { Host = "h", AeTitle = title, CallingAeTitle = calling }.Problems("Gateway:RemoteAes:" + name).ToList();
        Assert.Equal(isRight, problems.Count == 0);
    }
}
