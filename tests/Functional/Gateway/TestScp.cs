using System.Collections.Concurrent;
using System.Net;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.Functional.Network;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Functional.Gateway;

/// <summary>A peer that the gateway calls: takes objects and storage commitment reports, as long as a test wants it to.</summary>
internal sealed class TestScp : IAsyncDisposable
{
    private readonly AssociationServer server;
    private readonly int takes;
    private readonly int listens;
    private readonly ushort status;
    private readonly bool isDeaf;

    private TestScp(bool rejects, int takes, int listens, ushort status, bool isDeaf)
    {
        (this.takes, this.listens, this.status, this.isDeaf) = (takes, listens, status, isDeaf);
        server = new AssociationServer(new AssociationServerOptions(), (_, _) =>
            new(rejects ? AcceptorDecision.Reject(RejectReason.CallingAeTitleNotRecognized) : AcceptorDecision.Accept(Policy)),
            ServeAsync, TimeProvider.System, NullLogger.Instance);
    }

    public ConcurrentDictionary<string, byte[]> Stored { get; } = new();

    public ConcurrentQueue<CommitmentAnswer> Reports { get; } = new();

    private static AcceptorPolicy Policy { get; } = new() { AbstractSyntax = _ => new AbstractSyntaxPolicy(Scp.Syntaxes) { RequestorMayBeScp = true } };

    /// <param name="port">Where it listens.</param>
    /// <param name="rejects">Whether it rejects every association.</param>
    /// <param name="takes">After so many objects it dies.</param>
    /// <param name="listens">After so many objects it reads nothing any more.</param>
    /// <param name="status">What it answers to each object; 0xFFFF for nothing at all.</param>
    /// <param name="isDeaf">Whether it reads the command of an object and nothing more.</param>
    public static async Task<TestScp> StartAsync(int port, bool rejects = false,
        int takes = int.MaxValue, int listens = int.MaxValue, ushort status = DimseStatus.Success, bool isDeaf = false)
    {
        var scp = new TestScp(rejects, takes, listens, status, isDeaf);
        await scp.server.ApplyAsync([new ListenEndPoint(new IPEndPoint(IPAddress.Loopback, port))], default);
        return scp;
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private async Task ServeAsync(Association association, CancellationToken cancellationToken)
    {
        while (await association.ReceiveAsync(cancellationToken) is { } message)
        {
            if (isDeaf) await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            var dataSet = await message.ReadWholeDataSetAsync(64 << 20, cancellationToken);
            if (message.Command.Field == CommandField.NEventReportRequest) Reports.Enqueue(CommitmentAnswer.Read(message.Command, dataSet!));
            else if (Stored.Count >= takes)
            {
                await association.AbortAsync(AbortSource.ServiceUser, AbortReason.NotSpecified);
                return;
            }
            else if (dataSet is not null) Stored[message.Command.AffectedSopInstanceUid.Value] = dataSet;
            if (status == 0xFFFF) await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
            await association.SendAsync(DimseCommand.Response(message.Command,
                message.Command.Field == CommandField.NEventReportRequest ? DimseStatus.Success : status), message.Context, cancellationToken);
            if (Stored.Count >= listens) await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        }
    }
}

/// <summary>An N-EVENT-REPORT of storage commitment.</summary>
internal sealed record CommitmentAnswer(int EventType, string Transaction, string[] Confirmed, (string Sop, int Reason)[] Failed)
{
    public static CommitmentAnswer Read(DimseCommand command, byte[] bytes)
    {
        Assert.True(DataSet.TryParse(bytes, DicomEncoding.ExplicitLittleEndian, null, out var dataSet, out var error), error?.Message);
        return new CommitmentAnswer(command.EventTypeId!.Value, UidOf(dataSet, Tags.TransactionUID),
            [.. Items(dataSet, Tags.ReferencedSOPSequence).Select(item => UidOf(item, Tags.ReferencedSOPInstanceUID))],
            [.. Items(dataSet, Tags.FailedSOPSequence)
                .Select(item => (UidOf(item, Tags.ReferencedSOPInstanceUID), (int)BitConverter.ToUInt16(item.ValueOf(Tags.FailureReason).Span)))]);
    }

    private static IEnumerable<DataSet> Items(DataSet dataSet, Tag tag) => dataSet.TryGet(tag, out var sequence) ? sequence.Items : Array.Empty<DataSet>();

    private static string UidOf(DataSet dataSet, Tag tag) => dataSet.TryGetUid(tag, out var uid) ? uid.Value : "";
}
