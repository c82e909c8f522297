using DicomServerless.Dicom;
using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using DicomServerless.Archive;
using DicomServerless.Functional.Http;
using DicomServerless.Shared;
using DicomServerless.Storage;
using DicomServerless.Storage.Azure;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace DicomServerless.Functional.Host;

/// <summary>The built executable under what the Functions host does to it, and on its own, over a storage emulator.</summary>
public sealed class HostTests : IAsyncLifetime
{
    // FUNCTIONS_EXECUTABLE: a published program, trimmed as it is deployed.
    private static readonly string Executable = Environment.GetEnvironmentVariable("FUNCTIONS_EXECUTABLE")
        ?? Path.Combine(AppContext.BaseDirectory, "DicomServerless.Functions");
    private static readonly HttpClient client = new();
    private Azurite azurite = null!;
    private FunctionsHost host = null!;

    public async Task InitializeAsync()
    {
        azurite = await Azurite.StartAsync();
        host = await FunctionsHost.StartAsync(Executable, Settings(("Archive__JournalDueSeconds", "1")), bodyLimit: 2_000_000);
    }

    public async Task DisposeAsync()
    {
        await host.DisposeAsync();
        azurite.Dispose();
    }

    private Dictionary<string, string> Settings(params (string Name, string Value)[] more)
    {
        // A stray setting that must not win under the host.
        var settings = new Dictionary<string, string> { ["DataStorage"] = azurite.ConnectionString, ["ASPNETCORE_URLS"] = "http://127.0.0.1:1" };
        foreach (var (name, value) in more) settings[name] = value;
        return settings;
    }

