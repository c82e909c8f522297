using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>
/// Writes the instruments of <see cref="GatewayMetrics"/> in Prometheus' text format 0.0.4: base units in the names, <c>_total</c> for counters.
/// </summary>
internal sealed class MetricsText : IDisposable
{
    /// <summary>The media type.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private const int MaxSeries = 2_000;
    private readonly GatewayMetrics metrics;
    private readonly Lock gate = new();
    private readonly MeterListener listener = new();
    private readonly ConcurrentDictionary<Instrument, ConcurrentDictionary<string, Series>> families = new();

    private sealed class Series(double[] bounds)
    {
        public double[] Bounds { get; } = bounds;
        public long[] Buckets { get; } = new long[bounds.Length];
        public double Value { get; set; }
        public long Count { get; set; }
    }

    public MetricsText(GatewayMetrics metrics)
    {
        this.metrics = metrics;
        listener.InstrumentPublished = (instrument, own) =>
        {
            if (ReferenceEquals(instrument.Meter, metrics.Meter)) own.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Measured(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Measured(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Measured(instrument, value, tags));
        listener.Start();
        metrics.Begin();
    }

    /// <summary>The text now.</summary>
    public string Write()
    {
        lock (gate)
        {
            // What is observed is observed anew: a destination that is gone is gone here too.
            foreach (var (instrument, series) in families)
                if (instrument.IsObservable) series.Clear();
            listener.RecordObservableInstruments();
            var output = new StringBuilder(8 * 1024);
            foreach (var (instrument, series) in families.OrderBy(family => family.Key.Name, StringComparer.Ordinal))
                if (!series.IsEmpty) Write(output, instrument, series);
            return output.ToString();
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        listener.Dispose();
        metrics.Dispose();
    }

    private void Measured(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var family = families.GetOrAdd(instrument, static _ => new(StringComparer.Ordinal));
        if (family.Count >= MaxSeries) return;
        var series = family.GetOrAdd(Labels(tags), static (_, bounds) => new Series(bounds), BoundsOf(instrument));
        lock (series)
        {
            if (instrument is ObservableInstrument<long> or ObservableInstrument<int> or ObservableInstrument<double>) series.Value = value;
            else series.Value += value;
            series.Count++;
            for (var i = 0; i < series.Bounds.Length; i++)
                if (value <= series.Bounds[i]) series.Buckets[i]++;
        }
    }

    private static double[] BoundsOf(Instrument instrument) =>
        instrument is Histogram<double> { Advice.HistogramBucketBoundaries: { } bounds } ? [.. bounds] : [];

    private static void Write(StringBuilder output, Instrument instrument, ConcurrentDictionary<string, Series> family)
    {
        var (isCounter, isHistogram) = (instrument is Counter<long> or ObservableCounter<long> or ObservableCounter<double>, instrument is Histogram<double>);
        var name = instrument.Name.Replace('.', '_') + (instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" }) + (isCounter ? "_total" : "");
        output.Append("# HELP ").Append(name).Append(' ').Append(instrument.Description).Append('\n');
        output.Append("# TYPE ").Append(name).Append(isCounter ? " counter\n" : isHistogram ? " histogram\n" : " gauge\n");
        foreach (var (labels, series) in family.OrderBy(item => item.Key, StringComparer.Ordinal))
        {
            lock (series)
            {
                if (!isHistogram)
                {
                    Line(output, name, labels, series.Value);
                    continue;
                }
                for (var i = 0; i < series.Bounds.Length; i++) Line(output, name + "_bucket", With(labels, "le", Number(series.Bounds[i])), series.Buckets[i]);
                Line(output, name + "_bucket", With(labels, "le", "+Inf"), series.Count);
                Line(output, name + "_sum", labels, series.Value);
                Line(output, name + "_count", labels, series.Count);
            }
        }
    }

    private static void Line(StringBuilder output, string name, string labels, double value)
    {
        output.Append(name);
        if (labels.Length > 0) output.Append('{').Append(labels).Append('}');
        output.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = "";
        foreach (var (key, value) in tags) labels = With(labels, key, value as string ?? "");
        return labels;
    }

    private static string With(string labels, string key, string value)
    {
        var escaped = value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n",
            StringComparison.Ordinal);
        return $"{labels}{(labels.Length > 0 ? "," : "")}{key}=\"{escaped}\"";
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
