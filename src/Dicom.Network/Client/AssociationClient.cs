using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace DicomServerless.Dicom.Network;

/// <summary>A peer that associations are opened to.</summary>
/// <param name="Host">Name or address.</param>
/// <param name="Port">TCP port.</param>
/// <param name="CalledAeTitle">Its AE title.</param>
/// <param name="CallingAeTitle">Ours.</param>
/// <param name="Tls">Null for plain DICOM.</param>
public sealed record RemoteAe(string Host, int Port, string CalledAeTitle, string CallingAeTitle, TlsClientOptions? Tls = null);

/// <summary>A presentation context to propose.</summary>
/// <param name="AbstractSyntax">The SOP class.</param>
/// <param name="TransferSyntaxes">In the order of preference.</param>
/// <param name="AsScp">Whether this side also wants to be SCP of it, as a C-GET needs.</param>
public sealed record ContextProposal(Uid AbstractSyntax, IReadOnlyList<Uid> TransferSyntaxes, bool AsScp = false);

/// <summary>Opens associations as a requestor.</summary>
/// <param name="options">Sizes and times.</param>
/// <param name="time">The clock.</param>
public sealed class AssociationClient(AssociationOptions options, TimeProvider time)
{
    private static long lastId = 1L << 40;

    /// <summary>Opens an association. At most 128 contexts can be proposed (PS3.8 9.3.2.2).</summary>
    /// <exception cref="AssociationRejectedException">The peer rejected it.</exception>
    /// <exception cref="AssociationAbortedException">The peer aborted or did not answer in time.</exception>
    /// <exception cref="IOException">There is no connection.</exception>
    public async Task<Association> ConnectAsync(RemoteAe peer, IReadOnlyList<ContextProposal> contexts,
        CancellationToken cancellationToken, UserInformation? user = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(contexts.Count, PduLimits.MaxContexts);
        var request = new AssociateRequest
        {
            CalledAeTitle = peer.CalledAeTitle,
            CallingAeTitle = peer.CallingAeTitle,
            Contexts = [.. contexts.Select((context, i) => new ProposedContext((byte)((2 * i) + 1), context.AbstractSyntax, context.TransferSyntaxes))],
            User = (user ?? new UserInformation()) with
            {
                MaxPduLength = options.MaxPduLength,
                ImplementationClass = Part10.ImplementationClass,
                ImplementationVersion = Part10.ImplementationVersionName,
                Roles = [.. contexts.Where(context => context.AsScp).Select(context => context.AbstractSyntax)
                    .Distinct().Select(uid => new RoleSelection(uid, Scu: true, Scp: true))],
            },
        };
        var connection = await OpenAsync(peer, cancellationToken);
        var layer = new UpperLayer(connection, options, time, isRequestor: true);
        try
        {
            using var cancel = cancellationToken.UnsafeRegister(static state => ((Connection)state!).StopReading(), connection);
            return await AssociateAsync(connection, layer, request);
        }
        catch
        {
            await layer.DisposeAsync();
            cancellationToken.ThrowIfCancellationRequested();
            throw;
        }
    }

    // Sta1, Sta4, Sta5, then Sta6 or the end (PS3.8 9.2).
    private async Task<Association> AssociateAsync(Connection connection, UpperLayer layer, AssociateRequest request)
    {
        await layer.RaiseAsync(Event.Evt1AssociateRequest);
        await layer.RaiseAsync(Event.Evt2TransportConfirmed, request);
        layer.StartArtim();
        var received = await layer.ReceiveAsync();
        if (received.Pdu is AssociateReject reject) throw new AssociationRejectedException(reject.Reason);
        return new Association(Interlocked.Increment(ref lastId), isRequestor: true,
            connection, layer, options, request, (AssociateAccept)received.Pdu!, time.GetUtcNow());
    }

    private async Task<Connection> OpenAsync(RemoteAe peer, CancellationToken cancellationToken)
    {
        using var artim = new CancellationTokenSource(options.Artim, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(artim.Token, cancellationToken);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(peer.Host, peer.Port, either.Token);
            var raw = Connection.Prepare(socket);
            var stream = peer.Tls is null ? (Stream)raw : await AuthenticateAsync(raw, peer, either.Token);
            return new Connection(stream, raw, socket.RemoteEndPoint, socket.LocalEndPoint);
        }
        catch (Exception e)
        {
            socket.Dispose();
            cancellationToken.ThrowIfCancellationRequested();
            if (e is OperationCanceledException) throw new IOException($"The peer did not answer within {options.Artim.TotalSeconds:0} s.", e);
            if (e is SocketException) throw new IOException($"There is no connection to the peer: {e.Message}.", e);
            if (e is AuthenticationException) throw new IOException($"TLS with the peer failed: {e.Message}", e);
            throw;
        }
    }

    private static async Task<Stream> AuthenticateAsync(Stream raw, RemoteAe peer, CancellationToken cancellationToken)
    {
        var tls = peer.Tls!;
        var authorities = tls.CaFile is null ? null : CertificateFiles.LoadAuthorities(tls.CaFile);
        var stream = new SslStream(raw, leaveInnerStreamOpen: true);
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = tls.HostName ?? peer.Host,
                ClientCertificateContext = tls is { CertificateFile: { } certificate, KeyFile: { } key } ? CertificateFiles.Load(certificate, key) : null,
                EnabledSslProtocols = TlsProfiles.Protocols(tls.Profile),
                CipherSuitesPolicy = TlsProfiles.Suites(tls.Profile),
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                RemoteCertificateValidationCallback = (_, shown, chain, errors) =>
                {
                    if (!tls.CheckHostName) errors &= ~SslPolicyErrors.RemoteCertificateNameMismatch;
                    if (authorities is not null && shown is X509Certificate2 server && CertificateFiles.IsTrusted(server, chain, authorities))
                        errors &= ~SslPolicyErrors.RemoteCertificateChainErrors;
                    else if (authorities is not null) return false;
                    return errors == SslPolicyErrors.None;
                },
            },
            cancellationToken);
        return stream;
    }
}
