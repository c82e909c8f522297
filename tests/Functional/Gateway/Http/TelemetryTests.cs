using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functional.Gateway.Http;

public sealed class TelemetryTests
{
    [Fact]
    public async Task Measurements_and_spans_go_to_the_collector_without_uids()
    {
        var received = new ConcurrentBag<(string Path, string Text)>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using var collector = builder.Build();
        collector.Urls.Add("http://127.0.0.1:0");
        collector.MapPost("/v1/{kind}", async context =>
        {
            var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            received.Add((context.Request.Path, Encoding.Latin1.GetString(body.ToArray())));
        });
        await collector.StartAsync();
        await using (var archive = await RefusingArchive.StartAsync(new()
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Urls.Single(), ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
                ["OTEL_METRIC_EXPORT_INTERVAL"] = "200", ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
        }))
        {
            archive.TakeAll();
            await archive.StoreAsync(1);
            await ApiTests.UntilAsync(() => Task.FromResult(Has("/v1/traces", "C-STORE") && Has("/v1/traces", "STOW-RS")
                && Has("/v1/metrics", "dicom.gateway.stores") && Has("/v1/metrics", "dicom.gateway.queue.objects")));
        }
        Assert.DoesNotContain(received, item => item.Text.Contains("1.2.840", StringComparison.Ordinal));

        bool Has(string path, string text) => received.Any(item => item.Path == path && item.Text.Contains(text, StringComparison.Ordinal));
    }
}
