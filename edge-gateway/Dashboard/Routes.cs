using DicomServerless.EdgeGateway.Forwarding;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>Every route of the HTTP side.</summary>
internal static class Routes
{
    private static readonly string[] Reading = ["GET", "HEAD"];

    /// <summary>Adds them.</summary>
    public static void Map(WebApplication app)
    {
        app.MapMethods("/health/live", Reading, Health.Live);
        app.MapMethods("/health/ready", Reading, Health.ReadyAsync);
        app.MapMethods("/health/backlog", Reading, Health.Backlog);
        app.MapGet("/api/status", (StatusSource status) => Answers.Ok(status.Read(), StatusJson.Default.GatewayStatus));
        app.MapGet("/api/transactions", TransactionsApi.List);
        app.MapGet("/api/quarantine", QuarantineApi.List);
        app.MapPost("/api/quarantine/{destination}/retry", QuarantineApi.RetryAllAsync);
        app.MapDelete("/api/quarantine/{destination}", QuarantineApi.PurgeAllAsync);
        app.MapGet("/api/quarantine/{destination}/{id}", QuarantineApi.Get);
        app.MapGet("/api/quarantine/{destination}/{id}/file", QuarantineApi.File);
        app.MapPost("/api/quarantine/{destination}/{id}/retry", QuarantineApi.RetryAsync);
        app.MapPut("/api/quarantine/{destination}/{id}/replace", QuarantineApi.ReplaceAsync);
        app.MapDelete("/api/quarantine/{destination}/{id}", QuarantineApi.PurgeAsync);
        app.MapPost("/api/destinations/{name}/retry", (string name, Forwarder forwarder) => forwarder.RetryNow(name) ? Results.NoContent() : Answers.Unknown("There is no destination of that name."));
        app.MapPost("/api/echo/{remote}", (string remote, EchoApi echo, CancellationToken cancellationToken) => echo.EchoAsync(remote, cancellationToken));
        app.MapPost("/api/query", (HttpContext http, QueryApi query) => query.QueryAsync(http));
        app.MapFallback("/api/{**path}", () => Answers.Unknown("The API has no such path."));
        app.MapGet("/metrics", (MetricsText metrics) => Results.Text(metrics.Write(), MetricsText.ContentType));
        Pages.Map(app);
    }
}
