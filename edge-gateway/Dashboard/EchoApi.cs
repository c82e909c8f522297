using DicomServerless.Dicom;
using DicomServerless.Dicom.Network;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Query;
using DicomServerless.EdgeGateway.Transactions;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary><c>POST /api/echo/{remote}</c>: C-ECHO to a remote AE of the configuration.</summary>
internal sealed class EchoApi(
    RemoteAes remotes, GatewayConfiguration configuration, TransactionLog transactions, OperatorRecords records, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly ContextProposal[] Verification =
        [new(WellKnownUids.Verification, [TransferSyntax.ExplicitVrLittleEndian.Uid, TransferSyntax.ImplicitVrLittleEndian.Uid])];

    /// <summary>Answers.</summary>
    public async Task<IResult> EchoAsync(HttpContext http, string remote)
    {
        var cancellationToken = http.RequestAborted;
        if (!configuration.Current.RemoteAes.TryGetValue(remote, out var options)) return Answers.NotFound("Gateway:RemoteAes has no AE of that name.");
        var (called, calling) = (options.AeTitle.Length > 0 ? options.AeTitle : remote, configuration.Current.Aes.Keys.First());
        var began = time.GetTimestamp();
        using var limit = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var (status, reason) = await TryAsync(options, called, calling, either.Token);
        cancellationToken.ThrowIfCancellationRequested();
        var result = new EchoResult(status == DimseStatus.Success, status?.ToString("X4", null), Math.Round(time.GetElapsedTime(began).TotalMilliseconds, 1),
            reason);
        transactions.Record(new Transaction
        {
            Time = time.GetUtcNow(), Kind = TransactionKind.Echo, CallingAe = options.CallingAeTitle.Length > 0 ? options.CallingAeTitle : calling,
            CalledAe = called, Remote = options.Host, Destination = remote,
            Duration = result.Milliseconds, Result = result.IsAlive ? TransactionResult.Success : TransactionResult.Failure, Status = result.Status,
            Detail = reason,
        });
        records.Echo(http, remote, result.IsAlive);
        return Answers.Ok(result, ApiJson.Default.EchoResult);
    }

    private async Task<(ushort? Status, string? Reason)> TryAsync(RemoteAeOptions options, string called, string calling, CancellationToken cancellationToken)
    {
        try
        {
            await using var association = await remotes.ConnectAsync(options, called, calling, Verification, cancellationToken);
            if (association.FindContext(WellKnownUids.Verification) is null) return (null, "It accepted the association, and does not support C-ECHO.");
            var status = await association.EchoAsync(cancellationToken);
            await association.ReleaseAsync(cancellationToken);
            return (status, status == DimseStatus.Success ? null : $"It answered with status {status:X4}.");
        }
        catch (IOException exception)
        {
            return (null, exception.Message);
        }
        catch (System.Security.Cryptography.CryptographicException exception)
        {
            return (null, exception.Message); // files of certificates
        }
        catch (OperationCanceledException)
        {
            return (null, $"It did not answer within {Patience.TotalSeconds:0} s.");
        }
    }
}
