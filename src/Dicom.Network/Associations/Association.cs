using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace DicomServerless.Dicom.Network;

/// <summary>
/// An established association, in either role. One caller receives, any may send: messages go out whole, one after the other. The next message is received
/// in the background only while somebody watches for C-CANCEL (<see cref="WatchForCancel"/>); otherwise nothing is read that nobody asked for, so a slow
/// consumer slows its sender and nothing piles up.
/// </summary>
public sealed class Association : IAsyncDisposable
{
    private readonly Connection connection;
    private readonly UpperLayer layer;
    private readonly MessageReader reader;
    private readonly MessageWriter writer;
    private readonly Dictionary<byte, PresentationContext> contexts;
    private readonly Lock gate = new();
    private readonly AssociationOptions options;
    private Task<DimseMessage?>? receiving;
    private DimseMessage? current;
    private CancelWatch? watch;
    private int lastMessageId;
    private bool disposed;

    internal Association(long id, bool isRequestor, Connection connection, UpperLayer layer,
        AssociationOptions options, AssociateRequest request, AssociateAccept accept, DateTimeOffset started)
    {
        (Id, IsRequestor, this.connection, this.layer, this.options, Request, Acceptance, Started) =
            (id, isRequestor, connection, layer, options, request, accept, started);
        Contexts = Negotiation.Contexts(request, accept);
        contexts = Contexts.ToDictionary(context => context.Id);
        Peer = isRequestor ? accept.User : request.User;
        // PS3.8 D.1: 0, or nothing said, is no limit; our own stands.
        var max = Peer.MaxPduLength is null or 0 ? (uint)options.MaxSentPduLength : Math.Min(Peer.MaxPduLength.Value, (uint)options.MaxSentPduLength);
        // A peer that says fewer than 16 bytes cannot take a fragment at all.
        writer = new MessageWriter(layer, (int)Math.Max(max, 16));
        reader = new MessageReader(layer);
        ExpectMessage();
        // The peer's certificate is gone when the connection is.
        PeerCertificate = connection.PeerCertificate;
    }

    /// <summary>A number that is unique in this process.</summary>
    public long Id { get; }

    /// <summary>Whether this side opened the association.</summary>
    public bool IsRequestor { get; }

    /// <summary>When it was opened.</summary>
    public DateTimeOffset Started { get; }

    /// <summary>The A-ASSOCIATE-RQ.</summary>
    public AssociateRequest Request { get; }

    /// <summary>The A-ASSOCIATE-AC.</summary>
    public AssociateAccept Acceptance { get; }

    /// <summary>What the peer said about itself.</summary>
    public UserInformation Peer { get; }

    /// <summary>The peer's address.</summary>
    public EndPoint? RemoteEndPoint => connection.Remote;

    /// <summary>Our address.</summary>
    public EndPoint? LocalEndPoint => connection.Local;

    /// <summary>The calling AE title.</summary>
    public string CallingAeTitle => Request.CallingAeTitle;

    /// <summary>The called AE title.</summary>
    public string CalledAeTitle => Request.CalledAeTitle;

    /// <summary>The accepted presentation contexts.</summary>
    public IReadOnlyList<PresentationContext> Contexts { get; }

    /// <summary>The longest P-DATA-TF variable field the peer receives, in bytes; 0 = unlimited.</summary>
    public uint PeerMaxPduLength => Peer.MaxPduLength ?? 0;

    /// <summary>The peer's certificate, where TLS asked for one.</summary>
    public X509Certificate2? PeerCertificate { get; }

    /// <summary>The user identity of the request (PS3.7 D.3.3.7).</summary>
    public UserIdentity? UserIdentity => Request.User.UserIdentity;

    /// <summary>The SOP class extended negotiations that hold: those of the acceptance (PS3.7 D.3.3.5).</summary>
    public IReadOnlyList<ExtendedNegotiation> ExtendedNegotiations => Acceptance.User.ExtendedNegotiations;

    /// <summary>Bytes received, PDU headers included.</summary>
    public long BytesReceived => layer.Input.BytesRead;

    /// <summary>Bytes sent, PDU headers included.</summary>
    public long BytesSent => layer.BytesWritten;

