using System.Diagnostics;
using System.Globalization;
using System.IO.Pipelines;
using DicomServerless.Archive;
using DicomServerless.Archive.Index;
using DicomServerless.Dicom;
using DicomServerless.Shared;
using DicomServerless.Storage;
using Microsoft.Extensions.Logging.Abstractions;

namespace DicomServerless.Bench.Archive;

/// <summary>
/// The index by itself, without an emulator whose own rate and memory would be in the figures: a rebuild over stores in memory that take a while for each
/// request, and the peak of memory while the metadata of a large study are written, from a table that makes its rows when they are asked for.
/// </summary>
internal static class IndexBench
{
    private const double AimMiB = 250;

    public static async Task RunAsync(int instances)
    {
        Console.WriteLine("\n| | figure | aim |\n|---|---|---|");
        await MetadataAsync(2 * instances);
        await RebuildAsync(instances);
    }

    private static async Task RebuildAsync(int instances)
    {
        var world = new MemoryWorld(TimeProvider.System);
        var blobs = world.Client().Dicom;
        for (var i = 0; i < instances; i++)
        {
            var (study, series) = ($"1.2.3.{i / 100}", $"1.2.3.{i / 100}.1");
            var key = new InstanceKey(Uid.Parse(study), Uid.Parse(series), Uid.Parse(string.Create(CultureInfo.InvariantCulture, $"{series}.{i % 100}")));
            var file = TestObject.Of(study, series, key.Sop.Value).Add(0x00100020, "LO", "ID")
                .Add(0x00080020, "DA", "20240101").Add(0x00080060, "CS", "CT").ToFile();
            await blobs.PutAsync(Layout.BlobName(key), new(file), new BlobWrite(BlobCondition.None), default);
        }
        var requests = 0;
        var stores = world.Client(async what =>
        {
            if (what.StartsWith("answer", StringComparison.Ordinal)) return;
            Interlocked.Increment(ref requests);
            await Task.Delay(2);
        });
        var archive = new DicomArchive(stores, new ArchiveOptions(), TimeProvider.System, Guid.NewGuid, NullLogger<DicomArchive>.Instance);
        var watch = Stopwatch.StartNew();
        await archive.Rebuild.RunAsync(default);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| rebuild of {instances} instances in {instances / 100} studies, at least 2 ms a request | {watch.Elapsed.TotalSeconds:F1} s, {requests} "
                + $"requests | an eighth of before |"));
    }

    private static async Task MetadataAsync(int instances)
    {
        var table = new MadeTable(instances);
        var archive = new DicomArchive(new MemoryWorld(TimeProvider.System).Client() with
            { Instances = table }, new ArchiveOptions(), TimeProvider.System, Guid.NewGuid, NullLogger<DicomArchive>.Instance);
        var metadata = await archive.Retrieval.MetadataAsync(MadeTable.Study, null, null, default);
        var watch = Stopwatch.StartNew();
        await metadata!.WriteToAsync(PipeWriter.Create(Stream.Null), "https://archive.example/dicomweb", default);
        var peak = FunctionsProcess.PeakResidentMiB(Environment.ProcessId);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| peak of resident memory, metadata of {metadata.Count} instances ({watch.Elapsed.TotalSeconds:F1} s, {table.Requests} requests) | "
                + $"{peak:F0} MiB | < {AimMiB} {ArchiveBench.Verdict(peak < AimMiB)} |"));
    }

    /// <summary>Rows of one series, 8 KiB of compressed metadata each, in another order than their instances have.</summary>
    private sealed class MadeTable : ITable
    {
        public static readonly Uid Study = Uid.Parse("1.2.3");
        private static readonly Uid Series = Uid.Parse("1.2.3.1");

        private readonly (string Key, int Number)[] rows;
        private readonly byte[] metadata;
        private int requests;

        public MadeTable(int instances)
        {
            rows = [.. Enumerable.Range(0, instances)
                .Select(i => (Layout.InstanceRowKey(new InstanceName(Series, Uid.Parse(string.Create(CultureInfo.InvariantCulture, $"{Series}.{i}")))),
                (int)(i * 7919L % instances)))];
            Array.Sort(rows, (a, b) => string.CompareOrdinal(a.Key, b.Key));
            var text = new byte[6 * 1024];
            new Random(1).NextBytes(text);
            metadata = RowBytes.Compress(
                System.Text.Encoding.ASCII.GetBytes("{\"00104000\":{\"vr\":\"LT\",\"Value\":[\"" + Convert.ToHexString(text) + "\"]}}"));
        }

        public string Name => "instances";
        public int Requests => requests;

        public Task CreateIfAbsentAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public async Task<TableRow?> GetAsync(string partitionKey, string rowKey, IReadOnlyList<string>? select, CancellationToken cancellationToken)
        {
            await Task.Yield();
            Interlocked.Increment(ref requests);
            var place = Array.BinarySearch(rows, (rowKey, 0), Comparer<(string Key, int)>.Create((a, b) => string.CompareOrdinal(a.Key, b.Key)));
            return place < 0 ? null : Row(place, select);
        }

        public async Task<TablePage> QueryAsync(TableQuery query, string? continuation, CancellationToken cancellationToken)
        {
            await Task.Yield();
            Interlocked.Increment(ref requests);
            var from = continuation ?? query.RowKeyFrom;
            var found = Enumerable.Range(0, rows.Length)
                .Where(place => string.CompareOrdinal(rows[place].Key, from) >= 0 && string.CompareOrdinal(rows[place].Key, query.RowKeyBefore) < 0)
                .Take((query.PageSize ?? 1000) + 1).ToArray();
            var size = query.PageSize ?? 1000;
            return new TablePage([.. found.Take(size).Select(place => Row(place, query.Select))], found.Length > size ? rows[found[size]].Key : null);
        }

        public Task<TableWritten> SubmitAsync(IReadOnlyList<TableWrite> writes, CancellationToken cancellationToken) => throw new NotSupportedException();

        private TableRow Row(int place, IReadOnlyList<string>? select)
        {
            var row = new TableRow(Study.Value, rows[place].Key)
                { ["ET"] = "0x" + place.ToString(CultureInfo.InvariantCulture), ["IN"] = (long)rows[place].Number, ["SV"] = Layout.SchemaVersion };
            if (select is null || select.Contains("M")) row["M"] = metadata.ToArray();
            return row;
        }
    }
}
