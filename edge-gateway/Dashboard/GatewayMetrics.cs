using System.Diagnostics;
using System.Diagnostics.Metrics;
using DicomServerless.EdgeGateway.Audit;
using DicomServerless.EdgeGateway.Commitment;
using DicomServerless.EdgeGateway.Forwarding;
using DicomServerless.EdgeGateway.Scp;
using DicomServerless.EdgeGateway.Spooling;
using DicomServerless.EdgeGateway.Transactions;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary>
/// What is measured: one set of instruments, read by <c>/metrics</c> and by the OpenTelemetry exporter alike. Names and tags are of our configuration and of
/// the standard; no patient data, no UIDs, nothing that a peer chooses.
/// </summary>
internal sealed class GatewayMetrics : IDisposable
{
    /// <summary>The name of the meter and of the activity source.</summary>
    public const string Name = "DicomServerless.EdgeGateway";

    private static readonly InstrumentAdvice<double> Seconds =
        new() { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] };

    private readonly TransactionLog transactions;
    private readonly Counter<long> associations, stores, storeBytes, queries, matches, retrieves, subOperations, forwards, forwardObjects, forwardBytes;
    private readonly Histogram<double> storeDuration, forwardDuration;
    private readonly Throughput received;

    public GatewayMetrics(GatewayServer server, Forwarder forwarder, Spool spool, CommitmentWorker commitments, TransactionLog transactions, AuditTrail audit,
        TimeProvider time)
    {
        this.transactions = transactions;
        received = new Throughput(time);
        Meter = new Meter(Name);
        associations = Meter.CreateCounter<long>("dicom.gateway.associations", "{association}",
            "Associations that ended, by result: Success, Aborted, Failure or Rejected.");
        stores = Meter.CreateCounter<long>("dicom.gateway.stores", "{object}", "C-STORE requests, by our AE, outcome and DIMSE status.");
        storeBytes = Meter.CreateCounter<long>("dicom.gateway.store.size", "By", "Bytes of objects stored.");
        storeDuration = Meter.CreateHistogram("dicom.gateway.store.duration", "s", "From the first fragment of an object to its answer.", tags: null, Seconds);
        queries = Meter.CreateCounter<long>("dicom.gateway.queries", "{query}", "C-FIND requests, by result.");
        matches = Meter.CreateCounter<long>("dicom.gateway.query.matches", "{match}", "Matches that C-FIND answered.");
        retrieves = Meter.CreateCounter<long>("dicom.gateway.retrieves", "{retrieve}", "C-MOVE and C-GET requests, by result.");
        subOperations = Meter.CreateCounter<long>("dicom.gateway.retrieve.suboperations", "{operation}", "Objects that C-MOVE and C-GET sent, by outcome.");
        forwards = Meter.CreateCounter<long>("dicom.gateway.forwards", "{request}", "Requests to destinations, by result.");
        forwardObjects = Meter.CreateCounter<long>("dicom.gateway.forward.objects", "{object}", "Objects in requests to destinations, by outcome.");
        forwardBytes = Meter.CreateCounter<long>("dicom.gateway.forward.size", "By", "Bytes in requests to destinations.");
        forwardDuration = Meter.CreateHistogram("dicom.gateway.forward.duration", "s", "From a request's first byte to the end of its answer.", tags: null,
            Seconds);
        Meter.CreateObservableGauge("dicom.gateway.associations.open", () => server.Sessions.Count, "{association}", "Associations that are open.");
        Observe("dicom.gateway.queue.objects", "{object}", "Objects that wait for a destination.", status => status.Waiting);
        Observe("dicom.gateway.queue.size", "By", "Bytes that wait for a destination.", status => status.WaitingBytes);
        Observe("dicom.gateway.queue.oldest.age", "s", "How long the oldest object has waited for a destination.", status => status.OldestAgeSeconds);
        Observe("dicom.gateway.destination.alarm", "", "1 where an operator has to look at a destination.", status => status.Alarm is null ? 0 : 1);
        Meter.CreateObservableGauge("dicom.gateway.quarantine.objects",
            () => spool.Quarantine.Count().Select(item => new Measurement<long>(item.Value, Of("destination", item.Key))), "{object}",
            "Objects in quarantine.");
        Meter.CreateObservableGauge("dicom.gateway.spool.used", () => spool.Limits.UsedBytes, "By", "Bytes that wait, are promised or lie in quarantine.");
        Meter.CreateObservableGauge("dicom.gateway.spool.free", () => spool.Limits.FreeBytes, "By", "Free bytes of the spool's disk.");
        Meter.CreateObservableGauge("dicom.gateway.spool.takes.objects", () => spool.Limits.HasRoom ? 1 : 0, "", "1 while the spool has room.");
        Meter.CreateObservableGauge("dicom.gateway.commitments.open", () => commitments.Open.Count, "{request}",
            "Storage commitment requests without an acknowledged report.");
        Meter.CreateObservableCounter("dicom.gateway.transactions.lost", () => transactions.Lost, "{record}",
            "Records of the transaction log that could not be kept.");
        Meter.CreateObservableCounter("dicom.gateway.audit.messages", () => audit.Sent, "{message}", "Audit messages that were sent.");
        Meter.CreateObservableCounter("dicom.gateway.audit.lost", () => audit.Lost, "{message}", "Audit messages that could not be held.");
        Meter.CreateObservableGauge("dicom.gateway.process.resident.memory", () => Environment.WorkingSet, "By", "Resident memory of the process.");
        Meter.CreateObservableCounter("dicom.gateway.process.cpu", () => Environment.CpuUsage.TotalTime.TotalSeconds, "s", "Processor time of the process.");
        Meter.CreateObservableGauge("dicom.gateway.process.handles", Handles, "{handle}", "Open files and sockets of the process.");
        var started = time.GetTimestamp();
        Meter.CreateObservableGauge("dicom.gateway.uptime", () => time.GetElapsedTime(started).TotalSeconds, "s", "How long the process has run.");
        transactions.Recorded += OnRecorded;

        void Observe(string name, string unit, string description, Func<DestinationStatus, double> value) =>
            Meter.CreateObservableGauge(name,
                () => forwarder.Status.Select(status => new Measurement<double>(value(status), Of("destination", status.Destination))), unit, description);
    }

    /// <summary>The instruments.</summary>
    public Meter Meter { get; }

    /// <summary>Objects and bytes a second that were stored over the last minute.</summary>
    public (double Objects, double Bytes) Received => received.PerSecond;

    /// <summary>Objects stored since the start.</summary>
    public long TotalReceived => received.TotalObjects;

    /// <inheritdoc />
    public void Dispose()
    {
        transactions.Recorded -= OnRecorded;
        Meter.Dispose();
    }

    /// <summary>Counts zero where nothing happened yet, so that a first event is seen as a rise.</summary>
    public void Begin()
    {
        foreach (var counter in new[] { storeBytes, matches, forwardBytes }) counter.Add(0);
        foreach (var result in new[] { "Success", "Aborted", "Failure", "Rejected" }) associations.Add(0, Of("result", result));
    }

    private void OnRecorded(Transaction record)
    {
        var (result, seconds) = (Of("result", record.Result.ToString()), record.Duration / 1_000);
        switch (record.Kind)
        {
            case TransactionKind.Association:
                associations.Add(1, result);
                break;
            case TransactionKind.Store:
                stores.Add(1, Of("ae", record.CalledAe), result, Of("status", record.Status));
                storeDuration.Record(seconds, result);
                if (record.Count == 0) break;
                storeBytes.Add(record.Bytes);
                received.Add(record.Count, record.Bytes);
                break;
            case TransactionKind.Query:
                queries.Add(1, result);
                matches.Add(record.Count);
                break;
            case TransactionKind.Retrieve:
                retrieves.Add(1, result);
                subOperations.Add(record.Count, Of("outcome", "completed"));
                subOperations.Add(record.Failed, Of("outcome", "failed"));
                break;
            case TransactionKind.Forward:
                var destination = Of("destination", record.Destination);
                forwards.Add(1, destination, result);
                forwardObjects.Add(record.Count, destination, Of("outcome", "taken"));
                forwardObjects.Add(record.Failed, destination, Of("outcome", "refused"));
                forwardBytes.Add(record.Bytes);
                forwardDuration.Record(seconds, destination);
                break;
        }
    }

    private static KeyValuePair<string, object?> Of(string key, string? value) => new(key, value ?? "");

    private static int Handles()
    {
        try
        {
            return Directory.EnumerateFileSystemEntries("/proc/self/fd").Count();
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
