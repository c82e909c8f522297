using DicomServerless.EdgeGateway.Forwarding;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>
/// Health for orchestrators and monitors. Ready means that objects can be taken and kept; an outage of the cloud never makes the gateway unready, because
/// taking DIMSE away then is the one thing that must not happen. The backlog has a check of its own.
/// </summary>
internal static class Health
{
    private const double BacklogSeconds = 3_600;

    /// <summary><c>GET /health/live</c>: the process answers.</summary>
    public static IResult Live() => Results.Text("live\n");

    /// <summary><c>GET /health/ready</c>: 200 if it listens, has room and can write; else 503 with the reason.</summary>
    public static async Task<IResult> ReadyAsync(StatusSource status, Spooling.Spool spool)
    {
        if (!status.IsListening) return Results.Text("not ready: no port is open for associations\n", statusCode: 503);
        if (!spool.Limits.HasRoom)
            return Results.Text("not ready: the spool or its disk is full (Gateway:Spool:MaxSizeMiB, Gateway:Spool:MinFreeMiB)\n", statusCode: 503);
        return await spool.CanWriteAsync() ? Results.Text("ready\n") : Results.Text("not ready: the spool's disk cannot be written\n", statusCode: 503);
    }

    /// <summary>
    /// <c>GET /health/backlog?seconds=N</c>: 503 while an object has waited longer for a destination; for alerts, never for restarts. Default an hour. Open to
    /// everybody, so it names no destination.
    /// </summary>
    public static IResult Backlog(Forwarder forwarder, double? seconds)
    {
        var late = forwarder.Status.Count(destination => destination.OldestAgeSeconds > (seconds ?? BacklogSeconds));
        return late == 0
            ? Results.Text("no backlog\n")
            : Results.Text($"backlog: {late} {(late == 1 ? "destination has" : "destinations have")} objects that wait for too long; see the dashboard or "
                + "/api/status\n", statusCode: 503);
    }
}
