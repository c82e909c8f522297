using DicomServerless.EdgeGateway.Forwarding;

namespace DicomServerless.EdgeGateway.Transactions;

/// <summary>Makes a record of each request to a destination that ended.</summary>
internal sealed class ForwardRecords(TransactionLog transactions, TimeProvider time)
{
    /// <summary>Records a result of the forwarder.</summary>
    public void Report(ForwardResult result) => transactions.Record(new Transaction
    {
        Time = time.GetUtcNow(), Kind = TransactionKind.Forward, Destination = result.Destination, Count = result.Done, Failed = result.Sent - result.Done,
        Bytes = result.Bytes,
        Duration = result.Duration.TotalMilliseconds,
        Result = result.Done == result.Sent ? TransactionResult.Success : result.Done > 0 ? TransactionResult.Warning : TransactionResult.Failure,
        Status = result.Status?.ToString(System.Globalization.CultureInfo.InvariantCulture),
        Detail = result.Done == result.Sent ? null : result.Outcome == BatchOutcome.Answered ? "Some instances were refused" : result.Outcome.ToString(),
        Study = result.Study,
    });
}
