using System.ComponentModel.DataAnnotations;
using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Spooling;

namespace DicomServerless.EdgeGateway.Hosting;

/// <summary>The section <c>Gateway</c>: everything that can be set. Never changed once it is in use; a change of the files makes a new one.</summary>
internal sealed class GatewayOptions
{
    /// <summary>How associations are taken.</summary>
    public DimseOptions Dimse { get; set; } = new();

    /// <summary>Local AEs by AE title. Default one, <c>DICOMGW</c>, that allows every caller everything.</summary>
    public Dictionary<string, AeOptions> Aes { get; set; } = new(StringComparer.Ordinal);

    /// <summary>Remote AEs, by name.</summary>
    public Dictionary<string, RemoteAeOptions> RemoteAes { get; set; } = new(StringComparer.Ordinal);

    /// <summary>DICOMweb servers that objects are forwarded to, by name.</summary>
    public Dictionary<string, DestinationOptions> Destinations { get; set; } = new(StringComparer.Ordinal);

    /// <summary>Where objects wait on disk.</summary>
    public SpoolOptions Spool { get; set; } = new();

    /// <summary>Queries and retrieves.</summary>
    public QueryOptions Query { get; set; } = new();

    /// <summary>Storage commitment.</summary>
    public CommitmentOptions Commitment { get; set; } = new();

    /// <summary>Dashboard, API, metrics and health.</summary>
    public HttpOptions Http { get; set; } = new();

    /// <summary>The transaction log.</summary>
    public TransactionOptions Transactions { get; set; } = new();

    /// <summary>Audit messages.</summary>
    public AuditOptions Audit { get; set; } = new();

    /// <summary>How log lines are written: Simple or Json. Default Simple. Changing it needs a restart.</summary>
    public LogFormat LogFormat { get; set; }

    /// <summary>Everything that is wrong, each with key, value and what to do.</summary>
    public List<string> Problems()
    {
        var problems = new List<string>();
        if (Destinations.Count == 0)
            problems.Add("Gateway:Destinations is empty: name at least one DICOMweb server, such as Gateway:Destinations:archive:Url = https://host/dicomweb.");
        if (Dimse.Port == 0 && Dimse.Tls.Port == 0)
            problems.Add("Gateway:Dimse:Port is \"0\": without Gateway:Dimse:Tls:Port nothing would listen; set one of them.");
        if (Dimse.Port != 0 && Dimse.Port == Dimse.Tls.Port)
            problems.Add($"Gateway:Dimse:Tls:Port is \"{Dimse.Tls.Port}\": it needs another port than Gateway:Dimse:Port.");
        if (!System.Net.IPAddress.TryParse(Dimse.Address, out _))
            problems.Add($"Gateway:Dimse:Address is \"{Dimse.Address}\": give an address of this machine, 0.0.0.0 for all of them, or [::] for IPv6 too.");
        if (Dimse.DefaultAe.Length > 0 && !Aes.ContainsKey(Dimse.DefaultAe))
            problems.Add($"Gateway:Dimse:DefaultAe is \"{Dimse.DefaultAe}\": name one of Gateway:Aes.");
        problems.AddRange(Dimse.Tls.Problems("Gateway:Dimse:Tls"));
        foreach (var (name, ae) in Aes) problems.AddRange(ae.Problems($"Gateway:Aes:{name}", name, Destinations.Keys));
        foreach (var (name, remote) in RemoteAes) problems.AddRange(remote.Problems($"Gateway:RemoteAes:{name}"));
        foreach (var (name, destination) in Destinations) problems.AddRange(destination.Problems($"Gateway:Destinations:{name}"));
        foreach (var name in Destinations.Keys.Where(name => name.Length > 32 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')))
            problems.Add($"Gateway:Destinations:{name} cannot be the name of a folder: use at most 32 letters, digits, hyphens and underscores.");
        foreach (var name in Destinations.Keys.Where(name => name is "quarantine" or "sent" or "commitment" or "transactions"))
            problems.Add($"Gateway:Destinations:{name} is a folder of the spool already: take another name.");
        problems.AddRange(Spool.Problems("Gateway:Spool"));
        problems.AddRange(Http.Problems("Gateway:Http"));
        problems.AddRange(Audit.Problems("Gateway:Audit"));
        return problems;
    }
}

/// <summary>How log lines are written.</summary>
internal enum LogFormat
{
    /// <summary>One line of text each: time, level, category, event id, message.</summary>
    Simple,
    /// <summary>One JSON object each.</summary>
    Json,
}

/// <summary>Queries and retrieves.</summary>
internal sealed class QueryOptions
{
    /// <summary>The most matches of one C-FIND; then it ends with status B001. 0 means no limit. Default 0.</summary>
    [Range(0, 10_000_000)] public int MaxResults { get; set; }

    /// <summary>Matches per request to the archive after the first request, which asks for few so that the first answer comes soon. Default 200.</summary>
    [Range(1, 5_000)] public int PageSize { get; set; } = 200;

    /// <summary>
    /// The longest silence of a retrieve before its peer hears again that it goes on: while objects are looked for, and during each. Seconds. Default 2.
    /// </summary>
    [Range(1, 60)] public int ProgressSeconds { get; set; } = 2;

    /// <summary>
    /// Whether an object that the destination of a C-MOVE has already (status 0111) counts as failed; otherwise it is a warning. Default false.
    /// </summary>
    public bool DuplicatesFail { get; set; }

    /// <summary>How long the archive may take to begin an answer. Seconds. Default 60.</summary>
    [Range(1, 3_600)] public int TimeoutSeconds { get; set; } = 60;
}

/// <summary>Storage commitment (PS3.4 J).</summary>
internal sealed class CommitmentOptions
{
    /// <summary>How long between two attempts to get an answer from the archive, or to bring the report. Seconds; doubled up to an hour. Default 15.</summary>
    [Range(1, 3_600)] public int RetrySeconds { get; set; } = 15;

    /// <summary>
    /// Whether reports always go over an association of ours, for modalities that do not expect them while they send. Default false: on the association of the
    /// request while that lives.
    /// </summary>
    public bool NewAssociation { get; set; }

    /// <summary>
    /// How long the archive is asked before what is not decided is reported as failed, and then how long the delivery of the report is tried before it is given
    /// up. Hours. Default 168.
    /// </summary>
    [Range(1, 10_000)] public int GiveUpHours { get; set; } = 168;
}

/// <summary>The transaction log: rolling files of JSON lines beside the spool.</summary>
internal sealed class TransactionOptions
{
    /// <summary>Whether it is kept. Default true.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>The size at which a file is closed and the next begins. MiB. Default 16.</summary>
    [Range(1, 1_024)] public int FileMiB { get; set; } = 16;

    /// <summary>How many files are kept. Default 32.</summary>
    [Range(2, 10_000)] public int Files { get; set; } = 32;

    /// <summary>Whether records name studies and instances by UID. Default false.</summary>
    public bool IncludeUids { get; set; }
}