    /// <summary>
    /// What is still to be done when the peer asks for the release, before it is answered; null if nothing is. False where what was acknowledged does not hold:
    /// the association is aborted then, since a confirmed release tells the peer that it does.
    /// </summary>
    public Func<Task<bool>>? Releasing { get; set; }

    /// <summary>Whether messages can be exchanged.</summary>
    public bool IsEstablished => layer.State == State.Sta6Established;

    /// <summary>What ended it; null while it lives and after a release.</summary>
    public AssociationAbortedException? Failure => layer.Failure;

    /// <summary>A new Message ID; they are never 0 (PS3.7 E.1).</summary>
    public ushort NextMessageId() => (ushort)(((uint)Interlocked.Increment(ref lastMessageId) - 1) % 0xFFFE + 1);

    /// <summary>The first accepted context for a SOP class; null when there is none.</summary>
    public PresentationContext? FindContext(Uid abstractSyntax, Uid transferSyntax = default) =>
        Contexts.FirstOrDefault(context => context.AbstractSyntax == abstractSyntax && (transferSyntax.IsEmpty || context.TransferSyntax == transferSyntax));

    /// <summary>The next message; null after the release of the association. Cancelling gives up waiting; the message is there for the next call.</summary>
    /// <exception cref="AssociationAbortedException">The association ended by anything but a release.</exception>
    public async ValueTask<DimseMessage?> ReceiveAsync(CancellationToken cancellationToken)
    {
        var message = await Receiving().WaitAsync(cancellationToken);
        lock (gate) receiving = null;
        if (message is null)
        {
            if (Releasing is { } last && !await last())
            {
                await AbortAsync(AbortSource.ServiceUser, AbortReason.NotSpecified);
                throw layer.Failure!;
            }
            await ConfirmReleaseAsync();
        }
        else if (message.Command.IsResponse && watch is { Token.IsCancellationRequested: false } && !message.HasDataSet) _ = Receiving();
        return message;
    }

    /// <summary>
    /// While a long operation runs (C-FIND, C-MOVE, C-GET): receives in the background, so that a C-CANCEL for this message cancels the watch's token. So do
    /// the end of the association and a release. Read the request's data set before. Responses that the operation waits for still come from
    /// <see cref="ReceiveAsync"/>, other messages too once the watch is disposed.
    /// </summary>
    public CancelWatch WatchForCancel(DimseMessage request, CancellationToken cancellationToken)
    {
        watch = new CancelWatch(this, request.Command.MessageId, cancellationToken);
        // The peer is silent because it waits for us: that is not idleness.
        ExpectMessage();
        _ = Receiving();
        return watch;
    }

    /// <summary>Sends a message, its command and the beginning of its data set in one write. No data set when it is null.</summary>
    /// <exception cref="AssociationAbortedException">The association is gone.</exception>
    public ValueTask SendAsync(DimseCommand command, PresentationContext context, ReadOnlyMemory<byte>? dataSet, CancellationToken cancellationToken) =>
        writer.SendAsync(command, context.Id, dataSet, cancellationToken);

    /// <summary>Sends a message without a data set.</summary>
    /// <exception cref="AssociationAbortedException">The association is gone.</exception>
    public ValueTask SendAsync(DimseCommand command, PresentationContext context, CancellationToken cancellationToken) =>
        writer.SendAsync(command, context.Id, (ReadOnlyMemory<byte>?)null, cancellationToken);

    /// <summary>Sends a message whose data set is read from a stream to its end. When reading fails or the sending is cancelled, the association is
    /// aborted, also where the peer takes nothing.</summary>
    /// <exception cref="AssociationAbortedException">The association is gone.</exception>
    public async ValueTask SendAsync(DimseCommand command, PresentationContext context, Stream dataSet, CancellationToken cancellationToken)
    {
        try
        {
            await writer.SendAsync(command, context.Id, dataSet, cancellationToken);
        }
        catch (Exception e) when (e is not AssociationAbortedException)
        {
            // Half a message can neither be taken back nor completed.
            await AbortAsync(AbortSource.ServiceUser, AbortReason.NotSpecified);
            throw;
        }
    }

