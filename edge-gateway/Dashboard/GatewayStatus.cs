using System.Reflection;
using System.Text.Json.Serialization;
using DicomServerless.EdgeGateway.Commitment;
using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Scp;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.EdgeGateway.Transactions;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>An association that is open.</summary>
internal sealed record AssociationStatus(long Id, string CallingAe, string CalledAe, string Remote, DateTimeOffset Since, int Stored, int Refused,
    long BytesReceived, long BytesSent);

/// <summary>The disk and the spool on it. Bytes.</summary>
internal sealed record SpoolStatus(string Path, string Fsync, long UsedBytes, long FreeBytes, long MaxBytes, long MinFreeBytes, bool CanTakeObjects);

/// <summary>What is stored.</summary>
internal sealed record ReceivedStatus(double ObjectsPerSecond, double BytesPerSecond, long TotalObjects);

/// <summary>A remote AE, as configured.</summary>
internal sealed record RemoteStatus(string Name, string AeTitle, string Host, int Port, bool Tls);

/// <summary>What <c>/api/status</c> answers, and what the dashboard and the metrics show.</summary>
internal sealed record GatewayStatus
{
    /// <summary>The program's version.</summary>
    public required string Version { get; init; }

    /// <summary>Since when it runs.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>Seconds since then, on the monotonic clock.</summary>
    public required double UptimeSeconds { get; init; }

    /// <summary>Where it listens for associations.</summary>
    public required IReadOnlyList<string> Listening { get; init; }

    /// <summary>The AE titles of the local AEs.</summary>
    public required IReadOnlyList<string> AeTitles { get; init; }

    /// <summary>Open associations.</summary>
    public required IReadOnlyList<AssociationStatus> Associations { get; init; }

    /// <summary>The queues.</summary>
    public required IReadOnlyList<DestinationStatus> Destinations { get; init; }

    /// <summary>The disk.</summary>
    public required SpoolStatus Spool { get; init; }

    /// <summary>Storage commitment requests without an acknowledged report.</summary>
    public required int OpenCommitments { get; init; }

    /// <summary>Records of the transaction log that could not be kept.</summary>
    public required long LostTransactions { get; init; }

    /// <summary>Objects and bytes stored a second over the last minute, and objects since the start.</summary>
    public required ReceivedStatus Received { get; init; }

    /// <summary>Objects in quarantine, by destination.</summary>
    public required IReadOnlyDictionary<string, long> Quarantine { get; init; }

    /// <summary>Remote AEs.</summary>
    public required IReadOnlyList<RemoteStatus> Remotes { get; init; }

    /// <summary>Whether a login is needed, so that a page offers the way out.</summary>
    public required bool IsProtected { get; init; }

    /// <summary>Why the last change of the configuration was refused; empty if it was not.</summary>
    public required IReadOnlyList<string> RefusedConfiguration { get; init; }
}

/// <summary>Collects the status.</summary>
internal sealed class StatusSource(GatewayServer server, Forwarder forwarder, Spool spool, CommitmentWorker commitments, TransactionLog transactions,
    GatewayConfiguration configuration, GatewayMetrics metrics, TimeProvider time)
{
    private readonly DateTimeOffset started = time.GetUtcNow();
    private readonly long startedAt = time.GetTimestamp();

    /// <summary>The status now.</summary>
    public GatewayStatus Read() => new()
    {
        Version = typeof(StatusSource).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "",
        Started = started,
        UptimeSeconds = Math.Round(time.GetElapsedTime(startedAt).TotalSeconds, 1),
        Listening = [.. server.EndPoints.Select(endPoint => endPoint.ToString())],
        AeTitles = [.. configuration.Current.Aes.Keys],
        Associations = [.. server.Sessions.OrderBy(session => session.Association.Id).Select(Of)],
        Destinations = forwarder.Status,
        Spool = Disk(),
        OpenCommitments = commitments.Open.Count,
        LostTransactions = transactions.Lost,
        Received = new ReceivedStatus(metrics.Received.Objects, metrics.Received.Bytes, metrics.TotalReceived),
        Quarantine = spool.Quarantine.Count(),
        Remotes = [.. configuration.Current.RemoteAes.Select(item => new RemoteStatus(item.Key, item.Value.AeTitle.Length > 0 ? item.Value.AeTitle : item.Key,
            item.Value.Host, item.Value.Port, item.Value.Tls))],
        IsProtected = configuration.Current.Http.IsProtected,
        RefusedConfiguration = configuration.RefusedChange,
    };

    /// <summary>Whether a port is open for associations.</summary>
    public bool IsListening => server.EndPoints.Count > 0;

    private SpoolStatus Disk()
    {
        var options = configuration.Current.Spool;
        return new SpoolStatus(spool.Root, options.Fsync.ToString().ToLowerInvariant(), spool.Limits.UsedBytes, spool.Limits.FreeBytes,
            options.MaxSizeMiB << 20, options.MinFreeMiB << 20, IsListening && spool.Limits.HasRoom);
    }

    private static AssociationStatus Of(AssociationSession session) => new(
        session.Association.Id, session.Association.CallingAeTitle, session.Ae.AeTitle, session.Remote, session.Association.Started, session.Stored,
            session.Refused, session.Association.BytesReceived, session.Association.BytesSent);
}

/// <summary>How answers of the API are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(GatewayStatus))]
internal sealed partial class StatusJson : JsonSerializerContext;
