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

    private readonly Meter meter = new(Name);
    private readonly TracerProvider? traces;
    private readonly MeterProvider? metrics;

    public Telemetry(IConfiguration configuration)
    {
        Requests = meter.CreateHistogram<double>("http.server.request.duration", "s", "Duration of requests");
        BytesIn = meter.CreateCounter<long>("dicomweb.request.bytes", "By", "Bytes of objects received");
        BytesOut = meter.CreateCounter<long>("dicomweb.response.bytes", "By", "Bytes of payload sent");
        Stored = meter.CreateCounter<long>("dicomweb.store.instances", "{instance}", "Instances sent to be stored, by outcome");
        QueryTagStudies = meter.CreateCounter<long>("dicomweb.querytags.studies", "{study}", "Studies looked at for the configured query attributes");
        QueryTagsRemaining = meter.CreateGauge<long>("dicomweb.querytags.remaining",
            "{study}", "Studies still to be looked at for the configured query attributes");
        Events = meter.CreateCounter<long>("dicomweb.blob.events", "{event}", "Blob events, by result");
        if (configuration["OTEL_EXPORTER_OTLP_ENDPOINT"] is not { Length: > 0 }) return;
        var resource = ResourceBuilder.CreateDefault().AddService(configuration["OTEL_SERVICE_NAME"] is { Length: > 0 } name ? name : "dicom-serverless");
        traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(Name).AddOtlpExporter().Build();
        metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(Name).AddOtlpExporter().Build();
    }

    public ActivitySource Source { get; } = new(Name);
    public Histogram<double> Requests { get; }
    public Counter<long> BytesIn { get; }
    public Counter<long> BytesOut { get; }
    public Counter<long> Stored { get; }
    public Counter<long> Events { get; }
    public Counter<long> QueryTagStudies { get; }
    public Gauge<long> QueryTagsRemaining { get; }

    public void Dispose()
    {
        traces?.Dispose();
        metrics?.Dispose();
        Source.Dispose();
        meter.Dispose();
    }
}
