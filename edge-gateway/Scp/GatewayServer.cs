using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Commitment;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Query;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.EdgeGateway.Transactions;

namespace DicomServerless.EdgeGateway.Scp;

/// <summary>The DIMSE side: listens as the configuration says, decides who may call, and hands each message to its service.</summary>
internal sealed class GatewayServer : IHostedService, IAsyncDisposable
{
    // Container runtimes kill after ten seconds. What is left belongs to the parts that stop after this one: forwarder, audit trail, transaction log.
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(6), AbortTime = TimeSpan.FromSeconds(1);

    // Connections that have no association yet, or were rejected and are closing.
    private const int ConnectionsBeyond = 100;

    private readonly GatewayConfiguration configuration;
    private readonly StoreScp store;
    private readonly FindScp find;
    private readonly RetrieveScp retrieve;
    private readonly CommitmentScp commitment;
    private readonly Spool spool;
    private readonly TransactionLog transactions;
    private readonly TimeProvider time;
    private readonly ILogger<GatewayServer> log;
    private readonly AssociationServer server;
    private readonly ConcurrentDictionary<long, AssociationSession> sessions = new();

    public GatewayServer(
        GatewayConfiguration configuration, StoreScp store, FindScp find, RetrieveScp retrieve,
            CommitmentScp commitment, Spool spool, TransactionLog transactions, TimeProvider time, ILogger<GatewayServer> log)
    {
        (this.configuration, this.store, this.find, this.retrieve, this.commitment) = (configuration, store, find, retrieve, commitment);
        (this.spool, this.transactions, this.time, this.log) = (spool, transactions, time, log);
        server = new AssociationServer(OptionsOf(configuration.Current.Dimse), Decide, ServeAsync, time, log);
    }

    /// <summary>The associations that are open.</summary>
    public IReadOnlyCollection<AssociationSession> Sessions => [.. sessions.Values];

    /// <summary>Where it listens.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints => server.EndPoints;

