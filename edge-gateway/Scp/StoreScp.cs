using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.EdgeGateway.Transactions;

namespace DicomServerless.EdgeGateway.Scp;

/// <summary>
/// C-STORE (PS3.4 B, PS3.7 9.1.1). The data set goes to the spool as it arrives, while it is checked as the archive will check it; Success is said when it is
/// safe on disk.
/// </summary>
internal sealed class StoreScp(Spool spool, StudyPatients patients, TransactionLog transactions, TimeProvider time, ILogger<StoreScp> log)
{
    private readonly record struct Verdict(ushort Status, string? Reason, Uid Study = default, long Bytes = 0);

    /// <summary>Answers a request.</summary>
    public async Task AnswerAsync(AssociationSession session, DimseMessage request, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var verdict = await ReceiveAsync(session, request, cancellationToken);
        var isStored = verdict.Status == DimseStatus.Success;
        if (isStored) session.Stored++;
        else
        {
            session.Refused++;
            GatewayLog.Refused(log, session.Association.Id, verdict.Status.ToString("X4", null), verdict.Reason ?? "");
        }
        transactions.Record(session.Record(TransactionKind.Store, isStored ? TransactionResult.Success : TransactionResult.Failure, began) with
        {
            Count = isStored ? 1 : 0, Failed = isStored ? 0 : 1, Bytes = verdict.Bytes, Status = verdict.Status.ToString("X4", null), Detail = verdict.Reason,
            Study = verdict.Study.IsEmpty ? null : verdict.Study.Value, Instance = request.Command.AffectedSopInstanceUid.Value,
        });
        await session.Association.SendAsync(DimseCommand.Response(request.Command, verdict.Status, isStored ? null : verdict.Reason),
            request.Context, cancellationToken);
    }

    private async Task<Verdict> ReceiveAsync(AssociationSession session, DimseMessage request, CancellationToken cancellationToken)
    {
        var (sopClass, sop) = (request.Command.AffectedSopClassUid, request.Command.AffectedSopInstanceUid);
        var refused = !session.Ae.Options.Store ? new Verdict(DimseStatus.NotAuthorized, "This AE does not accept objects")
            : !session.Ae.TakesObjectsOf(request.Context.AbstractSyntax)
                ? new Verdict(DimseStatus.SopClassNotSupported, "The presentation context is not of a storage class")
            : sopClass.IsEmpty || sopClass != request.Context.AbstractSyntax
                ? new Verdict(DimseStatus.DataSetMismatch, "(0000,0002) is not the SOP class of the presentation context")
            : sop.IsEmpty ? new Verdict(DimseStatus.CannotUnderstand, "(0000,1000) is missing or no UID")
            : !request.HasDataSet ? new Verdict(DimseStatus.CannotUnderstand, "The message has no data set") : default;
        await using var writer = refused.Reason is null ? spool.TryBegin(session.Ae.Destinations) : null;
        if (writer is null)
        {
            while (!(await request.ReadDataSetAsync(cancellationToken)).IsEmpty) { }
            return refused.Reason is null ? OutOfResources : refused;
        }
        using var scanner = new InstanceScanner(new ScanOptions { ComputeHash = false });
        var header = Part10.Header(sopClass, sop, request.Context.TransferSyntax,
            session.Association.CallingAeTitle, session.Association.CallingAeTitle, session.Ae.AeTitle);
        scanner.Push(header);
        var outcome = writer.Append(header);
        var isRefused = false;
        while (await request.ReadDataSetAsync(cancellationToken) is { IsEmpty: false } fragment)
        {
            // What cannot be kept is still read to its end, so that the next message is found.
            if (isRefused || outcome != SpoolOutcome.Ok) continue;
            isRefused = scanner.Push(fragment.Span) == ScanStatus.Refused;
            if (!isRefused) outcome = writer.Append(fragment.Span);
        }
        if (outcome != SpoolOutcome.Ok) return Of(outcome);
        if (isRefused || scanner.Complete() != ScanStatus.Complete) return new Verdict(DimseStatus.CannotUnderstand, scanner.Error!.Message);
        if (Check(scanner.Result!, sopClass, sop, out var study) is { } problem) return problem;
        var commit = await writer.CommitAsync(study, ObjectDescription.Of(scanner.Result!));
        if (commit.Outcome != SpoolOutcome.Ok) return Of(commit.Outcome);
        // It is kept all the same: who is right is for the hospital to find out.
        var isOfSecond = patients.IsSecond(study, scanner.Result!.DataSet);
        if (isOfSecond) GatewayLog.SecondPatient(log, session.Association.Id);
        return new Verdict(DimseStatus.Success, isOfSecond ? SecondPatient : null, study, commit.Bytes);
    }

    // What the archive would refuse is refused here, where the sender still hears it (D1.13).
    private static Verdict? Check(InstanceScan scan, Uid sopClass, Uid sop, out Uid study)
    {
        var uids = InstanceUids.Read(scan.DataSet);
        study = uids.Key.Study;
        if (uids.Problem is { } problem) return new Verdict(DimseStatus.CannotUnderstand, problem);
        if (uids.SopClassUid != sopClass.Value) return new Verdict(DimseStatus.DataSetMismatch, "(0008,0016) is not the SOP class of the request");
        if (uids.Key.Sop != sop) return new Verdict(DimseStatus.DataSetMismatch, "(0008,0018) is not the SOP instance of the request");
        return null;
    }

    private const string SecondPatient = "The study has objects of another patient";

    private static readonly Verdict OutOfResources = new(DimseStatus.OutOfResources, "The gateway's disk space is used up; try again later");

    private static Verdict Of(SpoolOutcome outcome) => outcome == SpoolOutcome.OutOfResources
        ? OutOfResources : new Verdict(DimseStatus.ProcessingFailure, "The gateway's disk failed");
}
