using System.Net;
using System.Net.Sockets;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;
using static DicomServerless.Functional.Network.Scp;

namespace DicomServerless.Functional.Network;

public sealed class TlsTests : IDisposable
{
    private static readonly ContextProposal[] Proposals = [new(WellKnownUids.Verification, [TransferSyntax.ImplicitVrLittleEndian.Uid])];
    private readonly TestAuthority authority = new();

    public TlsTests()
    {
        authority.Issue("server", "localhost");
        authority.Issue("client", "modality");
    }

    public void Dispose() => authority.Dispose();

    [Theory]
    [InlineData(TlsProfile.Bcp195)]
    [InlineData(TlsProfile.Bcp195Modified)]
    [InlineData(TlsProfile.Tls13)]
    public async Task Our_client_and_server_talk_tls(TlsProfile profile)
    {
        await using var scp = await StartAsync(Server(ClientCertificates.None) with { Profile = profile });
        await using var association = await ConnectAsync(scp, new() { CaFile = At("ca.pem"), HostName = "localhost", Profile = profile });
        Assert.Equal(0, await association.EchoAsync(default));
        await association.ReleaseAsync(default);
    }

    [Fact]
    public async Task A_required_certificate_is_required_and_known()
    {
        await using var scp = await StartAsync(Server(ClientCertificates.Required));
        await using (var association = await ConnectAsync(scp, Client()))
        {
            Assert.Equal(0, await association.EchoAsync(default));
            Assert.Equal("CN=modality", scp.LastClientSubject);
        }
        await Assert.ThrowsAnyAsync<IOException>(() => ConnectAsync(scp, Client() with { CertificateFile = null, KeyFile = null }));
    }

    [Fact]
    public async Task A_wrong_name_or_authority_is_refused_and_the_name_may_be_ignored()
    {
        await using var scp = await StartAsync(Server(ClientCertificates.None));
        await Assert.ThrowsAnyAsync<IOException>(() => ConnectAsync(scp, Client() with { HostName = "elsewhere" }));
        await using (await ConnectAsync(scp, Client() with { HostName = "elsewhere", CheckHostName = false })) { }
        await Assert.ThrowsAnyAsync<IOException>(() => ConnectAsync(scp, Client() with { CaFile = At("client.pem"), CheckHostName = false }));
    }

    [Fact]
    public async Task Changed_files_are_used_and_bad_ones_are_not()
    {
        await using var scp = await StartAsync(Server(ClientCertificates.None));
        authority.Issue("server", "renewed");
        File.SetLastWriteTimeUtc(At("server.key"), DateTime.UnixEpoch); // a restored file is older
        await using (await ConnectAsync(scp, Client() with { HostName = "renewed" })) { }
        File.WriteAllText(At("server.pem"), "nonsense");
        await using (await ConnectAsync(scp, Client() with { HostName = "renewed" })) { }
    }

    [Fact]
    public async Task A_handshake_that_never_comes_is_cut()
    {
        await using var scp = await StartAsync(Server(ClientCertificates.None), new() { Association = new() { Artim = TimeSpan.FromMilliseconds(200) } });
        using var silent = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await silent.ConnectAsync(IPAddress.Loopback, scp.Port);
        Assert.Equal(0, await silent.ReceiveAsync(new byte[1]));
    }

    [Theory]
    [InlineData(ClientCertificates.None)]
    [InlineData(ClientCertificates.Required)]
    public async Task Dcmtk_talks_tls_with_us(ClientCertificates certificates)
    {
        if (!Peers.Require("echoscu")) return;
        await using var scp = await StartAsync(Server(certificates));
        var (exit, output) = await RunAsync("echoscu", "-v", "+tls", At("client.key"), At("client.pem"), "+cf", At("ca.pem"), "127.0.0.1", $"{scp.Port}");
        Assert.True(exit == 0, output);
        (exit, output) = await RunAsync(
            "storescu", "-v", "+tls", At("client.key"), At("client.pem"), "+cf", At("ca.pem"),
                "127.0.0.1", $"{scp.Port}", Path.Combine(Repository.Root, "tests", "Samples", "ct-small.dcm"));
        Assert.True(exit == 0, output);
        Assert.Single(scp.Stored);
        (exit, _) = await RunAsync("echoscu", "+tla", "+cf", At("ca.pem"), "127.0.0.1", $"{scp.Port}");
        Assert.Equal(certificates == ClientCertificates.None, exit == 0);
    }

    [Fact]
    public async Task Plain_dicom_on_a_tls_port_is_no_association()
    {
        if (!Peers.Require("echoscu")) return;
        await using var scp = await StartAsync(Server(ClientCertificates.None));
        Assert.NotEqual(0, (await RunAsync("echoscu", "-to", "5", "127.0.0.1", $"{scp.Port}")).Exit);
    }

    private static Task<Association> ConnectAsync(Scp scp, TlsClientOptions tls) =>
        new AssociationClient(new(), TimeProvider.System).ConnectAsync(new("127.0.0.1", scp.Port, "SCP", "SCU", tls), Proposals, default);

    private TlsServerOptions Server(ClientCertificates certificates) =>
        new() { CertificateFile = At("server.pem"), KeyFile = At("server.key"), CaFile = At("ca.pem"), ClientCertificates = certificates };

    private TlsClientOptions Client() => new()
        { CaFile = At("ca.pem"), CertificateFile = At("client.pem"), KeyFile = At("client.key"), HostName = "localhost" };

    private string At(string name) => authority.At(name);
}
