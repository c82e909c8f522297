using System.Buffers;
using System.Net.Sockets;

namespace DicomServerless.Dicom.Network;

/// <summary>A received PDU after its event went through the state table. The values of P-DATA-TF are still on their way.</summary>
internal readonly record struct Received(Action Action, Pdu? Pdu, uint DataLength);

/// <summary>
/// The DICOM upper layer of one association (PS3.8 9.2): every PDU, primitive, timeout and end of connection is an event, the state table says what happens.
/// Reading is for one caller at a time; writing and aborting may happen beside it.
/// </summary>
internal sealed class UpperLayer : IAsyncDisposable
{
    // For an A-ABORT: where the peer does not even take that, the end of the connection tells it (PS3.8 9.2, AA-2).
    private static readonly TimeSpan AbortWrite = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private readonly SemaphoreSlim writing = new(1, 1);
    private readonly Connection connection;
    private readonly AssociationOptions options;
    private readonly TimeProvider time;
    private readonly bool isRequestor;
    private readonly StallTimer reads;
    private readonly StallTimer writes;
    private AssociationAbortedException? failure;
    private long bytesWritten;

    public UpperLayer(Connection connection, AssociationOptions options, TimeProvider time, bool isRequestor)
    {
        (this.connection, this.options, this.time, this.isRequestor) = (connection, options, time, isRequestor);
        reads = new StallTimer(time, options.MinimumRate, connection.StopReading);
        // A peer that takes nothing: there is no way to tell it; pending writes end with the connection.
        writes = new StallTimer(time, options.MinimumRate, () => _ = connection.DisposeAsync().AsTask());
        Input = new PduInput(connection, options, reads);
    }

    public PduInput Input { get; }

    public State State { get; private set; } = State.Sta1Idle;

    public long BytesWritten => Volatile.Read(ref bytesWritten);

    /// <summary>What ended the association; null while it lives and after a release.</summary>
    public AssociationAbortedException? Failure => Volatile.Read(ref failure);

    /// <summary>Raises an event and does what the table says about bytes and the connection. Indications are the caller's.</summary>
    /// <param name="happened">The event.</param>
    /// <param name="pdu">What to send: AC, RJ, RQ, or the A-ABORT that says why.</param>
    /// <param name="second">For AE-6: the request is not acceptable to the provider.</param>
    public async ValueTask<Action> RaiseAsync(Event happened, Pdu? pdu = null, bool second = false)
    {
        var action = Step(happened, second);
        switch (action)
        {
            case Action.Ae2 or Action.Ae7 or Action.Ae8:
            case Action.Ae6 when second:
                await WriteAsync(pdu!);
                break;
            case Action.Ar1:
                await WriteAsync(new ReleaseRequest());
                break;
            case Action.Ar4 or Action.Ar9:
                await WriteAsync(new ReleaseResponse());
                break;
            case Action.Aa1:
                await TryWriteAsync(pdu ?? new Abort(AbortSource.ServiceUser, AbortReason.NotSpecified));
                break;
            case Action.Aa7 or Action.Aa8:
                await TryWriteAsync(pdu ?? new Abort(AbortSource.ServiceProvider, AbortReason.UnexpectedPdu));
                break;
            case Action.Aa2 or Action.Aa3 or Action.Ar3 or Action.Ae4:
                await connection.DisposeAsync();
                break;
        }
        return action;
    }

    /// <summary>Whether data may be sent now (DT-1, AR-7).</summary>
    public void BeginSending()
    {
        if (Step(Event.Evt9Data) == Action.None)
            throw (Exception?)Failure ?? new InvalidOperationException("Data can only be sent on an established association.");
    }

    /// <summary>The next PDU. Null action never comes back: what the table forbids is answered and thrown.</summary>
    /// <exception cref="AssociationAbortedException">The peer aborted, broke the protocol, left or was too slow.</exception>
    public async ValueTask<Received> ReceiveAsync()
    {
        try
        {
            // The type alone is judged first: an unknown one may never send the rest.
            if (!await Input.EnsureAsync(1)) throw await LostAsync(null);
            if (PduReader.TryReadHeader(Input.Buffered, options.Limits, out _, out _, out var error) == PduStatus.Hostile) throw await HostileAsync(error);
            if (!await Input.EnsureAsync(PduReader.HeaderLength)) throw await LostAsync(null);
            if (PduReader.TryReadHeader(Input.Buffered, options.Limits, out var type, out var length, out error) == PduStatus.Hostile)
                throw await HostileAsync(error);
            // Data are never buffered whole: their values are taken one by one.
            if (type == PduType.DataTransfer)
            {
                Input.Take(PduReader.HeaderLength);
                return await JudgeAsync(Event.Evt10DataPdu, null, length);
            }
            if (!await Input.EnsureAsync(PduReader.HeaderLength + (int)length)) throw await LostAsync(null);
            Input.Take(PduReader.HeaderLength);
            if (PduReader.TryReadBody(type, Input.Take((int)length).Span, options.Limits, out var pdu, out error) == PduStatus.Hostile)
                throw await HostileAsync(error);
            return await JudgeAsync(EventOf(type), pdu, 0);
        }
        catch (Exception e) when (IsTransport(e))
        {
            throw await TransportAsync(e);
        }
    }

