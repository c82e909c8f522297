using DicomServerless.Dicom;
using Azure.Storage.Queues;
using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using DicomServerless.Archive;
using DicomServerless.Functional.Http;
using DicomServerless.Shared;
using DicomServerless.Shared.Worker;
using DicomServerless.Storage;
using DicomServerless.Storage.Azure;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functional.Host;

/// <summary>The built executable under what the Functions host does to it, and on its own, over a storage emulator.</summary>
public sealed class HostTests : IAsyncLifetime
{
    // FUNCTIONS_EXECUTABLE: a published program, as it is deployed.
    private static readonly string Executable = Environment.GetEnvironmentVariable("FUNCTIONS_EXECUTABLE") ?? FunctionsProcess.BuiltExecutable;
    internal static readonly string Assembly = Executable + ".dll";
    private const string Timer = """{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}""";
    private static readonly HttpClient client = new();
    private Azurite azurite = null!;
    private WorkerHost host = null!;

    public async ValueTask InitializeAsync()
    {
        azurite = await Azurite.StartAsync();
        host = await WorkerHost.StartAsync(Assembly, Settings(("Archive__JournalDueSeconds", "1")), bodyLimit: 2_000_000);
        await EventuallyAsync(async () => (await client.GetAsync(host.Url + "/health/ready")).IsSuccessStatusCode);
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        azurite.Dispose();
    }

    private Dictionary<string, string> Settings(params (string Name, string Value)[] more)
    {
        var settings = new Dictionary<string, string>
            { ["DataStorage"] = azurite.ConnectionString, ["EVENTS_QUEUE"] = "dicom-events", ["SWEEP_CRON"] = "0 * * * * *" };
        foreach (var (name, value) in more) settings[name] = value;
        return settings;
    }

    private AzureStorageAccount Account => new(new AzureStorageOptions { ConnectionString = azurite.ConnectionString });

    private async Task<HttpResponseMessage> StoreAsync(byte[] file, bool isChunked = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, host.Url + "/dicomweb/studies") { Content = new ByteArrayContent(file) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/dicom");
        request.Headers.TransferEncodingChunked = isChunked;
        return await client.SendAsync(request);
    }

    [Fact]
    public async Task Objects_go_in_and_come_out_under_the_public_url()
    {
        Assert.True(host.StartTime < TimeSpan.FromSeconds(10), $"The first answer took {host.StartTime}.");
        var file = Server.Image("1.2", "1.2.1", "1.2.1.1").ToFile();
        using var stored = await StoreAsync(file);
        Assert.True(stored.StatusCode == HttpStatusCode.OK, await stored.Content.ReadAsStringAsync() + host.Output);
        // above the host's limit, streamed
        using var chunked = await StoreAsync(Server.Image("1.2", "1.2.1", "1.2.1.2").Add(0x00091001, "OB", new byte[3_000_000]).ToFile(), isChunked: true);
        Assert.Equal(HttpStatusCode.OK, chunked.StatusCode);
        using var large = await StoreAsync(new byte[2_000_001]);
        Assert.Equal(HttpStatusCode.InternalServerError, large.StatusCode); // the host's own

        using var found = await client.GetAsync(host.Url + "/dicomweb/studies");
        var study = (await Server.JsonAsync(found))[0];
        Assert.Equal(2, study.GetProperty("00201208").GetProperty("Value")[0].GetInt32());
        var url = study.GetProperty("00081190").GetProperty("Value")[0].GetString()!;
        Assert.Equal(host.Url + "/dicomweb/studies/1.2", url);
        var parts = await Server.PartsAsync(await client.GetAsync(url + "/series/1.2.1/instances/1.2.1.1"));
        Assert.Equal(file, Assert.Single(parts).Content);
        Assert.Equal("ready\n", await client.GetStringAsync(host.Url + "/health/ready"));

        // What an acknowledged object has to survive.
        await host.KillAsync();
        using var again = await client.GetAsync(url + "/series/1.2.1/instances/1.2.1.1");
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.DoesNotContain("SMITH", host.Output);
        Assert.DoesNotContain("1.2.1.1", host.Output);
    }

