using System.Collections.Concurrent;
using System.Security.Cryptography;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Query;
using DicomServerless.EdgeGateway.Scp;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.EdgeGateway.Transactions;

namespace DicomServerless.EdgeGateway.Commitment;

/// <summary>
/// Brings each storage commitment request to its end: asks the archive until every object is decided, then brings the report, on the association of the request
/// while that lives and on one of ours otherwise, until the peer acknowledges it (PS3.4 J.3.3).
/// </summary>
internal sealed class CommitmentWorker(
    CommitmentStore store, CommitmentCheck check, RemoteAes remotes, GatewayConfiguration configuration,
        TransactionLog transactions, TimeProvider time, ILogger<CommitmentWorker> log) : BackgroundService
{
    // Of open requests together: some 100 MB in memory.
    private const int MostRequests = 10_000, MostItems = 500_000, HurriedRounds = 30;

    private static readonly TimeSpan ResponseTime = TimeSpan.FromSeconds(30), LongestPause = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<string, CommitmentRequest> open = new();
    private readonly ConcurrentDictionary<string, Task> running = new();
    private readonly CancellationTokenSource stop = new();

    // From the beginning on: requests come as soon as the ports are open.
    private CancellationToken Stopping => stop.Token;

    /// <summary>Requests without an acknowledged report.</summary>
    public IReadOnlyCollection<CommitmentRequest> Open => [.. open.Values];

    /// <summary>Whether a transaction of this caller is open.</summary>
    public bool IsOpen(string callingAe, string transaction) =>
        open.Values.Any(request => request.CallingAe == callingAe && request.Transaction == transaction);

    /// <summary>Takes responsibility for a request: it is on disk when this returns. False if so many are open that this one cannot be kept.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public bool TryAccept(CommitmentRequest request)
    {
        if (open.Count >= MostRequests || open.Values.Sum(other => (long)other.Items.Count) + request.Items.Count > MostItems) return false;
        store.Save(request);
        open[request.Id] = request;
        return true;
    }

    /// <summary>Begins the work, with the association that may hear the report.</summary>
    public void Begin(CommitmentRequest request, AssociationSession? session, PresentationContext? context) =>
        running[request.Id] = RunAsync(request, session, context);

    /// <summary>
    /// Reads what is open, before the ports are opened: a request that comes in the meantime would be begun twice.
    /// </summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var request in store.Load())
        {
            open[request.Id] = request;
            Begin(request, null, null);
        }
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        // This cancels what stops our work, so that it comes first: a start that failed is ended by it alone.
        base.Dispose();
        stop.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var ended = stoppingToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), stop);
        await Task.Delay(Timeout.InfiniteTimeSpan, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(running.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task RunAsync(CommitmentRequest request, AssociationSession? session, PresentationContext? context)
    {
        await Task.Yield();
        try
        {
            for (var pause = Retry; !await TryEndAsync(request, session, context); pause = Longer(pause)) await Task.Delay(pause, time, Stopping);
            store.Remove(request);
            open.TryRemove(request.Id, out _);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The file is there for the next start.
        }
        finally
        {
            running.TryRemove(request.Id, out _);
        }
    }

    private async Task<bool> TryEndAsync(CommitmentRequest request, AssociationSession? session, PresentationContext? context)
    {
        try
        {
            await DecideAsync(request, session);
            await BringAsync(request, session, context);
            return true;
        }
#pragma warning disable CA1031 // Whatever it was (a full disk, say), a modality waits for the report: it must not wait for our next start.
        catch (Exception exception) when (!stop.IsCancellationRequested)
#pragma warning restore CA1031
        {
            GatewayLog.CommitmentFailed(log, request.Transaction, SafeText.Of(exception));
            return GivesUpReport(request);
        }
    }

    private async Task DecideAsync(CommitmentRequest request, AssociationSession? session)
    {
        var (round, pause) = (0, Retry);
        while (!request.IsDecided)
        {
            try
            {
                await check.DecideAsync(request, Stopping);
            }
            catch (ArchiveException exception)
            {
                GatewayLog.ArchiveFailed(log, request.Archive, exception.Message);
            }
#pragma warning disable CA1031 // As for the whole request: it is tried again, and not for ever.
            catch (Exception exception) when (!stop.IsCancellationRequested)
#pragma warning restore CA1031
            {
                GatewayLog.CommitmentFailed(log, request.Transaction, SafeText.Of(exception));
            }
            if (IsTooLongAgo(request.Received)) GiveUpDecision(request);
            // The first seconds are often enough, while the peer's association still lives.
            var isHurried = session is { Association.IsEstablished: true } && round++ < HurriedRounds;
            if (request.IsDecided) break;
            await Task.Delay(isHurried ? TimeSpan.FromSeconds(1) : pause, time, Stopping);
            if (!isHurried) pause = Longer(pause);
        }
        request.Decided ??= time.GetUtcNow();
        store.Save(request);
        GatewayLog.CommitmentDecided(log, request.Transaction, request.Items.Count(item => item.IsConfirmed), request.Items.Count(item => !item.IsConfirmed));
    }

    private async Task BringAsync(CommitmentRequest request, AssociationSession? session, PresentationContext? context)
    {
        for (var pause = Retry; ; pause = Longer(pause))
        {
            var problem = await TryBringAsync(request, session, context);
            Record(request, problem);
            if (problem is null) return;
            GatewayLog.ReportFailed(log, request.Transaction, SafeText.Of(request.CallingAe), problem);
            if (GivesUpReport(request)) return;
            request.Attempts++;
            await Task.Delay(pause, time, Stopping);
        }
    }

    private bool IsTooLongAgo(DateTimeOffset since) => time.GetUtcNow() - since > TimeSpan.FromHours(configuration.Current.Commitment.GiveUpHours);

    // The archive was down for so long, or is not configured any more. A modality that hears no keeps its copy; one that hears nothing waits for ever.
    private void GiveUpDecision(CommitmentRequest request)
    {
        var open = request.Items.FindAll(item => !item.IsConfirmed && item.Failure is null);
        if (open.Count == 0) return;
        foreach (var item in open) item.Failure = DimseStatus.ProcessingFailure;
        GatewayLog.DecisionGivenUp(log, request.Transaction, open.Count, configuration.Current.Commitment.GiveUpHours, request.Archive);
    }

    private bool GivesUpReport(CommitmentRequest request)
    {
        if (!IsTooLongAgo(request.Decided ?? request.Received)) return false;
        GatewayLog.ReportGivenUp(log, request.Transaction, configuration.Current.Commitment.GiveUpHours);
        return true;
    }

    // Null when the peer acknowledged.
    private async Task<string?> TryBringAsync(CommitmentRequest request, AssociationSession? session, PresentationContext? context)
    {
        try
        {
            if (session is { Association.IsEstablished: true } && context is not null && !configuration.Current.Commitment.NewAssociation)
            {
                var report = DimseCommand.NEventReport(session.Association.NextMessageId(), WellKnownUids.StorageCommitmentPushModel,
                    WellKnownUids.StorageCommitmentPushModelInstance, CommitmentReport.EventType(request));
                var status = await session.RequestAsync(report, context,
                    CommitmentReport.Write(request, AssociationSession.EncodingOf(context)), ResponseTime, Stopping);
                return DimseStatus.IsDone(status) ? null : $"It answered {status:X4}";
            }
            return await BringOnNewAssociationAsync(request);
        }
        catch (Exception exception) when (exception is IOException or TimeoutException or InvalidOperationException)
        {
            return exception.Message;
        }
        catch (Exception exception) when (exception is CryptographicException or UnauthorizedAccessException)
        {
            return "Its certificate files cannot be read";
        }
    }

    // PS3.4 J.3.3.1: we open the association and stay SCP, which role selection says.
    private async Task<string?> BringOnNewAssociationAsync(CommitmentRequest request)
    {
        if (remotes.Find(request.CallingAe) is not { } remote) return "No remote AE is configured with its title";
        Dicom.Uid[] syntaxes = [Dicom.TransferSyntax.ExplicitVrLittleEndian.Uid, Dicom.TransferSyntax.ImplicitVrLittleEndian.Uid];
        await using var association = await remotes.ConnectAsync(remote, request.CallingAe, request.CalledAe,
            [new ContextProposal(WellKnownUids.StorageCommitmentPushModel, syntaxes, AsScp: true)], Stopping);
        if (association.FindContext(WellKnownUids.StorageCommitmentPushModel) is not { } context) return "It does not take storage commitment";
        var report = DimseCommand.NEventReport(association.NextMessageId(), WellKnownUids.StorageCommitmentPushModel,
            WellKnownUids.StorageCommitmentPushModelInstance, CommitmentReport.EventType(request));
        await association.SendAsync(report, context, CommitmentReport.Write(request, AssociationSession.EncodingOf(context)), Stopping);
        var response = await association.ReceiveResponseAsync(report.MessageId, Stopping);
        if (response is null) return "It released the association instead of answering";
        await association.ReleaseAsync(Stopping);
        return DimseStatus.IsDone(response.Command.Status) ? null : $"It answered {response.Command.Status:X4}";
    }

    private void Record(CommitmentRequest request, string? problem) => transactions.Record(new Transaction
    {
        Time = time.GetUtcNow(), Kind = TransactionKind.Commitment, CallingAe = request.CalledAe,
            CalledAe = request.CallingAe, Count = request.Items.Count(item => item.IsConfirmed),
        Failed = request.Items.Count(item => !item.IsConfirmed), Duration = (time.GetUtcNow() - request.Received).TotalMilliseconds, Result = problem is null
            ? TransactionResult.Success : TransactionResult.Failure, Detail = problem,
    });

    private TimeSpan Retry => TimeSpan.FromSeconds(configuration.Current.Commitment.RetrySeconds);

    private static TimeSpan Longer(TimeSpan pause) => pause * 2 < LongestPause ? pause * 2 : LongestPause;
}