    /// <summary>Waits for bytes, or for the given time.</summary>
    public async ValueTask WaitAsync(string waitingFor, TimeSpan budget)
    {
        reads.Begin(waitingFor, budget, refill: false);
        try
        {
            await Input.WaitAsync();
        }
        catch (Exception e) when (IsTransport(e))
        {
            throw await TransportAsync(e);
        }
        reads.Begin("the rest of a message", options.Stall, refill: true);
    }

    /// <summary>Changes how long a <see cref="WaitAsync"/> that goes on may last.</summary>
    public void ChangeWait(string waitingFor, TimeSpan budget) => reads.Rearm(waitingFor, budget);

    /// <summary>Starts ARTIM: all that follows until the next <see cref="WaitAsync"/> must happen within it (PS3.8 9.1.5).</summary>
    public void StartArtim() => reads.Begin("an A-ASSOCIATE or A-RELEASE PDU (ARTIM)", options.Artim, refill: false);

    /// <summary>Reads until so many bytes of a P-DATA-TF are buffered.</summary>
    public async ValueTask EnsureAsync(int count)
    {
        try
        {
            if (!await Input.EnsureAsync(count)) throw await LostAsync(null);
        }
        catch (Exception e) when (IsTransport(e))
        {
            throw await TransportAsync(e);
        }
    }

    /// <summary>Answers bytes that are no PDU or must not stand there (Evt19).</summary>
    public async ValueTask<AssociationAbortedException> HostileAsync(PduError error)
    {
        // First, so that an A-ABORT that the peer does not take is not taken for the cause.
        var failure = Fail(AbortCause.ProtocolError, AbortSource.ServiceProvider, error.Reason, $"The peer broke the protocol: {error}.");
        await RaiseAsync(Event.Evt19InvalidPdu, new Abort(State == State.Sta2AwaitingRequest ? AbortSource.ServiceUser : AbortSource.ServiceProvider,
            State == State.Sta2AwaitingRequest ? AbortReason.NotSpecified : error.Reason));
        return failure;
    }

    /// <summary>Aborts from this side.</summary>
    public async ValueTask AbortAsync(AbortSource source, AbortReason reason, string message, AbortCause cause = AbortCause.Local)
    {
        Fail(cause, source, reason, message);
        await RaiseAsync(Event.Evt15Abort, new Abort(source, reason));
        connection.StopReading();
    }

