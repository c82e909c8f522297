using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace DicomServerless.Functions.Hosting;

/// <summary>Spans and measurements. Their tags are route templates, methods and status codes: no URLs, no UIDs, no names.</summary>
internal sealed class Telemetry : IDisposable
{
    /// <summary>The name of the activity source and of the meter.</summary>
    public const string Name = "DicomServerless.Functions";

    // Of .NET itself: requests by route, connections, calls of the storage, memory and collections.
    private static readonly string[] PlatformMeters = ["Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", Calls, "System.Runtime"];
    private const string Calls = "System.Net.Http";

    private readonly Meter meter = new(Name);

    public Telemetry()
    {
        BytesIn = meter.CreateCounter<long>("dicomweb.request.bytes", "By", "Bytes of objects received");
        BytesOut = meter.CreateCounter<long>("dicomweb.response.bytes", "By", "Bytes of payload sent");
        Stored = meter.CreateCounter<long>("dicomweb.store.instances", "{instance}", "Instances sent to be stored, by outcome");
        QueryTagStudies = meter.CreateCounter<long>("dicomweb.querytags.studies", "{study}", "Studies looked at for the configured query attributes");
        QueryTagsRemaining = meter.CreateGauge<long>("dicomweb.querytags.remaining",
            "{study}", "Studies still to be looked at for the configured query attributes");
        Events = meter.CreateCounter<long>("dicomweb.blob.events", "{event}", "Blob events, by result");
    }

    public ActivitySource Source { get; } = new(Name);
    public Counter<long> BytesIn { get; }
    public Counter<long> BytesOut { get; }
    public Counter<long> Stored { get; }
    public Counter<long> Events { get; }
    public Counter<long> QueryTagStudies { get; }
    public Gauge<long> QueryTagsRemaining { get; }

    /// <summary>Adds it, and sends all by OTLP where OTEL_EXPORTER_OTLP_ENDPOINT says so.</summary>
    public static void Add(IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<Telemetry>();
        if (configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is not { Length: > 0 }) return;
        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(configuration["OTEL_SERVICE_NAME"] is { Length: > 0 } name ? name : "dicom-serverless"))
            .WithTracing(traces => traces.AddSource(Name, Calls).AddProcessor(new Discretion()))
            .WithMetrics(metrics => metrics.AddMeter([Name, .. PlatformMeters]))
            .UseOtlpExporter();
    }

    public void Dispose()
    {
        Source.Dispose();
        meter.Dispose();
    }

    /// <summary>Takes the URLs out of the spans of calls: names of blobs and filters of tables hold UIDs and names of patients.</summary>
    private sealed class Discretion : BaseProcessor<Activity>
    {
        public override void OnEnd(Activity data)
        {
            if (data.Source.Name == Calls) data.SetTag("url.full", null);
        }
    }
}
