using System.Net.Sockets;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Scp;
using DicomServerless.EdgeGateway.Transactions;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>C-MOVE and C-GET (PS3.4 C.4.2, C.4.3), from the archive's WADO-RS and the spool.</summary>
internal sealed class RetrieveScp(Archives archives, WaitingObjects waiting, RemoteAes remotes, TransactionLog transactions, TimeProvider time, ILogger<RetrieveScp> log)
{
    private static readonly TimeSpan RefusedPause = TimeSpan.FromMilliseconds(500);

    private readonly record struct End(ushort Status, string? Reason, RetrieveJob? Job, bool IsSent);

    /// <summary>Answers a request: pending responses and the final one.</summary>
    public async Task AnswerAsync(AssociationSession session, DimseMessage request, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var isMove = request.Command.Field == CommandField.CMoveRequest;
        var end = await RetrieveAsync(session, request, isMove, cancellationToken);
        var result = AssociationSession.ResultOf(end.Status);
        transactions.Record(session.Record(TransactionKind.Retrieve, result, began) with
        {
            Destination = isMove ? request.Command.MoveDestination : session.Association.CallingAeTitle, Count = (end.Job?.Completed + end.Job?.Warnings) ?? 0, Failed = end.Job?.Failed ?? 0,
            Bytes = end.Job?.Bytes ?? 0, Status = end.Status.ToString("X4", null), Detail = end.Reason ?? end.Job?.Problem,
        });
        if (end.Status != DimseStatus.Success && end.Status != DimseStatus.Cancel) GatewayLog.Refused(log, session.Association.Id, end.Status.ToString("X4", null), end.Reason ?? end.Job?.Problem ?? "");
        if (!end.IsSent) await session.Association.SendAsync(DimseCommand.Response(request.Command, end.Status, end.Reason), request.Context, cancellationToken);
    }

