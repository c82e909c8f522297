using System.Diagnostics;
using DicomServerless.EdgeGateway.Transactions;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>
/// Makes a span of each operation when it has ended, from the record of the transaction log; it has our AE or destination, status and counts, nothing of the
/// patient and no UIDs.
/// </summary>
internal sealed class Telemetry : IHostedService, IDisposable
{
    // Of .NET itself: requests of the dashboard, calls of destinations, memory and collections. Its spans would hold URLs, and so UIDs.
    private static readonly string[] PlatformMeters = ["Microsoft.AspNetCore.Hosting", "System.Net.Http", "System.Runtime"];

    private readonly ActivitySource source = new(GatewayMetrics.Name);
    private readonly TransactionLog transactions;

    public Telemetry(TransactionLog transactions, MetricsText instruments)
    {
        ArgumentNullException.ThrowIfNull(instruments); // which must be there before the first event
        this.transactions = transactions;
    }

    /// <summary>Adds it, and sends spans and measurements by OTLP where OTEL_EXPORTER_OTLP_ENDPOINT says so.</summary>
    public static void Add(IServiceCollection services, IConfiguration configuration)
    {
        services.AddHostedService<Telemetry>();
        if (configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is not { Length: > 0 }) return;
        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(configuration["OTEL_SERVICE_NAME"] is { Length: > 0 } name ? name : "dicom-gateway"))
            .WithTracing(traces => traces.AddSource(GatewayMetrics.Name))
            .WithMetrics(metrics => metrics.AddMeter([GatewayMetrics.Name, .. PlatformMeters]))
            .UseOtlpExporter();
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        transactions.Recorded += OnRecorded;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        transactions.Recorded -= OnRecorded;
        return Task.CompletedTask;
    }

    public void Dispose() => source.Dispose();

    private void OnRecorded(Transaction record)
    {
        var (name, kind) = record.Kind switch
        {
            TransactionKind.Store => ("C-STORE", ActivityKind.Server),
            TransactionKind.Query => ("C-FIND", ActivityKind.Server),
            TransactionKind.Retrieve => ("retrieve", ActivityKind.Server),
            TransactionKind.Forward => ("STOW-RS", ActivityKind.Client),
            _ => ("", ActivityKind.Internal),
        };
        if (name.Length == 0 || !source.HasListeners()) return;
        using var span = source.StartActivity(name, kind, default(ActivityContext), startTime: record.Time - TimeSpan.FromMilliseconds(record.Duration));
        if (span is null) return;
        // A forward's destination is of our configuration; a C-MOVE's and the caller's title are what a peer says.
        if (record.Kind == TransactionKind.Forward) span.SetTag("dicom.destination", record.Destination);
        else span.SetTag("dicom.ae", record.CalledAe);
        span.SetTag("dicom.status", record.Status).SetTag("dicom.objects", record.Count).SetTag("dicom.failed", record.Failed).SetTag("dicom.bytes",
            record.Bytes);
        span.SetStatus(record.Result is TransactionResult.Failure or TransactionResult.Aborted ? ActivityStatusCode.Error : ActivityStatusCode.Ok);
        span.SetEndTime(record.Time.UtcDateTime);
    }
}
