using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using DicomServerless.Dev;
using DicomServerless.Shared;

namespace DicomServerless.Bench.Archive;

/// <summary>Counts the storage transactions of operations in the emulator's access log: what the bill is made of.</summary>
internal sealed partial class TransactionBench(Azurite azurite, FunctionsProcess program, HttpClient http, CtObjects objects, TransactionBench.Counter counter)
{
    private const int Known = 1, New = 2, Many = 3, Foreign = 4;
    private readonly byte[] buffer = new byte[128 * 1024];
    private long sequence;

    public static async Task RunAsync(string executable, CtObjects objects)
    {
        var counter = new Counter();
        using var azurite = await Azurite.StartAsync(counter.Add);
        using var program = await FunctionsProcess.StartAsync(azurite.ConnectionString,
            new Dictionary<string, string> { ["Events__Poll"] = "true", ["Events__PollSeconds"] = "0.1" }, executable);
        using var http = ArchiveBench.Client();
        await new TransactionBench(azurite, program, http, objects, counter).RunAsync();
    }

    private async Task RunAsync()
    {
        var raw = await RawStorage.OpenAsync(azurite, http, "dicom");
        var study = $"{program.Url}/dicomweb/studies/";
        Console.WriteLine("\n## Storage transactions per operation, from the access log\n\n| operation | blob | table | aim |\n|---|---|---|---|");

        await StowAsync(Known, 0, 50);
        await SettleAsync(raw);
        await ShowAsync("50 instances of one series into a known study, until the journal row is gone", "≤ 50 blob + 8 table", (blob, table) =>
            blob <= 50 && table <= 8, async () =>
        {
            await StowAsync(Known, 50, 50);
            await SettleAsync(raw);
        });
        await ShowAsync("the same into a new study", "≤ 50 blob + 22 table", (blob, table) => blob <= 50 && table <= 22, async () =>
        {
            await StowAsync(New, 0, 50);
            await SettleAsync(raw);
        });
        const int burst = 10;
        await StowAsync(Known, 100, 1);
        await ShowAsync("one more instance in a burst", "≤ 1 blob + 3 table", (blob, table) => blob <= 1 && table <= 3, async () =>
        {
            for (var i = 0; i < burst; i++) await StowAsync(Known, 101 + i, 1);
        }, burst);
        await SettleAsync(raw);

        for (var first = 0; first < 500; first += 50) await StowAsync(Many, first, 50);
        await SettleAsync(raw);
        await ShowAsync("metadata of 500 instances", "≤ 2", (blob, table) => blob + table <= 2, () =>
            GetAsync(study + CtObjects.StudyUid(Many) + "/metadata", "application/dicom+json"));
        await ShowAsync("one frame", "≤ 2", (blob, table) => blob + table <= 2,
            () => GetAsync($"{study}{CtObjects.StudyUid(Many)}/series/{CtObjects.SeriesUid(Many)}/instances/{CtObjects.SopUid(Many, 7)}/frames/1",
                "multipart/related; type=\"application/octet-stream\"; transfer-syntax=*"));
        // Once a minute at most a search looks whether the index is being rebuilt: apart, because it is no part of any one search.
        await GetAsync($"{program.Url}/dicomweb/studies?limit=1", "application/dicom+json");
        await ShowAsync("search studies by PatientID, one found", "≤ 1 + 1 a page", (blob, table) => blob + table <= 2,
            () => GetAsync($"{program.Url}/dicomweb/studies?PatientID={CtObjects.PatientId(Many)}", "application/dicom+json"));
        await ShowAsync("search the instances of a study, page of 100", "shown", (_, _) => true,
            () => GetAsync($"{study}{CtObjects.StudyUid(Many)}/instances?limit=100", "application/dicom+json"));

        // Events. Where the subscription filters by client request id, as the deployment sets it up, own events are not even sent.
        var own = CtObjects.BlobName(Many, 7);
        await ShowAsync("event of our own put", "0", (blob, table) => blob + table == 0, () =>
            EventAsync(own, DicomServerless.Archive.BlobMetadata.OwnRequest + "1"));
        await ShowAsync("event without a request id, row and blob agree", "shown", null, () => EventAsync(own, null));
        var foreign = CtObjects.BlobName(Foreign, 0);
        await raw.PutAsync(foreign, new BlobContent(objects, Foreign, 0));
        await Task.Delay(500);
        await ShowAsync("event of a foreign put into a new study, until the journal row is gone", "shown", null, async () =>
        {
            await EventAsync(foreign, null);
            await SettleAsync(raw);
        });
        Console.WriteLine();
    }