    private async Task<End> RetrieveAsync(AssociationSession session, DimseMessage request, bool isMove, CancellationToken cancellationToken)
    {
        var (identifier, problem) = await FindScp.ReadIdentifierAsync(session, request, cancellationToken);
        if (identifier is null) return new End(DimseStatus.DataSetMismatch, problem, null, false);
        if (!FindScp.HasFlag(session, request, 0) && Missing(identifier) is { } missing) return new End(DimseStatus.DataSetMismatch, missing, null, false);
        var (title, remote) = (request.Command.MoveDestination ?? "", isMove ? remotes.Find(request.Command.MoveDestination ?? "") : null);
        if (isMove && remote is null) return new End(DimseStatus.MoveDestinationUnknown, $"No remote AE is configured with the title {title}", null, false);

        using var watch = session.Association.WatchForCancel(request, cancellationToken);
        var archive = archives.Of(session.Ae.Archive);
        RetrievePlan plan;
        try
        {
            plan = await RetrievePlan.ResolveAsync(identifier, archive, waiting, session.Ae.Archive, watch.Token);
        }
        catch (OperationCanceledException) when (watch.CancelRequested)
        {
            return new End(DimseStatus.Cancel, null, null, false);
        }
        if (plan.Failure is { } failure)
        {
            GatewayLog.ArchiveFailed(log, session.Ae.Archive, failure.Message);
            if (plan.Items.Count == 0) return new End(failure.DimseStatus is DimseStatus.OutOfResources or 0xC001 ? DimseStatus.UnableToCountMatches : failure.DimseStatus, failure.Message, null, false);
        }
        var job = new RetrieveJob(session, request, plan, TimeSpan.FromSeconds(session.Ae.Gateway.Query.ProgressSeconds), time);
        var source = new ObjectSource(archive);
        var run = plan.Items.Count == 0 ? RetrieveRun.Done
            : isMove ? await MoveAsync(job, source, () => ConnectAsync(job, plan, remote!, title, session, watch), watch, cancellationToken)
            : await GetAsync(job, source, session.Association, watch, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        var isCancelled = run == RetrieveRun.Cancelled && watch.CancelRequested;
        if (run != RetrieveRun.Broken) await job.EndAsync(isCancelled, cancellationToken);
        return new End(job.StatusOf(isCancelled), plan.Failure?.Message, job, true);
    }

    // What a C-MOVE wants goes over an association of its own. Half an object can neither be taken back nor completed, so where the archive breaks off within one the association is aborted, and the rest goes over a new one.
    private static async Task<RetrieveRun> MoveAsync(RetrieveJob job, ObjectSource source, Func<Task<Association?>> connect, CancelWatch watch, CancellationToken cancellationToken)
    {
        do
        {
            if (await connect() is not { } destination) return watch.CancelRequested ? RetrieveRun.Cancelled : RetrieveRun.Done;
            try
            {
                if (await job.RunAsync(destination, source, watch, cancellationToken) is var run and not RetrieveRun.Broken) return run;
            }
            finally
            {
                _ = LeaveAsync(destination);
            }
        }
        while (job.HasLeft);
        return RetrieveRun.Done;
    }

    // What a C-GET wants goes over the association that asks: when that is gone, nobody is left to answer.
    private static async Task<RetrieveRun> GetAsync(RetrieveJob job, ObjectSource source, Association association, CancelWatch watch, CancellationToken cancellationToken)
    {
        do
        {
            if (await job.RunAsync(association, source, watch, cancellationToken) is var run and not RetrieveRun.Broken) return run;
            if (association.IsEstablished) continue;
            job.FailLeft("The association was aborted, because the archive broke off within an object");
            return RetrieveRun.Broken;
        }
        while (job.HasLeft);
        return RetrieveRun.Done;
    }

    private async Task<Association?> ConnectAsync(RetrieveJob job, RetrievePlan plan, RemoteAeOptions remote, string title, AssociationSession session, CancelWatch watch)
    {
        // Some (GDCM) begin to listen just after they have asked.
        for (var isFirst = true; ; isFirst = false)
        {
            try
            {
                if (!isFirst) await Task.Delay(RefusedPause, time, watch.Token);
                return await remotes.ConnectAsync(remote, title, session.Ae.AeTitle, RemoteAes.ContextsFor(plan.Items), watch.Token);
            }
            catch (IOException exception) when (isFirst && exception.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
            {
                // Once more.
            }
            catch (IOException exception)
            {
                job.FailLeft($"{title}: {exception.Message}");
                return null;
            }
            catch (OperationCanceledException) when (watch.CancelRequested)
            {
                return null;
            }
        }
    }

    // Nobody waits for it: a destination may take as long as ARTIM lets it, or answer no more (PS3.8 9.1.5), and all that it got has been answered.
    private static async Task LeaveAsync(Association destination)
    {
        await using (destination)
        {
            try
            {
                if (destination.IsEstablished) await destination.ReleaseAsync(CancellationToken.None);
            }
            catch (AssociationAbortedException)
            {
                // It is over either way.
            }
        }
    }

    // Retrieves name what they want by UIDs (PS3.4 C.4.2.2.1); lists are allowed at the lowest level of the request.
    private static string? Missing(Identifier identifier) => identifier.Level switch
    {
        QueryLevel.Patient when identifier.Matches.Count == 0 => "(0010,0020) Patient ID is needed",
        QueryLevel.Study or QueryLevel.Series or QueryLevel.Image when identifier.Uids(Tags.StudyInstanceUID).Count == 0 => "(0020,000D) Study Instance UID is needed",
        QueryLevel.Series or QueryLevel.Image when identifier.Uids(Tags.SeriesInstanceUID).Count == 0 => "(0020,000E) Series Instance UID is needed",
        QueryLevel.Image when identifier.Uids(Tags.SOPInstanceUID).Count == 0 => "(0008,0018) SOP Instance UID is needed",
        _ => null,
    };
}
