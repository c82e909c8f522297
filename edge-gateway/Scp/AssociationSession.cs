using System.Collections.Concurrent;
using System.Net;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Transactions;

namespace DicomServerless.EdgeGateway.Scp;

/// <summary>An association that a peer opened, with whom it called and what was counted; shared by the services that answer on it.</summary>
internal sealed class AssociationSession(Association association, CalledAe ae, TimeProvider time)
{
    private readonly ConcurrentDictionary<ushort, TaskCompletionSource<ushort>> awaited = new();

    /// <summary>The association.</summary>
    public Association Association => association;

    /// <summary>Whom it called.</summary>
    public CalledAe Ae => ae;

    /// <summary>Objects that were stored.</summary>
    public int Stored { get; set; }

    /// <summary>Objects that were refused.</summary>
    public int Refused { get; set; }

    /// <summary>The caller's address without its port.</summary>
    public string Remote => (association.RemoteEndPoint as IPEndPoint)?.Address.ToString() ?? "";

    /// <summary>A record of the transaction log with what all of this association's have.</summary>
    public Transaction Record(TransactionKind kind, TransactionResult result, long since) => new()
    {
        Time = time.GetUtcNow(), Kind = kind, Association = association.Id, CallingAe = association.CallingAeTitle, CalledAe = ae.AeTitle, Remote = Remote,
        Duration = time.GetElapsedTime(since).TotalMilliseconds, Result = result,
    };

    /// <summary>The result that a final status of C-FIND, C-MOVE and C-GET means.</summary>
    public static TransactionResult ResultOf(ushort status) => status switch
    {
        DimseStatus.Success => TransactionResult.Success,
        DimseStatus.Cancel => TransactionResult.Canceled,
        _ => DimseStatus.IsWarning(status) ? TransactionResult.Warning : TransactionResult.Failure,
    };

    /// <summary>The encoding of data sets in a context.</summary>
    public static DicomEncoding EncodingOf(PresentationContext context) =>
        context.TransferSyntax == TransferSyntax.ImplicitVrLittleEndian.Uid ? DicomEncoding.ImplicitLittleEndian : DicomEncoding.ExplicitLittleEndian;

    /// <summary>Sends a request of ours and waits for its response, which the session's own loop receives.</summary>
    /// <exception cref="TimeoutException">No response came.</exception>
    public async Task<ushort> RequestAsync(DimseCommand request, PresentationContext context,
        ReadOnlyMemory<byte> dataSet, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var response = new TaskCompletionSource<ushort>(TaskCreationOptions.RunContinuationsAsynchronously);
        awaited[request.MessageId] = response;
        try
        {
            await association.SendAsync(request, context, dataSet, cancellationToken);
            return await response.Task.WaitAsync(timeout, time, cancellationToken);
        }
        finally
        {
            awaited.TryRemove(request.MessageId, out _);
        }
    }

    /// <summary>Takes a response that the loop received; one that nobody waits for is dropped.</summary>
    public void Responded(DimseCommand response)
    {
        if (awaited.TryGetValue(response.MessageIdBeingRespondedTo, out var waiting)) waiting.TrySetResult(response.Status);
    }
}