    private Task StowAsync(int study, int first, int count) => ArchiveBench.StowAsync(http, program.Url, new StowContent(objects, study, first, count));

    private Task GetAsync(string url, string accept) => ArchiveBench.GetAsync(http, url, accept, buffer);

    private async Task EventAsync(string blob, string? clientRequestId)
    {
        var text = Encoding.UTF8.GetString(GridEvents.Of(new BlobAccess(false, "dicom", blob, DateTimeOffset.UtcNow), ++sequence));
        if (clientRequestId is not null) text = text.Replace("\"api\":", $"\"clientRequestId\":\"{clientRequestId}\",\"api\":", StringComparison.Ordinal);
        var queue = new EventsOnQueue(azurite.ConnectionString);
        await queue.SendAsync(Encoding.UTF8.GetBytes(text), TimeSpan.Zero, CancellationToken.None);
        await queue.EmptyAsync();
    }

    // Study state is kept a while after the last request; then the journal row goes. Ends when it has, and the log has been quiet since.
    private async Task SettleAsync(RawStorage raw)
    {
        for (var attempt = 0; attempt < 20; attempt++)
        {
            await Task.Delay(1000);
            if (!await raw.IsJournalEmptyAsync()) continue;
            await Task.Delay(1000);
            return;
        }
        throw new InvalidOperationException("The journal did not become empty.");
    }

    private async Task ShowAsync(string name, string aim, Func<double, double, bool>? isMet, Func<Task> operation, int times = 1)
    {
        counter.Reset();
        await operation();
        await Task.Delay(400); // the log comes through a pipe
        var (blob, table, lines) = counter.Read();
        var (blobs, tables) = ((double)blob / times, (double)table / times);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {blobs:0.#} | {tables:0.#} | {aim} {(isMet is null ? "" : ArchiveBench.Verdict(isMet(blobs, tables)))} |"));
        if (Environment.GetEnvironmentVariable("BENCH_LINES") is not null)
            foreach (var line in lines) Console.WriteLine("    " + line);
    }

    /// <summary>Counts requests by service.</summary>
    internal sealed partial class Counter
    {
        private static readonly string[] Tables = ["instances", "studies", "keys", "uids", "journal", "$batch", "Tables"];
        private static readonly string[] Containers = ["dicom", "derived", "inbox", "rejected"];
        private readonly Lock gate = new();
        private readonly List<string> lines = [];
        private int blob, table;

        // 127.0.0.1 - - [21/Nov/2026:10:05:17 +0000] "POST /devstoreaccount1/$batch HTTP/1.1" 202 -
        [GeneratedRegex(""" "(?<method>[A-Z]+) /devstoreaccount1/(?<name>[^/?( ]+)(?<rest>[^ ]*) HTTP/""")]
        private static partial Regex Line();

        public void Add(string line)
        {
            if (Line().Match(line) is not { Success: true } match) return;
            var name = match.Groups["name"].Value;
            lock (gate)
            {
                if (Tables.Contains(name)) table++;
                else if (Containers.Contains(name)) blob++;
                else return;
                // The journal queries are this benchmark's own: see IsJournalEmptyAsync.
                if (name == "journal" && match.Groups["rest"].Value.Contains("top=1", StringComparison.Ordinal)) table--;
                else lines.Add(match.Groups["method"].Value + " " + name + match.Groups["rest"].Value);
            }
        }

        public void Reset()
        {
            lock (gate)
            {
                (blob, table) = (0, 0);
                lines.Clear();
            }
        }

        public (int Blob, int Table, string[] Lines) Read()
        {
            lock (gate) return (blob, table, lines.ToArray());
        }
    }
}
