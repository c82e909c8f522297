using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Scp;
using DicomServerless.EdgeGateway.Transactions;

namespace DicomServerless.EdgeGateway.Commitment;

/// <summary>
/// N-ACTION of the Storage Commitment Push Model (PS3.4 J.3.2): takes the request, and answers when it is safe on disk. The report follows when the archive has
/// confirmed.
/// </summary>
internal sealed class CommitmentScp(CommitmentWorker worker, TransactionLog transactions, Func<Guid> newId, TimeProvider time)
{
    private const int MaxBytes = 16 << 20, MaxItems = 100_000;

    /// <summary>Answers a request.</summary>
    public async Task AnswerAsync(AssociationSession session, DimseMessage message, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var (request, status, problem) = await ReadAsync(session, message, cancellationToken);
        if (request is not null)
        {
            try
            {
                if (!worker.TryAccept(request))
                    (status, problem) = (DimseStatus.ResourceLimitation, "Too many storage commitment requests are open; ask again later");
            }
            catch (IOException)
            {
                (status, problem) = (DimseStatus.ResourceLimitation, "The gateway's disk failed");
            }
        }
        transactions.Record(session.Record(TransactionKind.Commitment, status == DimseStatus.Success ? TransactionResult.Success : TransactionResult.Failure,
            began) with { Count = request?.Items.Count ?? 0, Status = status.ToString("X4", null), Detail = problem });
        try
        {
            await session.Association.SendAsync(DimseCommand.Response(message.Command, status, problem), message.Context, cancellationToken);
        }
        finally
        {
            // After the response, which the report must not overtake; also where the peer has gone, since the request is ours by now.
            if (request is not null && status == DimseStatus.Success) worker.Begin(request, session, message.Context);
        }
    }

    private async Task<(CommitmentRequest? Request, ushort Status, string? Problem)> ReadAsync(AssociationSession session,
        DimseMessage message, CancellationToken cancellationToken)
    {
        var bytes = message.HasDataSet ? await message.ReadWholeDataSetAsync(MaxBytes, cancellationToken) : null;
        if (message.Command.RequestedSopInstanceUid != WellKnownUids.StorageCommitmentPushModelInstance)
            return (null, DimseStatus.NoSuchSopInstance, "(0000,1001) is not the well-known instance of storage commitment");
        if (message.Command.ActionTypeId != 1) return (null, DimseStatus.NoSuchActionType, "(0000,1008) must be 1");
        if (bytes is null) return (null, DimseStatus.InvalidArgumentValue, "The message has no data set of at most 16 MiB");
        if (!DataSet.TryParse(bytes, AssociationSession.EncodingOf(message.Context), null, out var dataSet, out var error))
            return (null, DimseStatus.InvalidArgumentValue, error!.Message);
        if (!dataSet.TryGetUid(Tags.TransactionUID, out var transaction)) return (null, DimseStatus.MissingAttribute, "(0008,1195) Transaction UID is missing");
        if (!dataSet.TryGet(Tags.ReferencedSOPSequence, out var sequence) || sequence.Items.Count == 0)
            return (null, DimseStatus.MissingAttribute, "(0008,1199) Referenced SOP Sequence is missing");
        var items = new List<CommitmentItem>();
        foreach (var item in sequence.Items)
        {
            if (!item.TryGetUid(Tags.ReferencedSOPClassUID, out var sopClass) || !item.TryGetUid(Tags.ReferencedSOPInstanceUID, out var sop))
                return (null, DimseStatus.InvalidArgumentValue, "An item of (0008,1199) lacks a SOP class or instance UID");
            items.Add(new CommitmentItem(sopClass.Value, sop.Value));
        }
        if (items.Count > MaxItems) return (null, DimseStatus.ResourceLimitation, $"(0008,1199) has more than {MaxItems} items");
        if (worker.IsOpen(session.Association.CallingAeTitle, transaction.Value))
            return (null, DimseStatus.DuplicateTransactionUid, "(0008,1195) names a transaction that is open");
        return (new CommitmentRequest
        {
            Id = newId().ToString("n"), Transaction = transaction.Value,
                CallingAe = session.Association.CallingAeTitle, CalledAe = session.Ae.AeTitle, Archive = session.Ae.Archive,
            Received = time.GetUtcNow(), Items = items,
        }, DimseStatus.Success, null);
    }
}