    /// <summary>Receives until the response to a message of ours comes; null when the association is released instead.</summary>
    /// <exception cref="AssociationAbortedException">The association ended, or the peer sent something else than a response.</exception>
    public async ValueTask<DimseMessage?> ReceiveResponseAsync(ushort messageId, CancellationToken cancellationToken)
    {
        reader.Expect("a response", options.Response);
        try
        {
            var message = await ReceiveAsync(cancellationToken);
            if (message is null || (message.Command.IsResponse && message.Command.MessageIdBeingRespondedTo == messageId)) return message;
            await AbortAsync(AbortSource.ServiceUser, AbortReason.NotSpecified);
            throw layer.Failure!;
        }
        finally
        {
            ExpectMessage();
        }
    }

    /// <summary>Releases the association and closes the connection (PS3.8 7.2). A peer that asks for it at the same time is answered.</summary>
    /// <exception cref="AssociationAbortedException">The association ended by anything but a release.</exception>
    public async ValueTask ReleaseAsync(CancellationToken cancellationToken)
    {
        if (!IsEstablished) return;
        using var cancel = AbortWhen(cancellationToken);
        reader.Expect("an A-RELEASE-RP (ARTIM)", options.Artim);
        await layer.RaiseAsync(Event.Evt11ReleaseRequest);
        // What still comes before the confirmation is thrown away (AR-6).
        while (await Receiving() is not null)
            lock (gate) receiving = null;
        await ConfirmReleaseAsync();
    }

    /// <summary>Aborts the association at once (PS3.8 7.3).</summary>
    public ValueTask AbortAsync(AbortSource source, AbortReason reason) =>
        layer.AbortAsync(source, reason, "The association was aborted by this side.");

    /// <summary>Ends the connection. An association that is still established is aborted.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, true)) return;
        if (IsEstablished) await AbortAsync(AbortSource.ServiceUser, AbortReason.NotSpecified);
        else if (layer.State == State.Sta8AwaitingLocalRelease) await layer.RaiseAsync(Event.Evt14ReleaseResponse);
        connection.StopReading();
        if (receiving is { } pending) await pending.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await layer.DisposeAsync();
        writer.Dispose();
    }

    internal CancellationTokenRegistration AbortWhen(CancellationToken cancellationToken) =>
        cancellationToken.UnsafeRegister(static state => _ = ((Association)state!).AbortAsync(AbortSource.ServiceUser, AbortReason.NotSpecified).AsTask(),
            this);

    internal void EndWatch(CancelWatch ended)
    {
        if (watch != ended) return;
        watch = null;
        ExpectMessage();
    }

    private void ExpectMessage() => reader.Expect("the next message (idle)", watch is null ? options.Idle : Timeout.InfiniteTimeSpan);

    private Task<DimseMessage?> Receiving()
    {
        lock (gate) return receiving ??= ReceiveNextAsync();
    }

    private async Task<DimseMessage?> ReceiveNextAsync()
    {
        // The lock of the caller is not held while bytes are awaited, and a failure is a faulted task, never an exception in a watch.
        try
        {
            if (current is not null) await current.SkipAsync();
            while (await reader.ReadCommandAsync() is var (command, contextId))
            {
                if (!contexts.TryGetValue(contextId, out var context))
                    throw await layer.HostileAsync(new(AbortReason.InvalidPduParameterValue, "Presentation-context-ID", contextId));
                if (command.Field == CommandField.CCancelRequest)
                {
                    // Without anything to cancel it comes too late, which is no error (PS3.7 9.3.2.3).
                    watch?.Cancel(command.MessageIdBeingRespondedTo);
                    continue;
                }
                return current = new DimseMessage(this, reader, command, context);
            }
            current = null;
            watch?.Cancel();
            return null;
        }
        catch
        {
            watch?.Cancel();
            throw;
        }
    }

    private async ValueTask ConfirmReleaseAsync()
    {
        // AR-4, or AR-9 when both asked at once; then the requestor of the association still waits for the peer's confirmation (Sta11).
        if (layer.State is State.Sta8AwaitingLocalRelease or State.Sta9CollisionRequestor) await layer.RaiseAsync(Event.Evt14ReleaseResponse);
        if (layer.State is State.Sta10CollisionAcceptor or State.Sta11CollisionRequestorAwaiting) await layer.ReceiveAsync();
        if (layer.State == State.Sta12CollisionAcceptorLocal) await layer.RaiseAsync(Event.Evt14ReleaseResponse);
    }
}
