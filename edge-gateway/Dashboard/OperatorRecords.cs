using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.EdgeGateway.Transactions;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>Records who did what over HTTP: in the transaction log, and where it was with patient data, through that in the audit trail.</summary>
internal sealed class OperatorRecords(TransactionLog transactions, TimeProvider time)
{
    /// <summary>An object of the quarantine was read, replaced, put back or purged.</summary>
    public void Record(HttpContext http, OperatorAction action, QuarantinedObject item, bool isSuccess) => transactions.Record(Of(http, action, isSuccess) with
    {
        Destination = item.Destination, Count = isSuccess ? 1 : 0, Failed = isSuccess ? 0 : 1, Bytes = item.Size,
        Detail = FormattableString.Invariant($"Object {item.Sequence}"),
        Study = item.Reason.StudyInstanceUid.Length > 0 ? item.Reason.StudyInstanceUid : null, Instance = item.Reason.SopInstanceUid,
    });

    /// <summary>A test query was answered.</summary>
    /// <param name="http">The request.</param>
    /// <param name="calledAe">The local AE whose archive was asked.</param>
    /// <param name="destination">That archive.</param>
    /// <param name="matches">Studies that were shown.</param>
    /// <param name="milliseconds">How long it took.</param>
    /// <param name="failure">Why the archive could not answer; null if it did.</param>
    public void Query(HttpContext http, string calledAe, string destination, int matches, double milliseconds, string? failure) => transactions.Record(
        Of(http, OperatorAction.Query, failure is null) with { CalledAe = calledAe, Destination = destination, Count = matches, Duration = milliseconds,
            Detail = failure });

    /// <summary>A destination was tried at once.</summary>
    public void TryDestination(HttpContext http, string destination) => transactions.Record(Of(http, OperatorAction.TryDestination, true) with
        { Destination = destination });

    /// <summary>A remote AE got a C-ECHO.</summary>
    public void Echo(HttpContext http, string remote, bool isAlive) => transactions.Record(Of(http, OperatorAction.Echo, isAlive) with
        { Destination = remote });

    private Transaction Of(HttpContext http, OperatorAction action, bool isSuccess) => new()
    {
        Time = time.GetUtcNow(), Kind = TransactionKind.Operator, Action = action, User = http.User.Identity?.Name,
        Remote = http.Connection.RemoteIpAddress?.ToString(),
        Result = isSuccess ? TransactionResult.Success : TransactionResult.Failure,
    };
}
