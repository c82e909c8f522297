using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Scp;
using DicomServerless.EdgeGateway.Transactions;

namespace DicomServerless.EdgeGateway.Query;

/// <summary>C-FIND (PS3.4 C.4.1), answered by the archive's QIDO-RS and the spool, match by match as they come.</summary>
internal sealed class FindScp(Archives archives, WaitingObjects waiting, TransactionLog transactions, TimeProvider time, ILogger<FindScp> log)
{
    private const int MaxIdentifierBytes = 1 << 20;

    private readonly record struct End(ushort Status, string? Reason, bool IsReleased = false);

    /// <summary>Answers a request: pending responses and the final one.</summary>
    public async Task AnswerAsync(AssociationSession session, DimseMessage request, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var count = 0;
        var end = await FindAsync();
        var status = end.Status.ToString("X4", null);
        var result = AssociationSession.ResultOf(end.Status);
        transactions.Record(session.Record(TransactionKind.Query, result, began) with
            { Count = count, Status = status, Detail = end.Reason, Destination = session.Ae.Archive });
        if (!end.IsReleased)
            await session.Association.SendAsync(DimseCommand.Response(request.Command, end.Status, end.Reason), request.Context, cancellationToken);

        async Task<End> FindAsync()
        {
            var (identifier, problem) = await ReadIdentifierAsync(session, request, cancellationToken);
            if (identifier is null) return Refuse(session, problem!);
            var isPatientRoot = QueryRetrieveClasses.IsPatientRoot(request.Context.AbstractSyntax.Value);
            if (identifier.ProblemOfFind(isPatientRoot, isRelational: HasFlag(session, request, 0)) is { } missing) return Refuse(session, missing);
            var max = session.Ae.Gateway.Query.MaxResults;
            var search = new QuerySearch(archives.Of(session.Ae.Archive), waiting, session.Ae.Archive, session.Ae.Options.FallbackCharacterSet);
            using var watch = session.Association.WatchForCancel(request, cancellationToken);
            var pending = identifier.HasUnsupportedKeys ? DimseStatus.PendingWithUnsupportedKeys : DimseStatus.Pending;
            try
            {
                await foreach (var match in search.FindAsync(identifier,
                    fuzzy: HasFlag(session, request, 2), combined: HasFlag(session, request, 1), watch.Token))
                {
                    if (watch.Token.IsCancellationRequested) break;
                    if (max > 0 && count == max) return new End(DimseStatus.MatchesLimited, $"Only the first {max} matches were sent");
                    var answer = match.ToIdentifier(identifier, AssociationSession.EncodingOf(request.Context),
                        session.Ae.AeTitle, session.Ae.Options.FallbackCharacterSet);
                    await session.Association.SendAsync(DimseCommand.Response(request.Command, pending), request.Context, answer, cancellationToken);
                    count++;
                }
            }
            catch (OperationCanceledException) when (watch.Token.IsCancellationRequested)
            {
                // Said below.
            }
            if (watch.CancelRequested) return new End(DimseStatus.Cancel, null);
            cancellationToken.ThrowIfCancellationRequested();
            if (watch.Token.IsCancellationRequested)
                return new End(DimseStatus.ProcessingFailure, "The peer released the association before the query had ended", IsReleased: true);
            if (search.Failure is not { } failure) return new End(DimseStatus.Success, null);
            GatewayLog.ArchiveFailed(log, session.Ae.Archive, failure.Message);
            return new End(failure.DimseStatus, failure.Message);
        }
    }

    /// <summary>Reads the identifier of a request, or says what is wrong with it.</summary>
    internal static async Task<(Identifier? Identifier, string? Problem)> ReadIdentifierAsync(AssociationSession session,
        DimseMessage request, CancellationToken cancellationToken)
    {
        if (!request.HasDataSet) return (null, "The message has no identifier");
        if (await request.ReadWholeDataSetAsync(MaxIdentifierBytes, cancellationToken) is not { } bytes) return (null, "The identifier is longer than 1 MiB");
        if (!DataSet.TryParse(bytes, AssociationSession.EncodingOf(request.Context), null, out var dataSet, out var error)) return (null, error!.Message);
        var identifier = Identifier.Read(dataSet, QueryRetrieveClasses.IsPatientRoot(request.Context.AbstractSyntax.Value),
            session.Ae.FallbackCharacterSet, out var problem);
        return (identifier, problem);
    }

    /// <summary>Whether the extended negotiation of the request's class has a flag: 0 relational, 1 date and time, 2 fuzzy (PS3.4 C.5.1.1).</summary>
    internal static bool HasFlag(AssociationSession session, DimseMessage request, int position)
    {
        var agreed = session.Association.ExtendedNegotiations.FirstOrDefault(item => item.SopClass == request.Context.AbstractSyntax);
        return agreed is not null && agreed.Information.Length > position && agreed.Information.Span[position] == 1;
    }

    private End Refuse(AssociationSession session, string reason)
    {
        GatewayLog.Refused(log, session.Association.Id, "A900", reason);
        return new End(DimseStatus.DataSetMismatch, reason);
    }
}