    [Fact]
    public async Task Events_of_blobs_put_by_others_make_them_found()
    {
        (string Function, bool IsCloudEvent, bool IsArray)[] ways =
        [
            ("eventsQueue", false, false), ("eventsQueue", true, true), ("eventsGrid", false, false), ("eventsGrid", true, false),
            ("eventsGrid", false, true),
        ];
        foreach (var (way, number) in ways.Select((way, i) => (way, i + 1)))
        {
            var key = new InstanceKey(Dicom.Uid.Parse($"1.3.{number}"), Dicom.Uid.Parse($"1.3.{number}.1"), Dicom.Uid.Parse($"1.3.{number}.1.1"));
            var name = Layout.BlobName(key);
            await PutAsync(name, Server.Image(key.Study.Value, key.Series.Value, key.Sop.Value).ToFile());
            Assert.Equal(HttpStatusCode.NoContent, (await client.GetAsync($"{host.Url}/dicomweb/studies?StudyInstanceUID={key.Study}")).StatusCode);
            var text = Event("Microsoft.Storage.BlobCreated", name, way.IsCloudEvent);
            Assert.Null(await host.InvokeAsync(way.Function, way.IsArray ? $"[{text}]" : text));
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"{host.Url}/dicomweb/studies?StudyInstanceUID={key.Study}")).StatusCode);

            await Account.BlobContainer("dicom").DeleteAsync(name, null, null, default);
            Assert.Null(await host.InvokeAsync(way.Function, Event("Microsoft.Storage.BlobDeleted", name, way.IsCloudEvent)));
            Assert.Equal(HttpStatusCode.NoContent, (await client.GetAsync($"{host.Url}/dicomweb/studies?StudyInstanceUID={key.Study}")).StatusCode);
        }
        Assert.Null(await host.InvokeAsync("eventsQueue", Event("Microsoft.Storage.BlobTierChanged", "x", false)));
        Assert.Null(await host.InvokeAsync("sweep", Timer));
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("[null]")]
    [InlineData("")]
    [InlineData("{\"eventType\":\"Microsoft.Storage.BlobCreated\",\"subject\":\"/elsewhere\"}")]
    public async Task What_is_no_event_fails_so_that_it_goes_to_the_poison_queue(string message)
    {
        foreach (var function in new[] { "eventsQueue", "eventsGrid" }) Assert.NotNull(await host.InvokeAsync(function, message));
    }

    [Fact]
    public async Task Each_kind_of_request_has_a_function_of_its_own_that_can_be_switched_off()
    {
        Assert.Equal(["delete", "eventsGrid", "eventsQueue", "searchRetrieve", "store", "sweep"], host.Functions.Keys.Order(StringComparer.Ordinal));
        foreach (var name in new[] { "store", "searchRetrieve", "delete" }) Assert.Contains("{*path}", host.Functions[name], StringComparison.Ordinal);
        Assert.Contains("%EVENTS_QUEUE%", host.Functions["eventsQueue"], StringComparison.Ordinal);
        Assert.Contains("%SWEEP_CRON%", host.Functions["sweep"], StringComparison.Ordinal);
        Assert.Contains("eventGridTrigger", host.Functions["eventsGrid"], StringComparison.Ordinal);
        await host.PingAsync();
        // What no function lists is the host's to refuse; the rest is ours.
        using var patch = await client.PatchAsync(host.Url + "/dicomweb/studies", null);
        Assert.Equal(HttpStatusCode.NotFound, patch.StatusCode);
        await Server.AssertProblemAsync(HttpStatusCode.NotFound, await client.PostAsync(host.Url + "/sweep", null));
        using var wrong = await client.DeleteAsync(host.Url + "/dicomweb/studies");
        await Server.AssertProblemAsync(HttpStatusCode.MethodNotAllowed, wrong);
        using var options = await client.SendAsync(new HttpRequestMessage(HttpMethod.Options, host.Url + "/dicomweb/studies"));
        Assert.Equal(HttpStatusCode.NoContent, options.StatusCode);
    }

    [Fact]
    public async Task Requests_come_through_as_they_were_sent()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, host.Url + "/dicomweb/studies?limit=1");
        request.Headers.TryAddWithoutValidation("x-ms-invocation-id", Guid.Empty.ToString());
        request.Headers.TryAddWithoutValidation("X-Forwarded-Host", "evil.example");
        using var answer = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(host.Url + "//dicomweb//capabilities")).StatusCode);
        Assert.Equal("ready\n", await client.GetStringAsync(host.Url + "/health/ready"));
    }

    [Fact]
    public async Task Sweep_takes_up_poison_messages_and_dead_letters()
    {
        string[] studies = ["1.7", "1.8"];
        var events = new List<string>();
        foreach (var study in studies)
        {
            var key = new InstanceKey(Dicom.Uid.Parse(study), Dicom.Uid.Parse(study + ".1"), Dicom.Uid.Parse(study + ".1.1"));
            await PutAsync(Layout.BlobName(key), Server.Image(study, study + ".1", study + ".1.1").ToFile());
            events.Add(Event("Microsoft.Storage.BlobCreated", Layout.BlobName(key), false));
        }
        var queue = Account.EventQueue("dicom-events");
        await queue.CreateIfAbsentAsync(default);
        await queue.SendAsync(Encoding.UTF8.GetBytes(events[0]), null, default);
        await queue.MoveToPoisonAsync(Assert.Single(await queue.ReceiveAsync(1, TimeSpan.FromSeconds(30), default)), default);
        // As the Functions host leaves it there: for a week.
        var poison = new QueueClient(azurite.ConnectionString, "dicom-events-poison");
        await poison.SendMessageAsync("no event");
        var letters = Account.BlobContainer("dead-letter");
        await letters.CreateIfAbsentAsync(default);
        await letters.PutAsync("topic/sub/2026/11/0.json", new("[null]"u8.ToArray()), new BlobWrite(BlobCondition.None), default);
        await letters.PutAsync("topic/sub/2026/11/1.json", new(Encoding.UTF8.GetBytes($"[{events[1]}]")), new BlobWrite(BlobCondition.None), default);

        Assert.Null(await host.InvokeAsync("sweep", Timer));
        foreach (var study in studies)
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"{host.Url}/dicomweb/studies?StudyInstanceUID={study}")).StatusCode);
        Assert.Empty(await queue.ReceivePoisonAsync(1, TimeSpan.FromSeconds(1), default)); // hidden until it is tried again
        Assert.Equal(1, (await poison.GetPropertiesAsync()).Value.ApproximateMessagesCount);
        Assert.Null(await letters.HeadAsync("topic/sub/2026/11/1.json", default));
        Assert.NotNull(await letters.HeadAsync("topic/sub/2026/11/0.json", default));
    }

    [Fact]
    public async Task Rebuild_makes_a_lost_index_from_the_blobs()
    {
        using (var stored = await StoreAsync(Server.Image("1.9", "1.9.1", "1.9.1.1").ToFile())) Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
        foreach (var table in new[] { "instances", "studies", "keys", "uids" })
        {
            var lost = Account.Table(table);
            for (string? continuation = null; ;)
            {
                var page = await lost.QueryAsync(new TableQuery { Select = [] }, continuation, default);
                foreach (var row in page.Rows) await lost.SubmitAsync([TableWrite.Delete(row.PartitionKey, row.RowKey, "*")], default);
                if ((continuation = page.Continuation) is null) break;
            }
        }
        Assert.Equal(HttpStatusCode.NoContent, (await client.GetAsync(host.Url + "/dicomweb/studies?StudyInstanceUID=1.9")).StatusCode);
        using var rebuild = Start(Settings(), "rebuild");
        var said = await rebuild.StandardOutput.ReadToEndAsync();
        await rebuild.WaitForExitAsync();
        Assert.True(rebuild.ExitCode == 0, said);
        Assert.Contains("1 instances differed", said, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(host.Url + "/dicomweb/studies?StudyInstanceUID=1.9")).StatusCode);
    }

    [Fact]
    public async Task A_rebuild_that_cannot_reach_storage_says_so_and_ends_with_an_error()
    {
        azurite.Dispose();
        using var rebuild = Start(Settings(), "rebuild");
        var said = await rebuild.StandardError.ReadToEndAsync();
        await rebuild.WaitForExitAsync();
        Assert.True(rebuild.ExitCode == 1, $"{rebuild.ExitCode}: {said}");
        Assert.Contains("The next rebuild goes on from here.", said, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_its_own_it_reads_the_queue_and_sweeps()
    {
        await host.DisposeAsync();
        var port = FreePorts.Next();
        using var process = Start(Settings(("Http__Urls", $"http://127.0.0.1:{port}"), ("Events__PollSeconds", "0.2"), ("Events__MaxDequeueCount", "1")));
        try
        {
            await EventuallyAsync(async () => (await client.GetAsync($"http://127.0.0.1:{port}/health/ready")).IsSuccessStatusCode);
            var key = new InstanceKey(Dicom.Uid.Parse("1.5"), Dicom.Uid.Parse("1.5.1"), Dicom.Uid.Parse("1.5.1.1"));
            await PutAsync(Layout.BlobName(key), Server.Image("1.5", "1.5.1", "1.5.1.1").ToFile());
            var queue = Account.EventQueue("dicom-events");
            await queue.SendAsync("no event"u8.ToArray(), null, default);
            // As large as a message can be, and not encoded.
            await new QueueClient(azurite.ConnectionString, "dicom-events").SendMessageAsync("{\"no\":\"event\"}".PadRight(65_000));
            await queue.SendAsync(Encoding.UTF8.GetBytes(Event("Microsoft.Storage.BlobCreated", Layout.BlobName(key), false)), null, default);
            await EventuallyAsync(async () => (await client.GetAsync($"http://127.0.0.1:{port}/dicomweb/studies?StudyInstanceUID=1.5"))
                .StatusCode == HttpStatusCode.OK);
            var poison = new QueueClient(azurite.ConnectionString, "dicom-events-poison");
            await EventuallyAsync(async () => (await poison.GetPropertiesAsync()).Value.ApproximateMessagesCount == 2);
            // The lease row says when the sweep runs next.
            Assert.NotNull(await Account.Table("journal").GetAsync("lease", "sweep", null, default));
            Assert.Equal(HttpStatusCode.NotFound, (await client.PostAsync($"http://127.0.0.1:{port}/sweep", null)).StatusCode);
        }
        finally
        {
            process.Kill();
        }
    }

    [Fact]
    public async Task Spans_and_measurements_go_to_a_collector_without_uids_or_names()
    {
        var received = new System.Collections.Concurrent.ConcurrentDictionary<string, string>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using var collector = builder.Build();
        collector.Urls.Add("http://127.0.0.1:0");
        collector.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            received.AddOrUpdate(context.Request.Path, Encoding.Latin1.GetString(body.ToArray()), (_, before) =>
                before + Encoding.Latin1.GetString(body.ToArray()));
        });
        await collector.StartAsync();
        await host.DisposeAsync();
        // The proxy in front may say that it does not sample; here everything is wanted.
        await using var observed = await WorkerHost.StartAsync(Assembly,
            Settings(("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Urls.Single()), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"), ("OTEL_TRACES_SAMPLER", "always_on"), ("OTEL_METRIC_EXPORT_INTERVAL", "200")));
        using var stored = await client.PostAsync(observed.Url + "/dicomweb/studies", new ByteArrayContent(Server.Image("1.6", "1.6.1", "1.6.1.1").ToFile())
            { Headers = { { "Content-Type", "application/dicom" } } });
        Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(observed.Url + "/dicomweb/studies/1.6/metadata?x=SMITH")).StatusCode);
        await EventuallyAsync(() => Task.FromResult(received.GetValueOrDefault("/v1/traces", "").Contains("GET /dicomweb/studies/{study}/metadata")
            && received.GetValueOrDefault("/v1/metrics", "").Contains("dicomweb.store.instances")
            // Recorded when a request ends, so it may come with a later export.
            && received.GetValueOrDefault("/v1/metrics", "").Contains("http.server.request.duration")
            && received.GetValueOrDefault("/v1/metrics", "").Contains("dotnet.gc.collections")
            // The storage's calls, below the span of the request.
            && received.GetValueOrDefault("/v1/traces", "").Contains("System.Net.Http")));
        var all = string.Concat(received.Values);
        Assert.DoesNotContain("SMITH", all);
        Assert.DoesNotContain("1.6.1", all);
    }

    [Fact]
    public async Task No_log_setting_opens_urls()
    {
        using var program = await FunctionsProcess.StartAsync(azurite.ConnectionString, new Dictionary<string, string>
        {
            ["Logging__Console__LogLevel__Default"] = "Trace", ["Logging__LogLevel__Microsoft.AspNetCore"] = "Trace",
            ["Logging__LogLevel__Microsoft.AspNetCore.Hosting.Diagnostics"] = "Trace",
        });
        Assert.Equal(HttpStatusCode.NoContent, (await client.GetAsync(program.Url + "/dicomweb/studies?PatientName=Plantedfamily")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(program.Url + "/dicomweb/studies/1.2.987654.3/metadata")).StatusCode);
        Assert.DoesNotContain("Plantedfamily", program.Output, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("987654", program.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bad_configuration_is_told_line_by_line_and_ends_with_an_error()
    {
        using var process = Start(new Dictionary<string, string>
            { ["Archive__BlockMiB"] = "1000", ["Archive__MaxResultz"] = "3", ["Http__MaxBodyBytes"] = "lots",
            ["Http__TrustedProxies"] = "everyone", ["DataStorage"] = "nonsense", ["EVENTS_QUEUE"] = "Dicom_Events" });
        var text = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(1, process.ExitCode);
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(6, lines.Length);
        foreach (var part in (string[])["Archive:BlockMiB is \"1000\"", "1 to 64", "Archive:MaxResultz is not a setting",
            "Http:MaxBodyBytes is \"lots\"", "Http:TrustedProxies is \"everyone\"", "DataStorage", "EVENTS_QUEUE) is \"Dicom_Events\""])
            Assert.Contains(part, text);
    }

    [Fact]
    public async Task A_taken_port_ends_with_an_error()
    {
        using var process = Start(Settings(("Http__Urls", host.Url)));
        await process.WaitForExitAsync();
        Assert.Equal(1, process.ExitCode);
        // the host looks for these words
        Assert.Contains("address already in use", await process.StandardError.ReadToEndAsync(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Without_storage_it_answers_at_once_and_says_that_it_is_not_ready()
    {
        azurite.Dispose();
        await using var alone = await WorkerHost.StartAsync(Assembly, Settings(("Http__StartWaitSeconds", "0")));
        Assert.Equal("live\n", await client.GetStringAsync(alone.Url + "/health/live"));
        await Server.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, await client.GetAsync(alone.Url + "/health/ready"));
        using var search = await client.GetAsync(alone.Url + "/dicomweb/studies");
        await Server.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, search);
        Assert.NotNull(search.Headers.RetryAfter);
    }

    private static Process Start(Dictionary<string, string> settings, params string[] arguments)
    {
        var start = new ProcessStartInfo(Executable, arguments) { RedirectStandardError = true, RedirectStandardOutput = arguments.Length > 0 };
        foreach (var (name, value) in settings) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    private async Task PutAsync(string name, byte[] file) =>
        Assert.Equal(StorageStatus.Ok, (await Account.BlobContainer("dicom")
            .PutAsync(name, new System.Buffers.ReadOnlySequence<byte>(file), new BlobWrite(BlobCondition.None), default)).Status);

    private static string Event(string type, string blob, bool isCloudEvent)
    {
        var subject = JsonEncodedText.Encode("/blobServices/default/containers/dicom/blobs/" + blob);
        return isCloudEvent
            ? $$$"""
              {"id":"1","source":"/x","specversion":"1.0","type":"{{{type}}}","subject":"{{{subject}}}","time":"2026-11-01T00:00:00Z",
              "data":{"api":"PutBlob","clientRequestId":"c"}}
              """
            : $$$"""
              {"id":"1","topic":"/x","eventType":"{{{type}}}","subject":"{{{subject}}}","eventTime":"2026-11-01T00:00:00.1234567Z",
              "data":{"api":"PutBlob","clientRequestId":"c"},"dataVersion":"","metadataVersion":"1"}
              """;
    }

    private static async Task EventuallyAsync(Func<Task<bool>> isTrue)
    {
        for (var end = DateTime.UtcNow.AddSeconds(60); DateTime.UtcNow < end;)
        {
            try
            {
                if (await isTrue()) return;
            }
            catch (HttpRequestException)
            {
                // Not yet.
            }
            await Task.Delay(25);
        }
        Assert.Fail("It did not happen within a minute.");
    }
}
