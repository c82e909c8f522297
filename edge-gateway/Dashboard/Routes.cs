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
        app.MapGet("/api/quarantine", (HttpRequest request, QuarantineApi api) => api.List(request));
        app.MapPost("/api/quarantine/{destination}/retry", (HttpContext http, string destination, QuarantineApi api) => api.RetryAllAsync(http, destination));
        app.MapDelete("/api/quarantine/{destination}", (HttpContext http, string destination, QuarantineApi api) => api.PurgeAllAsync(http, destination));
        app.MapGet("/api/quarantine/{destination}/{id}", (string destination, string id, QuarantineApi api) => api.Get(destination, id));
        app.MapGet("/api/quarantine/{destination}/{id}/file",
            (HttpContext http, string destination, string id, QuarantineApi api) => api.File(http, destination, id));
        app.MapPost("/api/quarantine/{destination}/{id}/retry",
            (HttpContext http, string destination, string id, QuarantineApi api) => api.RetryAsync(http, destination, id));
        app.MapPut("/api/quarantine/{destination}/{id}/replace",
            (HttpContext http, string destination, string id, QuarantineApi api) => api.ReplaceAsync(http, destination, id));
        app.MapDelete("/api/quarantine/{destination}/{id}",
            (HttpContext http, string destination, string id, QuarantineApi api) => api.PurgeAsync(http, destination, id));
        app.MapPost("/api/destinations/{name}/retry",
            (HttpContext http, string name, Forwarder forwarder, OperatorRecords records) =>
            {
                if (!forwarder.RetryNow(name)) return Answers.NotFound("There is no destination of that name.");
                records.TryDestination(http, name);
                return Results.NoContent();
            });
        app.MapPost("/api/echo/{remote}", (HttpContext http, string remote, EchoApi echo) => echo.EchoAsync(http, remote));
        app.MapPost("/api/query", (HttpContext http, QueryApi query) => query.QueryAsync(http));
        app.MapFallback("/api/{**path}", () => Answers.NotFound("The API has no such path."));
        app.MapGet("/metrics", (MetricsText metrics) => Results.Text(metrics.Write(), MetricsText.ContentType));
        Pages.Map(app);
    }
}
