using System.Net.Sockets;
using System.Security.Cryptography;
using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Scp;
using DicomServerless.EdgeGateway.Transactions;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>C-MOVE and C-GET (PS3.4 C.4.2, C.4.3), from the archive's WADO-RS and the spool.</summary>
internal sealed class RetrieveScp(Archives archives, WaitingObjects waiting,
    RemoteAes remotes, TransactionLog transactions, TimeProvider time, ILogger<RetrieveScp> log)
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
            Destination = isMove ? request.Command.MoveDestination : session.Association.CallingAeTitle, Count = (end.Job?.Completed + end.Job?.Warnings)
                ?? 0, Failed = end.Job?.Failed ?? 0,
            Bytes = end.Job?.Bytes ?? 0, Status = end.Status.ToString("X4", null), Detail = end.Reason ?? end.Job?.Problem,
        });
        if (end.Status != DimseStatus.Success && end.Status != DimseStatus.Cancel)
            GatewayLog.Refused(log, session.Association.Id, end.Status.ToString("X4", null), end.Reason ?? end.Job?.Problem ?? "");
        if (!end.IsSent)
            await session.Association.SendAsync(DimseCommand.Response(request.Command, end.Status, end.Reason), request.Context, cancellationToken);
    }

    private async Task<End> RetrieveAsync(AssociationSession session, DimseMessage request, bool isMove, CancellationToken cancellationToken)
    {
        var (identifier, problem) = await FindScp.ReadIdentifierAsync(session, request, cancellationToken);
        if (identifier is null) return new End(DimseStatus.DataSetMismatch, problem, null, false);
        if (identifier.ProblemOfRetrieve(isRelational: FindScp.HasFlag(session, request, 0)) is { } missing)
            return new End(DimseStatus.DataSetMismatch, missing, null, false);
        var (title, remote) = (request.Command.MoveDestination ?? "", isMove ? remotes.Find(request.Command.MoveDestination ?? "") : null);
        if (isMove && remote is null)
            return new End(DimseStatus.MoveDestinationUnknown, $"No remote AE is configured with the title {SafeText.Of(title)}", null, false);

        using var watch = session.Association.WatchForCancel(request, cancellationToken);
        var archive = archives.Of(session.Ae.Archive);
        var options = session.Ae.Gateway.Query;
        var progress = new RetrieveProgress(session.Association, request, TimeSpan.FromSeconds(options.ProgressSeconds), time);
        RetrievePlan plan;
        try
        {
            plan = await progress.WhileAsync(RetrievePlan.ResolveAsync(identifier, archive, waiting, session.Ae.Archive, watch.Token));
        }
        catch (OperationCanceledException) when (watch.CancelRequested)
        {
            return new End(DimseStatus.Cancel, null, null, false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Released(null);
        }
        if (plan.Failure is { } failure)
        {
            GatewayLog.ArchiveFailed(log, session.Ae.Archive, failure.Message);
            if (plan.Items.Count == 0)
                return new End(failure.DimseStatus is DimseStatus.OutOfResources or DimseStatus.UnableToProcess
                    ? DimseStatus.UnableToCountMatches : failure.DimseStatus, failure.Message, null, false);
        }
        var job = new RetrieveJob(session, request, plan, progress, options.DuplicatesFail);
        var source = new ObjectSource(archive);
        var run = plan.Items.Count == 0 ? RetrieveRun.Done
            : isMove ? await MoveAsync(job, source, () =>
                progress.WhileAsync(ConnectAsync(job, plan, remote!, title, session, watch)), watch, cancellationToken)
            : await GetAsync(job, source, session.Association, watch, cancellationToken);
        cancellationToken.ThrowIfCancellationRequested();
        if (run == RetrieveRun.Cancelled && !watch.CancelRequested) return Released(job);
        var isCancelled = run == RetrieveRun.Cancelled;
        if (run != RetrieveRun.Broken) await job.EndAsync(isCancelled, cancellationToken);
        return new End(job.StatusOf(isCancelled), plan.Failure?.Message, job, true);
    }

    // The peer asked for the release before it had its final response: nobody is left to answer.
    private static End Released(RetrieveJob? job) =>
        new(DimseStatus.ProcessingFailure, "The peer released the association before the retrieve had ended", job, true);

    // What a C-MOVE wants goes over an association of its own. Half an object can neither be taken back nor completed, so where the archive breaks off within
    // one the association is aborted, and the rest goes over a new one.
    private static async Task<RetrieveRun> MoveAsync(RetrieveJob job, ObjectSource source,
        Func<Task<Association?>> connect, CancelWatch watch, CancellationToken cancellationToken)
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
                _ = LeaveAsync(destination, job.HasOutstanding);
            }
        }
        while (job.HasLeft);
        return RetrieveRun.Done;
    }

    // What a C-GET wants goes over the association that asks: when that is gone, nobody is left to answer.
    private static async Task<RetrieveRun> GetAsync(RetrieveJob job, ObjectSource source,
        Association association, CancelWatch watch, CancellationToken cancellationToken)
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

    private async Task<Association?> ConnectAsync(RetrieveJob job, RetrievePlan plan,
        RemoteAeOptions remote, string title, AssociationSession session, CancelWatch watch)
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
            catch (Exception exception) when (exception is IOException or CryptographicException or UnauthorizedAccessException)
            {
                job.FailLeft($"{title}: {(exception is IOException ? exception.Message : "its certificate files cannot be read")}");
                return null;
            }
            catch (OperationCanceledException) when (watch.CancelRequested)
            {
                return null;
            }
        }
    }

    // Nobody waits for it: a destination may take as long as ARTIM lets it, or answer no more (PS3.8 9.1.5), and all that it got has been answered.
    private static async Task LeaveAsync(Association destination, bool hasOutstanding)
    {
        await using (destination)
        {
            try
            {
                // A release may not overtake a response that is still outstanding (PS3.7 7.1.2).
                if (hasOutstanding) await destination.AbortAsync(AbortSource.ServiceUser, AbortReason.NotSpecified);
                else if (destination.IsEstablished) await destination.ReleaseAsync(CancellationToken.None);
            }
            catch (AssociationAbortedException)
            {
                // It is over either way.
            }
        }
    }
}
