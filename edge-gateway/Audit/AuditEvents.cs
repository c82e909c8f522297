using System.Net;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Transactions;

namespace DicomServerless.EdgeGateway.Audit;

/// <summary>Which audit messages a transaction makes (PS3.15 A.5.3). Not for several threads at once.</summary>
internal sealed class AuditEvents(GatewayConfiguration configuration)
{
    // Stores of open associations are collected; beyond this number the oldest are reported before their association ends.
    private const int MostAssociations = 1_000, MostStudies = 100;
    private const int MinorFailure = 4;

    private readonly Dictionary<long, Received> received = [];

    private sealed class Received(Transaction first)
    {
        public Transaction First { get; } = first;
        public Dictionary<string, int> Studies { get; } = new(StringComparer.Ordinal);
        public int Failed { get; set; }
    }

    /// <summary>Application Activity (A.5.3.1).</summary>
    public AuditMessage Activity(AuditCode type, DateTimeOffset at) => new() { Event = AuditCode.ApplicationActivity, Type = type, Action = 'E', Time = at,
        Participants = [Ours(false, AuditCode.Application)] };

    /// <summary>User Authentication (A.5.3.11): logins of the dashboard.</summary>
    public AuditMessage Login(AuditCode type, string user, IPAddress? remote, bool isSuccess, DateTimeOffset at) => new()
    {
        Event = AuditCode.UserAuthentication, Type = type, Action = 'E', Time = at, Outcome = isSuccess ? 0 : MinorFailure,
        Participants = [new AuditParticipant(user.Length > 0 ? user : "?", true, null, remote?.ToString()), Ours(false, null)],
    };

    /// <summary>The messages of a record.</summary>
    public IEnumerable<AuditMessage> Of(Transaction record) => record.Kind switch
    {
        TransactionKind.Association when record.Result == TransactionResult.Rejected => [Alert(record)],
        TransactionKind.Association => Remove(record.Association) is { } stores ? [Stored(stores, record.Time)] : [],
        TransactionKind.Store => Collect(record),
        TransactionKind.Query => [Query(record)],
        TransactionKind.Operator when record.Action is OperatorAction.TryDestination or OperatorAction.Echo => [], // no patient data
        TransactionKind.Operator => [OfOperator(record)],
        TransactionKind.Retrieve => Transfer(record, Called(record, false, AuditCode.Source),
            new AuditParticipant(record.Destination ?? "?", false, AuditCode.Destination, null), Caller(record, null)),
        TransactionKind.Forward => Transfer(record, Ours(true, AuditCode.Source),
            new AuditParticipant(record.Destination ?? "?", false, AuditCode.Destination, HostOf(record.Destination)), null),
        _ => [],
    };

    // One message for what came on an association, not one for each image (A.5.3.7).
    private IEnumerable<AuditMessage> Collect(Transaction record)
    {
        var early = received.Count >= MostAssociations && !received.ContainsKey(record.Association) ? Remove(received.Keys.Min()) : null;
        if (!received.TryGetValue(record.Association, out var stores)) received[record.Association] = stores = new Received(record);
        if (record.Failed > 0) stores.Failed++;
        else if (record.Study is { } study) stores.Studies[study] = stores.Studies.GetValueOrDefault(study) + record.Count;
        if (stores.Studies.Count >= MostStudies) early ??= Remove(record.Association);
        return early is null ? [] : [Stored(early, record.Time)];
    }

    private Received? Remove(long association) => received.Remove(association, out var stores) ? stores : null;

    private AuditMessage Stored(Received stores, DateTimeOffset at) => new()
    {
        Event = AuditCode.InstancesTransferred, Action = 'C', Time = at, Outcome = stores.Failed > 0 ? MinorFailure : 0,
        Description = stores.Failed > 0 ? $"{stores.Failed} instances were refused." : null,
        Participants = [Caller(stores.First, AuditCode.Source), Called(stores.First, false, AuditCode.Destination)], Studies = Named(stores.Studies),
    };

    private AuditMessage[] Transfer(Transaction record, AuditParticipant source, AuditParticipant destination, AuditParticipant? requestor)
    {
        AuditParticipant[] participants = requestor is { } other ? [source, destination, other] : [source, destination];
        var studies = Named(record.Study is { } study ? new Dictionary<string, int> { [study] = record.Count } : []);
        var isFailure = record.Result is TransactionResult.Failure or TransactionResult.Warning;
        return
        [
            new() { Event = AuditCode.BeginTransferring, Action = 'E', Time = record.Time - TimeSpan.FromMilliseconds(record.Duration),
                Participants = participants, Studies = studies },
            new() { Event = AuditCode.InstancesTransferred, Action = 'R', Time = record.Time, Outcome = isFailure ? MinorFailure : 0,
                Description = isFailure ? $"{record.Failed} instances failed. {record.Detail}" : null, Participants = participants, Studies = studies },
        ];
    }

    private static AuditMessage Query(Transaction record) => new()
    {
        Event = AuditCode.Query, Action = 'E', Time = record.Time, Outcome = OutcomeOf(record), Description = FailureOf(record),
        Participants = [Caller(record, AuditCode.Source), Called(record, false, AuditCode.Destination)],
    };

    // A query on the dashboard shows patients (A.5.3.10); what is done to objects of the quarantine is an access to instances (A.5.3.6).
    private AuditMessage OfOperator(Transaction record) => new()
    {
        Event = record.Action == OperatorAction.Query ? AuditCode.Query : AuditCode.InstancesAccessed, Time = record.Time, Outcome = OutcomeOf(record),
        Description = FailureOf(record),
        Action = record.Action switch { OperatorAction.Query => 'E', OperatorAction.Download => 'R', OperatorAction.Purge => 'D', _ => 'U' },
        Participants = [new AuditParticipant(record.User is { Length: > 0 } user ? user : "?", true, null, record.Remote), Ours(false, null)],
        Studies = Named(record.Study is { } study ? new Dictionary<string, int> { [study] = record.Count } : []),
    };

    private static int OutcomeOf(Transaction record) => record.Result == TransactionResult.Failure ? MinorFailure : 0;

    private static string? FailureOf(Transaction record) => record.Result == TransactionResult.Failure ? record.Detail : null;

    private AuditMessage Alert(Transaction record) => new()
    {
        Event = AuditCode.SecurityAlert, Type = AuditCode.NodeAuthentication, Action = 'E', Time = record.Time, Outcome = MinorFailure,
        Description = $"The association was rejected: {record.Detail}",
        Participants = [Ours(false, null), Caller(record, null)],
    };

    private KeyValuePair<string, int>[] Named(Dictionary<string, int> studies) => configuration.Current.Audit.IncludeStudies ? [.. studies] : [];

    private static AuditParticipant Caller(Transaction record, AuditCode? role) => new(record.CallingAe is { Length: > 0 } title ? title : "?", true, role,
        record.Remote);

    private static AuditParticipant Called(Transaction record, bool isRequestor, AuditCode role) => new(record.CalledAe ?? "?", isRequestor, role,
        Environment.MachineName);

    private AuditParticipant Ours(bool isRequestor, AuditCode? role) => new(string.Join('\\', configuration.Current.Aes.Keys), isRequestor, role,
        Environment.MachineName);

    private string? HostOf(string? destination) =>
        destination is not null && configuration.Current.Destinations.TryGetValue(destination, out var options)
            && Uri.TryCreate(options.Url, UriKind.Absolute, out var uri) ? uri.Host : null;
}
