using System.Buffers.Binary;
using System.IO.Pipelines;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Shared;

namespace DicomServerless.Unit.Network;

/// <summary>
/// An acceptor on one end of a connection in memory, and a peer on the other that writes and reads bytes. Everything runs on the caller's thread.
/// </summary>
internal sealed class Wire : IAsyncDisposable
{
    public static readonly Uid Ct = Uid.Parse("1.2.840.10008.5.1.4.1.1.2");
    public static readonly Uid Explicit = TransferSyntax.ExplicitVrLittleEndian.Uid;

    private readonly Stream peer;
    private readonly UpperLayer layer;

    public Wire(Func<Association, Task> serve, AssociationOptions? options = null, RejectReason? reject = null)
    {
        // Inline: when a write of the peer returns, the acceptor has done all it can.
        var inline = new PipeOptions(readerScheduler: PipeScheduler.Inline,
            writerScheduler: PipeScheduler.Inline, pauseWriterThreshold: 0, useSynchronizationContext: false);
        var (there, back) = (new Pipe(inline), new Pipe(inline));
        var ours = new Duplex(there.Reader.AsStream(), back.Writer.AsStream());
        peer = new Duplex(back.Reader.AsStream(), there.Writer.AsStream());
        var connection = new Connection(ours, ours, null, null);
        layer = new UpperLayer(connection, options ?? new(), Time, isRequestor: false);
        Serving = ServeAsync(connection, serve, options ?? new(), reject);
    }

    public ManualTime Time { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    /// <summary>The acceptor's whole life.</summary>
    public Task Serving { get; }

    public State State => layer.State;

    public Association? Association { get; private set; }

    public static byte[] RequestBytes => PduTests.Write(new AssociateRequest
    {
        CalledAeTitle = "SCP", CallingAeTitle = "SCU", Contexts = [new(1, Ct, [Explicit]), new(3, WellKnownUids.Verification, [Explicit])],
    });

    public Task WriteAsync(params byte[] bytes) => peer.WriteAsync(bytes).AsTask();

    public Task WriteAsync(string hex) => WriteAsync(PduTests.Bytes(hex));

    public async Task AssociateAsync()
    {
        await WriteAsync(RequestBytes);
        Assert.IsType<AssociateAccept>(await ReadAsync());
    }

    /// <summary>Sends a message in one P-DATA-TF.</summary>
    public Task SendAsync(DimseCommand command, byte context = 1, byte[]? dataSet = null)
    {
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        CommandSet.Write(command, dataSet is not null, bytes);
        PresentationDataValue[] values = [new(context, IsCommand: true, IsLast: true, bytes.WrittenMemory.ToArray())];
        if (dataSet is not null) values = [.. values, new(context, IsCommand: false, IsLast: true, dataSet)];
        return WriteAsync(PduTests.Write(new DataTransfer(values)));
    }

    /// <summary>The next PDU of the acceptor; null when it has closed.</summary>
    public async Task<Pdu?> ReadAsync()
    {
        var header = new byte[PduReader.HeaderLength];
        if (await peer.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false) == 0) return null;
        var pdu = new byte[header.Length + BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(2))];
        header.CopyTo(pdu, 0);
        await peer.ReadExactlyAsync(pdu.AsMemory(header.Length));
        Assert.Equal(PduStatus.Done, PduReader.TryRead(pdu, PduLimits.Default with { MaxDataLength = int.MaxValue }, out var read, out _, out _));
        return read;
    }

    /// <summary>The command of the next PDU, which must hold a whole one.</summary>
    public async Task<DimseCommand> ReadCommandAsync()
    {
        var value = Assert.IsType<DataTransfer>(await ReadAsync()).Values[0];
        Assert.True(CommandSet.TryRead(value.Data.Span, out var command, out _));
        return command!;
    }

    public void Close() => peer.Dispose();

    public async ValueTask DisposeAsync()
    {
        Close();
        await Serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ServeAsync(Connection connection, Func<Association, Task> serve, AssociationOptions options, RejectReason? reject)
    {
        var policy = new AcceptorPolicy
            { AbstractSyntax = uid => uid == Ct || uid == WellKnownUids.Verification ? new([Explicit]) { RequestorMayBeScp = true } : null };
        await using var upperLayer = layer;
        Association = await AcceptorHandshake.AcceptAsync(
            1, connection, layer, options, _ => new(reject is { } reason ? AcceptorDecision.Reject(reason) : AcceptorDecision.Accept(policy)),
                Time.GetUtcNow());
        if (Association is null) return;
        await using var association = Association;
        await serve(association);
    }

    private sealed class Duplex(Stream input, Stream output) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            input.ReadAsync(buffer, cancellationToken);
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            output.WriteAsync(buffer, cancellationToken);
        public override void Flush() { }
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            output.Dispose();
            base.Dispose(disposing);
        }
    }
}