    /// <summary>Opens the ports.</summary>
    /// <exception cref="IOException">One cannot be opened, or a certificate file cannot be used; the message says what to do.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await server.ApplyAsync(EndPointsOf(configuration.Current.Dimse), cancellationToken);
        }
        catch (Exception exception) when (ProblemOf(exception) is { } problem)
        {
            throw new IOException(problem, exception);
        }
        GatewayLog.Listening(log, string.Join(", ", server.EndPoints));
        configuration.Users.Add(ApplyAsync);
    }

    /// <summary>Closes the ports and lets associations end.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        configuration.Users.Remove(ApplyAsync);
        try
        {
            // Aborted associations may wait for their peers to close (ARTIM); the end of the program closes them too.
            await server.StopAsync(DrainTime, cancellationToken).WaitAsync(DrainTime + AbortTime, time, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            GatewayLog.StoppedEarly(log, server.Connections);
        }
    }

    // A server that could not be stopped in time is left to the end of the program.
    public async ValueTask DisposeAsync()
    {
        if (server.Connections == 0) await server.DisposeAsync();
    }

    private static AssociationServerOptions OptionsOf(DimseOptions dimse) => new()
    {
        MaxAssociations = dimse.MaxAssociations, MaxAssociationsPerPeer = dimse.MaxAssociationsPerPeer,
            MaxConnections = dimse.MaxAssociations + ConnectionsBeyond,
        Association = RemoteAes.OptionsOf(dimse),
    };

    private static ListenEndPoint[] EndPointsOf(DimseOptions dimse)
    {
        var address = IPAddress.Parse(dimse.Address.Trim('[', ']'));
        var endPoints = new List<ListenEndPoint>();
        if (dimse.Port > 0) endPoints.Add(new ListenEndPoint(new IPEndPoint(address, dimse.Port)));
        if (dimse.Tls.Port > 0)
            endPoints.Add(new ListenEndPoint(new IPEndPoint(address, dimse.Tls.Port), new TlsServerOptions
            {
                CertificateFile = dimse.Tls.CertificatePath, KeyFile = dimse.Tls.KeyPath, CaFile = dimse.Tls.ClientAuthorityPath.Length > 0
                    ? dimse.Tls.ClientAuthorityPath : null,
                ClientCertificates = dimse.Tls.ClientCertificates, Profile = dimse.Tls.Profile,
            }));
        return [.. endPoints];
    }

    // Ports open and close while associations go on. When one cannot be opened, nothing has changed.
    private async Task<IReadOnlyList<string>> ApplyAsync(GatewayOptions options)
    {
        try
        {
            await server.ApplyAsync(EndPointsOf(options.Dimse), CancellationToken.None);
        }
        catch (Exception exception) when (ProblemOf(exception) is { } problem)
        {
            return [problem];
        }
        server.Options = OptionsOf(options.Dimse);
        spool.Apply(options.Spool);
        return [];
    }

    // What stands in the way of listening, and what to do; null where it is a fault of ours.
    private static string? ProblemOf(Exception exception) => exception switch
    {
        SocketException => $"Gateway:Dimse: a port cannot be opened: {exception.Message}. End what has it, or change Gateway:Dimse:Port, "
            + "Gateway:Dimse:Tls:Port or Gateway:Dimse:Address.",
        IOException or UnauthorizedAccessException or CryptographicException => $"Gateway:Dimse:Tls: a certificate file cannot be used: {exception.Message} "
            + "Look at CertificatePath, KeyPath and ClientAuthorityPath.",
        ArgumentException or ObjectDisposedException => $"Gateway:Dimse: its ports cannot be used: {exception.Message}",
        _ => null,
    };

    private ValueTask<AcceptorDecision> Decide(AssociationRequest request, CancellationToken cancellationToken)
    {
        var address = (request.RemoteEndPoint as IPEndPoint)?.Address;
        if (CalledAe.Find(configuration.Current, request.Pdu, address, request.PeerCertificate, out var reason) is { } ae && !request.IsOverLimit)
            return ValueTask.FromResult(AcceptorDecision.Accept(new AcceptorPolicy { AbstractSyntax = ae.Policy, ExtendedNegotiation = CalledAe.Answer }));
        if (request.IsOverLimit) reason = RejectReason.LocalLimitExceeded;
        GatewayLog.Rejected(log, request.RemoteEndPoint, SafeText.Of(request.CallingAeTitle), SafeText.Of(request.CalledAeTitle), reason.Text);
        transactions.Record(new Transaction
        {
            Time = time.GetUtcNow(), Kind = TransactionKind.Association, CallingAe = request.CallingAeTitle,
                CalledAe = request.CalledAeTitle, Remote = address?.ToString(), Result = TransactionResult.Rejected, Detail = reason.Text,
        });
        return ValueTask.FromResult(AcceptorDecision.Reject(reason));
    }

    private async Task ServeAsync(Association association, CancellationToken cancellationToken)
    {
        // The rules may have changed between the decision and now; then the new ones hold.
        var address = (association.RemoteEndPoint as IPEndPoint)?.Address;
        if (CalledAe.Find(configuration.Current, association.Request, address, association.PeerCertificate, out _) is not { } ae) return;
        var session = new AssociationSession(association, ae, time);
        var began = time.GetTimestamp();
        var (result, detail) = (TransactionResult.Success, (string?)null);
        sessions[association.Id] = session;
        var failedBefore = spool.FailedFlushes;
        // Its own flush, or one that others asked for meanwhile and that covered its objects.
        association.Releasing = async () => (await spool.FlushAsync() && spool.FailedFlushes == failedBefore) || session.Stored == 0;
        try
        {
            while (await association.ReceiveAsync(cancellationToken) is { } message) await AnswerAsync(session, message, cancellationToken);
        }
        catch (AssociationAbortedException exception)
        {
            (result, detail) = (TransactionResult.Aborted, exception.Message);
            throw;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            (result, detail) = (TransactionResult.Failure, "A fault of the gateway");
            // The association is aborted when this returns.
            GatewayLog.Fault(log, association.Id, association.RemoteEndPoint, SafeText.Of(exception));
        }
        finally
        {
            sessions.TryRemove(association.Id, out _);
            await spool.FlushAsync();
            transactions.Record(session.Record(TransactionKind.Association, result, began) with
                { Count = session.Stored, Failed = session.Refused, Bytes = association.BytesReceived, Detail = detail });
        }
    }

    private Task AnswerAsync(AssociationSession session, DimseMessage message, CancellationToken cancellationToken)
    {
        if (message.Command.IsResponse)
        {
            session.Responded(message.Command);
            return Task.CompletedTask;
        }
        var sopClass = message.Context.AbstractSyntax;
        return message.Command.Field switch
        {
            CommandField.CStoreRequest => store.AnswerAsync(session, message, cancellationToken),
            CommandField.CEchoRequest when sopClass == WellKnownUids.Verification => EchoAsync(session, message, cancellationToken),
            CommandField.CFindRequest when sopClass == WellKnownUids.StudyRootFind
                || sopClass == WellKnownUids.PatientRootFind => find.AnswerAsync(session, message, cancellationToken),
            CommandField.CMoveRequest when sopClass == WellKnownUids.StudyRootMove
                || sopClass == WellKnownUids.PatientRootMove => retrieve.AnswerAsync(session, message, cancellationToken),
            CommandField.CGetRequest when sopClass == WellKnownUids.StudyRootGet
                || sopClass == WellKnownUids.PatientRootGet => retrieve.AnswerAsync(session, message, cancellationToken),
            CommandField.NActionRequest when sopClass == WellKnownUids.StorageCommitmentPushModel =>
                commitment.AnswerAsync(session, message, cancellationToken),
            // PS3.7 C.5.21: the operation is not one of the SOP class.
            _ => session.Association.SendAsync(DimseCommand.Response(message.Command, DimseStatus.UnrecognizedOperation), message.Context, cancellationToken)
                .AsTask(),
        };
    }

    private async Task EchoAsync(AssociationSession session, DimseMessage message, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        await session.Association.SendAsync(DimseCommand.Response(message.Command, DimseStatus.Success), message.Context, cancellationToken);
        transactions.Record(session.Record(TransactionKind.Echo, TransactionResult.Success, began) with { Status = "0000" });
    }
}
