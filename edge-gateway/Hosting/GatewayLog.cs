using System.Net;

namespace DicomServerless.EdgeGateway.Hosting;

/// <summary>What the hosting part logs. Event ids 5000 to 5099.</summary>
internal static partial class GatewayLog
{
    [LoggerMessage(5001, LogLevel.Information, "The configuration changed and is in use.")]
    public static partial void ConfigurationChanged(ILogger log);

    [LoggerMessage(5002, LogLevel.Error, "The change of the configuration is refused, the old one stays: {Problem}")]
    public static partial void ConfigurationRefused(ILogger log, string problem);

    [LoggerMessage(5003, LogLevel.Information, "Listening for associations on {Endpoints}")]
    public static partial void Listening(ILogger log, string endpoints);

    [LoggerMessage(5004, LogLevel.Warning, "Association from {Remote}, {CallingAe} to {CalledAe}, rejected: {Reason}")]
    public static partial void Rejected(ILogger log, EndPoint? remote, string callingAe, string calledAe, string reason);

    [LoggerMessage(5005, LogLevel.Error, "Association {Id} from {Remote} was ended by a fault of the gateway: {Error}")]
    public static partial void Fault(ILogger log, long id, EndPoint? remote, string error);

    [LoggerMessage(5006, LogLevel.Warning, "Association {Id}: message refused with status {Status}: {Reason}")]
    public static partial void Refused(ILogger log, long id, string status, string reason);

    [LoggerMessage(5007, LogLevel.Error, "Records of the transaction log cannot be written; {Lost} are lost so far: {Error}")]
    public static partial void TransactionsLost(ILogger log, long lost, string error);

    [LoggerMessage(5008, LogLevel.Warning, "The answer of the archive {Destination} is missing or not complete: {Reason}")]
    public static partial void ArchiveFailed(ILogger log, string destination, string reason);

    [LoggerMessage(5009, LogLevel.Information, "Storage commitment {Transaction}: {Confirmed} confirmed, {Failed} failed")]
    public static partial void CommitmentDecided(ILogger log, string transaction, int confirmed, int failed);

    [LoggerMessage(5010, LogLevel.Warning, "Storage commitment {Transaction}: the report could not be brought to {AeTitle}: {Reason}")]
    public static partial void ReportFailed(ILogger log, string transaction, string aeTitle, string reason);

    [LoggerMessage(5011, LogLevel.Error, "Storage commitment {Transaction}: the report is given up after {Hours} hours")]
    public static partial void ReportGivenUp(ILogger log, string transaction, int hours);

    [LoggerMessage(5012, LogLevel.Error, "Storage commitment {Transaction} cannot go on now and is tried again: {Error}")]
    public static partial void CommitmentFailed(ILogger log, string transaction, string error);

    [LoggerMessage(5017, LogLevel.Error,
        "Storage commitment {Transaction}: {Open} objects could not be decided within {Hours} hours and are reported as failed; look at the archive "
            + "{Destination}")]
    public static partial void DecisionGivenUp(ILogger log, string transaction, int open, int hours, string destination);

    [LoggerMessage(5018, LogLevel.Error,
        "The storage commitment request {File} in the spool's folder .commitment cannot be read and is left alone; nobody is told its result: {Error}")]
    public static partial void CommitmentUnreadable(ILogger log, string file, string error);

    [LoggerMessage(5019, LogLevel.Warning,
        "The file .url cannot be written into the spool's folder (error number {Error}); the verb health asks where the configuration says")]
    public static partial void UrlNotWritten(ILogger log, int error);

    [LoggerMessage(5013, LogLevel.Warning, "Stopping: {Connections} connections do not close and are cut off")]
    public static partial void StoppedEarly(ILogger log, int connections);

    [LoggerMessage(5016, LogLevel.Warning, "The changed certificate files of the dashboard cannot be used; the old certificate stays: {Problem}")]
    public static partial void HttpsCertificateRefused(ILogger log, string problem);

    [LoggerMessage(5015, LogLevel.Warning,
        "Association {Association}: an object of another patient came into a study; it is kept. The transaction log names study and instance where that "
            + "is configured")]
    public static partial void SecondPatient(ILogger log, long association);

    [LoggerMessage(5014, LogLevel.Warning,
        "Passwords and cookies of the dashboard travel unencrypted to {Url}: use https (Gateway:Http:CertificatePath), or a proxy with TLS and "
            + "Gateway:Http:TrustedProxies")]
    public static partial void PasswordsUnencrypted(ILogger log, string url);
}