    /// <summary>
    /// Writes whole PDUs. Cancelling ends the connection while the peer does not take them: a PDU of which a part went out can neither be taken back nor
    /// completed, so nothing can follow it, no A-ABORT either.
    /// </summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> pdus, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested(); // nothing has gone out yet
        try
        {
            await writing.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await CutAsync(); // another write has not ended, and nothing may stand in its middle
            throw;
        }
        try
        {
            writes.Begin("the peer to take what is sent", options.Stall, refill: false);
            await writes.MeasureAsync(Written(connection.Stream.WriteAsync(pdus, cancellationToken), pdus.Length));
            Volatile.Write(ref bytesWritten, bytesWritten + pdus.Length);
        }
        catch (OperationCanceledException)
        {
            await CutAsync();
            throw;
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            throw writes.Expired
                ? Fail(AbortCause.Timeout, AbortSource.ServiceProvider, AbortReason.NotSpecified,
                    $"The peer took nothing for {options.Stall.TotalSeconds:0} s.")
                : Failure ?? await LostAsync(e);
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>Ends the connection; after our last PDU the peer is given ARTIM to close it (Sta13).</summary>
    public async ValueTask DisposeAsync()
    {
        connection.StopReading();
        if (State == State.Sta13AwaitingClose)
        {
            using var artim = new CancellationTokenSource(options.Artim, time);
            var closed = await connection.DrainAsync(artim.Token);
            await RaiseAsync(closed ? Event.Evt17TransportClosed : Event.Evt18ArtimExpired);
        }
        else if (State is State.Sta3AwaitingLocalResponse or State.Sta6Established)
            await AbortAsync(AbortSource.ServiceUser, AbortReason.NotSpecified, "The association was left without a release.");
        await connection.DisposeAsync();
        Input.Dispose();
        reads.Dispose();
        writes.Dispose();
        writing.Dispose();
    }

    private Action Step(Event happened, bool second = false)
    {
        lock (gate)
        {
            var action = StateTable.Find(State, happened);
            if (action != Action.None) State = StateTable.Next(action, action == Action.Ar8 ? !isRequestor : second);
            return action;
        }
    }

    private async ValueTask<Received> JudgeAsync(Event happened, Pdu? pdu, uint dataLength)
    {
        // PS3.8 9.3.2 byte 7: a request without version 1 is not acceptable to the provider (AE-6).
        var second = pdu is AssociateRequest request && (request.ProtocolVersion & 1) == 0;
        var unexpected = new Abort(AbortSource.ServiceProvider, AbortReason.UnexpectedPdu);
        var action = await RaiseAsync(happened, second ? new AssociateReject(RejectReason.ProtocolVersionNotSupported)
            : State == State.Sta2AwaitingRequest ? null : unexpected, second);
        return action switch
        {
            Action.Aa3 or Action.Aa2 when pdu is Abort abort =>
                throw Fail(AbortCause.Peer, abort.Source, abort.Reason, $"The peer aborted the association ({abort.Source}, {abort.Reason})."),
            Action.Aa1 or Action.Aa8 or Action.Aa7 =>
                throw Fail(AbortCause.ProtocolError, AbortSource.ServiceProvider,
                AbortReason.UnexpectedPdu, $"{happened} came in an earlier state than it may."),
            _ => new Received(action, pdu, dataLength),
        };
    }

    private async ValueTask<AssociationAbortedException> LostAsync(Exception? cause)
    {
        await RaiseAsync(Event.Evt17TransportClosed);
        return Fail(AbortCause.ConnectionLost, AbortSource.ServiceProvider, AbortReason.NotSpecified, "The connection ended without a release.", cause);
    }

    private async ValueTask CutAsync()
    {
        Fail(AbortCause.Local, AbortSource.ServiceUser, AbortReason.NotSpecified, "The association was ended by this side while the peer took nothing.");
        await RaiseAsync(Event.Evt17TransportClosed);
        await connection.DisposeAsync();
    }

    private async ValueTask<AssociationAbortedException> TransportAsync(Exception e)
    {
        if (Failure is { } known) return known;
        if (!reads.Expired) return await LostAsync(e);
        var failed = Fail(AbortCause.Timeout, AbortSource.ServiceProvider,
            AbortReason.NotSpecified, $"The peer was silent or too slow; waited for {reads.Waiting}.");
        // ARTIM closes (AA-2); any other timeout is ours, and the peer is told (AA-1).
        if (await RaiseAsync(Event.Evt18ArtimExpired) == Action.None)
            await RaiseAsync(Event.Evt15Abort, new Abort(AbortSource.ServiceProvider, AbortReason.NotSpecified));
        return failed;
    }

    private AssociationAbortedException Fail(AbortCause cause, AbortSource source, AbortReason reason, string message, Exception? inner = null)
    {
        var error = new AssociationAbortedException(cause, source, reason, message, inner);
        return Interlocked.CompareExchange(ref failure, error, null) ?? error;
    }

    private ValueTask WriteAsync(Pdu pdu, CancellationToken cancellationToken = default)
    {
        var bytes = new ArrayBufferWriter<byte>();
        PduWriter.Write(pdu, bytes);
        return WriteAsync(bytes.WrittenMemory, cancellationToken);
    }

    private async ValueTask TryWriteAsync(Pdu pdu)
    {
        using var limit = new CancellationTokenSource(AbortWrite, time);
        try
        {
            await WriteAsync(pdu, limit.Token);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // An A-ABORT that cannot be sent needs no other.
        }
    }

    private static async ValueTask<int> Written(ValueTask write, int count)
    {
        await write;
        return count;
    }

    private static bool IsTransport(Exception e) =>
        e is not AssociationAbortedException and (IOException or SocketException or ObjectDisposedException or OperationCanceledException);

    private static Event EventOf(PduType type) => type switch
    {
        PduType.AssociateRequest => Event.Evt6RequestPdu,
        PduType.AssociateAccept => Event.Evt3AcceptPdu,
        PduType.AssociateReject => Event.Evt4RejectPdu,
        PduType.DataTransfer => Event.Evt10DataPdu,
        PduType.ReleaseRequest => Event.Evt12ReleaseRequestPdu,
        PduType.ReleaseResponse => Event.Evt13ReleaseResponsePdu,
        _ => Event.Evt16AbortPdu,
    };
}