    private AzureStorageAccount Account => new(new AzureStorageOptions { ConnectionString = azurite.ConnectionString }, TimeProvider.System);

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
        host.Kill();
        await host.StartHandlerAsync();
        using var again = await client.GetAsync(url + "/series/1.2.1/instances/1.2.1.1");
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        Assert.DoesNotContain("SMITH", host.Output);
        Assert.DoesNotContain("1.2.1.1", host.Output);
    }

    [Fact]
    public async Task Events_of_blobs_put_by_others_make_them_found()
    {
        (string Function, string Binding, InvocationValue Kind, bool IsCloudEvent, bool IsArray)[] ways =
        [
            ("events-queue", "message", InvocationValue.Binary, false, false),
                ("events-queue", "message", InvocationValue.Text, false, false), ("events-queue", "message", InvocationValue.Text, true, true),
            ("events-grid", "event", InvocationValue.Object, false, false),
                ("events-grid", "event", InvocationValue.Object, true, false), ("events-grid", "event", InvocationValue.Text, false, true),
        ];
        foreach (var (way, number) in ways.Select((way, i) => (way, i + 1)))
        {
            var key = new InstanceKey(Dicom.Uid.Parse($"1.3.{number}"), Dicom.Uid.Parse($"1.3.{number}.1"), Dicom.Uid.Parse($"1.3.{number}.1.1"));
            var name = Layout.BlobName(key);
            await PutAsync(name, Server.Image(key.Study.Value, key.Series.Value, key.Sop.Value).ToFile());
            Assert.Equal(HttpStatusCode.NoContent, (await client.GetAsync($"{host.Url}/dicomweb/studies?StudyInstanceUID={key.Study}")).StatusCode);
            var text = Event("Microsoft.Storage.BlobCreated", name, way.IsCloudEvent);
            var (status, body) = await host.InvokeAsync(way.Function, way.Binding, way.IsArray ? $"[{text}]" : text, way.Kind);
            Assert.Equal((HttpStatusCode.OK, """{"Outputs":{},"Logs":[],"ReturnValue":null}"""), (status, body));
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"{host.Url}/dicomweb/studies?StudyInstanceUID={key.Study}")).StatusCode);

            await Account.BlobContainer("dicom").DeleteAsync(name, null, null, default);
            (status, _) = await host.InvokeAsync(way.Function, way.Binding, Event("Microsoft.Storage.BlobDeleted", name, way.IsCloudEvent), way.Kind);
            Assert.Equal(HttpStatusCode.OK, status);
            Assert.Equal(HttpStatusCode.NoContent, (await client.GetAsync($"{host.Url}/dicomweb/studies?StudyInstanceUID={key.Study}")).StatusCode);
        }
        Assert.Equal(HttpStatusCode.OK,
            (await host.InvokeAsync("events-queue", "message", Event("Microsoft.Storage.BlobTierChanged", "x", false), InvocationValue.Binary)).Status);
        Assert.Equal(HttpStatusCode.OK,
            (await host.InvokeAsync("sweep", "timer", """{"Schedule":{"AdjustForDST":false},"ScheduleStatus":null,"IsPastDue":false}""",
            InvocationValue.Object)).Status);
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("")]
    [InlineData("{\"eventType\":\"Microsoft.Storage.BlobCreated\",\"subject\":\"/elsewhere\"}")]
    public async Task What_is_no_event_fails_so_that_it_goes_to_the_poison_queue(string message)
    {
        foreach (var kind in new[] { InvocationValue.Binary, InvocationValue.Text })
            Assert.Equal(HttpStatusCode.InternalServerError, (await host.InvokeAsync("events-queue", "message", message, kind)).Status);
    }

    [Fact]
    public async Task Triggers_cannot_be_reached_from_outside()
    {
        foreach (var path in new[] { "/events-queue", "/events-grid", "/sweep", "/Sweep", "//sweep", "/./sweep", "/%73weep" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, host.Url + path)
                { Content = new StringContent("""{"Data":{"message":"{}"}}""", Encoding.UTF8, "application/json") };
            request.Headers.TryAddWithoutValidation("User-Agent", "Azure-Functions-Host/4.1");
            request.Headers.TryAddWithoutValidation("X-Azure-Functions-InvocationId", Guid.NewGuid().ToString());
            using var response = await client.SendAsync(request);
            await Server.AssertProblemAsync(HttpStatusCode.NotFound, response);
        }
        // Either mark alone is enough.
        foreach (var mark in new[] { "x-ms-invocation-id", "X-Forwarded-For" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{host.HandlerPort}/sweep");
            request.Headers.TryAddWithoutValidation(mark, "203.0.113.9");
            Assert.Equal(HttpStatusCode.NotFound, (await client.SendAsync(request)).StatusCode);
        }
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
        var letters = Account.BlobContainer("dead-letter");
        await letters.CreateIfAbsentAsync(default);
        await letters.PutAsync("topic/sub/2026/11/1.json", new(Encoding.UTF8.GetBytes($"[{events[1]}]")), new BlobWrite(BlobCondition.None), default);

        Assert.Equal(HttpStatusCode.OK, (await host.InvokeAsync("sweep", "timer", "{}", InvocationValue.Object)).Status);
        foreach (var study in studies)
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"{host.Url}/dicomweb/studies?StudyInstanceUID={study}")).StatusCode);
        Assert.Empty(await queue.ReceivePoisonAsync(1, TimeSpan.FromSeconds(1), default));
        Assert.Null(await letters.HeadAsync("topic/sub/2026/11/1.json", default));
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
    public async Task On_its_own_it_reads_the_queue_and_sweeps()
    {
        host.Kill();
        var port = host.HandlerPort; // free now
        using var process = Start(Settings(("Http__Urls", $"http://127.0.0.1:{port}"), ("Events__PollSeconds", "0.2"), ("Events__MaxDequeueCount", "1")));
        try
        {
            await EventuallyAsync(async () => (await client.GetAsync($"http://127.0.0.1:{port}/health/ready")).IsSuccessStatusCode);
            var key = new InstanceKey(Dicom.Uid.Parse("1.5"), Dicom.Uid.Parse("1.5.1"), Dicom.Uid.Parse("1.5.1.1"));
            await PutAsync(Layout.BlobName(key), Server.Image("1.5", "1.5.1", "1.5.1.1").ToFile());
            var queue = Account.EventQueue("dicom-events");
            await queue.SendAsync("no event"u8.ToArray(), null, default);
            await queue.SendAsync(Encoding.UTF8.GetBytes(Event("Microsoft.Storage.BlobCreated", Layout.BlobName(key), false)), null, default);
            await EventuallyAsync(async () => (await client.GetAsync($"http://127.0.0.1:{port}/dicomweb/studies?StudyInstanceUID=1.5"))
                .StatusCode == HttpStatusCode.OK);
            await EventuallyAsync(async () => (await queue.ReceivePoisonAsync(1, TimeSpan.FromSeconds(1), default)).Count == 1);
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
        host.Kill();
        // The proxy in front may say that it does not sample; here everything is wanted.
        await using var observed = await FunctionsHost.StartAsync(Executable,
            Settings(("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Urls.Single()), ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"), ("OTEL_TRACES_SAMPLER", "always_on"), ("OTEL_METRIC_EXPORT_INTERVAL", "200")));
        using var stored = await client.PostAsync(observed.Url + "/dicomweb/studies", new ByteArrayContent(Server.Image("1.6", "1.6.1", "1.6.1.1").ToFile())
            { Headers = { { "Content-Type", "application/dicom" } } });
        Assert.Equal(HttpStatusCode.OK, stored.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(observed.Url + "/dicomweb/studies/1.6/metadata?x=SMITH")).StatusCode);
        await EventuallyAsync(() => Task.FromResult(received.GetValueOrDefault("/v1/traces", "").Contains("GET /dicomweb/studies/{study}/metadata")
            && received.GetValueOrDefault("/v1/metrics", "").Contains("dicomweb.store.instances")));
        var all = string.Concat(received.Values);
        Assert.Contains("http.server.request.duration", all);
        Assert.DoesNotContain("SMITH", all);
        Assert.DoesNotContain("1.6.1", all);
    }

    [Fact]
    public async Task Bad_configuration_is_told_line_by_line_and_ends_with_an_error()
    {
        using var process = Start(new Dictionary<string, string>
            { ["Archive__BlockMiB"] = "1000", ["Archive__MaxResultz"] = "3", ["Http__MaxBodyBytes"] = "lots",
            ["Http__TrustedProxies"] = "everyone", ["DataStorage"] = "nonsense" });
        var text = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(1, process.ExitCode);
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(5, lines.Length);
        foreach (var part in (string[])["Archive:BlockMiB is \"1000\"", "1 to 64", "Archive:MaxResultz is not a setting",
            "Http:MaxBodyBytes is \"lots\"", "Http:TrustedProxies is \"everyone\"", "DataStorage"])
            Assert.Contains(part, text);
    }

    [Fact]
    public async Task A_taken_port_ends_with_an_error()
    {
        using var process = Start(Settings(("FUNCTIONS_CUSTOMHANDLER_PORT", host.HandlerPort.ToString(System.Globalization.CultureInfo.InvariantCulture))));
        await process.WaitForExitAsync();
        Assert.Equal(1, process.ExitCode);
        // the host looks for these words
        Assert.Contains("address already in use", await process.StandardError.ReadToEndAsync(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Without_storage_it_answers_at_once_and_says_that_it_is_not_ready()
    {
        azurite.Dispose();
        await using var alone = await FunctionsHost.StartAsync(Executable, Settings(("Http__StartWaitSeconds", "0")));
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
