using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Functional.Network;

/// <summary>The association server and client over sockets.</summary>
public sealed class ServerTests
{
    private static readonly Uid Ct = Uid.Parse("1.2.840.10008.5.1.4.1.1.2");
    private static readonly Uid Le = TransferSyntax.ExplicitVrLittleEndian.Uid;
    private static readonly ContextProposal[] Proposals = [new(WellKnownUids.Verification, [Le]), new(Ct, [Le])];
    private static readonly AssociationClient Client = new(new(), TimeProvider.System);

    [Fact]
    public async Task A_hundred_associations_are_served_at_once()
    {
        await using var scp = await Scp.StartAsync();
        var associations = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Client.ConnectAsync(Peer(scp), Proposals, default)));
        foreach (var round in (int[])[1, 2])
            await Task.WhenAll(associations.Select((association, i) => StoreAsync(association, $"1.2.3.{round}.{i}")));
        // It has one in its list once it serves it, which is just after it has accepted it.
        Assert.Equal(100, scp.Server.Associations.Count);
        Assert.Equal(200, scp.Stored.Count);
        await Task.WhenAll(associations.Select(async association =>
        {
            await association.ReleaseAsync(default);
            await association.DisposeAsync();
        }));
        await scp.Server.StopAsync(TimeSpan.FromSeconds(30), default);
        Assert.Empty(scp.Server.Associations);
        Assert.Equal(0, scp.Server.Connections);
    }

    [Fact]
    public async Task One_association_too_many_is_rejected_in_words_not_reset()
    {
        await using var scp = await Scp.StartAsync(options: new() { MaxAssociations = 1 });
        await using var first = await Client.ConnectAsync(Peer(scp), Proposals, default);
        // The server counts an association as soon as it has answered.
        Assert.Equal(0, await first.EchoAsync(default));
        var rejected = await Assert.ThrowsAsync<AssociationRejectedException>(() => Client.ConnectAsync(Peer(scp), Proposals, default));
        Assert.Equal(RejectReason.LocalLimitExceeded, rejected.Reason);
        Assert.Equal(0, await first.EchoAsync(default));
        rejected = await Assert.ThrowsAsync<AssociationRejectedException>(() =>
            Client.ConnectAsync(Peer(scp) with { CalledAeTitle = "NOBODY" }, Proposals, default));
        Assert.True(rejected.Reason.IsTransient);
    }

    [Fact]
    public async Task An_unknown_called_ae_is_rejected()
    {
        await using var scp = await Scp.StartAsync();
        var rejected = await Assert.ThrowsAsync<AssociationRejectedException>(() =>
            Client.ConnectAsync(Peer(scp) with { CalledAeTitle = "NOBODY" }, Proposals, default));
        Assert.Equal("called AE title not recognized (permanent, 1-7)", rejected.Reason.ToString());
    }

    [Theory]
    [InlineData("01 00 FFFFFFFF", 0, 0)]
    [InlineData("04 00 FFFFFFFF", 0, 0)]
    [InlineData("47 45 54 20", 0, 0)]
    public async Task A_bad_peer_is_aborted_and_a_good_one_beside_it_notices_nothing(string hex, byte source, byte reason)
    {
        await using var scp = await Scp.StartAsync();
        await using var good = await Client.ConnectAsync(Peer(scp), Proposals, default);
        using var bad = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await bad.ConnectAsync(IPAddress.Loopback, scp.Port);
        await bad.SendAsync(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));
        var answer = new byte[10];
        await new NetworkStream(bad).ReadExactlyAsync(answer);
        Assert.Equal([7, 0, 0, 0, 0, 4, 0, 0, source, reason], answer);
        await StoreAsync(good, "1.2.3");
        await good.ReleaseAsync(default);
    }

    [Fact]
    public async Task A_hundred_thousand_contexts_are_refused_unread()
    {
        await using var scp = await Scp.StartAsync();
        using var bad = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await bad.ConnectAsync(IPAddress.Loopback, scp.Port);
        // The header alone says it: 100,000 contexts do not fit what is accepted.
        await bad.SendAsync(Convert.FromHexString("010000C35000"));
        var answer = new byte[10];
        await new NetworkStream(bad).ReadExactlyAsync(answer);
        Assert.Equal(7, answer[0]);
    }

    [Fact]
    public async Task Addresses_change_without_dropping_associations()
    {
        await using var scp = await Scp.StartAsync();
        var old = scp.Server.EndPoints[0];
        await using var running = await Client.ConnectAsync(Peer(scp), Proposals, default);
        await scp.Server.ApplyAsync([new(new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0))], default);
        Assert.Equal(0, await running.EchoAsync(default));
        await Assert.ThrowsAsync<IOException>(() => Client.ConnectAsync(new("127.0.0.1", old.Port, "SCP", "SCU"), Proposals, default));
        await using var other = await Client.ConnectAsync(new("127.0.0.2", scp.Port, "SCP", "SCU"), Proposals, default);
        Assert.Equal(0, await other.EchoAsync(default));
    }

    [Fact]
    public async Task An_address_that_cannot_be_opened_changes_nothing()
    {
        await using var scp = await Scp.StartAsync();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        await Assert.ThrowsAsync<SocketException>(() => scp.Server.ApplyAsync([new((IPEndPoint)taken.LocalEndpoint)], default));
        await using var association = await Client.ConnectAsync(Peer(scp), Proposals, default);
        Assert.Equal(0, await association.EchoAsync(default));
    }

    [Fact]
    public async Task Stopping_aborts_what_does_not_end()
    {
        await using var scp = await Scp.StartAsync();
        await using var association = await Client.ConnectAsync(Peer(scp), Proposals, default);
        Assert.Equal(0, await association.EchoAsync(default));
        var stopping = scp.Server.StopAsync(TimeSpan.Zero, default);
        await Assert.ThrowsAsync<AssociationAbortedException>(async () => await association.ReceiveAsync(default));
        await association.DisposeAsync();
        await stopping;
        Assert.Empty(scp.Server.Associations);
    }

    /// <summary>A peer may leave the connection open after its release until ARTIM ends it (PS3.8 9.2, Sta13).</summary>
    [Fact]
    public async Task A_released_association_takes_no_place_although_the_connection_is_still_there()
    {
        await using var server = new AssociationServer(new AssociationServerOptions { MaxAssociationsPerPeer = 1 },
            (_, _) => new(AcceptorDecision.Accept(new AcceptorPolicy
            {
                AbstractSyntax = _ => new AbstractSyntaxPolicy([TransferSyntax.ExplicitVrLittleEndian.Uid]),
            })), async (association, cancellationToken) =>
            {
                while (await association.ReceiveAsync(cancellationToken) is not null) { }
            }, TimeProvider.System, NullLogger.Instance);
        var port = FreePorts.Next();
        await server.ApplyAsync([new(new IPEndPoint(IPAddress.Loopback, port))], default);
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        PduWriter.Write(new AssociateRequest
        {
            CalledAeTitle = "SCP", CallingAeTitle = "SCU", Contexts = [new(1, Ct, [TransferSyntax.ExplicitVrLittleEndian.Uid])],
        }, bytes);
        using var first = await AskAsync(2);
        await first.GetStream().WriteAsync(new byte[] { 5, 0, 0, 0, 0, 4, 0, 0, 0, 0 }); // A-RELEASE-RQ
        Assert.Equal(6, await TypeAsync(first));
        while (server.Associations.Count > 0) await Task.Delay(10);
        await Task.Delay(50); // the place goes right behind the association
        using var second = await AskAsync(2);

        async Task<TcpClient> AskAsync(byte expected)
        {
            var peer = new TcpClient();
            await peer.ConnectAsync(IPAddress.Loopback, port);
            await peer.GetStream().WriteAsync(bytes.WrittenMemory);
            Assert.Equal(expected, await TypeAsync(peer));
            return peer;
        }

        static async Task<byte> TypeAsync(TcpClient peer)
        {
            var header = new byte[6];
            await peer.GetStream().ReadExactlyAsync(header);
            await peer.GetStream().ReadExactlyAsync(new byte[System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(2))]);
            return header[0];
        }
    }

    [Fact]
    public async Task An_abort_and_a_cancel_do_not_wait_for_a_peer_that_takes_nothing()
    {
        await using var server = new AssociationServer(new AssociationServerOptions(), (_, _) => new(AcceptorDecision.Accept(new AcceptorPolicy
        {
            AbstractSyntax = _ => new AbstractSyntaxPolicy([TransferSyntax.ExplicitVrLittleEndian.Uid]),
        })), async (association, cancellationToken) =>
        {
            await association.ReceiveAsync(cancellationToken);
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        }, TimeProvider.System, NullLogger.Instance);
        var port = FreePorts.Next();
        await server.ApplyAsync([new(new IPEndPoint(IPAddress.Loopback, port))], default);
        foreach (var isAborted in (bool[])[true, false])
        {
            await using var association = await Client.ConnectAsync(new("127.0.0.1", port, "SCP", "SCU"), Proposals, default);
            using var cancel = new CancellationTokenSource();
            var sending = association.SendAsync(DimseCommand.CStore(1, Ct, Uid.Parse("1.2")), association.FindContext(Ct)!,
                new MemoryStream(new byte[64 << 20]), cancel.Token).AsTask();
            for (var sent = -1L; sent != association.BytesSent; await Task.Delay(200)) sent = association.BytesSent;
            Assert.False(sending.IsCompleted);
            var watch = Stopwatch.StartNew();
            if (isAborted) await association.AbortAsync(AbortSource.ServiceUser, AbortReason.NotSpecified);
            else await cancel.CancelAsync();
            var thrown = await Record.ExceptionAsync(() => sending);
            Assert.Equal(isAborted, thrown is AssociationAbortedException { Cause: AbortCause.Local });
            Assert.Equal(!isAborted, thrown is OperationCanceledException);
            Assert.Equal(AbortCause.Local, association.Failure!.Cause);
            Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(20));
        }
    }

    [Fact]
    public async Task A_data_set_from_a_stream_arrives_whole_at_every_length()
    {
        await using var scp = await Scp.StartAsync();
        var small = new AssociationClient(new() { MaxSentPduLength = 4096 }, TimeProvider.System);
        await using var association = await small.ConnectAsync(Peer(scp), Proposals, default);
        foreach (var length in (int[])[2, 4088, 4090, 4092, 8180, 8182, 262_144, 1_000_002])
        {
            var data = new byte[length];
            new Random(length).NextBytes(data);
            var response = await association.StoreAsync(DimseCommand.CStore(association.NextMessageId(), Ct, Uid.Parse($"1.2.{length}")),
                association.FindContext(Ct)!, new MemoryStream(data), default);
            Assert.Equal(0, response.Status);
            Assert.Equal(data, scp.Stored[$"1.2.{length}"].DataSet);
            response = await association.StoreAsync(DimseCommand.CStore(association.NextMessageId(), Ct, Uid.Parse($"1.3.{length}")),
                association.FindContext(Ct)!, data.AsMemory(), default);
            Assert.Equal(data, scp.Stored[$"1.3.{length}"].DataSet);
        }
        await association.ReleaseAsync(default);
    }

    private static RemoteAe Peer(Scp scp) => new("127.0.0.1", scp.Port, "SCP", "SCU");

    private static async Task StoreAsync(Association association, string sop)
    {
        var data = TestObject.Of("1.2", "1.2", sop).DataSet();
        var response = await association.StoreAsync(DimseCommand.CStore(association.NextMessageId(), Ct, Uid.Parse(sop)),
            association.FindContext(Ct)!, data.AsMemory(), default);
        Assert.Equal(DimseStatus.Success, response.Status);
    }
}
